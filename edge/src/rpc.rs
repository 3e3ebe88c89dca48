//! Calls from the Worker to its Durable Objects, and between them: JSON over their `fetch`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Env, Headers, Method, Request, RequestInit, Response, State, Stub};

use crate::problem::{Outcome, PASSED_ON, Refusal};
use crate::trace::{self, Following};
use crate::{export, metrics};

/// An answer that is handed on as it is. To read it would make the Worker larger, and it no better.
pub type Passed = Box<serde_json::value::RawValue>;

/// Calls an operation of a Durable Object.
pub async fn call<T: DeserializeOwned>(
    object: &Stub,
    operation: &str,
    body: &impl Serialize,
) -> Outcome<T> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_headers(following(Headers::new())?)
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
    let headers = following(Headers::new())?;
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

/// With these headers an object knows what it is asked for.
fn following(headers: Headers) -> worker::Result<Headers> {
    if let Some(following) = trace::at_hand() {
        headers.set(trace::REQUEST_ID, following.request.as_str())?;
        headers.set(trace::TRACEPARENT, &following.here().to_string())?;
    }
    Ok(headers)
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

/// Serves what an object is asked for, as a part of whatever it is asked for; under this name if that is a step of a join.
pub async fn serve(
    state: &State,
    env: &Env,
    request: Request,
    step: Option<&'static str>,
    work: impl AsyncFnOnce(Request) -> worker::Result<Response>,
) -> worker::Result<Response> {
    let started = trace::now();
    let response = match Following::asked(request.headers())? {
        Some(following) => {
            let response = trace::within(following.clone(), work(request)).await;
            if let Some(name) = step {
                let failed = response.as_ref().is_ok_and(|it| it.status_code() >= 400);
                following.keep(following.span(name, started).failed(failed), false);
            }
            let exporting = export::export(env, following.take());
            exporting
                .into_iter()
                .for_each(|work| state.wait_until(work));
            response
        }
        None => work(request).await,
    };
    told(state, env);
    response
}

/// Sees to it that what an object has counted is told.
pub fn told(state: &State, env: &Env) {
    let telling = metrics::tell_soon(env);
    telling.into_iter().for_each(|work| state.wait_until(work));
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
