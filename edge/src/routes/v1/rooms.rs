//! The account's own rooms: making, listing, showing, changing and deleting them, and saying something to those inside.

use edge_core::directory::SHARDS;
use edge_core::order::Ordered;
use futures_util::future::join_all;
use protocol::api::{CreateRoomRequest, Room};
use protocol::developer::{KeyScope, OwnRooms};
use protocol::query::OwnRoomsQuery;
use worker::{Env, Request, Response};

use super::super::rooms::{Draft, draft};
use super::once::{Begun, Done, begin, end};
use super::{Answer, Caller, room_id};
use crate::limiter::{Deed, Limiter};
use crate::problem::{Outcome, Refusal};
use crate::room::What;
use crate::rpc::Passed;
use crate::{config, http, rpc};

/// Rooms of a page, unless it is asked for fewer or more, and at most.
const PAGE: u32 = 50;
const MAX_PAGE: u32 = 100;

pub async fn create(mut request: Request, env: &Env) -> Answer {
    let caller = Caller::of(&request, env, KeyScope::RoomsWrite).await?;
    let (body, seed, asked) = match begin(&mut request, env, &caller).await? {
        Begun::Answered(answer) => return Ok(answer),
        Begun::Job(job) => job.parts(),
    };
    let made = make(&request, env, &caller, &body, seed).await;
    end(env, &caller, asked, made).await
}

async fn make(request: &Request, env: &Env, caller: &Caller, body: &str, seed: u64) -> Done {
    let body: CreateRoomRequest = http::read(body)?;
    let drafted = draft(request, env, body, &caller.account, seed)?;
    Limiter::of(request, env, Deed::CreateRoom)?.take().await?;
    let object = config::developer(env, &caller.account)?;
    let () = rpc::call(&object, "createRoom", &()).await?;
    let Draft { id, object, room } = drafted;
    let _: Passed = rpc::call(&object, "create", &room).await?;
    let room = caller.ask(env, &id, What::Show).await?;
    Ok((201, Some(room)))
}

pub async fn list(request: Request, env: &Env) -> Answer {
    let caller = Caller::of(&request, env, KeyScope::RoomsRead).await?;
    let query: OwnRoomsQuery = request.query().map_err(|_| {
        Refusal::malformed(
            "say ?after=NEXT&limit=NUMBER, with the next of the page before, or less",
        )
    })?;
    let limit = query.limit.unwrap_or(PAGE).clamp(1, MAX_PAGE);
    // One more says that there is another page.
    let wish = (&caller.account, &query.after, limit + 1);
    let answers = join_all((0..SHARDS).map(|shard| async move {
        rpc::call::<Vec<Room>>(&config::shard(env, shard)?, "ownedAfter", &wish).await
    }))
    .await;
    let mut rooms = Vec::new();
    for answer in answers {
        rooms.extend(answer?);
    }
    rooms.order_by(|a, b| a.id.cmp(&b.id));
    let is_last = rooms.len() <= limit as usize;
    rooms.truncate(limit as usize);
    let last = rooms.last().filter(|_| !is_last);
    Ok(Response::from_json(&OwnRooms {
        next: last.map(|room| room.id.clone()),
        rooms,
    })?)
}

pub async fn show(request: Request, env: &Env, id: &str) -> Answer {
    let caller = Caller::of(&request, env, KeyScope::RoomsRead).await?;
    let room: Passed = caller.ask(env, &room_id(id)?, What::Show).await?;
    Ok(Response::from_json(&room)?)
}

pub async fn change(mut request: Request, env: &Env, id: &str) -> Answer {
    let caller = Caller::of(&request, env, KeyScope::RoomsWrite).await?;
    let what = What::Configure(http::text(&mut request).await?);
    let room: Passed = caller.ask(env, &room_id(id)?, what).await?;
    Ok(Response::from_json(&room)?)
}

pub async fn delete(request: Request, env: &Env, id: &str) -> Answer {
    let caller = Caller::of(&request, env, KeyScope::RoomsWrite).await?;
    let () = caller.ask(env, &room_id(id)?, What::Delete).await?;
    Ok(Response::empty()?.with_status(204))
}

pub async fn send_data(mut request: Request, env: &Env, id: &str) -> Answer {
    let caller = Caller::of(&request, env, KeyScope::DataWrite).await?;
    let id = room_id(id)?;
    let (body, _, asked) = match begin(&mut request, env, &caller).await? {
        Begun::Answered(answer) => return Ok(answer),
        Begun::Job(job) => job.parts(),
    };
    let sent: Outcome<()> = caller.ask(env, &id, What::SendData(body)).await;
    end(env, &caller, asked, sent.map(|()| (204, None))).await
}
