//! Spans to a collector: OTLP over HTTP, one request for what one request has come to, beside everything else. A collector that
//! is away costs what it was to be told, and nobody waits for it.

use std::cell::Cell;
use std::future::Future;
use std::time::Duration;

use futures_util::future::{Either, select};
use protocol::otlp::{Export, Span, Value};
use worker::{
    AbortController, Date, Delay, Env, Error, Fetch, Headers, Method, Request, RequestInit, Result,
};

use crate::{config, metrics};

/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// After one that did not take what it was told, nobody is asked for so long, in milliseconds.
const PAUSE: u64 = 10_000;
/// How many requests an isolate has under way at once.
const MAX_AT_ONCE: u32 = 16;
/// The resource's name.
const SERVICE: &str = "connect-edge";

thread_local! {
    static UNDER_WAY: Cell<u32> = const { Cell::new(0) };
    static NOT_BEFORE: Cell<u64> = const { Cell::new(0) };
}

/// Tells the collector, if there is one and there is something to tell. What comes back is to go on after the answer.
pub fn export(env: &Env, spans: Vec<Span>) -> Option<impl Future<Output = ()> + use<>> {
    if spans.is_empty() {
        return None;
    }
    let endpoint = config::collector(env)?;
    let count = spans.len() as u64;
    let is_paused = Date::now().as_millis() < NOT_BEFORE.get();
    if is_paused || UNDER_WAY.get() >= MAX_AT_ONCE {
        metrics::count_many("connect_edge_spans_dropped_total", &[], count);
        return None;
    }
    let headers = config::collector_headers(env);
    Some(async move {
        UNDER_WAY.set(UNDER_WAY.get() + 1);
        let told = tell(&endpoint, &headers, &spans).await;
        UNDER_WAY.set(UNDER_WAY.get().saturating_sub(1));
        let name = match told {
            Ok(()) => "connect_edge_spans_exported_total",
            Err(_) => {
                NOT_BEFORE.set(Date::now().as_millis() + PAUSE);
                "connect_edge_spans_dropped_total"
            }
        };
        metrics::count_many(name, &[], count);
    })
}

async fn tell(endpoint: &str, headers: &[(String, String)], spans: &[Span]) -> Result<()> {
    let version = Value::from(env!("CARGO_PKG_VERSION"));
    let body = Export::new(SERVICE, vec![("service.version", version)], spans);
    let sent = Headers::new();
    sent.set("content-type", "application/json")?;
    for (name, value) in headers {
        sent.set(name, value)?;
    }
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_headers(sent)
        .with_body(Some(serde_json::to_string(&body)?.into()));
    let request = Request::new_with_init(endpoint, &init)?;
    let controller = AbortController::default();
    let signal = controller.signal();
    let fetch = Fetch::Request(request);
    let answer = std::pin::pin!(fetch.send_with_signal(&signal));
    let response = match select(answer, Delay::from(PATIENCE)).await {
        Either::Left((response, _)) => response?,
        Either::Right(_) => {
            controller.abort();
            return Err(Error::RustError("the collector does not answer".into()));
        }
    };
    match response.status_code() {
        200..=299 => Ok(()),
        status => Err(Error::RustError(format!("the collector says {status}"))),
    }
}
