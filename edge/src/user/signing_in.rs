//! Signing up, in and out, and the refresh tokens between.

use edge_core::limits::{Limit, Policy};
use edge_core::mail::Kind;
use edge_core::token::{FAMILIES, Family, Presented, Successor, outlived};
use protocol::api::User;
use protocol::client::Role;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use worker::Result;

use super::{ACCOUNT, Account, FAILURES, UserObject, family_key};
use crate::problem::{Outcome, Refusal};
use crate::{config, crypto, password, rate};

/// How long a password that was verified is known again without the full work, in milliseconds
/// (`docs/decisions/0001-verified-passwords.md`).
const VERIFIED: u64 = 15 * 60 * 1000;
/// The rates of failed sign-ins from those that are, each by itself.
const OF_DEVICES: &str = "devices";

/// A new account.
#[derive(Serialize, Deserialize)]
pub struct Register {
    /// Its id is the object's name, and that of its first account.
    pub user: User,
    /// Prepared ([`edge_core::password`]).
    pub password: String,
    /// In coarse words.
    pub browser: String,
    /// Whether a mail is sent that confirms the address.
    pub verify: bool,
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
    /// In coarse words.
    pub browser: String,
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
    /// The session that it belongs to.
    pub session: String,
    /// The refresh token, as it goes into the cookie.
    pub refresh: String,
    /// What a provider's claims make of them in every room.
    pub role: Option<Role>,
}

/// A password that was verified lately, under a key that never leaves this memory.
pub(super) struct Verified {
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

impl UserObject {
    pub(super) async fn register(&self, register: Register, now: u64) -> Outcome<Value> {
        if self.account()?.is_some() {
            return Err(Refusal::taken());
        }
        let id = self.generations()?.next_id(&register.user.id);
        let account = Account {
            user: User {
                id: id.ok_or_else(Refusal::internal)?,
                ..register.user
            },
            password: password::hash(&self.env, &register.password).await?,
            created: now,
            valid_from: 0,
            verified_at: None,
        };
        // Somebody may have been quicker.
        if self.account()?.is_some() {
            return Err(Refusal::taken());
        }
        self.store.put(&ACCOUNT, &account)?;
        self.remember(&register.password, now)?;
        if register.verify {
            self.write_mail(Kind::Verify, now).await?;
        }
        self.grant(account.user, register.browser, now)
    }

    pub(super) async fn login(&self, login: Login, now: u64) -> Outcome<Value> {
        let limit = config::limit(&self.env, "CONNECT_LIMIT_ACCOUNT")?;
        let device = login.device.as_deref();
        self.try_from(device, &limit, now)?;
        let stored = self.account()?.map(|account| account.password);
        let hash = stored.as_deref().filter(|hash| !hash.is_empty());
        let fit = self.fit(&login, hash, now).await;
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
                if account.is_none() && self.next_due()?.is_none() {
                    let window = limit.limit.window as i64;
                    self.state.storage().set_alarm(window).await?;
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
        self.grant(account.user, login.browser, now)
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

    /// Begins a session.
    fn grant(&self, user: User, browser: String, now: u64) -> Outcome<Value> {
        self.grant_as(user, now, |id, hash| Family::new(id, hash, browser, now))
    }

    /// Begins a family of refresh tokens, made of an id and the hash of the first.
    pub(super) fn grant_as(
        &self,
        user: User,
        now: u64,
        family: impl FnOnce(String, String) -> Family,
    ) -> Outcome<Value> {
        for old in outlived(self.store.all(&FAMILIES)?, now) {
            self.store.delete(family_key(&old.id))?;
        }
        let id = crypto::hex(&crypto::random::<8>()?);
        let secret = crypto::secret()?;
        let family = family(id, crypto::sha256(&secret));
        self.store.put(&FAMILIES, &family)?;
        Ok(json!(granted(user, family.id, family.role, &secret)))
    }

    pub(super) fn refresh(&self, refresh: Refresh, now: u64) -> Outcome<Value> {
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
        let role = family.role;
        match family.present(&crypto::sha256(&refresh.secret), offered, now) {
            Presented::Rotated(family) => {
                self.store.put(&FAMILIES, &family)?;
                Ok(json!(granted(account.user, family.id, role, &next)))
            }
            Presented::Again { salt } => {
                let next = successor(&refresh.secret, &salt);
                Ok(json!(granted(account.user, refresh.family, role, &next)))
            }
            Presented::Reused | Presented::Expired => {
                self.end_session(&refresh.family, now)?;
                Err(refused())
            }
        }
    }

    /// Ends the family, whichever of its secrets is shown.
    pub(super) fn logout(&self, refresh: Refresh, now: u64) -> Outcome<Value> {
        let family: Option<Family> = self.store.get_readable(family_key(&refresh.family))?;
        if let Some(family) = family {
            self.end_session(&family.id, now)?;
        }
        Ok(Value::Null)
    }

    pub(super) fn is_known(&self, password: &str, now: u64) -> bool {
        self.verified.borrow().as_ref().is_some_and(|verified| {
            now < verified.until
                && crypto::verify_hmac(&verified.key, password.as_bytes(), &verified.mac)
        })
    }

    /// The password is another one.
    pub(super) fn forget_password(&self) {
        self.verified.replace(None);
    }

    pub(super) fn remember(&self, password: &str, now: u64) -> Result<()> {
        if !self.is_known(password, now) {
            let key = crypto::random()?;
            let mac = crypto::hmac(&key, password.as_bytes());
            let until = now + VERIFIED;
            self.verified.replace(Some(Verified { key, mac, until }));
        }
        Ok(())
    }
}

fn granted(user: User, session: String, role: Option<Role>, secret: &str) -> Grant {
    Grant {
        refresh: format!("{}.{session}.{secret}", user.id),
        user,
        session,
        role,
    }
}

/// The secret that follows upon another by this salt.
fn successor(secret: &str, salt: &str) -> String {
    crypto::encode(&crypto::hmac(salt.as_bytes(), secret.as_bytes()))
}
