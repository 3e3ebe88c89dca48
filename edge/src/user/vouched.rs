//! Signing in by the word of a provider of single sign-on.

use edge_core::token::Family;
use protocol::api::User;
use protocol::client::Role;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ACCOUNT, Account, UserObject};
use crate::problem::{Outcome, Refusal};

/// Whom a provider has identified.
#[derive(Serialize, Deserialize)]
pub struct Identity {
    /// Its id is the object's name, and that of its first account.
    pub user: User,
    /// Whether the provider says that the address is theirs.
    pub verified: bool,
    /// What its claims make of them in every room.
    pub role: Option<Role>,
    /// Until when its word holds, in Unix milliseconds.
    pub until: u64,
    /// In coarse words.
    pub browser: String,
}

impl UserObject {
    /// Signs somebody in as the account that the provider's subject has here, which is made if there is none.
    pub(super) fn sign_in_by(&self, identity: Identity, now: u64) -> Outcome<Value> {
        let account = match self.account()? {
            Some(known) => Account {
                // What the provider says now counts: people move and marry.
                user: User {
                    id: known.user.id.clone(),
                    ..identity.user
                },
                ..known
            },
            None => self.new_by(identity.user, now)?,
        };
        let account = Account {
            verified_at: account.verified_at.or(identity.verified.then_some(now)),
            ..account
        };
        self.store.put(&ACCOUNT, &account)?;
        let (role, until) = (identity.role, identity.until);
        self.grant_as(account.user, now, |id, hash| {
            Family::new(id, hash, identity.browser, now).vouched(role, until)
        })
    }

    fn new_by(&self, user: User, now: u64) -> Outcome<Account> {
        let id = self.generations()?.next_id(&user.id);
        Ok(Account {
            user: User {
                id: id.ok_or_else(Refusal::internal)?,
                ..user
            },
            password: String::new(),
            created: now,
            valid_from: now,
            verified_at: None,
        })
    }
}
