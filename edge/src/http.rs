//! What all requests and answers have in common: bodies, tokens, cookies, headers.

use std::net::{IpAddr, Ipv6Addr};

use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use worker::{Env, Method, Request, Response, Result};

use crate::problem::{Outcome, Refusal};

/// Largest body of a request, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// The cookie of the refresh token. It goes to the sign-in routes only.
const COOKIE: &str = "connect_refresh";
const COOKIE_ATTRIBUTES: &str = "HttpOnly; Secure; SameSite=Strict; Path=/api/auth";

/// Refuses what a page of another site makes a browser do: it would carry the refresh cookie (RFC 6265bis knows sites, not
/// origins) or sign somebody in unasked. Configured origins may.
pub fn refuse_cross_site(request: &Request, cors: &Cors) -> Outcome<()> {
    let changes = !matches!(
        request.method(),
        Method::Get | Method::Head | Method::Options
    );
    let site = request.headers().get("sec-fetch-site")?;
    if changes && site.as_deref() == Some("cross-site") && cors.0.is_none() {
        return Err(Refusal::forbidden(
            "the page's origin is not one of CONNECT_ORIGINS",
        ));
    }
    Ok(())
}

/// The body as JSON of this type; an empty body counts as an empty object.
pub async fn json<T: DeserializeOwned>(request: &mut Request) -> Outcome<T> {
    let body = body(request).await?;
    if !body.is_empty() && !is_json(request)? {
        return Err(Refusal::not_json());
    }
    let body: &[u8] = if body.is_empty() { b"{}" } else { &body };
    // A list would pass for a struct.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(Refusal::malformed("the body is not an object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.classify() != serde_json::error::Category::Data {
            return Refusal::malformed("the body is not JSON");
        }
        match missing_field(&inner.to_string()) {
            Some(field) => Refusal::invalid_field(&field, "is missing"),
            None if path != "." => Refusal::invalid_field(&path, "is of the wrong type or form"),
            None => Refusal::malformed("the body is not an object"),
        }
    })
}

/// The body, of which no more is read than is allowed.
async fn body(request: &mut Request) -> Outcome<Vec<u8>> {
    let mut body = Vec::new();
    if request.inner().body().is_none() {
        return Ok(body);
    }
    let mut chunks = request.stream()?;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        if body.len() + chunk.len() > MAX_BODY {
            return Err(Refusal::too_large());
        }
        body.extend(chunk);
    }
    Ok(body)
}

fn is_json(request: &Request) -> Result<bool> {
    let header = request.headers().get("content-type")?.unwrap_or_default();
    let kind = header.split(';').next().unwrap_or_default();
    Ok(kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The field that serde says is missing.
fn missing_field(message: &str) -> Option<String> {
    let rest = message.strip_prefix("missing field `")?;
    rest.split_once('`').map(|(field, _)| field.to_owned())
}

/// The bearer token (RFC 6750).
pub fn bearer(request: &Request) -> Result<Option<String>> {
    let header = request.headers().get("authorization")?;
    Ok(header.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.trim().to_owned())
    }))
}

/// The refresh token in the cookie.
pub fn refresh_cookie(request: &Request) -> Result<Option<String>> {
    let header = request.headers().get("cookie")?.unwrap_or_default();
    Ok(header.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then(|| value.to_owned())
    }))
}

/// Sets the cookie of the refresh token.
pub fn set_cookie(response: Response, value: &str) -> Result<Response> {
    let age = edge_core::token::REFRESH_SECONDS;
    let cookie = format!("{COOKIE}={value}; Max-Age={age}; {COOKIE_ATTRIBUTES}");
    response.headers().append("set-cookie", &cookie)?;
    Ok(response)
}

/// Clears the cookie of the refresh token.
pub fn clear_cookie(response: Response) -> Result<Response> {
    let cookie = format!("{COOKIE}=; Max-Age=0; {COOKIE_ATTRIBUTES}");
    response.headers().append("set-cookie", &cookie)?;
    Ok(response)
}

/// Whether the request asks for a WebSocket.
pub fn wants_websocket(request: &Request) -> Result<bool> {
    let upgrade = request.headers().get("upgrade")?;
    Ok(upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket")))
}

/// The client's address, as limits see it: an IPv6 customer has a whole /64. Cloudflare always tells it, and lets no
/// client forge it. A workerd of one's own needs a proxy that sets the header; without one, all clients are "unknown" and
/// share the limits of one address.
pub fn address(request: &Request) -> Result<String> {
    let header = request.headers().get("cf-connecting-ip")?;
    let address = header.unwrap_or_else(|| "unknown".into());
    Ok(match address.parse() {
        Ok(IpAddr::V6(v6)) => Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX)).to_string(),
        _ => address,
    })
}

/// The answer to the request's origin, if it is a configured one.
pub struct Cors(Option<String>);

impl Cors {
    /// What the request's origin is allowed.
    pub fn of(request: &Request, env: &Env) -> Self {
        let origin = request.headers().get("origin").ok().flatten();
        let allowed = env
            .var("CONNECT_ORIGINS")
            .map(|list| list.to_string())
            .unwrap_or_default();
        Self(origin.filter(|origin| allowed.split(',').any(|entry| entry.trim() == origin)))
    }
}

/// Adds the headers that every answer has.
pub fn finish(response: Response, request_id: &str, cors: &Cors) -> Result<Response> {
    if response.status_code() == 101 {
        return Ok(response);
    }
    let headers = response.headers().clone();
    headers.set("x-request-id", request_id)?;
    headers.set("cache-control", "no-store")?;
    headers.set("x-content-type-options", "nosniff")?;
    headers.set("x-frame-options", "DENY")?;
    headers.set("referrer-policy", "no-referrer")?;
    headers.set(
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'",
    )?;
    headers.set(
        "strict-transport-security",
        "max-age=63072000; includeSubDomains",
    )?;
    headers.set("cross-origin-resource-policy", "same-origin")?;
    if let Some(origin) = &cors.0 {
        headers.set("access-control-allow-origin", origin)?;
        headers.set("access-control-allow-credentials", "true")?;
        headers.set("access-control-allow-methods", "GET, POST, DELETE")?;
        headers.set(
            "access-control-allow-headers",
            "authorization, content-type",
        )?;
        headers.set("cross-origin-resource-policy", "cross-origin")?;
        headers.append("vary", "origin")?;
    }
    Ok(response.with_headers(headers))
}
