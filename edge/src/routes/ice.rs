//! The servers that help a client to find a way to its media node, and the nodes that it measures the way to.

use std::cell::RefCell;
use std::collections::BTreeMap;

use edge_core::token::Scope;
use futures_util::future::join_all;
use protocol::api::{IceServer, IceServers};
use protocol::id::{Region, UserId};
use protocol::query::IceServersQuery;
use serde_json::json;
use worker::{Env, Request, Response, console_error};

use super::{Answer, authenticate, now};
use crate::problem::{Outcome, Refusal};
use crate::{config, rpc, turn};

/// For how long one node of each region is measured by all who ask here, in milliseconds; and if a region has none, or did not
/// answer.
const PROBES_FOR: u64 = 60_000;
const SOME_PROBES_FOR: u64 = 5_000;

/// The nodes to measure the way to, and until when they are good.
type Probes = (u64, BTreeMap<Region, Vec<String>>);

thread_local! {
    static PROBES: RefCell<Option<Probes>> = const { RefCell::new(None) };
}

/// STUN and TURN servers, with credentials for whoever asks; those that suit the room, if one is named.
pub(super) async fn servers(request: &Request, env: &Env) -> Answer {
    let claims = authenticate(request, env, Scope::AnyRoom)?;
    let query: IceServersQuery = request
        .query()
        .map_err(|_| Refusal::malformed("say ?room=ID, or nothing"))?;
    let within: Vec<Region> = match &query.room {
        Some(id) => rpc::call(&config::room(env, id, None)?, "regions", &()).await?,
        None => Vec::new(),
    };
    let mut probes = probes(env).await?;
    probes.retain(|region, _| within.is_empty() || within.contains(region));
    Ok(Response::from_json(&IceServers {
        ice_servers: for_user(env, &claims.sub, &within)?,
        expires_in: turn::LIFETIME,
        probes,
    })?)
}

/// The servers for somebody who is bound to these regions.
pub(super) fn for_user(env: &Env, user: &UserId, within: &[Region]) -> Outcome<Vec<IceServer>> {
    let mut servers = config::ice_servers(env)?;
    servers.extend(turn::server(env, user, within, now())?);
    Ok(servers)
}

/// A node of each region that has one and answers.
async fn probes(env: &Env) -> Outcome<BTreeMap<Region, Vec<String>>> {
    let now = now();
    let fresh = |(until, _): &Probes| now < *until;
    let known = PROBES.with_borrow(|known| known.clone().filter(fresh));
    if let Some((_, known)) = known {
        return Ok(known);
    }
    let sites = config::sites(env)?;
    let asked = sites.into_iter().map(|site| async {
        let object = config::region(env, &site.region)?;
        let probes: Vec<String> = rpc::call(&object, "probe", &()).await?;
        Outcome::Ok((site.region, probes))
    });
    let mut probes = BTreeMap::new();
    let mut all_told = true;
    for told in join_all(asked).await {
        match told {
            Ok((region, told)) if !told.is_empty() => drop(probes.insert(region, told)),
            Ok(_) => all_told = false,
            Err(refusal) => {
                all_told = false;
                console_error!(
                    "{}",
                    json!({ "fault": "a region did not tell whom to measure", "why": refusal.problem.detail })
                );
            }
        }
    }
    let good_for = if all_told {
        PROBES_FOR
    } else {
        SOME_PROBES_FOR
    };
    PROBES.set(Some((now + good_for, probes.clone())));
    Ok(probes)
}
