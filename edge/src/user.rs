//! The User Durable Object: one account, its password, its sign-ins, and the rooms it visited.

use std::cell::RefCell;

use edge_core::limits::{Limit, Policy, RATES};
use edge_core::table::{Key, Schema, Table, text};
use edge_core::token::{FAMILIES, Family, Presented, Successor, outlived};
use edge_core::visits::{VISITS, Visit, note_visit};
use protocol::api::User;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use worker::{Date, DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::problem::{Outcome, Refusal};
use crate::store::{Class, Row, Store, row, unreadable};
use crate::{config, crypto, password, rate, rpc};

/// How long a password that was verified is known again without the full work, in milliseconds
/// (`docs/decisions/0001-verified-passwords.md`).
const VERIFIED: u64 = 15 * 60 * 1000;
/// The rate of failed sign-ins from browsers that are not known.
const FAILURES: &str = "failures";
/// The rates of failed sign-ins from those that are, each by itself.
const OF_DEVICES: &str = "devices";
/// The rate of new rooms.
const ROOMS: &str = "rooms";

/// A new account.
#[derive(Serialize, Deserialize)]
pub struct Register {
    pub user: User,
    /// Prepared ([`edge_core::password`]).
    pub password: String,
}

/// A sign-in.
#[derive(Serialize, Deserialize)]
pub struct Login {
    /// Prepared ([`edge_core::password`]).
    pub password: String,
    /// As it was typed: up to release 0.1 that was hashed.
    pub typed: String,
    /// The browser, if it has signed in to this account before.
    pub device: Option<String>,
}

/// A refresh token as it is presented.
#[derive(Serialize, Deserialize)]
pub struct Refresh {
    /// Its family.
    pub family: String,
    pub secret: String,
}

/// What a sign-in or a refresh gives.
#[derive(Serialize, Deserialize)]
pub struct Grant {
    pub user: User,
    /// The refresh token, as it goes into the cookie.
    pub refresh: String,
}

#[derive(Serialize, Deserialize)]
struct Account {
    user: User,
    /// PHC string.
    password: String,
}

/// There is one at most.
const ACCOUNT: Table = Table {
    name: "account",
    tag: "",
    since: 1,
    columns: &[
        text("id").inside("user"),
        text("email").inside("user"),
        text("name").inside("user"),
        text("password"),
    ],
    indexes: &[],
};

pub(crate) static CLASS: Class = Class {
    schema: &Schema {
        tables: &[&ACCOUNT, &FAMILIES, &VISITS, &RATES],
        scripts: &[],
    },
    former,
    essence: "account",
    before: |_| Ok(()),
};

/// The rows of what the first releases kept.
fn former(kind: &str, name: &str, value: &str) -> Result<Vec<Row>> {
    match kind {
        "account" => Ok(vec![row(
            &ACCOUNT,
            &serde_json::from_str::<Account>(value)?,
        )?]),
        "family" => Ok(vec![row(
            &FAMILIES,
            &serde_json::from_str::<Family>(value)?,
        )?]),
        "visits" => {
            let visits: Vec<Visit> = serde_json::from_str(value)?;
            visits.iter().map(|visit| row(&VISITS, visit)).collect()
        }
        "rate" => rate::former(name, value),
        _ => Err(unreadable(kind, name)),
    }
}

/// A password that was verified lately, under a key that never leaves this memory.
struct Verified {
    key: [u8; 32],
    mac: [u8; 32],
    until: u64,
}

/// How a password fits the hash that is stored.
enum Fit {
    /// As it is hashed today.
    Prepared,
    /// As it was hashed up to release 0.1; this is today's hash.
    Former { hash: String },
}

/// One account, or what was tried on one that does not exist.
#[durable_object(alarm)]
pub struct UserObject {
    state: State,
    env: Env,
    store: Store,
    verified: RefCell<Option<Verified>>,
}

impl DurableObject for UserObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            store: Store::new(&state, &CLASS),
            state,
            env,
            verified: RefCell::new(None),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let (operation, body) = rpc::read(&mut request).await?;
        rpc::answer(
            self.operate(&operation, &body, Date::now().as_millis())
                .await,
        )
    }

    /// Failed sign-ins to no account are forgotten in the end.
    async fn alarm(&self) -> Result<Response> {
        if self.account()?.is_none() {
            self.store.forgotten();
            self.state.storage().delete_all().await?;
        }
        Response::empty()
    }
}

impl UserObject {
    async fn operate(&self, operation: &str, body: &str, now: u64) -> Outcome<Value> {
        match operation {
            "register" => self.register(rpc::parse(body)?, now).await,
            "login" => self.login(rpc::parse(body)?, now).await,
            "refresh" => self.refresh(rpc::parse(body)?, now),
            "logout" => self.logout(rpc::parse(body)?),
            "me" => {
                let gone = || Refusal::unauthenticated("the account is gone");
                Ok(json!(self.account()?.ok_or_else(gone)?.user))
            }
            "exists" => Ok(json!(self.account()?.is_some())),
            "create" => {
                let limit = config::limit(&self.env, "CONNECT_LIMIT_CREATE_USER")?;
                rate::take(&self.store, ROOMS, &limit, now)?;
                self.visit(rpc::parse(body)?)
            }
            "visit" => self.visit(rpc::parse(body)?),
            "visits" => Ok(json!(self.visits()?)),
            _ => Err(rpc::unknown(operation)),
        }
    }

    fn account(&self) -> Result<Option<Account>> {
        self.store.get(ACCOUNT.key([]))
    }

    async fn register(&self, register: Register, now: u64) -> Outcome<Value> {
        if self.account()?.is_some() {
            return Err(Refusal::taken());
        }
        let account = Account {
            user: register.user,
            password: password::hash(&self.env, &register.password).await?,
        };
        // Somebody may have been quicker.
        if self.account()?.is_some() {
            return Err(Refusal::taken());
        }
        self.store.put(&ACCOUNT, &account)?;
        self.remember(&register.password, now)?;
        self.grant(account.user, now)
    }

    async fn login(&self, login: Login, now: u64) -> Outcome<Value> {
        let limit = config::limit(&self.env, "CONNECT_LIMIT_ACCOUNT")?;
        let device = login.device.as_deref();
        self.try_from(device, &limit, now)?;
        let stored = self.account()?.map(|account| account.password);
        let fit = self.fit(&login, stored.as_deref(), now).await;
        if fit.as_ref().is_err_and(Refusal::is_busy) {
            self.give_back_to(device, limit.limit, now)?;
        }
        // It may be another one by now, whose password was not looked at.
        let account = self
            .account()?
            .filter(|account| Some(&account.password) == stored.as_ref());
        let (mut account, fit) = match (account, fit?) {
            (Some(account), Some(fit)) => (account, fit),
            (account, _) => {
                if account.is_none() {
                    self.state
                        .storage()
                        .set_alarm(limit.limit.window as i64)
                        .await?;
                }
                return Err(Refusal::wrong_credentials());
            }
        };
        if let Fit::Former { hash } = fit {
            account.password = hash;
            self.store.put(&ACCOUNT, &account)?;
        }
        self.give_back_to(device, limit.limit, now)?;
        self.remember(&login.password, now)?;
        self.grant(account.user, now)
    }

    /// How a password fits this hash, if it does.
    async fn fit(&self, login: &Login, hash: Option<&str>, now: u64) -> Outcome<Option<Fit>> {
        if self.is_known(&login.password, now)
            || password::verify(&self.env, &login.password, hash).await?
        {
            return Ok(Some(Fit::Prepared));
        }
        if login.typed != login.password && password::verify(&self.env, &login.typed, hash).await? {
            let hash = password::hash(&self.env, &login.password).await?;
            return Ok(Some(Fit::Former { hash }));
        }
        Ok(None)
    }

    /// Counts a sign-in from a device, or from any browser that is not known, as one that fails; it may have failed too often.
    fn try_from(&self, device: Option<&str>, limit: &Policy, now: u64) -> Outcome<()> {
        match device {
            Some(device) => rate::take_of(&self.store, OF_DEVICES, device, limit, now),
            None => rate::take(&self.store, FAILURES, limit, now),
        }
    }

    /// It did not fail, or not by its password.
    fn give_back_to(&self, device: Option<&str>, limit: Limit, now: u64) -> Outcome<()> {
        match device {
            Some(device) => rate::give_back_to(&self.store, OF_DEVICES, device, limit, now),
            None => rate::give_back(&self.store, FAILURES, limit, now),
        }
    }

    /// Begins a family of refresh tokens.
    fn grant(&self, user: User, now: u64) -> Outcome<Value> {
        for old in outlived(self.store.all(&FAMILIES)?, now) {
            self.store.delete(family_key(&old.id))?;
        }
        let id = crypto::hex(&crypto::random::<8>()?);
        let secret = crypto::secret()?;
        let family = Family::new(id, crypto::sha256(&secret), now);
        self.store.put(&FAMILIES, &family)?;
        Ok(json!(self.granted(user, &family.id, &secret)))
    }

    fn granted(&self, user: User, family: &str, secret: &str) -> Grant {
        let refresh = format!("{}.{family}.{secret}", user.id);
        Grant { user, refresh }
    }

    fn refresh(&self, refresh: Refresh, now: u64) -> Outcome<Value> {
        let refused =
            || Refusal::unauthenticated("the refresh token is unknown, used or expired: sign in");
        let account = self.account()?.ok_or_else(refused)?;
        let family: Family = self
            .store
            .get_readable(family_key(&refresh.family))?
            .ok_or_else(refused)?;
        let salt = crypto::secret()?;
        let next = successor(&refresh.secret, &salt);
        let offered = Successor {
            hash: crypto::sha256(&next),
            salt,
        };
        match family.present(&crypto::sha256(&refresh.secret), offered, now) {
            Presented::Rotated(family) => {
                self.store.put(&FAMILIES, &family)?;
                Ok(json!(self.granted(account.user, &family.id, &next)))
            }
            Presented::Again { salt } => {
                let next = successor(&refresh.secret, &salt);
                Ok(json!(self.granted(account.user, &refresh.family, &next)))
            }
            Presented::Reused | Presented::Expired => {
                self.store.delete(family_key(&refresh.family))?;
                Err(refused())
            }
        }
    }

    /// Ends the family, whichever of its secrets is shown.
    fn logout(&self, refresh: Refresh) -> Outcome<Value> {
        self.store.delete(family_key(&refresh.family))?;
        Ok(Value::Null)
    }

    fn visits(&self) -> Result<Vec<Visit>> {
        self.store
            .some(&VISITS, "ORDER BY at DESC, room", Vec::new())
    }

    fn visit(&self, visit: Visit) -> Outcome<Value> {
        let mut visits = self.visits()?;
        for gone in note_visit(&mut visits, visit.clone()) {
            self.store.delete(VISITS.key([gone.as_str().into()]))?;
        }
        self.store.put(&VISITS, &visit)?;
        Ok(Value::Null)
    }

    fn is_known(&self, password: &str, now: u64) -> bool {
        self.verified.borrow().as_ref().is_some_and(|verified| {
            now < verified.until
                && crypto::verify_hmac(&verified.key, password.as_bytes(), &verified.mac)
        })
    }

    fn remember(&self, password: &str, now: u64) -> Result<()> {
        if !self.is_known(password, now) {
            let key = crypto::random()?;
            let mac = crypto::hmac(&key, password.as_bytes());
            let until = now + VERIFIED;
            self.verified.replace(Some(Verified { key, mac, until }));
        }
        Ok(())
    }
}

fn family_key(id: &str) -> Key {
    FAMILIES.key([id.into()])
}

/// The secret that follows upon another by this salt.
fn successor(secret: &str, salt: &str) -> String {
    crypto::encode(&crypto::hmac(salt.as_bytes(), secret.as_bytes()))
}
