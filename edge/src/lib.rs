//! The Worker: HTTP in front of the Durable Objects. The rules are in `edge-core`; what is here carries them out.

mod breath;
mod config;
mod cookie;
mod crypto;
mod directory;
mod http;
mod jwt;
mod limiter;
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
mod turn;
mod user;

use edge_core::routes::Method;
use problem::Outcome;
use worker::{Context, Date, Env, Request, Response, Result, console_log, event};

#[event(start)]
fn start() {
    jwt::install();
}

/// Answers a request, if it is one that is answered at all.
async fn answer(request: Request, env: &Env, context: &Context) -> Outcome<Response> {
    limiter::admit(&request, env).await?;
    http::refuse_foreign(&request, env)?;
    routes::route(request, env, context).await
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    if let Some(page) = pages::page(&request, &env).await? {
        return Ok(page);
    }
    let started = Date::now().as_millis();
    let id = crypto::hex(&crypto::random::<8>()?);
    let (method, path) = (request.inner().method(), request.path());
    let unread = http::Unread::of(&request);
    let cors = http::Cors::of(&request, &env);
    let outcome = match http::method(&request) {
        Method::Options => http::options(&request),
        _ => answer(request, &env, &context).await,
    };
    let response = outcome.or_else(|refusal| {
        tally::refused(&env, refusal.kind());
        refusal.into_response()
    })?;
    if response.status_code() >= 400
        && let Some(unread) = unread
    {
        // An error means that the client is gone.
        let _ = unread.drain().await;
    }
    // Ids only: the path has at most a room's; the query, which may hold a ticket, stays out.
    console_log!(
        "{}",
        serde_json::json!({
            "request": id,
            "method": method,
            "path": path,
            "status": response.status_code(),
            "ms": Date::now().as_millis() - started,
        })
    );
    http::finish(response, &id, &cors)
}
