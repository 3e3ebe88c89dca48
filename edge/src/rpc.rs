//! Calls from the Worker to its Durable Objects, and between them: JSON over their `fetch`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Headers, Method, Request, RequestInit, Response, Stub};

use crate::problem::Refusal;

/// Calls an operation of a Durable Object.
pub async fn call<T: DeserializeOwned>(
    object: &Stub,
    operation: &str,
    body: &impl Serialize,
) -> Result<T, Refusal> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_body(Some(serde_json::to_string(body)?.into()));
    let request = Request::new_with_init(&format!("https://object/{operation}"), &init)?;
    let mut response = object.fetch_with_request(request).await?;
    let body = response.text().await?;
    if response.status_code() == 200 {
        return Ok(serde_json::from_str(&body)?);
    }
    let wait = response.headers().get("retry-after")?;
    Err(Refusal {
        problem: serde_json::from_str(&body)?,
        retry_after: wait.and_then(|seconds| seconds.parse().ok()),
    })
}

/// Hands a WebSocket request on to a Durable Object, as an operation with a query.
pub async fn upgrade(object: &Stub, operation: &str, query: &str) -> Result<Response, Refusal> {
    let headers = Headers::new();
    headers.set("upgrade", "websocket")?;
    let mut init = RequestInit::new();
    init.with_headers(headers);
    let request = Request::new_with_init(&format!("https://object/{operation}?{query}"), &init)?;
    Ok(object.fetch_with_request(request).await?)
}

/// The operation that a Durable Object is called for, and its body.
pub async fn read(request: &mut Request) -> worker::Result<(String, String)> {
    let operation = request.path().trim_start_matches('/').to_owned();
    Ok((operation, request.text().await?))
}

/// The answer of a Durable Object.
pub fn answer(result: Result<serde_json::Value, Refusal>) -> worker::Result<Response> {
    match result {
        Ok(value) => Response::from_json(&value),
        Err(refusal) => refusal.into_response(),
    }
}

/// An operation that does not exist: a fault of ours.
pub fn unknown(operation: &str) -> Refusal {
    worker::Error::RustError(format!("no operation {operation}")).into()
}
