//! The directory: the rooms that everybody with an account finds, from all shards.

use edge_core::directory::{Cursor, SHARDS, Search, shard_of};
use edge_core::token::Scope;
use futures_util::future::join_all;
use protocol::api::{DirectoryPage, ListedRoom};
use protocol::id::RoomId;
use protocol::query::DirectoryQuery;
use serde_json::json;
use worker::{Context, Env, Request, Response, console_error};

use super::{Answer, authenticate};
use crate::limiter::{Deed, Limiter};
use crate::problem::{Outcome, Refusal};
use crate::{config, rpc};

/// What a room's object answers. Of a room that there is not, the directory is told so, without anybody waiting for it: it may list
/// one that was deleted while a release ran that knew nothing of the list. The room alone says that it is gone, no stranger.
pub(super) async fn unlist_if_gone<T>(
    request: &Request,
    env: &Env,
    context: &Context,
    room: &RoomId,
    answer: Outcome<T>,
) -> Outcome<T> {
    let is_gone = |refusal: &Refusal| refusal.kind() == "not-found";
    if !answer.as_ref().is_err_and(is_gone) {
        return answer;
    }
    let limiter = Limiter::of(request, env, Deed::Search)?;
    let shard = config::shard(env, shard_of(room))?;
    let room = room.clone();
    context.wait_until(async move {
        if limiter.take().await.is_err() {
            return;
        }
        if let Err(refusal) = rpc::call::<()>(&shard, "remove", &room).await {
            let why = refusal.problem.detail;
            console_error!(
                "{}",
                json!({ "fault": "a room that is gone stays listed", "why": why })
            );
        }
    });
    answer
}

pub(super) async fn search(request: Request, env: &Env) -> Answer {
    authenticate(&request, env, Scope::Account)?;
    let query: DirectoryQuery = request.query().map_err(|_| {
        Refusal::malformed("say ?q=WORDS&live=true&after=NEXT&limit=NUMBER, or less of it")
    })?;
    let after = query.after.map(|after| after.parse::<Cursor>());
    let after = after
        .transpose()
        .map_err(|error| Refusal::malformed(error.to_string()))?;
    Limiter::of(&request, env, Deed::Search)?.take().await?;
    let page = match Search::new(&query.q, query.live, after, query.limit) {
        Some(search) => found(env, &search).await?,
        None => DirectoryPage {
            rooms: Vec::new(),
            next: None,
        },
    };
    Ok(Response::from_json(&page)?)
}

async fn found(env: &Env, search: &Search) -> Outcome<DirectoryPage> {
    let answers = join_all((0..SHARDS).map(|shard| async move {
        rpc::call::<Vec<ListedRoom>>(&config::shard(env, shard)?, "search", search).await
    }))
    .await;
    let mut rooms = Vec::new();
    for answer in answers {
        rooms.extend(answer?);
    }
    Ok(search.page(rooms))
}
