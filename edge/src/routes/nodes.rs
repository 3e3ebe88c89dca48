//! The links that media nodes dial.

use protocol::id::Region;
use protocol::node::Claims;
use protocol::query::RoomLinkQuery;
use worker::{Env, Request};

use super::{Answer, now, room_id};
use crate::problem::{Outcome, Refusal};
use crate::{config, http, jwt, rpc};

pub(super) async fn control_link(request: Request, env: &Env, region: &str) -> Answer {
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

pub(super) async fn room_link(request: Request, env: &Env, id: &str) -> Answer {
    let claims = authenticate_node(&request, env)?;
    let RoomLinkQuery { epoch } = request
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
