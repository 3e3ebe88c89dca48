//! The document: descriptions, routes and types put together.

use std::collections::BTreeMap;

use protocol::query::MAX_WHOLE;
use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::describe;
use super::description::{Answer, Body, Caller, Description, Typed, problem};
use crate::problem::Kind;
use crate::routes::{Method, ROUTES, Route};

const ABOUT: &str = "Accounts, rooms, and the way into a call. Errors are problem documents (RFC 9457): branch on `type`. Requests that \
     change something and come from a page of another, not configured site are refused (403, `/problems/forbidden`). The messages of the \
     WebSocket behind a ticket are in docs/api.md.";

/// The whole document.
pub fn document() -> Value {
    let mut types = Types::new();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in ROUTES {
        let operation = operation(route, &describe(route.operation), &mut types);
        let methods = paths.entry(route.path).or_default();
        methods.insert(method(route.method), operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Connect",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "Where this document comes from." }],
        "tags": [
            { "name": "accounts", "description": "Who somebody is." },
            { "name": "rooms", "description": "Where people meet." },
            { "name": "developer", "description": "What an account's own programs do: keys, rooms, people, data, webhooks." },
            { "name": "documents", "description": "What is written about the API." },
            { "name": "nodes", "description": "How media nodes, which are ours, reach the rooms that are on them." },
        ],
        "paths": paths,
        "components": {
            "responses": refusals(&mut types),
            "headers": headers(),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An access token; it lives for an hour. A guest's is good for one room, for twelve hours." },
                "key": { "type": "http", "scheme": "bearer", "description": "A key of the account that was made with the scope that the operation names." },
                "cookie": { "type": "apiKey", "in": "cookie", "name": "__Host-connect_refresh", "description": "The refresh token; it lives for seven days after its last use." },
                "node": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token that a media node has signed by the fleet's key." },
            },
            // The last: by now all are named.
            "schemas": types.take(),
        },
    })
}

/// Each kind of refusal by itself.
fn refusals(types: &mut Types) -> BTreeMap<String, Value> {
    let refusal = |kind: &Kind| (format!("{kind:?}"), refusal(kind.status(), &[*kind], types));
    Kind::ALL.iter().map(refusal).collect()
}

/// The types of requests as they are read, those of answers as they are written.
struct Types {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

impl Types {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        Self {
            read: settings().for_deserialize().into_generator(),
            written: settings().for_serialize().into_generator(),
        }
    }

    /// All that were named.
    fn take(&mut self) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::new();
        for generator in [&mut self.read, &mut self.written] {
            for (name, schema) in generator.take_definitions(true) {
                let schema = plain(schema);
                if let Some(other) = all.insert(name.clone(), schema.clone()) {
                    assert_eq!(other, schema, "{name} is read otherwise than it is written");
                }
            }
        }
        all
    }
}

/// A schema for readers who know neither Rust nor its formats of integers.
fn plain(schema: Value) -> Value {
    let mut schema = Schema::try_from(schema).expect("is a schema");
    bound(&mut schema);
    retell(&mut schema);
    schema.to_value()
}

/// Lines are not broken where they are in the code, and its links lead nowhere here.
fn retell(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let lines: Vec<&str> = text.split('\n').map(str::trim).collect();
        *text = lines.join(" ").replace("[`", "`").replace("`]", "`");
    }
    transform_subschemas(&mut retell, schema);
}

/// The bounds of integers, which their format alone does not tell everybody.
fn bound(schema: &mut Schema) {
    let largest = match schema.get("format").and_then(Value::as_str) {
        Some("uint32") => Some(u64::from(u32::MAX)),
        Some("uint64") => Some(MAX_WHOLE),
        _ => None,
    };
    if let Some(largest) = largest
        && schema.get("maximum").is_none()
    {
        schema.insert("maximum".into(), largest.into());
    }
    transform_subschemas(&mut bound, schema);
}

fn operation(route: &Route, description: &Description, types: &mut Types) -> Value {
    let mut responses = Map::new();
    for answer in &description.answers {
        responses.insert(answer.status.to_string(), response(answer, types));
    }
    for (status, kinds) in by_status(&description.refusals) {
        let refusal = match kinds.as_slice() {
            [kind] => json!({ "$ref": format!("#/components/responses/{kind:?}") }),
            kinds => refusal(status, kinds, types),
        };
        responses.insert(status.to_string(), refusal);
    }
    let mut operation = json!({
        "operationId": operation_id(route),
        "tags": [description.tag],
        "summary": description.summary,
        "security": security(description.caller),
        "parameters": parameters(route, description, types),
        "responses": responses,
    });
    if !description.details.is_empty() {
        operation["description"] = description.details.into();
    }
    if let Some(Body { of, optional }) = description.body {
        operation["requestBody"] = json!({
            "required": !optional,
            "content": { "application/json": { "schema": of(&mut types.read) } },
        });
    }
    operation
}

/// The name of the operation, as names are in JavaScript.
fn operation_id(route: &Route) -> String {
    let name = format!("{:?}", route.operation);
    let (first, rest) = name.split_at(1);
    first.to_lowercase() + rest
}

fn method(method: Method) -> String {
    format!("{method:?}").to_lowercase()
}

fn security(caller: Caller) -> Value {
    match caller {
        Caller::Anybody => json!([]),
        Caller::Account | Caller::AccountOrGuest => json!([{ "token": [] }]),
        Caller::Key => json!([{ "key": [] }, { "token": [] }]),
        Caller::Cookie => json!([{ "cookie": [] }, {}]),
        Caller::Node => json!([{ "node": [] }]),
    }
}

fn parameters(route: &Route, description: &Description, types: &mut Types) -> Value {
    let mut parameters = Vec::new();
    for parameter in &description.parameters {
        let place = format!("{{{}}}", parameter.name);
        assert!(route.path.contains(&place), "{} has no {place}", route.path);
        parameters.push(json!({
            "name": parameter.name,
            "in": "path",
            "required": true,
            "description": parameter.about,
            "schema": (parameter.of)(&mut types.read),
        }));
    }
    let places = route.path.matches('{').count();
    assert_eq!(parameters.len(), places, "parameters of {}", route.path);
    if description.is_done_once {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "Names this request: sent again with it, it is not done again, and has the same answer for 24 hours.",
            "schema": { "type": "string", "pattern": "^[!-~]{1,128}$" },
        }));
    }
    if let Some(query) = description.query {
        parameters.extend(query_parameters(query));
    }
    parameters.into()
}

/// Each field of the type, with what it is when it is left out.
fn query_parameters(query: Typed) -> Vec<Value> {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    let settings = settings.with(|settings| settings.inline_subschemas = true);
    let schema = plain(query(&mut settings.into_generator()).to_value());
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let fields = schema["properties"].as_object().into_iter().flatten();
    let parameter = |(name, field): (&String, &Value)| {
        let mut field = field.clone();
        let mut about = Value::Null;
        if let Some(field) = field.as_object_mut() {
            about = field.remove("description").unwrap_or_default();
            // What is left out is no parameter at all: none can be null.
            if let Some(Value::Array(types)) = field.get("type") {
                let of = types.iter().find(|of| *of != "null").cloned();
                field.insert("type".into(), of.unwrap_or_default());
            }
            field.retain(|_, value| !value.is_null());
        }
        json!({
            "name": name,
            "in": "query",
            "required": required.iter().any(|field| field == name),
            "description": about,
            "schema": field,
        })
    };
    fields.map(parameter).collect()
}

fn response(answer: &Answer, types: &mut Types) -> Value {
    let mut headers = common_headers();
    for (name, about) in &answer.headers {
        let header = json!({ "description": about, "schema": { "type": "string" } });
        headers.insert((*name).into(), header);
    }
    let mut response = json!({ "description": answer.about, "headers": headers });
    if let Some((kind, of)) = answer.content {
        response["content"] = json!({ kind: { "schema": of(&mut types.written) } });
    }
    if answer.status == 101 {
        // What follows is no answer of HTTP's any more.
        response["headers"] = json!({});
    }
    response
}

/// A refusal: a problem of one of these kinds.
fn refusal(status: u16, kinds: &[Kind], types: &mut Types) -> Value {
    let mut headers = common_headers();
    let mut has = |name: &str, required: bool| {
        let reference = format!("#/components/headers/{name}");
        let header = match required {
            true => json!({ "$ref": reference }),
            false => json!({ "$ref": format!("{reference}-Sometimes") }),
        };
        headers.insert(name.into(), header);
    };
    match status {
        401 => has("WWW-Authenticate", true),
        429 => {
            has("Retry-After", true);
            has("RateLimit-Policy", true);
            has("RateLimit", true);
        }
        503 => has("Retry-After", true),
        403 if kinds.contains(&Kind::Removed) => has("Retry-After", false),
        _ => {}
    }
    let names: Vec<String> = kinds.iter().map(|kind| uri(*kind)).collect();
    let lines = kinds
        .iter()
        .map(|kind| format!("- `{}`: {}", uri(*kind), kind.title()));
    let lines: Vec<String> = lines.collect();
    let schema = json!({
        "allOf": [problem(&mut types.written)],
        "properties": { "type": { "enum": names }, "status": { "const": status } },
    });
    json!({
        "description": lines.join("\n"),
        "headers": headers,
        "content": { "application/problem+json": { "schema": schema } },
    })
}

fn uri(kind: Kind) -> String {
    format!("/problems/{}", kind.name())
}

fn by_status(refusals: &[Kind]) -> BTreeMap<u16, Vec<Kind>> {
    let mut refusals = refusals.to_vec();
    refusals.sort();
    refusals.dedup();
    let mut found: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
    for kind in refusals {
        found.entry(kind.status()).or_default().push(kind);
    }
    found
}

/// What every answer has.
fn common_headers() -> Map<String, Value> {
    let reference = json!({ "$ref": "#/components/headers/X-Request-Id" });
    Map::from_iter([("X-Request-Id".to_owned(), reference)])
}

fn headers() -> Value {
    let header = |about: &str, schema: Value| json!({ "description": about, "required": true, "schema": schema });
    let seconds = json!({ "type": "integer", "minimum": 1 });
    let mut sometimes = header("Seconds to wait, where that helps.", seconds.clone());
    sometimes["required"] = false.into();
    json!({
        "X-Request-Id": header("What to name in a report.", json!({ "type": "string", "pattern": "^[0-9a-f]{16}$" })),
        "Retry-After": header("Seconds to wait.", seconds),
        "Retry-After-Sometimes": sometimes,
        "RateLimit-Policy": header(
            "The limit (draft-ietf-httpapi-ratelimit-headers-11): its name, how many at once (`q`), and in how many seconds as many again (`w`). Which limits there are, and of which routes, is in docs/limits.md.",
            json!({ "type": "string", "pattern": "^\"[a-z-]+\";q=[0-9]+;w=[0-9]+$", "examples": ["\"join-address\";q=3000;w=60"] }),
        ),
        "RateLimit": header(
            "That nothing is left of it (`r=0`), and for how many seconds (`t`).",
            json!({ "type": "string", "pattern": "^\"[a-z-]+\";r=0;t=[0-9]+$", "examples": ["\"join-address\";r=0;t=4"] }),
        ),
        "WWW-Authenticate": header("How to show who one is (RFC 6750).", json!({ "type": "string" })),
    })
}
