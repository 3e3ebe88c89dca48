//! What the holder of an account asks and decides about it: who they are here, their sessions, their password.

use edge_core::mail::Kind;
use edge_core::session::{self, Bearer};
use edge_core::token::{FAMILIES, Family};
use protocol::api::{AccountDetails, AccountExport, SignIn, SignInList, Visited};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ACCOUNT, Account, UserObject, family_key};
use crate::problem::{Outcome, Refusal};
use crate::{config, mail, password, rate, rpc};

/// The rate of passwords that are asked for of who is signed in. Apart from sign-ins: a stranger's do not keep the holder out.
const CONFIRMATIONS: &str = "confirmations";

/// Another password, in the form that is hashed.
#[derive(Serialize, Deserialize)]
pub struct ChangePassword {
    pub bearer: Bearer,
    pub password: String,
    pub new_password: String,
}

impl UserObject {
    /// Answers what the holder asks.
    pub(super) async fn answer_holder(
        &self,
        operation: &str,
        body: &str,
        now: u64,
    ) -> Outcome<Value> {
        match operation {
            "details" => self.details(&rpc::parse(body)?),
            "export" => self.export(&rpc::parse(body)?, now),
            "sessions" => self.sessions(&rpc::parse(body)?, now),
            "endSession" => {
                let (bearer, id): (Bearer, String) = rpc::parse(body)?;
                self.ends_session(&bearer, &id, now)
            }
            "endOthers" => self.ends_others(&rpc::parse(body)?, now),
            "changePassword" => self.changes_password(rpc::parse(body)?, now).await,
            "askToVerify" => self.asks_to_verify(&rpc::parse(body)?, now).await,
            "askToReset" => self.asks_to_reset(now).await,
            "verify" => self.is_verified_by(&rpc::parse::<String>(body)?, now),
            "reset" => self.resets(rpc::parse(body)?, now).await,
            "deletion" => self.is_deleted(rpc::parse(body)?, now).await,
            _ => Err(rpc::unknown(operation)),
        }
    }

    fn details(&self, bearer: &Bearer) -> Outcome<Value> {
        Ok(json!(self.told_of(&self.of_bearer(bearer)?)))
    }

    fn told_of(&self, account: &Account) -> AccountDetails {
        AccountDetails {
            mail: mail::is_sent(&self.env),
            ..account.details()
        }
    }

    /// All that is stored here of the account, but for secrets and counters. Its own rooms are elsewhere.
    fn export(&self, bearer: &Bearer, now: u64) -> Outcome<Value> {
        let account = self.of_bearer(bearer)?;
        let visits = self.visits()?.into_iter().map(|visit| Visited {
            room: visit.room,
            at: visit.at,
        });
        Ok(json!(AccountExport {
            account: self.told_of(&account),
            sessions: self.open_sessions(bearer, now)?,
            rooms: Vec::new(),
            visits: visits.collect(),
        }))
    }

    fn sessions(&self, bearer: &Bearer, now: u64) -> Outcome<Value> {
        self.of_bearer(bearer)?;
        let sessions = self.open_sessions(bearer, now)?;
        Ok(json!(SignInList { sessions }))
    }

    fn open_sessions(&self, bearer: &Bearer, now: u64) -> worker::Result<Vec<SignIn>> {
        let families = self.store.all(&FAMILIES)?;
        Ok(session::list(families, bearer.session.as_deref(), now))
    }

    /// One's own session ends as any other.
    fn ends_session(&self, bearer: &Bearer, id: &str, now: u64) -> Outcome<Value> {
        self.of_bearer(bearer)?;
        let family: Option<Family> = self.store.get_readable(family_key(id))?;
        let family =
            family.ok_or_else(|| Refusal::not_found("no session of this account has this id"))?;
        self.end_session(&family.id, now)?;
        Ok(Value::Null)
    }

    fn ends_others(&self, bearer: &Bearer, now: u64) -> Outcome<Value> {
        let account = self.of_bearer(bearer)?;
        self.end_all_but(account, bearer.session.as_deref(), now)?;
        Ok(Value::Null)
    }

    /// Ends all sessions but one, those too of which nothing is kept any more.
    pub(super) fn end_all_but(
        &self,
        mut account: Account,
        kept: Option<&str>,
        now: u64,
    ) -> worker::Result<()> {
        for family in self.store.all::<Family>(&FAMILIES)? {
            if kept != Some(family.id.as_str()) {
                self.end_session(&family.id, now)?;
            }
        }
        account.valid_from = now;
        self.store.put(&ACCOUNT, &account)
    }

    async fn changes_password(&self, change: ChangePassword, now: u64) -> Outcome<Value> {
        let ChangePassword {
            bearer,
            password,
            new_password,
        } = change;
        self.confirm(&bearer, &password, now).await?;
        let hash = password::hash(&self.env, &new_password).await?;
        // The session may have been ended meanwhile.
        let mut account = self.of_bearer(&bearer)?;
        account.password = hash;
        self.forget_password();
        // Nobody who asked for a link before has it from now on.
        self.forget_mail(Kind::Reset)?;
        self.end_all_but(account, bearer.session.as_deref(), now)?;
        self.write_mail(Kind::Changed, now).await?;
        Ok(Value::Null)
    }

    /// The account, once its password was shown; where it has none, once they have just signed in.
    pub(super) async fn confirm(
        &self,
        bearer: &Bearer,
        password: &str,
        now: u64,
    ) -> Outcome<Account> {
        let account = self.of_bearer(bearer)?;
        let Some(hash) = account.hash() else {
            let session = bearer.session.as_deref().unwrap_or_default();
            let family: Option<Family> = self.store.get_readable(family_key(session))?;
            let is_fresh = family.is_some_and(|family| session::is_fresh(&family, now));
            return is_fresh.then_some(account).ok_or_else(Refusal::not_fresh);
        };
        let limit = config::limit(&self.env, "CONNECT_LIMIT_ACCOUNT")?;
        rate::take(&self.store, CONFIRMATIONS, &limit, now)?;
        let fits = password::verify(&self.env, password, Some(hash)).await;
        if fits.as_ref().map_or_else(Refusal::is_busy, |fits| *fits) {
            rate::give_back(&self.store, CONFIRMATIONS, limit.limit, now)?;
        }
        // It may be another one by now.
        let still = self.of_bearer(bearer)?;
        match fits? && still.password == account.password {
            true => Ok(still),
            false => Err(Refusal::wrong_password()),
        }
    }
}
