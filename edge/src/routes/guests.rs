//! Guests: what a room's door says to everybody, and coming in without an account.

use edge_core::name::check_name;
use edge_core::token::{AccessClaims, GUEST_SECONDS, guest_id};
use protocol::api::{Door, GuestRequest, GuestSession};
use protocol::id::{RoomId, UserId};
use worker::{Env, Request, Response};

use super::{Answer, now, room_id};
use crate::limiter::{Deed, Limiter};
use crate::problem::{Outcome, Refusal};
use crate::{config, cookie, crypto, http, jwt, rpc};

/// What somebody may know who has a link and no token.
pub(super) async fn door(request: Request, env: &Env, id: &str) -> Answer {
    let id = room_id(id)?;
    Limiter::of(&request, env, Deed::Join)?.take().await?;
    let door: Door = rpc::call(&config::room(env, &id, None)?, "door", &()).await?;
    Ok(Response::from_json(&door)?)
}

pub(super) async fn come(mut request: Request, env: &Env, id: &str) -> Answer {
    let id = room_id(id)?;
    let body: GuestRequest = http::json(&mut request).await?;
    let name = check_name(&body.name)
        .map_err(|error| Refusal::invalid_field("name", &error.to_string()))?;
    Limiter::of(&request, env, Deed::Join)?.take().await?;
    let () = rpc::call(&config::room(env, &id, None)?, "guest", &()).await?;
    let browser = match cookie::guest(&request, env)? {
        Some(browser) => browser,
        None => crypto::secret()?,
    };
    let user = guest_of(&browser, &id)?;
    let claims = AccessClaims::of_guest(user.clone(), name.clone(), id, now());
    let session = GuestSession {
        token: jwt::sign(env, &claims)?,
        expires_in: GUEST_SECONDS,
        user,
        name,
    };
    let response = Response::from_json(&session)?.with_status(201);
    Ok(cookie::set_guest(response, &browser)?)
}

/// Who a browser is in a room: the same whenever it comes, so that what was ruled on them holds; and in each room somebody else.
fn guest_of(browser: &str, room: &RoomId) -> Outcome<UserId> {
    let digest = crypto::sha256(&format!("{browser} {room}"));
    let half = digest.get(..32).unwrap_or_default();
    let number = u128::from_str_radix(half, 16).ok();
    number.and_then(guest_id).ok_or_else(Refusal::internal)
}
