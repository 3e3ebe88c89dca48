//! The Worker: HTTP in front of the Durable Objects. The rules are in `edge-core`; what is here carries them out.

mod breath;
mod config;
mod cookie;
mod crypto;
mod developer;
mod directory;
mod export;
mod http;
mod id_key;
mod jwt;
mod limiter;
mod log;
mod mail;
mod metrics;
mod oidc;
mod operations;
mod pages;
mod password;
mod problem;
mod rate;
mod region;
mod room;
mod routes;
mod rpc;
mod socket;
mod store;
mod tally;
mod trace;
mod turn;
mod user;

use edge_core::room_id;
use edge_core::routes::{Method, pattern};
use problem::Outcome;
use serde_json::json;
use trace::Following;
use worker::{Context, Env, Request, Response, Result, event};

#[event(start)]
fn start() {
    jwt::install();
}

/// Answers a request, if it is one that is answered at all.
async fn answer(request: Request, env: &Env, context: &Context) -> Outcome<Response> {
    if let Some(answer) = operations::answer(&request, env).await {
        return answer;
    }
    limiter::admit(&request, env).await?;
    http::refuse_foreign(&request, env)?;
    routes::route(request, env, context).await
}

/// What takes longer than this is worth a look, in milliseconds.
const SLOW: u64 = 1_000;

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    let following = Following::of(&request, &env)?;
    let response = trace::within(following.clone(), serve(request, &env, &context)).await;
    let exporting = export::export(&env, following.take());
    let telling = metrics::tell_soon(&env);
    exporting
        .into_iter()
        .for_each(|work| context.wait_until(work));
    telling
        .into_iter()
        .for_each(|work| context.wait_until(work));
    response
}

async fn serve(request: Request, env: &Env, context: &Context) -> Result<Response> {
    if let Some(page) = pages::page(&request, env).await? {
        return Ok(page);
    }
    let started = trace::now();
    let (method, path) = (request.inner().method(), request.path());
    let unread = http::Unread::of(&request);
    let cors = http::Cors::of(&request, env);
    let outcome = match http::method(&request) {
        Method::Options => http::options(&request),
        _ => answer(request, env, context).await,
    };
    let response = outcome.or_else(|refusal| {
        tally::refused(env, refusal.kind());
        refusal.into_response()
    })?;
    if response.status_code() >= 400
        && let Some(unread) = unread
    {
        // An error means that the client is gone.
        let _ = unread.drain().await;
    }
    note(&method, &path, response.status_code(), started);
    http::finish(response, &cors)
}

/// Notes what a request has come to: in the log, in the counts, and as a span. Ids and words of ours only: what somebody has
/// written into an address stays out, as does the query, which may hold a ticket.
fn note(method: &str, path: &str, status: u16, started: u64) {
    let ms = (trace::now() - started) / 1_000_000;
    let route = operations::address(path)
        .or_else(|| pattern(path))
        .unwrap_or("other");
    let room = path.split('/').find(|segment| room_id::is_like(segment));
    let method = http::known(method);
    log::event(
        "request",
        json!({ "method": method, "route": route, "room": room, "status": status, "ms": ms }),
    );
    let labels = [("route", route)];
    metrics::observe("connect_edge_request_duration_seconds", &labels, ms);
    let code = status.to_string();
    let labels = [("route", route), ("method", method), ("status", &code)];
    metrics::count("connect_edge_requests_total", &labels);
    if let Some(following) = trace::at_hand() {
        let mut span = following
            .span("edge.request", started)
            .with("http.request.method", method)
            .with("http.route", route)
            .with("http.response.status_code", i64::from(status))
            .with("connect.request", following.request.as_str())
            .failed(status >= 500);
        if let Some(room) = room {
            span = span.with("connect.room", room);
        }
        following.keep(span, status >= 500 || ms > SLOW);
    }
}
