//! The audit list of a room, for its host.

use edge_core::token::Scope;
use protocol::client::AuditPage;
use protocol::query::AuditQuery;
use worker::{Env, Request, Response};

use super::{Answer, authenticate, live, room_id};
use crate::problem::Refusal;
use crate::{config, rpc};

pub(super) async fn page(request: Request, env: &Env, id: &str) -> Answer {
    let claims = authenticate(&request, env, Scope::Account)?;
    let id = room_id(id)?;
    let AuditQuery { before } = request
        .query()
        .map_err(|_| Refusal::invalid_field("before", "the number of an entry"))?;
    let () = live(env, claims.clone(), "act").await?;
    let object = config::room(env, &id, None)?;
    let before: Option<u64> = before.map(u64::from);
    let page: AuditPage = rpc::call(&object, "audit", &(claims.sub, before)).await?;
    Ok(Response::from_json(&page)?)
}
