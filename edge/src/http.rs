//! What all requests and answers have in common: callers, bodies, tokens, headers.

use std::net::{IpAddr, Ipv6Addr};

use edge_core::caller::{Caller, Told};
use edge_core::json::{self, BadBody};
use edge_core::routes::{self, Method};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use worker::{ByteStream, Env, Request, Response, Result};

use crate::problem::{Outcome, Refusal};
use crate::{config, trace};

/// Largest body of a request, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// How much of a body that nobody wants is read all the same, in bytes: who is still sending may not get to see the refusal.
const MAX_DRAINED: usize = 16 * 1024 * 1024;

/// What a request wants done. The method of `worker` takes all that it does not know for GET.
pub fn method(request: &Request) -> Method {
    Method::parse(&request.inner().method())
}

/// The method as it is counted and logged: whatever else somebody sends is one.
pub fn known(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let mut known = KNOWN.into_iter();
    known.find(|known| *known == method).unwrap_or("other")
}

/// Whose page sends the request.
pub fn caller(request: &Request, env: &Env) -> Result<Caller> {
    let (site, origin) = (
        request.headers().get("sec-fetch-site")?,
        request.headers().get("origin")?,
    );
    let told = Told {
        site: site.as_deref(),
        origin: origin.as_deref(),
    };
    let listed = config::origins(env);
    let listed: Vec<&str> = listed.iter().map(String::as_str).collect();
    Ok(Caller::of(told, request.url()?.authority(), &listed))
}

/// Refuses what a page of a foreign origin makes a browser do, a sibling subdomain's included: it could sign somebody in or
/// out unasked. What counts by cookie is for our own pages alone (see [`crate::cookie`]).
pub fn refuse_foreign(request: &Request, env: &Env) -> Outcome<()> {
    let changes = !matches!(
        method(request),
        Method::Get | Method::Head | Method::Options
    );
    if changes && caller(request, env)? == Caller::Foreign {
        return Err(Refusal::forbidden(
            "the page's origin is not one of CONNECT_ORIGINS",
        ));
    }
    Ok(())
}

/// The body as JSON of this type; an empty body counts as an empty object.
pub async fn json<T: DeserializeOwned>(request: &mut Request) -> Outcome<T> {
    read(&text(request).await?)
}

/// The body as it came, if it says that it is JSON; for whoever is to read it ([`read`]).
pub async fn text(request: &mut Request) -> Outcome<String> {
    let body = body(request).await?;
    if !body.is_empty() && !is_json(request)? {
        return Err(Refusal::not_json());
    }
    String::from_utf8(body).map_err(|_| Refusal::malformed("the body is not JSON"))
}

/// A body as JSON of this type; an empty one counts as an empty object.
pub fn read<T: DeserializeOwned>(body: &str) -> Outcome<T> {
    let body = if body.is_empty() { "{}" } else { body };
    json::read(body.as_bytes()).map_err(|fault| match fault {
        BadBody::NoJson => Refusal::malformed("the body is not JSON"),
        BadBody::NoObject => Refusal::malformed("the body is not an object"),
        BadBody::Field(fault) => Refusal::invalid(vec![fault]),
    })
}

/// The body, of which no more is kept than is allowed.
async fn body(request: &mut Request) -> Outcome<Vec<u8>> {
    let mut body = Vec::new();
    if request.inner().body().is_none() {
        return Ok(body);
    }
    let mut chunks = request.stream()?;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        if body.len() + chunk.len() > MAX_BODY {
            drain(chunks).await?;
            return Err(Refusal::too_large());
        }
        body.extend(chunk);
    }
    Ok(body)
}

/// A request whose body may still be on its way when it is refused.
pub struct Unread(Request);

impl Unread {
    /// The same request once more, if it has a body.
    pub fn of(request: &Request) -> Option<Self> {
        let raw = request.inner();
        raw.body().map(|_| Self(Request::from(Clone::clone(raw))))
    }

    /// Reads what nobody has read.
    pub async fn drain(mut self) -> Result<()> {
        if self.0.inner().body_used() {
            return Ok(());
        }
        drain(self.0.stream()?).await
    }
}

async fn drain(mut chunks: ByteStream) -> Result<()> {
    let mut drained = 0;
    while let Some(chunk) = chunks.next().await {
        drained += chunk?.len();
        if drained > MAX_DRAINED {
            break;
        }
    }
    Ok(())
}

fn is_json(request: &Request) -> Result<bool> {
    let header = request.headers().get("content-type")?.unwrap_or_default();
    let kind = header.split(';').next().unwrap_or_default();
    Ok(kind.trim().eq_ignore_ascii_case("application/json"))
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

/// Whether the request asks for a WebSocket (RFC 6455, 4.2.1).
pub fn wants_websocket(request: &Request) -> Result<bool> {
    let upgrade = request.headers().get("upgrade")?;
    let asks = upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    Ok(asks && method(request) == Method::Get)
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

/// Headers of answers that pages of other origins may read, besides those that they always may.
const EXPOSED: &str =
    "allow, location, ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id";
/// Headers that they may send.
const TAKEN: &str = "authorization, content-type, idempotency-key, traceparent";
/// For how many seconds a browser need not ask again what it may: as long as any of them remembers it.
const REMEMBERED: &str = "7200";

/// What pages of the request's origin may do, if it is a configured one.
pub struct Cors(Option<Allowed>);

struct Allowed {
    origin: String,
    methods: String,
}

impl Cors {
    /// What the request's origin is allowed.
    pub fn of(request: &Request, env: &Env) -> Self {
        let origin = request.headers().get("origin").ok().flatten();
        let origin = origin.filter(|origin| config::origins(env).contains(origin));
        Self(origin.map(|origin| Allowed {
            origin,
            methods: routes::allowed(&request.path()).unwrap_or_default(),
        }))
    }
}

/// What can be done at an address (RFC 9110, 9.3.7).
pub fn options(request: &Request) -> Outcome<Response> {
    let methods = routes::allowed(&request.path()).ok_or_else(Refusal::no_address)?;
    let response = Response::empty()?.with_status(204);
    response.headers().set("allow", &methods)?;
    Ok(response)
}

/// A parameter of a request's address.
pub fn parameter(request: &Request, name: &str) -> Result<Option<String>> {
    let url = request.url()?;
    let found = url.query_pairs().find(|(key, _)| key == name);
    Ok(found.map(|(_, value)| value.into_owned()))
}

/// The origin that a request was sent to.
pub fn origin(request: &Request) -> Result<String> {
    let url = request.url()?;
    // Scheme, nothing, and authority.
    let parts: Vec<&str> = url.as_str().splitn(4, '/').take(3).collect();
    Ok(parts.join("/"))
}

/// Adds the headers that every answer has.
pub fn finish(response: Response, cors: &Cors) -> Result<Response> {
    if response.status_code() == 101 {
        return Ok(response);
    }
    let headers = response.headers().clone();
    if let Some(following) = trace::at_hand() {
        headers.set(trace::REQUEST_ID, following.request.as_str())?;
    }
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
    if let Some(Allowed { origin, methods }) = &cors.0 {
        headers.set("access-control-allow-origin", origin)?;
        headers.set("access-control-allow-methods", methods)?;
        headers.set("access-control-allow-headers", TAKEN)?;
        headers.set("access-control-expose-headers", EXPOSED)?;
        headers.set("access-control-max-age", REMEMBERED)?;
        headers.set("cross-origin-resource-policy", "cross-origin")?;
        headers.append("vary", "origin")?;
    }
    Ok(response.with_headers(headers))
}
