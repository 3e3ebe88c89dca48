//! The User Durable Object: one account, its password, its sign-ins, and the rooms it visited.

use std::cell::RefCell;

use edge_core::directory::{Visit, note_visit};
use edge_core::limits::Bucket;
use edge_core::token::{Family, Presented};
use protocol::api::User;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use worker::{Date, DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::problem::Refusal;
use crate::store::Store;
use crate::{config, crypto, password, rpc};

/// How long a password that was verified is known again without the full work, in milliseconds
/// (`docs/decisions/0001-verified-passwords.md`).
const VERIFIED: u64 = 15 * 60 * 1000;

#[derive(Serialize, Deserialize)]
pub struct Register {
    pub user: User,
    pub password: String,
}

#[derive(Serialize, Deserialize)]
pub struct Login {
    pub password: String,
}

/// A refresh token as it is presented.
#[derive(Serialize, Deserialize)]
pub struct Refresh {
    pub family: String,
    /// SHA-256 of its secret.
    pub hash: String,
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

/// A password that was verified lately, under a key that never leaves this memory.
struct Verified {
    key: [u8; 32],
    mac: [u8; 32],
    until: u64,
}

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
            store: Store::new(&state),
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
    async fn operate(
        &self,
        operation: &str,
        body: &str,
        now: u64,
    ) -> std::result::Result<Value, Refusal> {
        fn read<T: DeserializeOwned>(body: &str) -> std::result::Result<T, Refusal> {
            Ok(serde_json::from_str(body)?)
        }
        match operation {
            "register" => self.register(read(body)?, now),
            "login" => self.login(read(body)?, now).await,
            "refresh" => self.refresh(read(body)?, now),
            "logout" => self.logout(read(body)?),
            "me" => {
                let gone = || Refusal::unauthenticated("the account is gone");
                Ok(json!(self.account()?.ok_or_else(gone)?.user))
            }
            "visit" => self.visit(read(body)?),
            "visits" => Ok(json!(self.visits()?)),
            _ => Err(rpc::unknown(operation)),
        }
    }

    fn account(&self) -> Result<Option<Account>> {
        self.store.get("account", "")
    }

    fn register(&self, register: Register, now: u64) -> std::result::Result<Value, Refusal> {
        if self.account()?.is_some() {
            return Err(Refusal::taken());
        }
        let account = Account {
            user: register.user,
            password: password::hash(&register.password)?,
        };
        self.store.put("account", "", &account)?;
        self.remember(&register.password, now)?;
        self.grant(account.user, now)
    }

    async fn login(&self, login: Login, now: u64) -> std::result::Result<Value, Refusal> {
        let limit = config::limit(&self.env, "CONNECT_LIMIT_ACCOUNT")?;
        let stored: Option<Bucket> = self.store.get("failures", "")?;
        let mut failures = stored.unwrap_or_else(|| Bucket::full(limit, now));
        failures.check(limit, now).map_err(Refusal::too_many)?;
        let account = self.account()?;
        let hash = account.as_ref().map(|account| account.password.as_str());
        if !self.is_known(&login.password, now) && !password::verify(&login.password, hash)? {
            // Checked above, and nothing came in between: there is a token.
            let _ = failures.take(limit, now);
            self.store.put("failures", "", &failures)?;
            if account.is_none() {
                self.state.storage().set_alarm(limit.window as i64).await?;
            }
            return Err(Refusal::wrong_credentials());
        }
        let account = account.ok_or_else(Refusal::wrong_credentials)?;
        if stored.is_some() {
            self.store.delete("failures", "")?;
        }
        self.remember(&login.password, now)?;
        self.grant(account.user, now)
    }

    /// Begins a family of refresh tokens.
    fn grant(&self, user: User, now: u64) -> std::result::Result<Value, Refusal> {
        for old in self.store.all::<Family>("family")? {
            if old.expires <= now {
                self.store.delete("family", &old.id)?;
            }
        }
        let id = crypto::hex(&crypto::random::<8>()?);
        let secret = crypto::secret()?;
        let family = Family::new(id, crypto::sha256(&secret), now);
        self.store.put("family", &family.id, &family)?;
        Ok(json!(self.granted(user, &family.id, &secret)))
    }

    fn granted(&self, user: User, family: &str, secret: &str) -> Grant {
        let refresh = format!("{}.{family}.{secret}", user.id);
        Grant { user, refresh }
    }

    fn refresh(&self, refresh: Refresh, now: u64) -> std::result::Result<Value, Refusal> {
        let refused =
            || Refusal::unauthenticated("the refresh token is unknown, used or expired: sign in");
        let account = self.account()?.ok_or_else(refused)?;
        let family: Family = self
            .store
            .get("family", &refresh.family)?
            .ok_or_else(refused)?;
        let secret = crypto::secret()?;
        match family.present(&refresh.hash, crypto::sha256(&secret), now) {
            Presented::Rotated(family) => {
                self.store.put("family", &family.id, &family)?;
                Ok(json!(self.granted(account.user, &family.id, &secret)))
            }
            Presented::Reused | Presented::Expired => {
                self.store.delete("family", &refresh.family)?;
                Err(refused())
            }
        }
    }

    /// Ends the family, whichever of its secrets is shown.
    fn logout(&self, refresh: Refresh) -> std::result::Result<Value, Refusal> {
        self.store.delete("family", &refresh.family)?;
        Ok(Value::Null)
    }

    fn visits(&self) -> Result<Vec<Visit>> {
        Ok(self.store.get("visits", "")?.unwrap_or_default())
    }

    fn visit(&self, visit: Visit) -> std::result::Result<Value, Refusal> {
        let mut visits = self.visits()?;
        note_visit(&mut visits, visit);
        self.store.put("visits", "", &visits)?;
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
