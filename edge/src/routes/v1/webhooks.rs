//! Webhooks: making, listing, changing and deleting endpoints, their secrets, trying them, and what was delivered.

use protocol::developer::KeyScope;
use serde::Serialize;
use worker::{Env, Request, Response};

use super::once::{Begun, begin, end};
use super::{Answer, Caller};
use crate::problem::Outcome;
use crate::rpc::Passed;
use crate::{config, http, rpc};

async fn caller(request: &Request, env: &Env) -> Outcome<Caller> {
    Caller::of(request, env, KeyScope::WebhooksWrite).await
}

async fn ask(
    env: &Env,
    caller: &Caller,
    operation: &str,
    body: &impl Serialize,
) -> Outcome<Passed> {
    let object = config::developer(env, &caller.account)?;
    rpc::call(&object, operation, body).await
}

pub async fn list(request: Request, env: &Env) -> Answer {
    let caller = caller(&request, env).await?;
    let list = ask(env, &caller, "endpoints", &()).await?;
    Ok(Response::from_json(&list)?)
}

pub async fn create(request: Request, env: &Env) -> Answer {
    make(request, env, "createEndpoint", "", 201).await
}

pub async fn change(mut request: Request, env: &Env, id: &str) -> Answer {
    let caller = caller(&request, env).await?;
    let body = http::text(&mut request).await?;
    let changed = ask(env, &caller, "changeEndpoint", &(id, body)).await?;
    Ok(Response::from_json(&changed)?)
}

pub async fn delete(request: Request, env: &Env, id: &str) -> Answer {
    let caller = caller(&request, env).await?;
    ask(env, &caller, "deleteEndpoint", &id).await?;
    Ok(Response::empty()?.with_status(204))
}

pub async fn rotate(request: Request, env: &Env, id: &str) -> Answer {
    make(request, env, "rotateSecret", id, 200).await
}

pub async fn test(request: Request, env: &Env, id: &str) -> Answer {
    make(request, env, "testEndpoint", id, 202).await
}

pub async fn deliveries(request: Request, env: &Env, id: &str) -> Answer {
    let caller = caller(&request, env).await?;
    let list = ask(env, &caller, "deliveries", &id).await?;
    Ok(Response::from_json(&list)?)
}

/// Has something be made once, of the endpoint with this id, of the body, or out of the seed.
async fn make(mut request: Request, env: &Env, operation: &str, id: &str, status: u16) -> Answer {
    let caller = caller(&request, env).await?;
    let (body, seed, asked) = match begin(&mut request, env, &caller).await? {
        Begun::Answered(answer) => return Ok(answer),
        Begun::Job(job) => job.parts(),
    };
    let made = ask(env, &caller, operation, &(id, body, seed)).await;
    end(env, &caller, asked, made.map(|made| (status, Some(made)))).await
}
