//! What is asked of the providers of single sign-on: where they are, which keys they sign by, and who somebody is.

mod signature;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use edge_core::limits::{Bucket, Limit};
use edge_core::oidc::{
    Algorithm, Attempt, Failure, IdToken, Jwk, Provider, choose, is_safe, parse_providers,
};
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use worker::{
    Date, Delay, Env, Error, Fetch, Headers, Method, Request, RequestInit, RequestRedirect, Result,
    Url, console_error,
};

use crate::crypto;

/// How long a provider may take for one answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// Longest answer of a provider that is read, in bytes.
const MAX_ANSWER: usize = 256 * 1024;
/// For how long a provider's documents are good, in milliseconds.
const FRESH: u64 = 60 * 60 * 1000;
/// How often a provider's keys are asked for: a token may be signed by a new one, but made-up ones are no way to have it asked.
const KEYS: Limit = Limit {
    burst: 5,
    window: 60_000,
};

/// A provider's metadata (OpenID Connect Discovery 1.0, 3), as far as it matters here.
#[derive(Deserialize)]
pub struct Metadata {
    issuer: String,
    pub authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Metadata {
    fn is_safe(&self) -> bool {
        let userinfo = self.userinfo_endpoint.as_deref();
        let known = [
            &*self.authorization_endpoint,
            &self.token_endpoint,
            &self.jwks_uri,
        ];
        known.into_iter().chain(userinfo).all(is_safe)
    }
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: Option<String>,
}

/// What is known of a provider, and since when.
#[derive(Default, Clone)]
struct Known {
    metadata: Option<(u64, Rc<Metadata>)>,
    keys: Option<(u64, Rc<Vec<Jwk>>)>,
    asked: Option<Bucket>,
}

thread_local! {
    /// By issuer.
    static KNOWN: RefCell<HashMap<String, Known>> = RefCell::default();
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
) -> std::result::Result<Url, Failure> {
    let metadata = metadata(provider).await?;
    let challenge = URL_SAFE_NO_PAD.encode(crypto::digest(&attempt.verifier));
    let mut url = Url::parse(&metadata.authorization_endpoint).map_err(|_| Failure::Provider)?;
    url.query_pairs_mut()
        .extend_pairs(attempt.request(provider, redirect, &challenge));
    Ok(url)
}

/// Who has signed in at the provider, by the code that came back.
pub async fn identify(
    provider: &Provider,
    attempt: &Attempt,
    code: &str,
    redirect: &str,
) -> std::result::Result<IdToken, Failure> {
    let metadata = metadata(provider).await?;
    let tokens: Tokens = exchange(provider, &metadata, attempt, code, redirect).await?;
    let mut token = verified(provider, &metadata, &tokens.id_token).await?;
    token
        .check(provider, &attempt.nonce, Date::now().as_millis())
        .map_err(|rejected| reject(provider, rejected.0))?;
    if let (false, Some(address), Some(access)) = (
        token.is_complete(),
        &metadata.userinfo_endpoint,
        &tokens.access_token,
    ) {
        let headers = Headers::new();
        set(&headers, "authorization", &format!("Bearer {access}"))?;
        let more: BTreeMap<String, Value> = ask(provider, address, headers, None).await?;
        token
            .add(more)
            .map_err(|rejected| reject(provider, rejected.0))?;
    }
    Ok(token)
}

async fn metadata(provider: &Provider) -> std::result::Result<Rc<Metadata>, Failure> {
    let now = Date::now().as_millis();
    if let Some((since, metadata)) = known(provider).metadata
        && now < since + FRESH
    {
        return Ok(metadata);
    }
    let issuer = provider.issuer.trim_end_matches('/');
    let address = format!("{issuer}/.well-known/openid-configuration");
    let metadata: Metadata = ask(provider, &address, Headers::new(), None).await?;
    if metadata.issuer != provider.issuer || !metadata.is_safe() {
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
    metadata: &Metadata,
    attempt: &Attempt,
    code: &str,
    redirect: &str,
) -> std::result::Result<Tokens, Failure> {
    let mut form = Url::parse("form:").map_err(|_| Failure::Provider)?;
    form.query_pairs_mut().extend_pairs([
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect),
        ("code_verifier", &attempt.verifier),
    ]);
    let headers = Headers::new();
    set(
        &headers,
        "content-type",
        "application/x-www-form-urlencoded",
    )?;
    let methods = metadata.token_endpoint_auth_methods_supported.as_ref();
    // Without a word it is the first (Discovery 1.0, 3).
    let by_header =
        methods.is_none_or(|methods| methods.iter().any(|it| it == "client_secret_basic"));
    match &provider.client_secret {
        Some(secret) if by_header => {
            let (id, secret) = (encoded(&provider.client_id), encoded(secret));
            let basic = STANDARD.encode(format!("{id}:{secret}"));
            set(&headers, "authorization", &format!("Basic {basic}"))?;
        }
        Some(secret) => {
            form.query_pairs_mut()
                .append_pair("client_id", &provider.client_id)
                .append_pair("client_secret", secret);
        }
        None => {
            form.query_pairs_mut()
                .append_pair("client_id", &provider.client_id);
        }
    }
    let body = form.query().unwrap_or_default();
    ask(provider, &metadata.token_endpoint, headers, Some(body)).await
}

/// A text as it goes into the header that has id and secret (RFC 6749, 2.3.1).
fn encoded(text: &str) -> String {
    worker::js_sys::encode_uri_component(text).into()
}

/// The claims of a token whose signature is the provider's.
async fn verified(
    provider: &Provider,
    metadata: &Metadata,
    token: &str,
) -> std::result::Result<IdToken, Failure> {
    #[derive(Deserialize)]
    struct Header {
        alg: String,
        kid: Option<String>,
    }
    let malformed = || reject(provider, "token");
    let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
    let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
    let part = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed());
    let header: Header = serde_json::from_slice(&part(header)?).map_err(|_| malformed())?;
    let algorithm = Algorithm::of(&header.alg).ok_or_else(|| reject(provider, "alg"))?;
    let key = key(provider, metadata, algorithm, header.kid.as_deref()).await?;
    let signature = part(signature)?;
    if !signature::verify(algorithm, &key, signed.as_bytes(), &signature).await {
        return Err(reject(provider, "signature"));
    }
    serde_json::from_slice(&part(claims)?).map_err(|_| malformed())
}

/// The key that a token means, which may be newer than those that are known.
async fn key(
    provider: &Provider,
    metadata: &Metadata,
    algorithm: Algorithm,
    kid: Option<&str>,
) -> std::result::Result<Jwk, Failure> {
    let now = Date::now().as_millis();
    let Known { keys, asked, .. } = known(provider);
    if let Some((since, keys)) = keys
        && now < since + FRESH
        && let Some(key) = choose(&keys, algorithm, kid)
    {
        return Ok(key.clone());
    }
    let mut asked = asked.unwrap_or_else(|| Bucket::full(KEYS, now));
    asked.take(KEYS, now).map_err(|_| reject(provider, "kid"))?;
    remember(provider, |known| known.asked = Some(asked));
    let Keys { keys } = ask(provider, &metadata.jwks_uri, Headers::new(), None).await?;
    // What is no key that we know of is no fault of the others.
    let keys: Vec<Jwk> = keys
        .into_iter()
        .filter_map(|key| serde_json::from_value(key).ok())
        .collect();
    let keys = Rc::new(keys);
    remember(provider, |known| known.keys = Some((now, keys.clone())));
    let key = choose(&keys, algorithm, kid).cloned();
    key.ok_or_else(|| reject(provider, "kid"))
}

fn known(provider: &Provider) -> Known {
    KNOWN.with_borrow(|known| known.get(&provider.issuer).cloned().unwrap_or_default())
}

fn remember(provider: &Provider, change: impl FnOnce(&mut Known)) {
    KNOWN.with_borrow_mut(|known| change(known.entry(provider.issuer.clone()).or_default()));
}

/// Asks a provider for JSON; a body is a form that is posted. A redirect is no answer: it would take secrets elsewhere.
async fn ask<T: DeserializeOwned>(
    provider: &Provider,
    address: &str,
    headers: Headers,
    body: Option<&str>,
) -> std::result::Result<T, Failure> {
    let fail = |why: &str| {
        console_error!(
            "{}",
            json!({ "fault": "a provider of single sign-on did not answer as it should", "provider": provider.id, "why": why })
        );
        Failure::Provider
    };
    set(&headers, "accept", "application/json")?;
    let mut init = RequestInit::new();
    init.with_headers(headers)
        .with_redirect(RequestRedirect::Manual)
        .with_body(body.map(Into::into));
    if body.is_some() {
        init.with_method(Method::Post);
    }
    let request = Request::new_with_init(address, &init).map_err(|_| fail("its address"))?;
    let answer = pin!(answer(request));
    let patience = pin!(Delay::from(PATIENCE));
    let answer = match select(answer, patience).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => return Err(fail("no answer in time")),
    };
    let (status, answer) = answer.map_err(|_| fail("no answer"))?;
    if status != 200 {
        return Err(fail(&format!("status {status}")));
    }
    serde_json::from_slice(&answer).map_err(|_| fail("not the JSON that it should be"))
}

/// Status and body of an answer; of a body that is too long, so much that it is no JSON any more.
async fn answer(request: Request) -> Result<(u16, Vec<u8>)> {
    let mut response = Fetch::Request(request).send().await?;
    let mut body = Vec::new();
    let mut chunks = response.stream()?;
    while let Some(chunk) = chunks.next().await {
        body.extend(chunk?);
        if body.len() > MAX_ANSWER {
            return Err(Error::RustError("too long".into()));
        }
    }
    Ok((response.status_code(), body))
}

fn set(headers: &Headers, name: &str, value: &str) -> std::result::Result<(), Failure> {
    headers.set(name, value).map_err(|_| Failure::Provider)
}

/// A token that proves nothing: the operator hears why, the person only that it is so.
fn reject(provider: &Provider, claim: &str) -> Failure {
    console_error!(
        "{}",
        json!({ "fault": "an identity was rejected", "provider": provider.id, "claim": claim })
    );
    Failure::Rejected
}
