//! Guests: what a room's door says to everybody, and coming in without an account.

use std::fmt;

use edge_core::name::check_name;
use edge_core::token::{AccessClaims, GUEST_SECONDS, guest_id};
use protocol::api::{Door, GuestRequest, GuestSession};
use protocol::id::{RoomId, UserId};
use worker::{Context, Env, Request, Response};

use super::directory::unlist_if_gone;
use super::{Answer, now, room_id};
use crate::limiter::{Deed, Limiter};
use crate::problem::{Outcome, Refusal};
use crate::{config, cookie, crypto, http, jwt, rpc};

/// What somebody may know who has a link and no token.
pub(super) async fn door(request: Request, env: &Env, context: &Context, id: &str) -> Answer {
    let id = room_id(id)?;
    Limiter::of(&request, env, Deed::Join)?.take().await?;
    let told: Outcome<Door> = rpc::call(&config::room(env, &id, None)?, "door", &()).await;
    let door = unlist_if_gone(&request, env, context, &id, told).await?;
    Ok(Response::from_json(&door)?)
}

pub(super) async fn come(mut request: Request, env: &Env, id: &str) -> Answer {
    let id = room_id(id)?;
    let body: GuestRequest = http::json(&mut request).await?;
    let name = check_name(&body.name)
        .map_err(|error| Refusal::invalid_field("name", &error.to_string()))?;
    Limiter::of(&request, env, Deed::Join)?.take().await?;
    let browser = match cookie::guest(&request, env)?
        .as_deref()
        .and_then(Browser::of)
    {
        Some(browser) if body.fresh => browser.with_another()?,
        Some(browser) => browser,
        None => Browser::new()?,
    };
    let mut guests = browser.guests(&id)?;
    let held: Option<UserId> = rpc::call(&config::room(env, &id, None)?, "guest", &guests).await?;
    let user = held.or_else(|| guests.pop());
    let user = user.ok_or_else(Refusal::internal)?;
    let claims = AccessClaims::of_guest(user.clone(), name.clone(), id, now());
    let session = GuestSession {
        token: jwt::sign(env, &claims)?,
        expires_in: GUEST_SECONDS,
        user,
        name,
    };
    let response = Response::from_json(&session)?.with_status(201);
    Ok(cookie::set_guest(response, &browser.to_string())?)
}

/// How many come by one browser before nobody knows any more who came first.
const MOST_GUESTS: u8 = 32;

/// A browser, and how many others have come by it before who comes now.
struct Browser {
    secret: String,
    others: u8,
}

impl Browser {
    fn new() -> Outcome<Self> {
        let secret = crypto::secret()?;
        Ok(Self { secret, others: 0 })
    }

    /// By its cookie; nothing if that is none of ours.
    fn of(cookie: &str) -> Option<Self> {
        let (secret, others) = cookie.split_once('.').unwrap_or((cookie, "0"));
        crypto::decode::<32>(secret)?;
        let others = others.parse::<u8>().ok()?;
        let secret = secret.to_owned();
        (others < MOST_GUESTS).then_some(Self { secret, others })
    }

    fn with_another(self) -> Outcome<Self> {
        let others = self.others + 1;
        match others < MOST_GUESTS {
            true => Ok(Self { others, ..self }),
            false => Self::new(),
        }
    }

    /// Who comes by it now in a room, after all who have before. In each room they are somebody else.
    fn guests(&self, room: &RoomId) -> Outcome<Vec<UserId>> {
        let names = (0..=self.others).map(|others| name_of(&self.secret, others));
        names.map(|name| guest_of(&name, room)).collect()
    }
}

impl fmt::Display for Browser {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&name_of(&self.secret, self.others))
    }
}

fn name_of(secret: &str, others: u8) -> String {
    match others {
        0 => secret.to_owned(),
        _ => format!("{secret}.{others}"),
    }
}

/// Who comes to a room by this cookie: the same whenever they do, so that what was ruled on them holds.
fn guest_of(browser: &str, room: &RoomId) -> Outcome<UserId> {
    let digest = crypto::sha256(&format!("{browser} {room}"));
    let half = digest.get(..32).unwrap_or_default();
    let number = u128::from_str_radix(half, 16).ok();
    number.and_then(guest_id).ok_or_else(Refusal::internal)
}
