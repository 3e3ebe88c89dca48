//! The audit list of a room, for its host.

use edge_core::token::Scope;
use protocol::client::AuditPage;
use worker::{Env, Request, Response};

use super::{Answer, authenticate, room_id};
use crate::problem::Refusal;
use crate::{config, rpc};

pub(super) async fn page(request: Request, env: &Env, id: &str) -> Answer {
    let claims = authenticate(&request, env, Scope::Account)?;
    let id = room_id(id)?;
    let url = request.url()?;
    let before = url.query_pairs().find(|(name, _)| name == "before");
    let before: Option<u64> = match before {
        Some((_, text)) => Some(
            text.parse()
                .map_err(|_| Refusal::invalid_field("before", "the number of an entry"))?,
        ),
        None => None,
    };
    let object = config::room(env, &id, None)?;
    let page: AuditPage = rpc::call(&object, "audit", &(claims.sub, before)).await?;
    Ok(Response::from_json(&page)?)
}
