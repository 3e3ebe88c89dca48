//! The User Durable Object: one account, its password, its sign-ins, and the rooms it visited.

mod holder;
mod leaving;
mod letters;
mod signing_in;
mod vouched;

use std::cell::RefCell;

use edge_core::account::{GENERATIONS, Generations};
use edge_core::limits::RATES;
use edge_core::mail::MAILS;
use edge_core::session::{Bearer, ENDED, Ended, Known, forgettable};
use edge_core::table::{Key, Schema, Table, integer, text};
use edge_core::token::{FAMILIES, Family};
use edge_core::visits::{VISITS, Visit, note_visit};
use protocol::api::{AccountDetails, User};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use worker::{Date, DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::id_key::{FINGERPRINTS, Fingerprint};
use crate::problem::{Outcome, Refusal};
use crate::store::{Class, Row, Store, row, unreadable};
use crate::{config, rate, rpc};
pub use holder::ChangePassword;
pub use leaving::Deletion;
pub use letters::Reset;
use signing_in::Verified;
pub use signing_in::{Grant, Login, Refresh, Register};
pub use vouched::Identity;

/// The rate of failed sign-ins from browsers that are not known.
const FAILURES: &str = "failures";
/// The rate of new rooms.
const ROOMS: &str = "rooms";

#[derive(Serialize, Deserialize)]
struct Account {
    user: User,
    /// PHC string; empty where one signs in without a password.
    password: String,
    /// When it was made, in Unix milliseconds; 0 in those of releases that did not say.
    #[serde(default)]
    created: u64,
    /// Access tokens of before count only while their session is open.
    #[serde(default)]
    valid_from: u64,
    /// When it was shown that the address is its holder's.
    #[serde(default)]
    verified_at: Option<u64>,
}

impl Account {
    fn hash(&self) -> Option<&str> {
        Some(self.password.as_str()).filter(|hash| !hash.is_empty())
    }

    fn details(&self) -> AccountDetails {
        AccountDetails {
            user: self.user.clone(),
            created_at: (self.created > 0).then_some(self.created),
            verified_at: self.verified_at,
            has_password: self.hash().is_some(),
            mail: false,
        }
    }
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
        integer("created").since(2, "0"),
        integer("valid_from").since(2, "0"),
        integer("verified_at").optional().since(2, "NULL"),
    ],
    indexes: &[],
};

pub(crate) static CLASS: Class = Class {
    schema: &Schema {
        tables: &[
            &ACCOUNT,
            &FAMILIES,
            &VISITS,
            &RATES,
            &ENDED,
            &MAILS,
            &GENERATIONS,
            &leaving::LEAVING,
            &FINGERPRINTS,
        ],
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

    async fn alarm(&self) -> Result<Response> {
        let now = Date::now().as_millis();
        self.send_mails(now).await?;
        self.leave_rooms(now).await?;
        if self.account()?.is_none() && self.next_due()?.is_none() {
            self.forget_attempts().await?;
        }
        self.wake_when_due(now).await?;
        Response::empty()
    }
}

impl UserObject {
    async fn operate(&self, operation: &str, body: &str, now: u64) -> Outcome<Value> {
        match operation {
            "register" => self.register(rpc::parse(body)?, now).await,
            "login" => self.login(rpc::parse(body)?, now).await,
            "signInBy" => self.sign_in_by(rpc::parse(body)?, now),
            "refresh" => self.refresh(rpc::parse(body)?, now),
            "logout" => self.logout(rpc::parse(body)?, now),
            "isKey" => self.is_key(&rpc::parse(body)?),
            "exists" => Ok(json!(self.account()?.is_some())),
            "me" => Ok(json!(self.of_bearer(&rpc::parse(body)?)?.user)),
            "act" => self.may_act(&rpc::parse(body)?),
            "create" => {
                let (bearer, visit): (Bearer, Visit) = rpc::parse(body)?;
                self.may_act(&bearer)?;
                let limit = config::limit(&self.env, "CONNECT_LIMIT_CREATE_USER")?;
                rate::take(&self.store, ROOMS, &limit, now)?;
                self.visit(visit)
            }
            "visit" => match self.account()? {
                Some(_) => self.visit(rpc::parse(body)?),
                // It was deleted meanwhile.
                None => Ok(Value::Null),
            },
            "visits" => {
                self.of_bearer(&rpc::parse(body)?)?;
                Ok(json!(self.visits()?))
            }
            _ => self.answer_holder(operation, body, now).await,
        }
    }

    fn account(&self) -> Result<Option<Account>> {
        self.store.get(ACCOUNT.key([]))
    }

    /// When something is to be done next.
    fn next_due(&self) -> Result<Option<u64>> {
        let dues = [self.next_mail()?, self.next_leaving()?];
        Ok(dues.into_iter().flatten().min())
    }

    async fn wake_when_due(&self, now: u64) -> Result<()> {
        match self.next_due()? {
            Some(due) => {
                let wait = due.saturating_sub(now) as i64;
                self.state.storage().set_alarm(wait).await
            }
            None => Ok(()),
        }
    }

    /// Failed sign-ins to no account are forgotten in the end. That there were accounts is not.
    async fn forget_attempts(&self) -> Result<()> {
        if self.generations()? != Generations::default() {
            return self.store.write("DELETE FROM rates", Vec::new());
        }
        self.store.forgotten();
        self.state.storage().delete_all().await
    }

    /// Whether this is the key of before; the first one is.
    fn is_key(&self, key: &Fingerprint) -> Outcome<Value> {
        let known: Option<Fingerprint> = self.store.get(FINGERPRINTS.key([]))?;
        if known.is_none() {
            self.store.put(&FINGERPRINTS, key)?;
        }
        Ok(json!(known.is_none_or(|known| known == *key)))
    }

    fn generations(&self) -> Result<Generations> {
        let known: Option<Generations> = self.store.get(GENERATIONS.key([]))?;
        Ok(known.unwrap_or_default())
    }

    /// The account that an access token speaks for.
    fn of_bearer(&self, bearer: &Bearer) -> Outcome<Account> {
        let over = || Refusal::unauthenticated("the session is over: sign in");
        let account = self.account()?.ok_or_else(over)?;
        let session = bearer.session.as_deref().unwrap_or_default();
        let family: Option<Family> = self.store.get_readable(family_key(session))?;
        let ended: Option<Ended> = self.store.get_readable(ENDED.key([session.into()]))?;
        let known = Known {
            user: &account.user.id,
            valid_from: account.valid_from,
            is_open: family.is_some(),
            was_ended: ended.is_some(),
        };
        match bearer.speaks_for(known) {
            true => Ok(account),
            false => Err(over()),
        }
    }

    /// Refuses whom the installation lets do nothing before their address is confirmed.
    fn may_act(&self, bearer: &Bearer) -> Outcome<Value> {
        let account = self.of_bearer(bearer)?;
        if account.verified_at.is_none() && config::needs_verified(&self.env)? {
            return Err(Refusal::unverified());
        }
        Ok(Value::Null)
    }

    /// Ends a session: its refresh token is void at once, and so are its access tokens wherever an account is asked.
    fn end_session(&self, id: &str, now: u64) -> Result<()> {
        for old in forgettable(self.store.all(&ENDED)?, now) {
            self.store.delete(ENDED.key([old.id.as_str().into()]))?;
        }
        self.store.put(&ENDED, &Ended::new(id.to_owned(), now))?;
        self.store.delete(family_key(id))
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
}

fn family_key(id: &str) -> Key {
    FAMILIES.key([id.into()])
}
