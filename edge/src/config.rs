//! Configuration: variables of the Worker (`wrangler.toml`), and who its Durable Objects are.

use edge_core::account::object_of;
use edge_core::assign::{Site, locality, parse_sites};
use edge_core::directory::shard_of;
use edge_core::limits::{Limit, Policy};
use edge_core::room::Seats;
use protocol::api::IceServer;
use protocol::id::{Region, RoomId, UserId};
use wasm_bindgen::{JsCast, JsValue};
use worker::js_sys::{Function, Reflect};
use worker::{Env, Error, ObjectNamespace, Result, Stub};

use crate::crypto;

/// After how many days without anybody in it a room is retired, unless it is configured.
const UNUSED_DAYS: u32 = 90;

/// The regions that the fleet covers, the default first.
pub fn sites(env: &Env) -> Result<Vec<Site>> {
    Ok(parse_sites(&env.var("CONNECT_REGIONS")?.to_string()))
}

/// What the names of all limits begin with.
const LIMIT: &str = "CONNECT_LIMIT_";

/// The limit under this name, one of `CONNECT_LIMIT_…`.
pub fn limit(env: &Env, name: &str) -> Result<Policy> {
    let limit = Limit::parse(&env.var(name)?.to_string())
        .ok_or_else(|| Error::RustError(format!("{name} must be COUNT/SECONDS, e.g. 10/900")))?;
    let told = name.trim_start_matches(LIMIT).to_ascii_lowercase();
    Ok(Policy::new(told.replace('_', "-"), limit))
}

/// How many people may be in a room, and how often one user.
pub fn seats(env: &Env) -> Result<Seats> {
    let Seats { room, user } = Seats::default();
    Ok(Seats {
        room: number(env, "CONNECT_ROOM_CAPACITY", room)?,
        user: number(env, "CONNECT_USER_CAPACITY", user)?,
    })
}

/// After how many milliseconds without anybody in it a room is retired.
pub fn unused(env: &Env) -> Result<u64> {
    let days = number(env, "CONNECT_ROOM_UNUSED_DAYS", UNUSED_DAYS)?;
    Ok(u64::from(days) * 86_400_000)
}

/// The number under this name, which need not be there.
fn number(env: &Env, name: &str, otherwise: u32) -> Result<u32> {
    let Ok(text) = env.var(name) else {
        return Ok(otherwise);
    };
    let number = text.to_string().trim().parse().ok();
    let number = number.filter(|number| *number > 0);
    number.ok_or_else(|| Error::RustError(format!("{name} must be a number from 1 on")))
}

/// Where spans go: the address of a collector (OTLP over HTTP), if one is configured.
pub fn collector(env: &Env) -> Option<String> {
    let base = told(env, "CONNECT_OTLP_ENDPOINT")?;
    Some(format!("{}/v1/traces", base.trim_end_matches('/')))
}

/// What the collector wants to be shown: `name=value`, separated by commas.
pub fn collector_headers(env: &Env) -> Vec<(String, String)> {
    let list = told(env, "CONNECT_OTLP_HEADERS").unwrap_or_default();
    let pairs = list.split(',').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

/// The share of all traces that is exported, 0 to 1; none without a collector.
pub fn trace_share(env: &Env) -> f64 {
    let share = told(env, "CONNECT_TRACE_SHARE").and_then(|share| share.parse().ok());
    match collector(env) {
        Some(_) => share.unwrap_or(0.01),
        None => 0.0,
    }
}

/// The header in which a proxy or the platform names each request, if it may be believed.
pub fn request_id_header(env: &Env) -> Option<String> {
    told(env, "CONNECT_REQUEST_ID_HEADER")
}

/// What whoever reads `/metrics` has to show, if anybody may read it.
pub fn metrics_token(env: &Env) -> Option<String> {
    told(env, "CONNECT_METRICS_TOKEN")
}

/// Whether anybody may read what is counted.
pub fn is_counted(env: &Env) -> bool {
    metrics_token(env).is_some()
}

/// A variable that need not be there, and counts as absent where it is empty.
fn told(env: &Env, name: &str) -> Option<String> {
    let text = env.var(name).ok()?.to_string();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The origins whose pages may call, besides our own.
pub fn origins(env: &Env) -> Vec<String> {
    let list = env.var("CONNECT_ORIGINS").map(|list| list.to_string());
    let list = list.unwrap_or_default();
    let entries = list.split(',').map(str::trim);
    entries
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether webhooks may go to private addresses and by http: in development alone.
pub fn webhooks_to_local(env: &Env) -> bool {
    let allowed = env.var("CONNECT_WEBHOOKS_TO_LOCAL");
    allowed.is_ok_and(|allowed| allowed.to_string() == "true")
}

/// Where people find this installation, without a slash at the end; behind a proxy requests do not say it.
pub fn public_url(env: &Env) -> Option<String> {
    let url = env.var("CONNECT_PUBLIC_URL").ok()?.to_string();
    let url = url.trim().trim_end_matches('/').to_owned();
    (!url.is_empty()).then_some(url)
}

/// The ICE servers for clients.
pub fn ice_servers(env: &Env) -> Result<Vec<IceServer>> {
    serde_json::from_str(&env.var("CONNECT_ICE_SERVERS")?.to_string()).map_err(|_| {
        Error::RustError(
            "CONNECT_ICE_SERVERS must be a JSON list of {urls, username, credential}".into(),
        )
    })
}

/// The id of the account with this normalized e-mail address. Keyed, so that an id does not give the address away.
pub fn user_id(env: &Env, email: &str) -> Result<UserId> {
    let mac = crypto::hmac(&id_key(env)?, email.as_bytes());
    crypto::hex(&mac[..16])
        .parse()
        .map_err(|error: protocol::id::InvalidId| Error::RustError(error.to_string()))
}

/// The signature of what we claim of an account. Claims have blanks in them, which addresses have not.
pub fn signature(env: &Env, claim: &str) -> Result<[u8; 32]> {
    Ok(crypto::hmac(&id_key(env)?, claim.as_bytes()))
}

/// Whether this is the signature of a claim, in constant time.
pub fn verify_signature(env: &Env, claim: &str, signature: &[u8]) -> Result<bool> {
    Ok(crypto::verify_hmac(
        &id_key(env)?,
        claim.as_bytes(),
        signature,
    ))
}

fn id_key(env: &Env) -> Result<Vec<u8>> {
    Ok(env.var("CONNECT_ID_KEY")?.to_string().into_bytes())
}

/// An account.
pub fn user(env: &Env, id: &UserId) -> Result<Stub> {
    objects(env, "USERS")?.get_by_name(object_of(id))
}

/// The object that knows which key account ids come from. No account's has such a name.
pub fn key_keeper(env: &Env) -> Result<Stub> {
    objects(env, "USERS")?.get_by_name("the id key")
}

/// Whether accounts may do nothing in rooms before their address is confirmed.
pub fn needs_verified(env: &Env) -> Result<bool> {
    let says = env
        .var("CONNECT_VERIFIED_ONLY")
        .map(|says| says.to_string());
    match says.unwrap_or_default().trim() {
        "" | "no" => Ok(false),
        "yes" => Ok(true),
        _ => Err(Error::RustError(
            "CONNECT_VERIFIED_ONLY must be yes or no".into(),
        )),
    }
}

/// What an account has for developers.
pub fn developer(env: &Env, id: &UserId) -> Result<Stub> {
    objects(env, "DEVELOPERS")?.get_by_name(id.as_str())
}

/// A room; `near` is where it is to be, which matters for the first who asks only.
pub fn room(env: &Env, id: &RoomId, near: Option<&str>) -> Result<Stub> {
    let rooms = objects(env, "ROOMS")?;
    match near {
        Some(hint) => rooms.get_by_name_with_location_hint(id.as_str(), hint),
        None => rooms.get_by_name(id.as_str()),
    }
}

/// A region.
pub fn region(env: &Env, region: &Region) -> Result<Stub> {
    objects(env, "REGIONS")?.get_by_name(region.as_str())
}

/// The shard of the directory that knows a room.
pub fn directory(env: &Env, room: &RoomId) -> Result<Stub> {
    shard(env, shard_of(room))
}

/// A shard of the directory.
pub fn shard(env: &Env, shard: u32) -> Result<Stub> {
    objects(env, "DIRECTORY")?.get_by_name(&shard.to_string())
}

/// A shard of what was counted.
pub fn metrics(env: &Env, shard: u32) -> Result<Stub> {
    objects(env, "METRICS")?.get_by_name(&shard.to_string())
}

/// A limiter, by what it limits and for which address; of that only a hash is kept.
pub fn limiter(env: &Env, name: &str) -> Result<Stub> {
    objects(env, "LIMITERS")?.get_by_name(&crypto::sha256(name))
}

/// The objects of a class: where the installation is bound to a jurisdiction of the platform's, those that stay in it.
fn objects(env: &Env, class: &str) -> Result<ObjectNamespace> {
    let all = env.durable_object(class)?;
    match env.var("CONNECT_JURISDICTION").map(|name| name.to_string()) {
        Ok(name) if !name.is_empty() => {
            let all: &JsValue = all.as_ref();
            let bound = Reflect::get(all, &"jurisdiction".into())?;
            let bound: &Function = bound
                .dyn_ref()
                .ok_or("this platform has no jurisdictions")?;
            Ok(bound.call1(all, &name.into())?.unchecked_into())
        }
        _ => Ok(all),
    }
}

/// Where a room that is bound to these regions is to be, by the first of them whose location is known.
pub fn locality_of(env: &Env, regions: &[Region]) -> Result<Option<&'static str>> {
    let sites = sites(env)?;
    let location = |region: &Region| sites.iter().find(|site| site.region == *region)?.location;
    Ok(regions.iter().find_map(location).map(locality))
}

/// The platform's location hint for a continent.
pub fn location(continent: &str) -> Option<&'static str> {
    Some(match continent {
        "EU" => "weur",
        "NA" => "enam",
        "SA" => "sam",
        "AS" => "apac",
        "OC" => "oc",
        "AF" => "afr",
        _ => return None,
    })
}
