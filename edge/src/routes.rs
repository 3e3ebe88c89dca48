//! The HTTP API: which address and method lead where.

use edge_core::account;
use edge_core::assign::{Hints, rank};
use edge_core::directory::{SHARDS, shard_of};
use edge_core::room_id::speakable;
use edge_core::token::{ACCESS_SECONDS, AccessClaims};
use edge_core::visits::Visit;
use futures_util::future::{join, join_all};
use protocol::api::{
    CreateRoomRequest, JoinRequest, JoinResponse, LoginRequest, RegisterRequest, Room, RoomList,
    Session, User,
};
use protocol::id::{Epoch, ParticipantId, Region, RoomId};
use protocol::node::Claims;
use serde::Deserialize;
use serde_json::json;
use worker::{Context, Date, Env, Method, Request, Response, console_error};

use crate::limiter::{Deed, Limiter};
use crate::problem::{Outcome, Refusal};
use crate::room::Join;
use crate::user::{Grant, Login, Refresh, Register};
use crate::{config, crypto, http, jwt, rpc, tally};

type Answer = Outcome<Response>;

/// Answers a request.
pub async fn route(request: Request, env: &Env, context: &Context) -> Answer {
    let path = request.path();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let method = request.method();
    match (&method, segments.as_slice()) {
        (Method::Post, ["api", "auth", "register"]) => register(request, env).await,
        (Method::Post, ["api", "auth", "login"]) => login(request, env).await,
        (Method::Post, ["api", "auth", "refresh"]) => refresh(request, env).await,
        (Method::Post, ["api", "auth", "logout"]) => logout(request, env).await,
        (Method::Get, ["api", "auth", "me"]) => me(request, env).await,
        (Method::Get, [".well-known", "jwks.json"]) => Ok(Response::from_json(&jwt::jwks(env)?)?),
        // The second is for load scripts written to the specification.
        (Method::Post, ["api", "rooms"] | ["api", "rooms", "create"]) => create(request, env).await,
        (Method::Get, ["api", "rooms"]) => list(request, env).await,
        (Method::Get, ["api", "rooms", id, "ws"]) => signalling(request, env, id).await,
        (Method::Post, ["api", "rooms", id, "join"]) => join_room(request, env, context, id).await,
        (Method::Get, ["api", "rooms", id]) => show(request, env, id).await,
        (Method::Delete, ["api", "rooms", id]) => delete(request, env, id).await,
        (Method::Get, ["node", "regions", region]) => control_link(request, env, region).await,
        (Method::Get, ["node", "rooms", id]) => room_link(request, env, id).await,
        (
            _,
            [
                "api",
                "auth",
                "register" | "login" | "refresh" | "logout" | "me",
            ]
            | ["api", "rooms"]
            | ["api", "rooms", _]
            | ["api", "rooms", _, "ws" | "join"]
            | ["node", "regions" | "rooms", _]
            | [".well-known", "jwks.json"],
        ) => Err(Refusal::method_not_allowed()),
        _ => Err(Refusal::not_found("the API has no such address")),
    }
}

fn now() -> u64 {
    Date::now().as_millis()
}

/// Who sends the request.
fn authenticate(request: &Request, env: &Env) -> Outcome<AccessClaims> {
    let token = http::bearer(request)?.ok_or_else(|| {
        Refusal::unauthenticated("send the access token as Authorization: Bearer")
    })?;
    jwt::verify(env, &token)
}

fn room_id(text: &str) -> Outcome<RoomId> {
    text.parse().map_err(|_| Refusal::no_room())
}

/// The session that a grant of the account's Durable Object stands for.
fn session(env: &Env, grant: Grant, status: u16) -> Answer {
    let claims = AccessClaims::new(grant.user.id.clone(), grant.user.name.clone(), now());
    let session = Session {
        token: jwt::sign(env, &claims)?,
        expires_in: ACCESS_SECONDS,
        user: grant.user,
    };
    let response = Response::from_json(&session)?.with_status(status);
    Ok(http::set_cookie(response, &grant.refresh)?)
}

async fn register(mut request: Request, env: &Env) -> Answer {
    let body: RegisterRequest = http::json(&mut request).await?;
    let account = account::check_registration(&body).map_err(Refusal::invalid)?;
    Limiter::of(&request, env, Deed::Register)?.take().await?;
    let id = config::user_id(env, &account.email)?;
    let user = User {
        id,
        email: account.email,
        name: account.name,
    };
    let object = config::user(env, &user.id)?;
    let register = Register {
        user,
        password: body.password,
    };
    session(env, rpc::call(&object, "register", &register).await?, 201)
}

async fn login(mut request: Request, env: &Env) -> Answer {
    let body: LoginRequest = http::json(&mut request).await?;
    // What cannot be an address is of an unknown account; it shares one object, and the same work is done.
    let email = account::normalize_email(&body.email).unwrap_or_default();
    // Taken before the password is looked at, so that sign-ins side by side are no way around the limit.
    let limiter = Limiter::of(&request, env, Deed::SignIn)?;
    limiter.take().await?;
    let id = config::user_id(env, &email)?;
    let login = Login {
        password: body.password.chars().take(256).collect(),
    };
    let grant = rpc::call(&config::user(env, &id)?, "login", &login).await?;
    limiter.give_back().await?;
    session(env, grant, 200)
}

/// The account's Durable Object and what to present to it, out of the refresh cookie: `user.family.secret`.
fn presented(request: &Request, env: &Env) -> Outcome<Option<(worker::Stub, Refresh)>> {
    let Some(cookie) = http::refresh_cookie(request)? else {
        return Ok(None);
    };
    let mut parts = cookie.splitn(3, '.');
    let (Some(user), Some(family), Some(secret)) = (parts.next(), parts.next(), parts.next())
    else {
        return Ok(None);
    };
    let Ok(user) = user.parse() else {
        return Ok(None);
    };
    let refresh = Refresh {
        family: family.to_owned(),
        hash: crypto::sha256(secret),
    };
    Ok(Some((config::user(env, &user)?, refresh)))
}

async fn refresh(request: Request, env: &Env) -> Answer {
    // A first visit asks, too: that nobody is signed in is an answer, and no error.
    if http::refresh_cookie(&request)?.is_none() {
        return Ok(Response::empty()?.with_status(204));
    }
    let Some((object, refresh)) = presented(&request, env)? else {
        return Err(Refusal::unauthenticated(
            "the refresh token is malformed: sign in",
        ));
    };
    match rpc::call(&object, "refresh", &refresh).await {
        Ok(grant) => session(env, grant, 200),
        Err(refusal) if refusal.problem.status == 401 => {
            tally::refused(env, refusal.kind());
            Ok(http::clear_cookie(refusal.into_response()?)?)
        }
        Err(refusal) => Err(refusal),
    }
}

async fn logout(request: Request, env: &Env) -> Answer {
    if let Some((object, refresh)) = presented(&request, env)? {
        let () = rpc::call(&object, "logout", &refresh).await?;
    }
    Ok(http::clear_cookie(Response::empty()?.with_status(204))?)
}

async fn me(request: Request, env: &Env) -> Answer {
    let claims = authenticate(&request, env)?;
    let user: User = rpc::call(&config::user(env, &claims.sub)?, "me", &()).await?;
    Ok(Response::from_json(&user)?)
}

async fn create(mut request: Request, env: &Env) -> Answer {
    let claims = authenticate(&request, env)?;
    let body: CreateRoomRequest = http::json(&mut request).await?;
    let name = account::display_name(&body.name).ok_or_else(|| {
        Refusal::invalid_field(
            "name",
            "a name has 1 to 80 characters and no control characters",
        )
    })?;
    let id = room_id(&speakable(u64::from_le_bytes(crypto::random()?)))?;
    let object = config::room(env, &id, continent(&request).as_deref())?;
    let user = config::user(env, &claims.sub)?;
    let room = json!({ "id": id, "name": name, "owner": claims.sub });
    let visit = Visit {
        room: id,
        at: now(),
    };
    let limiter = Limiter::of(&request, env, Deed::CreateRoom)?;
    let (by_address, by_user) = join(limiter.take(), rpc::call(&user, "create", &visit)).await;
    by_address?;
    let () = by_user?;
    let room: Room = rpc::call(&object, "create", &room).await?;
    Ok(Response::from_json(&room)?)
}

async fn list(request: Request, env: &Env) -> Answer {
    let claims = authenticate(&request, env)?;
    let visits: Vec<Visit> = rpc::call(&config::user(env, &claims.sub)?, "visits", &()).await?;
    let shards = (0..SHARDS).filter_map(|shard| {
        let ids: Vec<&RoomId> = visits
            .iter()
            .map(|visit| &visit.room)
            .filter(|room| shard_of(room) == shard)
            .collect();
        (!ids.is_empty()).then_some((shard, ids))
    });
    let answers = join_all(shards.map(|(shard, ids)| async move {
        rpc::call::<Vec<Room>>(&config::shard(env, shard)?, "get", &ids).await
    }))
    .await;
    let mut rooms = Vec::new();
    for answer in answers {
        rooms.extend(answer?);
    }
    let order = |room: &Room| visits.iter().position(|visit| visit.room == room.id);
    rooms.sort_by_key(order);
    Ok(Response::from_json(&RoomList { rooms })?)
}

async fn show(request: Request, env: &Env, id: &str) -> Answer {
    authenticate(&request, env)?;
    let object = config::room(env, &room_id(id)?, None)?;
    let room: Room = rpc::call(&object, "show", &()).await?;
    Ok(Response::from_json(&room)?)
}

async fn delete(request: Request, env: &Env, id: &str) -> Answer {
    let claims = authenticate(&request, env)?;
    let object = config::room(env, &room_id(id)?, None)?;
    let () = rpc::call(&object, "delete", &claims.sub).await?;
    Ok(Response::empty()?.with_status(204))
}

async fn join_room(mut request: Request, env: &Env, context: &Context, id: &str) -> Answer {
    let claims = authenticate(&request, env)?;
    let body: JoinRequest = http::json(&mut request).await?;
    let id = room_id(id)?;
    let hints = Hints {
        region: body.region.as_ref(),
        round_trips: Some(&body.round_trips),
        place: place(&request),
    };
    let participant = crypto::hex(&crypto::random::<8>()?);
    let participant: ParticipantId = participant.parse().map_err(|_| Refusal::internal())?;
    let ticket = crypto::secret()?;
    let admission = Join {
        participant: participant.clone(),
        user: claims.sub.clone(),
        name: claims.name,
        ticket: crypto::sha256(&ticket),
        regions: rank(&config::sites(env)?, &hints),
        offer: body.offer,
    };
    let object = config::room(env, &id, continent(&request).as_deref())?;
    // Side by side, since somebody waits: who is refused here was given a ticket that nobody knows, and it expires.
    let limiter = Limiter::of(&request, env, Deed::Join)?;
    let (by_address, room) = join(
        limiter.take(),
        rpc::call::<Room>(&object, "join", &admission),
    )
    .await;
    by_address?;
    let room = room?;
    note_visit(env, context, &claims.sub, &id)?;
    Ok(Response::from_json(&JoinResponse {
        url: format!("/api/rooms/{id}/ws?ticket={ticket}"),
        room,
        participant,
        ticket,
        ice_servers: config::ice_servers(env)?,
    })?)
}

/// Puts the room on top of the user's list, without making anybody wait for it.
fn note_visit(
    env: &Env,
    context: &Context,
    user: &protocol::id::UserId,
    room: &RoomId,
) -> Outcome<()> {
    let object = config::user(env, user)?;
    let visit = Visit {
        room: room.clone(),
        at: now(),
    };
    context.wait_until(async move {
        if let Err(refusal) = rpc::call::<()>(&object, "visit", &visit).await {
            console_error!(
                "{}",
                json!({ "fault": "a visit was not noted", "why": refusal.problem.detail })
            );
        }
    });
    Ok(())
}

async fn signalling(request: Request, env: &Env, id: &str) -> Answer {
    if !http::wants_websocket(&request)? {
        return Err(Refusal::upgrade_required());
    }
    let object = config::room(env, &room_id(id)?, None)?;
    let url = request.url()?;
    rpc::upgrade(&object, "client", url.query().unwrap_or_default()).await
}

async fn control_link(request: Request, env: &Env, region: &str) -> Answer {
    let claims = authenticate_node(&request, env)?;
    if claims.region.as_str() != region {
        return Err(Refusal::forbidden("the token is of another region"));
    }
    let region: Region = claims.region;
    if config::sites(env)?.iter().all(|site| site.region != region) {
        return Err(Refusal::not_found(
            "there is no such region: see CONNECT_REGIONS",
        ));
    }
    let query = format!("node={}", claims.sub);
    rpc::upgrade(&config::region(env, &region)?, "node", &query).await
}

async fn room_link(request: Request, env: &Env, id: &str) -> Answer {
    #[derive(Deserialize)]
    struct Query {
        epoch: Epoch,
    }
    let claims = authenticate_node(&request, env)?;
    let Query { epoch } = request
        .query()
        .map_err(|_| Refusal::malformed("say ?epoch=N"))?;
    let query = format!(
        "node={}&region={}&epoch={}",
        claims.sub, claims.region, epoch.0
    );
    rpc::upgrade(&config::room(env, &room_id(id)?, None)?, "node", &query).await
}

fn authenticate_node(request: &Request, env: &Env) -> Outcome<Claims> {
    let token = http::bearer(request)?.unwrap_or_default();
    let claims = jwt::verify_node(env, &token, now())?;
    if !http::wants_websocket(request)? {
        return Err(Refusal::upgrade_required());
    }
    Ok(claims)
}

/// Latitude and longitude of the client's address, where the platform knows it.
fn place(request: &Request) -> Option<(f64, f64)> {
    let number = |name: &str| geography(request, name)?.parse().ok();
    Some((number("latitude")?, number("longitude")?))
}

fn continent(request: &Request) -> Option<String> {
    geography(request, "continent")
}

/// A property of `request.cf`. The accessors of `worker::Cf` panic where the platform knows nothing.
fn geography(request: &Request, name: &str) -> Option<String> {
    use worker::js_sys::Reflect;
    let cf = Reflect::get(request.inner(), &"cf".into()).ok()?;
    Reflect::get(&cf, &name.into()).ok()?.as_string()
}
