//! Calls from the Worker to its Durable Objects, and between them: JSON over their `fetch`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Headers, Method, Request, RequestInit, Response, Stub};

use crate::problem::{Outcome, PASSED_ON, Refusal};

/// Calls an operation of a Durable Object.
pub async fn call<T: DeserializeOwned>(
    object: &Stub,
    operation: &str,
    body: &impl Serialize,
) -> Outcome<T> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_body(Some(serde_json::to_string(body)?.into()));
    let request = Request::new_with_init(&format!("https://object/{operation}"), &init)?;
    let mut response = object.fetch_with_request(request).await?;
    if response.status_code() != 200 {
        return Err(refusal(&mut response).await?);
    }
    parse(&response.text().await?)
}

/// Hands a WebSocket request on to a Durable Object, as an operation with a query.
pub async fn upgrade(object: &Stub, operation: &str, query: &str) -> Outcome<Response> {
    let headers = Headers::new();
    headers.set("upgrade", "websocket")?;
    let mut init = RequestInit::new();
    init.with_headers(headers);
    let request = Request::new_with_init(&format!("https://object/{operation}?{query}"), &init)?;
    let mut response = object.fetch_with_request(request).await?;
    if response.status_code() != 101 {
        return Err(refusal(&mut response).await?);
    }
    Ok(response)
}

/// The refusal that a Durable Object answered with.
async fn refusal(response: &mut Response) -> Outcome<Refusal> {
    let mut headers = Vec::new();
    for name in PASSED_ON {
        let value = response.headers().get(name)?;
        headers.extend(value.map(|value| (name, value)));
    }
    Ok(Refusal {
        problem: parse(&response.text().await?)?,
        headers,
    })
}

/// The operation that a Durable Object is called for, and its body.
pub async fn read(request: &mut Request) -> worker::Result<(String, String)> {
    let operation = request.path().trim_start_matches('/').to_owned();
    Ok((operation, request.text().await?))
}

/// Reads a body that we wrote ourselves: an error is a fault of ours.
pub fn parse<T: DeserializeOwned>(body: &str) -> Outcome<T> {
    Ok(serde_json::from_str(body)?)
}

/// The answer of a Durable Object.
pub fn answer(result: Outcome<serde_json::Value>) -> worker::Result<Response> {
    match result {
        Ok(value) => Response::from_json(&value),
        Err(refusal) => refusal.into_response(),
    }
}

/// An operation that does not exist: a fault of ours.
pub fn unknown(operation: &str) -> Refusal {
    worker::Error::RustError(format!("no operation {operation}")).into()
}
