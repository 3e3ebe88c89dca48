//! Keys to the API. Who is signed in makes them: a key makes no other.

use edge_core::token::Scope;
use serde::Serialize;
use worker::{Env, Request, Response};

use super::super::{Answer, authenticate, live};
use crate::problem::Outcome;
use crate::rpc::Passed;
use crate::{config, http, rpc};

pub async fn list(request: Request, env: &Env) -> Answer {
    let keys = ask(&request, env, "keys", &()).await?;
    Ok(Response::from_json(&keys)?)
}

pub async fn create(mut request: Request, env: &Env) -> Answer {
    let claims = authenticate(&request, env, Scope::Account)?;
    let body = http::text(&mut request).await?;
    let key = ask(&request, env, "createKey", &(&claims.sub, body)).await?;
    Ok(Response::from_json(&key)?.with_status(201))
}

pub async fn revoke(request: Request, env: &Env, id: &str) -> Answer {
    ask(&request, env, "revokeKey", &id).await?;
    Ok(Response::empty()?.with_status(204))
}

async fn ask(
    request: &Request,
    env: &Env,
    operation: &str,
    body: &impl Serialize,
) -> Outcome<Passed> {
    let claims = authenticate(request, env, Scope::Account)?;
    let () = live(env, claims.clone(), "act").await?;
    let object = config::developer(env, &claims.sub)?;
    rpc::call(&object, operation, body).await
}
