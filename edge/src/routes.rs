//! The HTTP API: which address and method lead where.

mod accounts;
mod audit;
mod directory;
mod guests;
mod ice;
mod nodes;
mod rooms;

use edge_core::token::{AccessClaims, Scope};
use protocol::id::RoomId;
use worker::{Context, Date, Env, Request, Response};

use crate::http::Method::{Delete, Get, Head, Post};
use crate::problem::{Outcome, Refusal};
use crate::{http, jwt};

type Answer = Outcome<Response>;

/// Answers a request: the address decides first, so that a wrong method is told apart from a wrong address.
pub async fn route(request: Request, env: &Env, context: &Context) -> Answer {
    let path = request.path();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    // The platform leaves the body out of what a HEAD is answered with.
    let method = match http::method(&request) {
        Head => Get,
        method => method,
    };
    match segments.as_slice() {
        ["api", "auth", "register"] => match method {
            Post => accounts::register(request, env).await,
            _ => not_here("POST"),
        },
        ["api", "auth", "login"] => match method {
            Post => accounts::login(request, env).await,
            _ => not_here("POST"),
        },
        ["api", "auth", "refresh"] => match method {
            Post => accounts::refresh(request, env).await,
            _ => not_here("POST"),
        },
        ["api", "auth", "logout"] => match method {
            Post => accounts::logout(request, env).await,
            _ => not_here("POST"),
        },
        ["api", "auth", "me"] => match method {
            Get => accounts::me(request, env).await,
            _ => not_here("GET, HEAD"),
        },
        ["api", "ice-servers"] => match method {
            Get => ice::servers(&request, env),
            _ => not_here("GET, HEAD"),
        },
        ["api", "directory"] => match method {
            Get => directory::search(request, env).await,
            _ => not_here("GET, HEAD"),
        },
        ["api", "rooms"] => match method {
            Get => rooms::list(request, env).await,
            Post => rooms::create(request, env).await,
            _ => not_here("GET, HEAD, POST"),
        },
        // The name that load scripts written to the specification use. No room's id is like it.
        ["api", "rooms", "create"] => match method {
            Post => rooms::create(request, env).await,
            _ => not_here("POST"),
        },
        ["api", "rooms", id] => match method {
            Get => rooms::show(request, env, id).await,
            Delete => rooms::delete(request, env, id).await,
            _ => not_here("GET, HEAD, DELETE"),
        },
        ["api", "rooms", id, "door"] => match method {
            Get => guests::door(request, env, id).await,
            _ => not_here("GET, HEAD"),
        },
        ["api", "rooms", id, "guests"] => match method {
            Post => guests::come(request, env, id).await,
            _ => not_here("POST"),
        },
        ["api", "rooms", id, "audit"] => match method {
            Get => audit::page(request, env, id).await,
            _ => not_here("GET, HEAD"),
        },
        ["api", "rooms", id, "join"] => match method {
            Post => rooms::join_room(request, env, context, id).await,
            _ => not_here("POST"),
        },
        ["api", "rooms", id, "chat", "export"] => match method {
            Get => rooms::export_chat(request, env, id).await,
            _ => not_here("GET, HEAD"),
        },
        ["api", "rooms", id, "notes", "export"] => match method {
            Get => rooms::export_notes(request, env, id).await,
            _ => not_here("GET, HEAD"),
        },
        ["api", "rooms", id, "ws"] => match method {
            Get => rooms::signaling(request, env, id).await,
            _ => not_here("GET"),
        },
        ["node", "regions", region] => match method {
            Get => nodes::control_link(request, env, region).await,
            _ => not_here("GET"),
        },
        ["node", "rooms", id] => match method {
            Get => nodes::room_link(request, env, id).await,
            _ => not_here("GET"),
        },
        [".well-known", "jwks.json"] => match method {
            Get => Ok(Response::from_json(&jwt::jwks(env)?)?),
            _ => not_here("GET, HEAD"),
        },
        _ => Err(Refusal::not_found("the API has no such address")),
    }
}

/// 405, with the methods that there are.
fn not_here(methods: &'static str) -> Answer {
    Err(Refusal::method_not_allowed(methods))
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

fn room_id(text: &str) -> Outcome<RoomId> {
    text.parse().map_err(|_| Refusal::no_room())
}
