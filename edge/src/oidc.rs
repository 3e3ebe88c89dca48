//! What is asked of the providers of single sign-on: where they are, which keys they sign by, and who somebody is.

mod signature;

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use edge_core::limits::{Bucket, Limit};
use edge_core::oidc::{
    Algorithm, Attempt, Claims, Failure, IdToken, Provider, choose, is_safe, parse_providers,
};
use futures_util::StreamExt;
use futures_util::future::{Either, LocalBoxFuture, select};
use serde_json::{Value, json};
use worker::{
    AbortController, Date, Delay, Env, Error, Fetch, Headers, Method, Request, RequestInit,
    RequestRedirect, Result, console_error,
};

use crate::crypto;

/// How long a provider may take for one answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// Longest answer of a provider that is read, in bytes.
const MAX_ANSWER: usize = 256 * 1024;
/// For how long a provider's documents are good, in milliseconds.
const FRESH: u64 = 60 * 60 * 1000;
/// The addresses of a provider that secrets go to, or keys come from.
const ENDPOINTS: [&str; 4] = [
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
];
/// How often a provider's keys are asked for: a token may be signed by a new one, but made-up ones are no way to have it asked.
const KEYS: Limit = Limit {
    burst: 5,
    window: 60_000,
};

/// What is known of a provider, and since when.
#[derive(Default, Clone)]
struct Known {
    /// OpenID Connect Discovery 1.0, 3.
    metadata: Option<(u64, Rc<Claims>)>,
    keys: Option<(u64, Rc<Claims>)>,
    asked: Option<Bucket>,
}

thread_local! {
    /// By issuer: a few.
    static KNOWN: RefCell<Vec<(String, Known)>> = RefCell::default();
}

/// The providers of this installation.
pub fn providers(env: &Env) -> Result<Vec<Provider>> {
    let text = env.var("CONNECT_OIDC").map(|text| text.to_string());
    parse_providers(&text.unwrap_or_default())
        .map_err(|what| Error::RustError(format!("CONNECT_OIDC: {what}")))
}

/// The address that a browser is sent to.
pub async fn authorization(
    provider: &Provider,
    attempt: &Attempt,
    redirect: &str,
) -> std::result::Result<String, Failure> {
    let metadata = metadata(provider).await?;
    let challenge = URL_SAFE_NO_PAD.encode(crypto::digest(&attempt.verifier));
    let request = query(&attempt.request(provider, redirect, &challenge));
    let address = text(&metadata, "authorization_endpoint").ok_or(Failure::Provider)?;
    let joint = if address.contains('?') { '&' } else { '?' };
    Ok(format!("{address}{joint}{request}"))
}

/// Who has signed in at the provider, by the code that came back.
pub async fn identify(
    provider: &Provider,
    attempt: &Attempt,
    code: &str,
    redirect: &str,
) -> std::result::Result<IdToken, Failure> {
    let metadata = metadata(provider).await?;
    let tokens = exchange(provider, &metadata, attempt, code, redirect).await?;
    let token = text(&tokens, "id_token").ok_or_else(|| reject(provider, "token"))?;
    let mut token = verified(provider, &metadata, token).await?;
    token
        .check(provider, &attempt.nonce, Date::now().as_millis())
        .map_err(|rejected| reject(provider, rejected.0))?;
    if let (false, Some(address), Some(access)) = (
        token.is_complete(),
        text(&metadata, "userinfo_endpoint"),
        text(&tokens, "access_token"),
    ) {
        let bearer = format!("Bearer {access}");
        let more = ask(provider, address, Some(&bearer), None).await?;
        token
            .add(more)
            .map_err(|rejected| reject(provider, rejected.0))?;
    }
    Ok(token)
}

async fn metadata(provider: &Provider) -> std::result::Result<Rc<Claims>, Failure> {
    let now = Date::now().as_millis();
    if let Some((since, metadata)) = known(provider).metadata
        && now < since + FRESH
    {
        return Ok(metadata);
    }
    let issuer = provider.issuer.trim_end_matches('/');
    let address = format!("{issuer}/.well-known/openid-configuration");
    let metadata = ask(provider, &address, None, None).await?;
    // Each of them that there is.
    let fine = ENDPOINTS
        .iter()
        .filter_map(|name| metadata.get(*name))
        .all(|address| address.as_str().is_some_and(is_safe));
    if text(&metadata, "issuer") != Some(&provider.issuer) || !fine {
        return Err(reject(provider, "metadata"));
    }
    let metadata = Rc::new(metadata);
    remember(provider, |known| {
        known.metadata = Some((now, metadata.clone()))
    });
    Ok(metadata)
}

/// The tokens for a code (RFC 6749, 4.1.3; RFC 7636, 4.5).
async fn exchange(
    provider: &Provider,
    metadata: &Claims,
    attempt: &Attempt,
    code: &str,
    redirect: &str,
) -> std::result::Result<Claims, Failure> {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect),
        ("code_verifier", &attempt.verifier),
    ];
    let methods = metadata.get("token_endpoint_auth_methods_supported");
    // Without a word it is the first (Discovery 1.0, 3).
    let by_header = methods
        .and_then(Value::as_array)
        .is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"));
    let mut basic = None;
    match &provider.client_secret {
        Some(secret) if by_header => {
            let (id, secret) = (encoded(&provider.client_id), encoded(secret));
            basic = Some(format!(
                "Basic {}",
                STANDARD.encode(format!("{id}:{secret}"))
            ));
        }
        Some(secret) => {
            form.push(("client_id", &provider.client_id));
            form.push(("client_secret", secret));
        }
        None => form.push(("client_id", &provider.client_id)),
    }
    let address = text(metadata, "token_endpoint").ok_or(Failure::Provider)?;
    ask(provider, address, basic.as_deref(), Some(query(&form))).await
}

/// Parameters as they stand in addresses and forms.
pub fn query(parameters: &[(&str, &str)]) -> String {
    let pairs = parameters.iter();
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    pairs.join("&")
}

fn text<'a>(object: &'a Claims, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str()
}

/// A text as it goes into an address, and into the header that has id and secret (RFC 6749, 2.3.1).
fn encoded(text: &str) -> String {
    worker::js_sys::encode_uri_component(text).into()
}

/// The claims of a token whose signature is the provider's.
async fn verified(
    provider: &Provider,
    metadata: &Claims,
    token: &str,
) -> std::result::Result<IdToken, Failure> {
    let malformed = || reject(provider, "token");
    let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
    let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
    let header = object(&crypto::decode_all(header).ok_or_else(malformed)?);
    let header = header.ok_or_else(malformed)?;
    let algorithm = text(&header, "alg").and_then(Algorithm::of);
    let algorithm = algorithm.ok_or_else(|| reject(provider, "alg"))?;
    let signature = crypto::decode_all(signature).ok_or_else(malformed)?;
    let mut keys = fresh_keys(provider);
    loop {
        let (known, is_last) = match keys.take() {
            Some(keys) => (keys, false),
            None => (ask_for_keys(provider, metadata).await?, true),
        };
        let key = choose(&known, algorithm, text(&header, "kid"));
        if let Some(key) = key
            && signature::verify(algorithm, &key, signed.as_bytes(), &signature).await
        {
            let claims = object(&crypto::decode_all(claims).ok_or_else(malformed)?);
            return claims.map(IdToken).ok_or_else(malformed);
        }
        // It may be signed by a key that is newer than those, under another name or none.
        if is_last || !may_ask_again(provider) {
            return Err(reject(provider, "signature"));
        }
    }
}

fn object(json: &[u8]) -> Option<Claims> {
    match serde_json::from_slice(json) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// The keys of a provider, if they were asked for not long ago.
fn fresh_keys(provider: &Provider) -> Option<Rc<Claims>> {
    let (since, keys) = known(provider).keys?;
    (Date::now().as_millis() < since + FRESH).then_some(keys)
}

async fn ask_for_keys(
    provider: &Provider,
    metadata: &Claims,
) -> std::result::Result<Rc<Claims>, Failure> {
    let now = Date::now().as_millis();
    let address = text(metadata, "jwks_uri").ok_or(Failure::Provider)?;
    let keys = Rc::new(ask(provider, address, None, None).await?);
    remember(provider, |known| known.keys = Some((now, keys.clone())));
    Ok(keys)
}

/// Whether keys that are fresh may be asked for once more.
fn may_ask_again(provider: &Provider) -> bool {
    let now = Date::now().as_millis();
    let mut may = false;
    remember(provider, |known| {
        let asked = known.asked.get_or_insert_with(|| Bucket::full(KEYS, now));
        may = asked.take(KEYS, now).is_ok();
    });
    may
}

fn known(provider: &Provider) -> Known {
    KNOWN.with_borrow(|all| {
        let known = all.iter().find(|(issuer, _)| *issuer == provider.issuer);
        known.map(|(_, known)| known.clone()).unwrap_or_default()
    })
}

fn remember(provider: &Provider, change: impl FnOnce(&mut Known)) {
    let mut known = known(provider);
    change(&mut known);
    KNOWN.with_borrow_mut(|all| {
        all.retain(|(issuer, _)| *issuer != provider.issuer);
        all.push((provider.issuer.clone(), known));
    });
}

/// Asks a provider for an object of JSON; a form is posted. A redirect is no answer: it would take secrets elsewhere. Boxed, since its
/// code would be in each place that asks.
fn ask<'a>(
    provider: &'a Provider,
    address: &'a str,
    authorization: Option<&'a str>,
    form: Option<String>,
) -> LocalBoxFuture<'a, std::result::Result<Claims, Failure>> {
    Box::pin(async move {
        let answer = answer(address, authorization, form).await;
        answer.map_err(|why| {
            console_error!(
                "{}",
                json!({ "fault": "a provider of single sign-on did not answer as it should", "provider": provider.id, "why": why.to_string() })
            );
            Failure::Provider
        })
    })
}

async fn answer(
    address: &str,
    authorization: Option<&str>,
    form: Option<String>,
) -> Result<Claims> {
    let wrong = |why: &str| Error::RustError(why.into());
    let headers = Headers::new();
    headers.set("accept", "application/json")?;
    if let Some(authorization) = authorization {
        headers.set("authorization", authorization)?;
    }
    let mut init = RequestInit::new();
    if let Some(form) = form {
        headers.set("content-type", "application/x-www-form-urlencoded")?;
        init.with_method(Method::Post).with_body(Some(form.into()));
    }
    init.with_headers(headers)
        .with_redirect(RequestRedirect::Manual);
    let controller = AbortController::default();
    let (request, signal) = (
        Fetch::Request(Request::new_with_init(address, &init)?),
        controller.signal(),
    );
    let read = pin!(async {
        let mut response = request.send_with_signal(&signal).await?;
        if response.status_code() != 200 {
            return Err(wrong(&format!("status {}", response.status_code())));
        }
        let mut body = Vec::new();
        let mut chunks = response.stream()?;
        while let Some(chunk) = chunks.next().await {
            body.extend(chunk?);
            if body.len() > MAX_ANSWER {
                return Err(wrong("too long"));
            }
        }
        object(&body).ok_or_else(|| wrong("not the JSON that it should be"))
    });
    let read = match select(read, pin!(Delay::from(PATIENCE))).await {
        Either::Left((read, _)) => read,
        Either::Right(_) => Err(wrong("no answer in time")),
    };
    // Nobody reads what else it says.
    controller.abort();
    read
}

/// A token that proves nothing: the operator hears why, the person only that it is so.
fn reject(provider: &Provider, claim: &str) -> Failure {
    console_error!(
        "{}",
        json!({ "fault": "an identity was rejected", "provider": provider.id, "claim": claim })
    );
    Failure::Rejected
}
