//! Passwords are hashed (`hasher`) where that makes nobody else wait: by the process beside the Worker, if there is one, or here, one
//! after the other with a pause in which the others have their turn (`docs/decisions/0031-passwords-are-hashed-beside-the-worker.md`).

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use serde_json::json;
use worker::{
    Date, Delay, Env, Error, Fetch, Fetcher, Headers, Method, Request, RequestInit, Response,
    Result,
};

use crate::problem::{Outcome, Refusal};
use crate::{crypto, log};

/// What the password of an unknown account is checked against, so that the check takes as long.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$Y29ubmVjdC1uby1vbmUtIQ$3rqcUIhqNMyEZ8p7OoEf4QqHRMKNUpw7cHJDdBJkQvM";

/// How long the hasher may take, its line included, in milliseconds.
const PATIENCE: u64 = 10_000;
/// When a hasher that does not hash may do it again, in milliseconds.
pub const AGAIN: u64 = 2_000;

/// How far apart hashes begin here, in milliseconds: each takes about half of it.
const APART: u64 = 100;
/// How long a password waits for its hash here, in milliseconds.
const LONGEST_LINE: u64 = 5_000;

thread_local! {
    /// When the next hash may begin here.
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

/// The PHC string of a password, under fresh salt.
pub async fn hash(env: &Env, password: &str) -> Outcome<String> {
    let setting = hasher::setting(&crypto::random()?).map_err(fault)?;
    hash_by(env, password, &setting).await
}

/// Whether a password fits; nothing fits no hash, after the same work.
pub async fn verify(env: &Env, password: &str, hash: Option<&str>) -> Outcome<bool> {
    let stored = hash.unwrap_or(DUMMY);
    let setting = hasher::setting_of(stored).map_err(fault)?;
    let hashed = hash_by(env, password, setting).await?;
    // Whoever answers in the hasher's place knows no hash that fits.
    Ok(hasher::is_same(&hashed, stored) && hash.is_some())
}

async fn hash_by(env: &Env, password: &str, setting: &str) -> Outcome<String> {
    let Some(beside) = Beside::of(env) else {
        return hash_here(password, setting).await;
    };
    let answer = pin!(beside.ask(env, password, setting));
    let patience = Delay::from(Duration::from_millis(PATIENCE));
    let asked = match select(answer, patience).await {
        Either::Left((asked, _)) => asked,
        Either::Right(_) => Err(Error::RustError("no answer in time".into())),
    };
    let why = match asked {
        Ok((200, hash)) => return Ok(hash),
        Ok((503, _)) => return Err(Refusal::busy(AGAIN)),
        Ok((status, _)) => format!("it answered {status}"),
        Err(error) => error.to_string(),
    };
    log::fault("the hasher does not hash", json!({ "why": why }));
    Err(Refusal::busy(AGAIN))
}

/// Hashes here, when it is this hash's turn. The turns are times that are given out: nobody has to hand one on, so that whoever goes away
/// meanwhile holds up nobody.
async fn hash_here(password: &str, setting: &str) -> Outcome<String> {
    let now = Date::now().as_millis();
    let turn = NEXT.get().max(now);
    if turn - now > LONGEST_LINE {
        return Err(Refusal::busy(turn - now));
    }
    NEXT.set(turn + APART);
    if turn > now {
        Delay::from(Duration::from_millis(turn - now)).await;
    }
    Ok(hasher::hash(password, setting).map_err(fault)?)
}

fn fault(unfit: hasher::Unfit) -> Error {
    Error::RustError(unfit.to_string())
}

/// The process that hashes, as it is reached.
enum Beside {
    /// By a service that workerd was given.
    Bound(Fetcher),
    /// By an address of this machine.
    At(String),
}

impl Beside {
    fn of(env: &Env) -> Option<Self> {
        if let Ok(bound) = env.service("HASHER") {
            return Some(Self::Bound(bound));
        }
        let at = env.var("CONNECT_HASHER").ok()?.to_string();
        (!at.is_empty()).then_some(Self::At(at))
    }

    /// Has a password hashed: the status and the text of the answer.
    async fn ask(&self, env: &Env, password: &str, setting: &str) -> Result<(u16, String)> {
        let key = env.var("CONNECT_HASHER_KEY")?.to_string();
        let headers = Headers::new();
        headers.set("authorization", &format!("Bearer {key}"))?;
        let wish = json!({ "password": password, "setting": setting });
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_headers(headers)
            .with_body(Some(wish.to_string().into()));
        let mut response: Response = match self {
            Self::Bound(service) => service.fetch("http://hasher/", Some(init)).await?,
            Self::At(address) => {
                Fetch::Request(Request::new_with_init(address, &init)?)
                    .send()
                    .await?
            }
        };
        Ok((response.status_code(), response.text().await?))
    }
}
