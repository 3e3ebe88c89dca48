//! The directory: the rooms that everybody with an account finds, from all shards.

use edge_core::directory::{Cursor, SHARDS, Search};
use edge_core::token::Scope;
use futures_util::future::join_all;
use protocol::api::{DirectoryPage, ListedRoom};
use protocol::query::DirectoryQuery;
use worker::{Env, Request, Response};

use super::{Answer, authenticate};
use crate::limiter::{Deed, Limiter};
use crate::problem::{Outcome, Refusal};
use crate::{config, rpc};

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
