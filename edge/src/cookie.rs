//! Cookies: the refresh token's, the one by which a browser is known that has signed in before, the one by which it is the same
//! guest again, and the one of a sign-in that is under way at a provider.

use edge_core::account::object_of;
use edge_core::caller::Caller;
use edge_core::device::{DEVICE_SECONDS, Device, Devices};
use edge_core::oidc::{self, Attempt};
use edge_core::token::REFRESH_SECONDS;
use protocol::id::UserId;
use worker::{Env, Request, Response, Result};

use crate::problem::{Outcome, Refusal};
use crate::{config, crypto, http};

/// With this prefix no sibling subdomain, and no page without TLS, can plant a cookie (RFC 6265bis, 4.1.3.2).
const REFRESH: &str = "__Host-connect_refresh";
const DEVICE: &str = "__Host-connect_device";
const GUEST: &str = "__Host-connect_guest";
const ATTEMPT: &str = "__Host-connect_sso";
/// The prefix asks for `Secure`, for `Path=/` and for no domain.
const ATTRIBUTES: &str = "HttpOnly; Secure; SameSite=Strict; Path=/";

/// The refresh token, if there is one.
pub fn refresh(request: &Request, env: &Env) -> Outcome<Option<String>> {
    read(request, env, REFRESH)
}

/// Sets the refresh token.
pub fn set_refresh(response: Response, token: &str) -> Result<Response> {
    set(response, REFRESH, token, REFRESH_SECONDS)
}

/// Clears the refresh token.
pub fn clear_refresh(response: Response) -> Result<Response> {
    set(response, REFRESH, "", 0)
}

/// The id of the browser, if it has signed in to this account before.
pub fn device(request: &Request, env: &Env, user: &UserId) -> Outcome<Option<String>> {
    let devices = devices(request, env)?;
    let user = &named(user)?;
    let Some(Device { id, signature, .. }) = devices.of(user) else {
        return Ok(None);
    };
    let Some(signature) = crypto::decode::<32>(signature) else {
        return Ok(None);
    };
    let ours = config::verify_signature(env, &Device::claim(user, id), &signature)?;
    Ok(ours.then(|| id.clone()))
}

/// Has the browser known from now on as one that has signed in to this account.
pub fn set_device(
    response: Response,
    request: &Request,
    env: &Env,
    user: &UserId,
) -> Outcome<Response> {
    let id = match device(request, env, user)? {
        Some(id) => id,
        None => crypto::hex(&crypto::random::<8>()?),
    };
    write_device(response, request, env, user, id)
}

/// Has a browser that is known stay so. It makes none known: a stolen refresh token would else be worth any number of
/// browsers, each with guesses of its own.
pub fn renew_device(
    response: Response,
    request: &Request,
    env: &Env,
    user: &UserId,
) -> Outcome<Response> {
    match device(request, env, user)? {
        Some(id) => write_device(response, request, env, user, id),
        None => Ok(response),
    }
}

/// By what a browser is the same guest again, if it has that.
pub fn guest(request: &Request, env: &Env) -> Outcome<Option<String>> {
    read(request, env, GUEST)
}

/// Sets by what a browser is the same guest again.
pub fn set_guest(response: Response, browser: &str) -> Result<Response> {
    set(response, GUEST, browser, DEVICE_SECONDS)
}

/// The sign-in that this browser began at a provider, if it is one of ours and began one.
///
/// The browser comes from the provider's page, so this cookie counts although no page of ours asks: what comes of it is decided by
/// its `state`, which no other page knows.
pub fn attempt(request: &Request, env: &Env) -> Outcome<Option<Attempt>> {
    let cookie = value(request, ATTEMPT)?.unwrap_or_default();
    let Some((attempt, signature)) = cookie.split_once('.') else {
        return Ok(None);
    };
    let Some(signature) = crypto::decode::<32>(signature) else {
        return Ok(None);
    };
    if !config::verify_signature(env, &attempt_claim(attempt), &signature)? {
        return Ok(None);
    }
    let attempt = crypto::decode_all(attempt).and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(attempt.and_then(|text| Attempt::parse(&text)))
}

/// Keeps a sign-in that begins now. `Lax`, since the browser has to bring it along when the provider sends it back.
pub fn set_attempt(response: Response, env: &Env, attempt: &Attempt) -> Outcome<Response> {
    let attempt = crypto::encode(attempt.to_text().as_bytes());
    let signature = config::signature(env, &attempt_claim(&attempt))?;
    let value = format!("{attempt}.{}", crypto::encode(&signature));
    Ok(set_lax(response, &value, oidc::ATTEMPT / 1000)?)
}

/// Forgets it.
pub fn clear_attempt(response: Response) -> Result<Response> {
    set_lax(response, "", 0)
}

fn attempt_claim(attempt: &str) -> String {
    format!("sso {attempt}")
}

fn set_lax(response: Response, value: &str, age: u64) -> Result<Response> {
    let cookie =
        format!("{ATTEMPT}={value}; Max-Age={age}; HttpOnly; Secure; SameSite=Lax; Path=/");
    response.headers().append("set-cookie", &cookie)?;
    Ok(response)
}

fn write_device(
    response: Response,
    request: &Request,
    env: &Env,
    user: &UserId,
    id: String,
) -> Outcome<Response> {
    let user = named(user)?;
    let signature = config::signature(env, &Device::claim(&user, &id))?;
    let device = Device {
        user,
        id,
        signature: crypto::encode(&signature),
    };
    let devices = devices(request, env)?.with(device);
    Ok(set(response, DEVICE, &devices, DEVICE_SECONDS)?)
}

/// How an account is named before it is known which of an address's it is: by its object.
fn named(user: &UserId) -> Outcome<UserId> {
    object_of(user).parse().map_err(|_| Refusal::internal())
}

fn devices(request: &Request, env: &Env) -> Outcome<Devices> {
    let cookie = read(request, env, DEVICE)?;
    Ok(Devices::parse(&cookie.unwrap_or_default()))
}

/// The value of a cookie. Whatever counts by cookie counts from pages of our own origin alone: browsers send cookies along
/// with what pages of sibling subdomains ask for.
fn read(request: &Request, env: &Env, name: &str) -> Outcome<Option<String>> {
    let value = value(request, name)?;
    if value.is_some() && http::caller(request, env)? != Caller::Own {
        return Err(Refusal::forbidden(
            "cookies count from pages of our own origin alone: send none",
        ));
    }
    Ok(value)
}

fn value(request: &Request, name: &str) -> Result<Option<String>> {
    let header = request.headers().get("cookie")?.unwrap_or_default();
    Ok(header.split(';').find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then(|| value.to_owned())
    }))
}

fn set(response: Response, name: &str, value: &str, age: u64) -> Result<Response> {
    let cookie = format!("{name}={value}; Max-Age={age}; {ATTRIBUTES}");
    response.headers().append("set-cookie", &cookie)?;
    Ok(response)
}
