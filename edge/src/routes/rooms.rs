//! Rooms: making, showing, listing and deleting them, and the way in.

use std::collections::BTreeSet;
use std::time::Duration;

use edge_core::assign::{Hints, degrees, rank};
use edge_core::directory::{SHARDS, shard_of};
use edge_core::name::check_name;
use edge_core::order::Ordered;
use edge_core::room::{Admission, check_settings};
use edge_core::room_id::speakable;
use edge_core::session::Bearer;
use edge_core::token::Scope;
use edge_core::visits::Visit;
use futures_util::future::{join, join_all};
use protocol::api::{
    ChatExport, CreateRoomRequest, JoinRequest, JoinResponse, Room, RoomDetails, RoomList,
};
use protocol::id::{ParticipantId, Region, RoomId, UserId};
use protocol::query::ChatExportQuery;
use serde_json::{Value, json};
use worker::{Context, Delay, Env, Request, Response, Stub};

use super::directory::unlist_if_gone;
use super::{Answer, authenticate, ice, live, now, room_id};
use crate::limiter::{Deed, Limiter};
use crate::problem::{Outcome, Refusal};
use crate::room::Join;
use crate::{config, crypto, http, log, rpc, trace, turn};

/// After how long a visit that the user's object did not take is told again. The platform lets work go on for 30 s after an
/// answer.
const VISIT_AGAIN: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(8),
    Duration::ZERO,
];

/// A room that is to be made.
pub(super) struct Draft {
    pub id: RoomId,
    pub object: Stub,
    /// What its object is told.
    pub room: Value,
}

/// What somebody asks for, made out of this number.
pub(super) fn draft(
    request: &Request,
    env: &Env,
    body: CreateRoomRequest,
    owner: &UserId,
    random: u64,
) -> Outcome<Draft> {
    let name = check_name(&body.name)
        .map_err(|error| Refusal::invalid_field("name", &error.to_string()))?;
    let faults = check_settings(&body.settings);
    if !faults.is_empty() {
        return Err(Refusal::invalid(faults));
    }
    let regions = bound_to(env, body.regions)?;
    let id = room_id(&speakable(random))?;
    let near = match regions.is_empty() {
        true => rank(
            &config::sites(env)?,
            &Hints {
                location: location(request),
                ..Hints::default()
            },
        ),
        false => regions.clone(),
    };
    let object = config::room(env, &id, near_to(env, request, &near)?)?;
    let room = json!({ "id": id, "name": name, "owner": owner, "settings": body.settings, "regions": regions });
    Ok(Draft { id, object, room })
}

pub(super) async fn create(mut request: Request, env: &Env) -> Answer {
    let claims = authenticate(&request, env, Scope::Account)?;
    let body: CreateRoomRequest = http::json(&mut request).await?;
    let random = u64::from_le_bytes(crypto::random()?);
    let Draft { id, object, room } = draft(&request, env, body, &claims.sub, random)?;
    let user = config::user(env, &claims.sub)?;
    let visit = Visit {
        room: id,
        at: now(),
    };
    let limiter = Limiter::of(&request, env, Deed::CreateRoom)?;
    let asked = (Bearer::from(claims), visit);
    let (by_address, by_user) = join(limiter.take(), rpc::call(&user, "create", &asked)).await;
    by_address?;
    let () = by_user?;
    let room: Room = rpc::call(&object, "create", &room).await?;
    Ok(Response::from_json(&room)?)
}

pub(super) async fn list(request: Request, env: &Env) -> Answer {
    let claims = authenticate(&request, env, Scope::Account)?;
    let visits: Vec<Visit> = live(env, claims, "visits").await?;
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
    rooms.order_by_key(order);
    Ok(Response::from_json(&RoomList { rooms })?)
}

pub(super) async fn show(request: Request, env: &Env, context: &Context, id: &str) -> Answer {
    let id = room_id(id)?;
    let claims = authenticate(&request, env, Scope::Room(&id))?;
    let object = config::room(env, &id, None)?;
    let shown: Outcome<RoomDetails> = rpc::call(&object, "show", &(claims.sub, claims.role)).await;
    let room = unlist_if_gone(&request, env, context, &id, shown).await?;
    Ok(Response::from_json(&room)?)
}

pub(super) async fn export_chat(request: Request, env: &Env, id: &str) -> Answer {
    let id = room_id(id)?;
    let claims = authenticate(&request, env, Scope::Account)?;
    let query: ChatExportQuery = request
        .query()
        .map_err(|_| Refusal::malformed("say ?after=ID, the id of a line, or nothing"))?;
    let () = live(env, claims.clone(), "act").await?;
    let object = config::room(env, &id, None)?;
    // A number that SQLite takes.
    let after = u64::from(query.after).min(u32::MAX.into());
    let part: ChatExport = rpc::call(&object, "exportChat", &(&claims.sub, after)).await?;
    Ok(Response::from_json(&part)?)
}

pub(super) async fn export_notes(request: Request, env: &Env, id: &str) -> Answer {
    let id = room_id(id)?;
    let claims = authenticate(&request, env, Scope::Account)?;
    let () = live(env, claims.clone(), "act").await?;
    let object = config::room(env, &id, None)?;
    let text: String = rpc::call(&object, "exportNotes", &claims.sub).await?;
    Ok(Response::ok(text)?)
}

pub(super) async fn delete(request: Request, env: &Env, id: &str) -> Answer {
    let claims = authenticate(&request, env, Scope::Account)?;
    let object = config::room(env, &room_id(id)?, None)?;
    let user = claims.sub.clone();
    let () = live(env, claims, "act").await?;
    let () = rpc::call(&object, "delete", &user).await?;
    Ok(Response::empty()?.with_status(204))
}

pub(super) async fn join_room(
    mut request: Request,
    env: &Env,
    context: &Context,
    id: &str,
) -> Answer {
    let id = room_id(id)?;
    let claims = authenticate(&request, env, Scope::Room(&id))?;
    let body: JoinRequest = http::json(&mut request).await?;
    let hints = Hints {
        region: body.region.as_ref(),
        round_trips: Some(&body.round_trips),
        location: location(&request),
    };
    let regions = rank(&config::sites(env)?, &hints);
    let near = near_to(env, &request, &regions)?;
    let participant = crypto::hex(&crypto::random::<8>()?);
    let participant: ParticipantId = participant.parse().map_err(|_| Refusal::internal())?;
    let ticket = crypto::secret()?;
    let following = trace::at_hand();
    if let (Some(following), Some(traceparent)) = (&following, &body.traceparent) {
        following.belongs_to(traceparent, env);
    }
    let trail = following.map(|following| following.trail());
    let admission = Admission {
        trail: trail.clone(),
        participant: participant.clone(),
        guest: claims.is_guest(),
        granted: claims.role,
        user: claims.sub.clone(),
        name: claims.name.clone(),
        ticket: crypto::sha256(&ticket),
        regions,
        offer: body.offer,
        decodes: body.decodes,
        move_here: body.move_here,
    };
    let object = config::room(env, &id, near)?;
    let guest = admission.guest;
    // Before anything is done for them. The account is asked meanwhile whether the token still speaks for it.
    let limiter = Limiter::of(&request, env, Deed::Join)?;
    match guest {
        true => limiter.take().await?,
        false => {
            let (by_address, by_user) =
                join(limiter.take(), live(env, claims.clone(), "act")).await;
            by_address?;
            let () = by_user?;
        }
    }
    let join = Join {
        admission,
        password: body.password,
    };
    let joined: Outcome<Joined> = match &join.password {
        Some(_) => try_password(&request, env, &id, rpc::call(&object, "join", &join)).await,
        None => rpc::call(&object, "join", &join).await,
    };
    let (room, within) = unlist_if_gone(&request, env, context, &id, joined).await?;
    // A guest has no list of rooms.
    if !guest {
        note_visit(env, context, &claims.sub, &id)?;
    }
    Ok(Response::from_json(&JoinResponse {
        url: match trail.and_then(|trail| trail.traceparent) {
            Some(cause) => format!("/api/rooms/{id}/ws?ticket={ticket}&traceparent={cause}"),
            None => format!("/api/rooms/{id}/ws?ticket={ticket}"),
        },
        room,
        participant,
        ticket,
        ice_servers: ice::for_user(env, &claims.sub, &within)?,
        ice_expires_in: turn::LIFETIME,
    })?)
}

/// The room that somebody may come to, and the regions that it is bound to.
type Joined = (Room, Vec<Region>);

/// The regions that a room is to be bound to.
fn bound_to(env: &Env, mut regions: Vec<Region>) -> Outcome<Vec<Region>> {
    let sites = config::sites(env)?;
    let is_one = |region: &Region| sites.iter().any(|site| site.region == *region);
    if !regions.iter().all(is_one) {
        let message = "each must be a region of this installation";
        return Err(Refusal::invalid_field("regions", message));
    }
    let mut seen = BTreeSet::new();
    regions.retain(|region| seen.insert(region.clone()));
    Ok(regions)
}

/// Where what is stored of a room is to be: near the first of these regions whose place is known, else near whoever asks.
fn near_to(env: &Env, request: &Request, regions: &[Region]) -> Outcome<Option<&'static str>> {
    let locality = config::locality_of(env, regions)?;
    Ok(locality.or_else(|| config::location(&continent(request)?)))
}

/// A join that counts as a wrong password until it has turned out to be none.
async fn try_password(
    request: &Request,
    env: &Env,
    room: &RoomId,
    join: impl Future<Output = Outcome<Joined>>,
) -> Outcome<Joined> {
    let by_address = Limiter::of(request, env, Deed::RoomPassword)?;
    let by_room = Limiter::of_room(env, room)?;
    by_address.take().await?;
    by_room.take().await?;
    let joined = join.await;
    let is_wrong = |refusal: &Refusal| refusal.kind() == "wrong-room-password";
    if !joined.as_ref().is_err_and(is_wrong) {
        by_address.give_back().await?;
        by_room.give_back().await?;
    }
    joined
}

/// Puts the room on top of the user's list, without making anybody wait for it.
fn note_visit(env: &Env, context: &Context, user: &UserId, room: &RoomId) -> Outcome<()> {
    let object = config::user(env, user)?;
    let visit = Visit {
        room: room.clone(),
        at: now(),
    };
    context.wait_until(async move {
        for wait in VISIT_AGAIN {
            match rpc::call::<()>(&object, "visit", &visit).await {
                Ok(()) => return,
                Err(refusal) => log::fault(
                    "a visit was not noted",
                    json!({ "why": refusal.problem.detail }),
                ),
            }
            Delay::from(wait).await;
        }
    });
    Ok(())
}

pub(super) async fn signaling(request: Request, env: &Env, id: &str) -> Answer {
    if !http::wants_websocket(&request)? {
        return Err(Refusal::upgrade_required());
    }
    let object = config::room(env, &room_id(id)?, None)?;
    let url = request.url()?;
    let mut query = url.query_pairs();
    let cause = query.find(|(name, _)| name == trace::TRACEPARENT);
    if let (Some(following), Some((_, cause))) = (trace::at_hand(), cause) {
        following.belongs_to(&cause, env);
    }
    rpc::upgrade(&object, "client", url.query().unwrap_or_default()).await
}

/// Latitude and longitude of the client's address, where the platform knows it.
fn location(request: &Request) -> Option<(f64, f64)> {
    let number = |name: &str| degrees(&geography(request, name)?);
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
