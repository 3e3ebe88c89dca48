//! What those who run it ask: whether this is set up (`/healthz`), and how it goes (`/metrics`).

use edge_core::directory::SHARDS as DIRECTORY_SHARDS;
use edge_core::metrics::{Counts, SHARDS, page};
use edge_core::routes::Method::{Get, Head};
use futures_util::future::try_join_all;
use serde_json::json;
use worker::{Env, Request, Response, Result};

use crate::problem::{Outcome, Refusal};
use crate::{config, crypto, http, jwt, oidc, rpc};

/// Their addresses: none of the API, and for none of the people who use it.
const ADDRESSES: [&str; 2] = ["/healthz", "/metrics"];

/// Which of them this is, if it is one.
pub fn address(path: &str) -> Option<&'static str> {
    ADDRESSES.into_iter().find(|address| *address == path)
}

/// Answers them. They pass by what is for people, the limits among it: who probes often is not to be held off.
pub async fn answer(request: &Request, env: &Env) -> Option<Outcome<Response>> {
    let address = address(&request.path())?;
    if !matches!(http::method(request), Get | Head) {
        return Some(Err(Refusal::method_not_allowed("GET, HEAD".into())));
    }
    Some(match address {
        "/healthz" => health(env).map_err(Refusal::from),
        _ => metrics(request, env).await,
    })
}

/// A Worker that answers is there; whether it can be of use, its configuration says. No object is asked.
fn health(env: &Env) -> Result<Response> {
    let faults: Vec<&str> = [
        (
            "CONNECT_REGIONS",
            config::sites(env).is_ok_and(|sites| !sites.is_empty()),
        ),
        ("CONNECT_SIGNING_KEYS", jwt::jwks(env).is_ok()),
        ("CONNECT_ICE_SERVERS", config::ice_servers(env).is_ok()),
        ("CONNECT_ID_KEY", env.var("CONNECT_ID_KEY").is_ok()),
        ("CONNECT_ROOM_CAPACITY", config::seats(env).is_ok()),
        ("CONNECT_ROOM_UNUSED_DAYS", config::unused(env).is_ok()),
        ("CONNECT_OIDC", oidc::providers(env).is_ok()),
    ]
    .into_iter()
    .filter_map(|(name, is_good)| (!is_good).then_some(name))
    .collect();
    let (word, status) = match faults.is_empty() {
        true => ("ok", 200),
        false => ("misconfigured", 503),
    };
    let version = env!("CARGO_PKG_VERSION");
    let body = json!({ "status": word, "version": version, "variables": faults });
    Ok(Response::from_json(&body)?.with_status(status))
}

/// The page for Prometheus, to who shows the token. Without one configured there is no page.
async fn metrics(request: &Request, env: &Env) -> Outcome<Response> {
    let Some(token) = config::metrics_token(env) else {
        return Err(Refusal::not_found("no CONNECT_METRICS_TOKEN is configured"));
    };
    let shown = http::bearer(request)?.unwrap_or_default();
    // Of hashes, how much of them is alike says nothing.
    if crypto::sha256(&shown) != crypto::sha256(&token) {
        let detail = "send CONNECT_METRICS_TOKEN as Authorization: Bearer";
        return Err(Refusal::unauthenticated(detail));
    }
    let sums = try_join_all((0..SHARDS).map(|shard| async move {
        let counts: Counts = rpc::call(&config::metrics(env, shard)?, "sums", &()).await?;
        Outcome::Ok((shard, counts))
    }));
    let living = try_join_all((0..DIRECTORY_SHARDS).map(|shard| async move {
        rpc::call::<[u64; 2]>(&config::shard(env, shard)?, "living", &()).await
    }));
    let (sums, living) = (sums.await?, living.await?);
    let add = |[rooms, people]: [u64; 2], more: [u64; 2]| [rooms + more[0], people + more[1]];
    let page = page(&sums, living.into_iter().fold([0, 0], add));
    let response = Response::ok(page)?;
    let headers = response.headers().clone();
    headers.set("content-type", "text/plain; version=0.0.4; charset=utf-8")?;
    Ok(response.with_headers(headers))
}
