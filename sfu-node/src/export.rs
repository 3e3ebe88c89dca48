//! Spans to a collector: OTLP over HTTP, by a task of its own behind a queue. What finds no room there, or no collector, is
//! dropped and counted; nobody waits.

use std::time::Duration;

use protocol::id::{NodeId, Region};
use protocol::otlp::{Export, Span, Value};
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::sync::mpsc;

use crate::metrics;
use crate::task::Task;

/// Spans that wait for the collector.
const MAX_WAITING: usize = 1_024;
/// Most that are told at once, and how long the first of them waits for others.
const MAX_AT_ONCE: usize = 256;
const GATHER: Duration = Duration::from_millis(500);
/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// After one that did not take what it was told, nobody is asked for so long.
const PAUSE: Duration = Duration::from_secs(5);
/// The resource's name.
const SERVICE: &str = "connect-node";

/// Where spans go.
#[derive(Debug, Clone)]
pub struct Collector {
    /// The whole address.
    pub address: String,
    /// What it wants to be shown: `name=value`, separated by commas.
    pub headers: Option<String>,
}

/// Why there is no exporter.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("CONNECT_OTLP_HEADERS must be name=value, separated by commas")]
    Headers,
    #[error("no HTTP client for the collector: {0}")]
    Client(#[from] reqwest::Error),
}

/// The way to the collector, if there is one. Dropping it ends the task.
#[derive(Debug, Default)]
pub struct Exporter(Option<Running>);

#[derive(Debug)]
struct Running {
    queue: mpsc::Sender<Span>,
    _task: Task,
}

/// Who has measured the spans.
struct Place {
    node: NodeId,
    region: Region,
}

impl Exporter {
    /// Starts the task, in the runtime of whoever calls.
    pub fn start(
        collector: Option<Collector>,
        node: NodeId,
        region: Region,
    ) -> Result<Self, ExportError> {
        let Some(Collector { address, headers }) = collector else {
            return Ok(Self(None));
        };
        let client = Client::builder()
            .default_headers(headers_of(headers.as_deref().unwrap_or_default())?)
            .timeout(PATIENCE)
            .build()?;
        let (queue, spans) = mpsc::channel(MAX_WAITING);
        let place = Place { node, region };
        let task = tokio::spawn(run(client, address, place, spans));
        Ok(Self(Some(Running {
            queue,
            _task: task.into(),
        })))
    }

    /// Whether there is a collector at all.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Hands a span over.
    pub fn export(&self, span: Span) {
        if let Some(Running { queue, .. }) = &self.0
            && queue.try_send(span).is_err()
        {
            metrics::spans_dropped(1);
        }
    }
}

fn headers_of(text: &str) -> Result<HeaderMap, ExportError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(ExportError::Headers)?;
        let name: HeaderName = name.trim().parse().map_err(|_| ExportError::Headers)?;
        let mut value: HeaderValue = value.trim().parse().map_err(|_| ExportError::Headers)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

async fn run(client: Client, address: String, place: Place, mut spans: mpsc::Receiver<Span>) {
    let mut batch = Vec::new();
    while spans.recv_many(&mut batch, MAX_AT_ONCE).await > 0 {
        if batch.len() < MAX_AT_ONCE {
            tokio::time::sleep(GATHER).await;
            while batch.len() < MAX_AT_ONCE
                && let Ok(span) = spans.try_recv()
            {
                batch.push(span);
            }
        }
        match tell(&client, &address, &place, &batch).await {
            Ok(()) => metrics::spans_exported(batch.len()),
            Err(error) => {
                // Without the address, which may hold a password.
                let error = error.without_url();
                tracing::warn!(%error, spans = batch.len(), "the collector took no spans");
                metrics::spans_dropped(batch.len());
                tokio::time::sleep(PAUSE).await;
            }
        }
        batch.clear();
    }
}

async fn tell(
    client: &Client,
    address: &str,
    place: &Place,
    spans: &[Span],
) -> Result<(), reqwest::Error> {
    let place = vec![
        ("service.version", Value::from(env!("CARGO_PKG_VERSION"))),
        ("service.instance.id", Value::from(place.node.as_str())),
        ("cloud.region", Value::from(place.region.as_str())),
    ];
    // Numbers and strings alone are always JSON.
    let body = serde_json::to_vec(&Export::new(SERVICE, place, spans)).unwrap_or_default();
    let response = client.post(address).body(body).send().await?;
    response.error_for_status()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::post;
    use protocol::trace::{SpanId, TraceParent};

    use super::*;

    fn span() -> Span {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parent: TraceParent = parent.parse().unwrap();
        Span::of(parent, SpanId([1; 8]), "node.answer", (1, 2))
    }

    fn exporter(address: String) -> Exporter {
        let headers = Some("x-key = secret".to_owned());
        let collector = Collector { address, headers };
        let (node, region) = ("node-1".parse().unwrap(), "eu-west".parse().unwrap());
        Exporter::start(Some(collector), node, region).unwrap()
    }

    #[tokio::test]
    async fn a_collector_is_told_what_was_done_and_where() {
        let (told, mut heard) = mpsc::channel(8);
        let hear = move |headers: HeaderMap, body: String| async move {
            told.send((headers, body)).await.unwrap();
            StatusCode::OK
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(hear));
        let _server: Task = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        })
        .into();
        let exporter = exporter(address);
        exporter.export(span());
        let (headers, body) = heard.recv().await.unwrap();
        assert_eq!(headers["x-key"], "secret");
        assert_eq!(headers["content-type"], "application/json");
        for word in ["connect-node", "node-1", "eu-west", "node.answer"] {
            assert!(body.contains(&format!("\"{word}\"")), "{word} in {body}");
        }
    }

    #[tokio::test]
    async fn a_collector_that_is_away_holds_up_nobody() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        // It takes connections, and never a word.
        let address = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let exporter = exporter(address);
        for _ in 0..=2 * MAX_WAITING {
            exporter.export(span());
        }
        let Running { queue, .. } = exporter.0.as_ref().unwrap();
        assert_eq!(queue.capacity(), 0, "what found no room was dropped");
    }

    #[test]
    fn headers_are_names_and_values() {
        assert!(headers_of("").is_ok() && headers_of("a=b, c=d=e").is_ok());
        for bad in ["a", "a b=c", "a=b\u{7}"] {
            assert!(headers_of(bad).is_err(), "{bad}");
        }
    }
}
