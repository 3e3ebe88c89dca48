//! Credentials for a TURN server, made on the spot and good for a while (draft-uberti-behave-turn-rest-00): the server
//! shares a secret with the edge, and nobody keeps a list of users.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use protocol::api::IceServer;
use protocol::id::{Region, UserId};
use sha1::Sha1;
use worker::{Env, Error, Result};

/// How long credentials are good for, in seconds. Clients ask anew before that, in a call as well.
pub const LIFETIME: u32 = 2 * 3_600;
/// Most addresses under which clients may be told to find TURN.
const MAX_URLS: usize = 8;

/// An address under which clients find TURN, and which region it is in.
struct Place<'a> {
    region: Option<Region>,
    url: &'a str,
}

/// The TURN server of this installation with credentials for one user; none if none is configured. Whoever is bound to regions
/// is told of those alone that are in one of them. `now` is in milliseconds since 1970.
///
/// # Errors
/// `CONNECT_TURN_URLS` names no TURN server, or there is no secret for it.
pub fn server(env: &Env, user: &UserId, within: &[Region], now: u64) -> Result<Option<IceServer>> {
    // An installation without TURN says nothing about it.
    let urls = env.var("CONNECT_TURN_URLS").map(|urls| urls.to_string());
    let urls = urls.unwrap_or_default();
    let is_allowed = |place: &Place| {
        let inside = |region: &Region| within.contains(region);
        within.is_empty() || place.region.as_ref().is_some_and(inside)
    };
    let places = parse(&urls)?.into_iter().filter(is_allowed);
    let urls: Vec<String> = places.map(|place| place.url.to_owned()).collect();
    if urls.is_empty() {
        return Ok(None);
    }
    let secret = env.secret("CONNECT_TURN_SECRET").map_err(|_| {
        Error::RustError(
            "CONNECT_TURN_URLS needs CONNECT_TURN_SECRET, the server's static-auth-secret".into(),
        )
    })?;
    let username = format!("{}:{user}", now / 1_000 + u64::from(LIFETIME));
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

fn parse(urls: &str) -> Result<Vec<Place<'_>>> {
    let entries = urls.split(',').map(str::trim);
    let entries: Vec<_> = entries.filter(|entry| !entry.is_empty()).collect();
    let places: Option<Vec<_>> = entries.iter().map(|entry| place(entry)).collect();
    let places = places.filter(|places| places.len() <= MAX_URLS);
    places.ok_or_else(|| {
        Error::RustError(format!(
            "CONNECT_TURN_URLS must be at most {MAX_URLS} addresses like turn:turn.example.org:3478 or \
             eu-west=turns:turn.example.org:443?transport=tcp, separated by commas"
        ))
    })
}

fn place(entry: &str) -> Option<Place<'_>> {
    let is_turn = |url: &str| url.starts_with("turn:") || url.starts_with("turns:");
    if is_turn(entry) {
        return Some(Place {
            region: None,
            url: entry,
        });
    }
    let (region, url) = entry.split_once('=')?;
    let region = Some(region.parse().ok()?);
    is_turn(url).then_some(Place { region, url })
}
