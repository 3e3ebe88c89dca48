//! Keys to the API: shown once, found by what they name, good for what they were made for.

use protocol::developer::{ApiKey, CreateKeyRequest, KeyScope};
use protocol::id::UserId;
use serde::{Deserialize, Serialize};

use crate::name::check_name;
use crate::secret::is_same;
use crate::table::{Table, integer, json, text};

/// What every key begins with: who finds one somewhere knows what it opens.
const PREFIX: &str = "connect_";
/// How many keys an account has at most.
pub const MAX_KEYS: usize = 20;
/// How exactly it is known when a key was used last, in milliseconds: each time it is written.
const USED: u64 = 60_000;

/// The keys of an account.
pub const KEYS: Table = Table {
    name: "keys",
    tag: "",
    since: 1,
    columns: &[
        text("id").key(),
        text("name"),
        json("scopes"),
        text("hash"),
        integer("created_at"),
        integer("last_used_at").optional(),
    ],
    indexes: &[],
};

/// A key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    pub id: String,
    pub name: String,
    pub scopes: Vec<KeyScope>,
    /// SHA-256 of its secret.
    pub hash: String,
    /// Unix time in milliseconds.
    pub created_at: u64,
    #[serde(default)]
    pub last_used_at: Option<u64>,
}

/// Why a key opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoEntry {
    /// It is none of this account's, or no more.
    Unknown,
    /// It was not made for this.
    OutOfScope,
}

/// Why a key cannot be made: the field, and what is wrong with it.
pub type Fault = (&'static str, String);

/// A key as it is shown: `connect_ACCOUNT.ID.SECRET`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub account: UserId,
    pub id: String,
    pub secret: String,
}

impl Shown {
    /// Whether somebody shows a key, and not a token.
    pub fn is_one(bearer: &str) -> bool {
        bearer.starts_with(PREFIX)
    }

    /// The key that is shown, if it is of the form of one.
    pub fn parse(bearer: &str) -> Option<Self> {
        let mut parts = bearer.strip_prefix(PREFIX)?.split('.');
        let account = parts.next()?.parse().ok()?;
        let mut part = || parts.next().filter(|part| (1..=64).contains(&part.len()));
        let (id, secret) = (part()?.to_owned(), part()?.to_owned());
        parts.next().is_none().then_some(Self {
            account,
            id,
            secret,
        })
    }

    /// As its owner is told it.
    pub fn told(&self) -> String {
        let Self {
            account,
            id,
            secret,
        } = self;
        format!("{PREFIX}{account}.{id}.{secret}")
    }
}

/// What a key is to be: its name as others see it, and each scope once.
pub fn checked(request: &CreateKeyRequest) -> Result<(String, Vec<KeyScope>), Fault> {
    let name = check_name(&request.name).map_err(|error| ("name", error.to_string()))?;
    let mut scopes = request.scopes.clone();
    scopes.sort();
    scopes.dedup();
    if scopes.is_empty() {
        return Err(("scopes", "name at least one".into()));
    }
    Ok((name, scopes))
}

impl Key {
    /// Whether whoever shows a secret with this hash may do this.
    pub fn admits(&self, hash: &str, scope: KeyScope) -> Result<(), NoEntry> {
        if !is_same(&self.hash, hash) {
            return Err(NoEntry::Unknown);
        }
        if !self.scopes.contains(&scope) {
            return Err(NoEntry::OutOfScope);
        }
        Ok(())
    }

    /// The key once it was used, if that is to be written down.
    pub fn used(&self, now: u64) -> Option<Self> {
        let is_news = self.last_used_at.is_none_or(|at| at + USED <= now);
        is_news.then(|| Self {
            last_used_at: Some(now),
            ..self.clone()
        })
    }

    /// As its owner sees it.
    pub fn view(self) -> ApiKey {
        ApiKey {
            id: self.id,
            name: self.name,
            scopes: self.scopes,
            created_at: self.created_at,
            last_used_at: self.last_used_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_whose_and_which_it_is() {
        let shown = Shown {
            account: "0af1".parse().unwrap(),
            id: "7c".into(),
            secret: "s-e_cret".into(),
        };
        assert_eq!(shown.told(), "connect_0af1.7c.s-e_cret");
        assert_eq!(Shown::parse(&shown.told()), Some(shown));
        for bad in [
            "",
            "connect_",
            "connect_0af1",
            "connect_0af1.7c",
            "connect_0af1.7c.",
            "connect_0af1..secret",
            "connect_.7c.secret",
            "connect_0 1.7c.secret",
            "connect_0af1.7c.secret.more",
            "eyJhbGciOi.7c.secret",
        ] {
            assert_eq!(Shown::parse(bad), None, "{bad:?}");
        }
        let long = format!("connect_0af1.7c.{}", "s".repeat(65));
        assert_eq!(Shown::parse(&long), None);
        // A token of ours has the dots, and not the beginning.
        assert!(!Shown::is_one("eyJhbGciOi.7c.secret") && Shown::is_one("connect_"));
    }

    fn key() -> Key {
        Key {
            id: "7c".into(),
            name: "Backend".into(),
            scopes: vec![KeyScope::RoomsRead, KeyScope::TokensWrite],
            hash: "hash".into(),
            created_at: 5,
            last_used_at: None,
        }
    }

    #[test]
    fn a_key_is_good_for_its_scopes_alone() {
        use KeyScope::*;
        for (hash, scope, expected) in [
            ("hash", RoomsRead, Ok(())),
            ("hash", TokensWrite, Ok(())),
            ("hash", RoomsWrite, Err(NoEntry::OutOfScope)),
            ("hash", ModerationWrite, Err(NoEntry::OutOfScope)),
            ("hash", DataWrite, Err(NoEntry::OutOfScope)),
            ("hash", WebhooksWrite, Err(NoEntry::OutOfScope)),
            // Who does not know the secret is not told what it would be good for.
            ("other", RoomsRead, Err(NoEntry::Unknown)),
            ("other", RoomsWrite, Err(NoEntry::Unknown)),
            ("", RoomsRead, Err(NoEntry::Unknown)),
        ] {
            assert_eq!(key().admits(hash, scope), expected, "{hash:?} {scope:?}");
        }
    }

    #[test]
    fn its_use_is_written_down_once_a_minute() {
        let used = key().used(1_000).unwrap();
        assert_eq!(used.last_used_at, Some(1_000));
        assert_eq!(used.used(60_999), None);
        assert_eq!(used.used(61_000).unwrap().last_used_at, Some(61_000));
    }

    #[test]
    fn a_key_has_a_name_and_a_scope() {
        use KeyScope::*;
        let request = |name: &str, scopes: &[KeyScope]| CreateKeyRequest {
            name: name.into(),
            scopes: scopes.into(),
        };
        let (name, scopes) = checked(&request(
            " Backend ",
            &[TokensWrite, RoomsRead, TokensWrite],
        ))
        .unwrap();
        assert_eq!(
            (name.as_str(), scopes),
            ("Backend", vec![RoomsRead, TokensWrite])
        );
        assert_eq!(checked(&request("", &[RoomsRead])).unwrap_err().0, "name");
        assert_eq!(checked(&request("Backend", &[])).unwrap_err().0, "scopes");
    }
}
