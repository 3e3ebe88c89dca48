//! The HTTP API: what is asked for leads where. Which addresses there are says `edge_core::routes`.

mod account;
mod accounts;
mod audit;
mod directory;
mod guests;
mod ice;
mod joins;
mod links;
mod nodes;
mod openapi;
mod rooms;
mod sso;
mod v1;

use edge_core::routes::{Found, NotFound, Operation};
use edge_core::session::Bearer;
use edge_core::token::{AccessClaims, Scope};
use protocol::id::RoomId;
use serde::de::DeserializeOwned;
use worker::{Context, Date, Env, Request, Response};

use crate::problem::{Outcome, Refusal};
use crate::{config, http, jwt, mail, rpc};

/// Where mails stand that go nowhere.
const MAILS: &str = "/dev/mail";

type Answer = Outcome<Response>;

/// Answers a request.
pub async fn route(request: Request, env: &Env, context: &Context) -> Answer {
    let path = request.path();
    // Of development machines alone, and so none of the table's.
    if path == MAILS
        && let Some(page) = mail::page(env)
    {
        return Ok(page?);
    }
    let Found {
        operation,
        parameters: [first, second],
    } = edge_core::routes::find(http::method(&request), &path)?;
    match operation {
        Operation::Register => accounts::register(request, env).await,
        Operation::Login => accounts::login(request, env).await,
        Operation::Refresh => accounts::refresh(request, env).await,
        Operation::Logout => accounts::logout(request, env).await,
        Operation::Me => accounts::me(request, env).await,
        Operation::GetSignInWays => sso::ways(env),
        Operation::StartSignOn => sso::start(request, env, first).await,
        Operation::FinishSignOn => sso::callback(request, env, first).await,
        Operation::AskToReset => links::ask_to_reset(request, env, context).await,
        Operation::Reset => links::reset(request, env).await,
        Operation::Verify => links::verify(request, env).await,
        Operation::GetAccount => account::details(request, env).await,
        Operation::ListSessions => account::sessions(request, env).await,
        Operation::EndOtherSessions => account::end_others(request, env).await,
        Operation::EndSession => account::end_session(request, env, first).await,
        Operation::ChangePassword => account::change_password(request, env).await,
        Operation::AskToVerify => account::ask_to_verify(request, env).await,
        Operation::ExportAccount => account::export(request, env).await,
        Operation::DeleteAccount => account::delete(request, env).await,
        Operation::Jwks => Ok(Response::from_json(&jwt::jwks(env)?)?),
        Operation::GetOpenapi => openapi::document(&request, env).await,
        Operation::ListRooms => rooms::list(request, env).await,
        Operation::CreateRoom | Operation::CreateRoomByAlias => rooms::create(request, env).await,
        Operation::GetRoom => rooms::show(request, env, context, first).await,
        Operation::DeleteRoom => rooms::delete(request, env, first).await,
        Operation::GetAudit => audit::page(request, env, first).await,
        Operation::GetDoor => guests::door(request, env, context, first).await,
        Operation::ComeAsGuest => guests::come(request, env, first).await,
        Operation::JoinRoom => rooms::join_room(request, env, context, first).await,
        Operation::TellJoin => joins::tell(request, env, first).await,
        Operation::ConnectRoom => rooms::signaling(request, env, first).await,
        Operation::ExportChat => rooms::export_chat(request, env, first).await,
        Operation::ExportNotes => rooms::export_notes(request, env, first).await,
        Operation::GetIceServers => ice::servers(&request, env).await,
        Operation::SearchDirectory => directory::search(request, env).await,
        Operation::ListKeys => v1::keys::list(request, env).await,
        Operation::CreateKey => v1::keys::create(request, env).await,
        Operation::RevokeKey => v1::keys::revoke(request, env, first).await,
        Operation::ListOwnRooms => v1::rooms::list(request, env).await,
        Operation::CreateOwnRoom => v1::rooms::create(request, env).await,
        Operation::GetOwnRoom => v1::rooms::show(request, env, first).await,
        Operation::ChangeOwnRoom => v1::rooms::change(request, env, first).await,
        Operation::DeleteOwnRoom => v1::rooms::delete(request, env, first).await,
        Operation::ListParticipants => v1::people::list(request, env, first).await,
        Operation::RemoveParticipant => v1::people::remove(request, env, first, second).await,
        Operation::CreateToken => v1::people::let_in(request, env, first).await,
        Operation::ModerateRoom => v1::people::moderate(request, env, first).await,
        Operation::SendData => v1::rooms::send_data(request, env, first).await,
        Operation::ListWebhooks => v1::webhooks::list(request, env).await,
        Operation::CreateWebhook => v1::webhooks::create(request, env).await,
        Operation::ChangeWebhook => v1::webhooks::change(request, env, first).await,
        Operation::DeleteWebhook => v1::webhooks::delete(request, env, first).await,
        Operation::RotateWebhookSecret => v1::webhooks::rotate(request, env, first).await,
        Operation::TestWebhook => v1::webhooks::test(request, env, first).await,
        Operation::ListDeliveries => v1::webhooks::deliveries(request, env, first).await,
        Operation::ConnectNode => nodes::control_link(request, env, first).await,
        Operation::ConnectNodeToRoom => nodes::room_link(request, env, first).await,
    }
}

impl From<NotFound> for Refusal {
    fn from(reason: NotFound) -> Self {
        match reason {
            NotFound::Address => Self::no_address(),
            NotFound::Method { allow } => Self::method_not_allowed(allow),
        }
    }
}

fn now() -> u64 {
    Date::now().as_millis()
}

/// Who sends the request, if their token is good for what is asked.
fn authenticate(request: &Request, env: &Env, scope: Scope) -> Outcome<AccessClaims> {
    let token = http::bearer(request)?.ok_or_else(|| {
        Refusal::unauthenticated("send the access token as Authorization: Bearer")
    })?;
    let claims = jwt::verify(env, &token)?;
    if !claims.is_good_for(scope) {
        return Err(Refusal::guest());
    }
    Ok(claims)
}

/// Asks an account something on behalf of who holds this token, if that still speaks for it.
async fn live<T: DeserializeOwned>(env: &Env, claims: AccessClaims, operation: &str) -> Outcome<T> {
    let object = config::user(env, &claims.sub)?;
    rpc::call(&object, operation, &Bearer::from(claims)).await
}

fn room_id(text: &str) -> Outcome<RoomId> {
    text.parse().map_err(|_| Refusal::no_room())
}
