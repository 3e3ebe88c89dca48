//! Keys to the API: making, listing and revoking them, and who comes with one.

use edge_core::developer::keys::{KEYS, Key, MAX_KEYS, NoEntry, Shown, checked};
use protocol::developer::{ApiKeyList, CreateKeyRequest, CreatedKey, KeyScope};
use protocol::id::UserId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::DeveloperObject;
use crate::problem::{Outcome, Refusal};
use crate::{crypto, http};

/// Who shows a key, and what for.
#[derive(Serialize, Deserialize)]
pub struct Entering {
    pub id: String,
    /// SHA-256 of its secret.
    pub hash: String,
    pub scope: KeyScope,
}

/// Whose key it is.
#[derive(Serialize, Deserialize)]
pub struct Entry {
    /// The name of the key.
    pub name: String,
}

impl DeveloperObject {
    pub(super) fn keys(&self) -> Outcome<Value> {
        let latest = "ORDER BY created_at DESC";
        let keys: Vec<Key> = self.store.some(&KEYS, latest, Vec::new())?;
        let keys = keys.into_iter().map(Key::view).collect();
        Ok(json!(ApiKeyList { keys }))
    }

    pub(super) fn create_key(&self, (account, body): (UserId, String), now: u64) -> Outcome<Value> {
        let request: CreateKeyRequest = http::read(&body)?;
        let (name, scopes) = checked(&request)
            .map_err(|(field, message)| Refusal::invalid_field(field, &message))?;
        if self.store.all::<Key>(&KEYS)?.len() >= MAX_KEYS {
            let detail = format!("an account has at most {MAX_KEYS} keys: revoke one first");
            return Err(Refusal::enough(&detail));
        }
        let shown = Shown {
            account,
            id: crypto::hex(&crypto::random::<8>()?),
            secret: crypto::secret()?,
        };
        let key = Key {
            id: shown.id.clone(),
            name,
            scopes,
            hash: crypto::sha256(&shown.secret),
            created_at: now,
            last_used_at: None,
        };
        self.store.put(&KEYS, &key)?;
        Ok(json!(CreatedKey {
            key: key.view(),
            secret: shown.told(),
        }))
    }

    /// It opens nothing from now on.
    pub(super) fn revoke_key(&self, id: String) -> Outcome<Value> {
        let key = KEYS.key([id.as_str().into()]);
        if self.store.get_readable::<Key>(key.clone())?.is_none() {
            return Err(Refusal::not_found("there is no key with this id"));
        }
        self.store.delete(key)?;
        Ok(Value::Null)
    }

    /// Lets in who shows a key that is good for what they want, and not too often.
    pub(super) fn enter(&self, entering: &Entering, now: u64) -> Outcome<Value> {
        let unknown = || Refusal::unauthenticated("the key is unknown or was revoked");
        let key = KEYS.key([entering.id.as_str().into()]);
        let key: Key = self.store.get_readable(key)?.ok_or_else(unknown)?;
        match key.admits(&entering.hash, entering.scope) {
            Ok(()) => {}
            Err(NoEntry::Unknown) => return Err(unknown()),
            Err(NoEntry::OutOfScope) => return Err(Refusal::out_of_scope(entering.scope)),
        }
        self.count(now)?;
        if let Some(used) = key.used(now) {
            self.store.put(&KEYS, &used)?;
        }
        Ok(json!(Entry { name: key.name }))
    }
}
