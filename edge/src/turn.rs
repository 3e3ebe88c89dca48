//! Credentials for a TURN server, made on the spot and good for a while (draft-uberti-behave-turn-rest-00): the server
//! shares a secret with the edge, and nobody keeps a list of users.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use protocol::api::IceServer;
use protocol::id::UserId;
use sha1::Sha1;
use worker::{Env, Error, Result};

/// How long credentials are good for, in seconds: longer than a call, and clients ask anew for the next.
const LIFETIME: u64 = 12 * 3_600;
/// Most addresses under which clients may be told to find TURN.
const MAX_URLS: usize = 8;

/// The TURN server of this installation with credentials for one user; none if none is configured.
/// `now` is in milliseconds since 1970.
///
/// # Errors
/// `CONNECT_TURN_URLS` names no TURN server, or there is no secret for it.
pub fn server(env: &Env, user: &UserId, now: u64) -> Result<Option<IceServer>> {
    // An installation without TURN says nothing about it.
    let urls = env.var("CONNECT_TURN_URLS").map(|urls| urls.to_string());
    let urls = parse(&urls.unwrap_or_default())?;
    if urls.is_empty() {
        return Ok(None);
    }
    let secret = env.secret("CONNECT_TURN_SECRET").map_err(|_| {
        Error::RustError(
            "CONNECT_TURN_URLS needs CONNECT_TURN_SECRET, the server's static-auth-secret".into(),
        )
    })?;
    let username = format!("{}:{user}", now / 1_000 + LIFETIME);
    let credential = password(secret.to_string().as_bytes(), &username);
    Ok(Some(IceServer {
        urls,
        username: Some(username),
        credential: Some(credential),
    }))
}

/// What the server computes, too: the HMAC-SHA1 of the user name, in base64.
fn password(secret: &[u8], username: &str) -> String {
    // Panics for no key: HMAC takes every length.
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(username.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn parse(urls: &str) -> Result<Vec<String>> {
    let urls: Vec<_> = urls
        .split(',')
        .map(str::trim)
        .filter(|url| !url.is_empty())
        .collect();
    let is_turn = |url: &&str| url.starts_with("turn:") || url.starts_with("turns:");
    if urls.len() > MAX_URLS || !urls.iter().all(is_turn) {
        return Err(Error::RustError(format!(
            "CONNECT_TURN_URLS must be at most {MAX_URLS} addresses like turn:turn.example.org:3478 or \
             turns:turn.example.org:443?transport=tcp, separated by commas"
        )));
    }
    Ok(urls.into_iter().map(str::to_owned).collect())
}
