//! The people of the account's rooms: who is there, letting somebody in, and keeping order.

use edge_core::name::check_name;
use edge_core::token::{AccessClaims, Times, guest_id};
use protocol::client::{Role, RoomKind};
use protocol::developer::{
    CreateTokenRequest, KeyScope, MAX_IDENTITY_BYTES, MAX_TOKEN_SECONDS, MIN_TOKEN_SECONDS,
    RoomToken, TOKEN_SECONDS,
};
use protocol::id::{RoomId, UserId};
use worker::{Env, Request, Response};

use super::once::{Begun, Done, begin, end};
use super::{Answer, Caller, now, room_id};
use crate::problem::{Outcome, Refusal};
use crate::room::What;
use crate::rpc::Passed;
use crate::{config, http, jwt};

pub async fn list(request: Request, env: &Env, id: &str) -> Answer {
    let caller = Caller::of(&request, env, KeyScope::RoomsRead).await?;
    let people: Passed = caller.ask(env, &room_id(id)?, What::Participants).await?;
    Ok(Response::from_json(&people)?)
}

pub async fn remove(request: Request, env: &Env, id: &str, participant: &str) -> Answer {
    let caller = Caller::of(&request, env, KeyScope::ModerationWrite).await?;
    let participant = participant
        .parse()
        .map_err(|_| Refusal::not_found("nobody in the room has this id"))?;
    let what = What::Remove(participant);
    let () = caller.ask(env, &room_id(id)?, what).await?;
    Ok(Response::empty()?.with_status(204))
}

pub async fn moderate(mut request: Request, env: &Env, id: &str) -> Answer {
    let caller = Caller::of(&request, env, KeyScope::ModerationWrite).await?;
    let id = room_id(id)?;
    let (body, _, asked) = match begin(&mut request, env, &caller).await? {
        Begun::Answered(answer) => return Ok(answer),
        Begun::Job(job) => job.parts(),
    };
    let done: Outcome<()> = caller.ask(env, &id, What::Moderate(body)).await;
    end(env, &caller, asked, done.map(|()| (204, None))).await
}

pub async fn let_in(mut request: Request, env: &Env, id: &str) -> Answer {
    let caller = Caller::of(&request, env, KeyScope::TokensWrite).await?;
    let id = room_id(id)?;
    let (body, seed, asked) = match begin(&mut request, env, &caller).await? {
        Begun::Answered(answer) => return Ok(answer),
        Begun::Job(job) => job.parts(),
    };
    let given = token(env, &caller, &id, &body, seed).await;
    end(env, &caller, asked, given).await
}

async fn token(env: &Env, caller: &Caller, id: &RoomId, body: &str, seed: u64) -> Done {
    let body: CreateTokenRequest = http::read(body)?;
    let name = check_name(&body.name)
        .map_err(|error| Refusal::invalid_field("name", &error.to_string()))?;
    let expires_in = body.expires_in.unwrap_or(TOKEN_SECONDS);
    if !(MIN_TOKEN_SECONDS..=MAX_TOKEN_SECONDS).contains(&expires_in) {
        let message = format!("is from {MIN_TOKEN_SECONDS} to {MAX_TOKEN_SECONDS}");
        return Err(Refusal::invalid_field("expiresIn", &message));
    }
    let identity = body.identity.as_deref();
    if identity.is_some_and(|identity| !(1..=MAX_IDENTITY_BYTES).contains(&identity.len())) {
        let message = format!("has 1 to {MAX_IDENTITY_BYTES} bytes");
        return Err(Refusal::invalid_field("identity", &message));
    }
    let kind: RoomKind = caller.ask(env, id, What::Kind).await?;
    let role = body.role.unwrap_or(match kind {
        RoomKind::Webinar => Role::Viewer,
        RoomKind::Meeting => Role::Guest,
    });
    let user = user_of(env, id, identity, seed)?;
    let times = Times {
        now: now(),
        seconds: expires_in,
    };
    let claims = AccessClaims::of_invited(user.clone(), name.clone(), id.clone(), role, times);
    let token = RoomToken {
        token: jwt::sign(env, &claims)?,
        expires_in,
        user,
        name,
        role,
    };
    Ok((201, Some(serde_json::value::to_raw_value(&token)?)))
}

/// Who somebody is in a room: by what they are to the developer the same again, and in each room somebody else.
fn user_of(env: &Env, room: &RoomId, identity: Option<&str>, seed: u64) -> Outcome<UserId> {
    // Rooms' ids have no blanks.
    let claim = match identity {
        Some(identity) => format!("invited to {room} {identity}"),
        None => format!("invited once to {room} {seed}"),
    };
    let mac = config::signature(env, &claim)?;
    let half = mac.first_chunk().map(|half| u128::from_be_bytes(*half));
    half.and_then(guest_id).ok_or_else(Refusal::internal)
}
