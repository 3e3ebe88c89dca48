//! The API for developers (`/api/v1`): by a key of the account that was made for it, or by the account's own access token.

pub(super) mod keys;
mod once;
pub(super) mod people;
pub(super) mod rooms;
pub(super) mod webhooks;

use edge_core::developer::keys::Shown;
use edge_core::token::Scope;
use protocol::developer::KeyScope;
use protocol::id::{RoomId, UserId};
use serde::de::DeserializeOwned;
use worker::{Env, Request};

use super::{Answer, authenticate, live, now, room_id};
use crate::developer::{Entering, Entry};
use crate::problem::{Outcome, Refusal};
use crate::room::{Asked, What};
use crate::{config, crypto, http, rpc};

/// Who calls.
struct Caller {
    account: UserId,
    /// The id of the key; empty if there is none.
    key: String,
    /// What their deeds are noted under.
    name: String,
}

impl Caller {
    /// Who sends this request, if they may do this.
    async fn of(request: &Request, env: &Env, scope: KeyScope) -> Outcome<Self> {
        let bearer = http::bearer(request)?.unwrap_or_default();
        if !Shown::is_one(&bearer) {
            let claims = authenticate(request, env, Scope::Account)?;
            let () = live(env, claims.clone(), "act").await?;
            return Ok(Self {
                account: claims.sub,
                key: String::new(),
                name: claims.name,
            });
        }
        let Shown {
            account,
            id,
            secret,
        } = Shown::parse(&bearer)
            .ok_or_else(|| Refusal::unauthenticated("the key is not whole: copy it anew"))?;
        let entering = Entering {
            id: id.clone(),
            hash: crypto::sha256(&secret),
            scope,
        };
        let object = config::developer(env, &account)?;
        let Entry { name } = rpc::call(&object, "enter", &entering).await?;
        Ok(Self {
            account,
            key: id,
            name,
        })
    }

    /// Asks something of a room of theirs.
    async fn ask<T: DeserializeOwned>(&self, env: &Env, room: &RoomId, what: What) -> Outcome<T> {
        let asked = Asked {
            owner: self.account.clone(),
            by: self.name.clone(),
            what,
        };
        rpc::call(&config::room(env, room, None)?, "asked", &asked).await
    }
}
