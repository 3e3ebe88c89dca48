//! The OpenAPI document: a file of the app's build, under the address of the API.

use worker::{Env, Request, Response};

use super::Answer;
use crate::problem::Refusal;

/// Where the file is among the app's, so that a proxy that serves them has it there, too.
const FILE: &str = "/api/openapi.json";

pub(super) async fn document(request: &Request, env: &Env) -> Answer {
    let missing = || Refusal::not_found("this file is served by the proxy, or not at all");
    let assets = env.assets("ASSETS").map_err(|_| missing())?;
    let mut url = request.url()?;
    url.set_path(FILE);
    url.set_query(None);
    let file = assets.fetch(url, None).await?;
    if file.status_code() != 200 {
        return Err(missing());
    }
    let (_, body) = file.into_parts();
    let document = Response::from_body(body)?;
    let headers = document.headers();
    headers.set("content-type", "application/json")?;
    Ok(document)
}
