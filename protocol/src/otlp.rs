//! Spans as collectors take them: OTLP over HTTP, in JSON (`ExportTraceServiceRequest` of opentelemetry-proto).

use serde::{Serialize, Serializer};

use crate::trace::{SpanId, TraceId, TraceParent};

/// A stretch of time in which something was done for a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub trace: TraceId,
    pub id: SpanId,
    /// None of the span that a trace begins with.
    pub parent: Option<SpanId>,
    pub name: &'static str,
    /// Unix time in nanoseconds, as is the next.
    pub start: u64,
    pub end: u64,
    /// Whether it came to nothing.
    pub failed: bool,
    /// Ids, numbers and words of ours: nothing that a person wrote, and no address.
    pub attributes: Vec<(&'static str, Value)>,
}

/// What an attribute says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Number(i64),
}

impl Span {
    /// A span that this parent has caused.
    pub fn of(
        parent: TraceParent,
        id: SpanId,
        name: &'static str,
        (start, end): (u64, u64),
    ) -> Self {
        Self {
            trace: parent.trace,
            id,
            parent: Some(parent.span),
            name,
            start,
            // A clock may be set back meanwhile.
            end: end.max(start),
            failed: false,
            attributes: Vec::new(),
        }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// Says whether it came to nothing.
    #[must_use]
    pub fn failed(self, failed: bool) -> Self {
        Self { failed, ..self }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// What a collector is sent: spans, and who has measured them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Export<'a> {
    resource_spans: [ResourceSpans<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'a> {
    resource: Resource,
    scope_spans: [ScopeSpans<'a>; 1],
}

#[derive(Serialize)]
struct Resource {
    attributes: Vec<Attribute>,
}

#[derive(Serialize)]
struct ScopeSpans<'a> {
    scope: Scope,
    spans: Vec<Written<'a>>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
}

/// A span as the protocol writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    trace_id: String,
    span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    name: &'a str,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

#[derive(Serialize)]
struct Status {
    code: u8,
}

#[derive(Serialize)]
struct Attribute {
    key: &'static str,
    value: Value,
}

/// `SPAN_KIND_INTERNAL`.
const INTERNAL: u8 = 1;
/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Text(text) => map.serialize_entry("stringValue", text)?,
            // 64 bits are a string in the JSON of protocol buffers.
            Self::Number(number) => map.serialize_entry("intValue", &number.to_string())?,
        }
        map.end()
    }
}

impl<'a> Export<'a> {
    /// These spans of a service, with what else is known of where it runs.
    pub fn new(
        service: &str,
        place: Vec<(&'static str, Value)>,
        spans: impl IntoIterator<Item = &'a Span>,
    ) -> Self {
        let mut attributes = vec![("service.name", Value::from(service))];
        attributes.extend(place);
        Self {
            resource_spans: [ResourceSpans {
                resource: Resource {
                    attributes: written(attributes),
                },
                scope_spans: [ScopeSpans {
                    scope: Scope { name: "connect" },
                    spans: spans.into_iter().map(Written::from).collect(),
                }],
            }],
        }
    }
}

impl<'a> From<&'a Span> for Written<'a> {
    fn from(span: &'a Span) -> Self {
        Self {
            trace_id: span.trace.to_string(),
            span_id: span.id.to_string(),
            parent_span_id: span.parent.map(|parent| parent.to_string()),
            name: span.name,
            kind: INTERNAL,
            start_time_unix_nano: span.start.to_string(),
            end_time_unix_nano: span.end.to_string(),
            attributes: written(span.attributes.clone()),
            status: span.failed.then_some(Status { code: ERROR }),
        }
    }
}

fn written(attributes: Vec<(&'static str, Value)>) -> Vec<Attribute> {
    let attributes = attributes.into_iter();
    attributes
        .map(|(key, value)| Attribute { key, value })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_the_json_that_collectors_take() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let span = Span::of(parent.parse().unwrap(), SpanId([1; 8]), "room.join", (7, 3))
            .with("connect.room", "bako-tuvi")
            .with("connect.attempt", 2)
            .failed(true);
        let place = vec![("cloud.region", Value::from("eu-west"))];
        let json = serde_json::to_value(Export::new("connect-edge", place, [&span])).unwrap();
        let expected = serde_json::json!({ "resourceSpans": [{
            "resource": { "attributes": [
                { "key": "service.name", "value": { "stringValue": "connect-edge" } },
                { "key": "cloud.region", "value": { "stringValue": "eu-west" } },
            ] },
            "scopeSpans": [{ "scope": { "name": "connect" }, "spans": [{
                "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
                "spanId": "0101010101010101",
                "parentSpanId": "00f067aa0ba902b7",
                "name": "room.join",
                "kind": 1,
                "startTimeUnixNano": "7",
                "endTimeUnixNano": "7",
                "attributes": [
                    { "key": "connect.room", "value": { "stringValue": "bako-tuvi" } },
                    { "key": "connect.attempt", "value": { "intValue": "2" } },
                ],
                "status": { "code": 2 },
            }] }],
        }] });
        assert_eq!(json, expected);
    }
}
