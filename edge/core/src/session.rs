//! Sessions: the sign-ins of an account as its holder sees them, and which access tokens still speak for it.

use protocol::api::SignIn;
use protocol::id::UserId;
use serde::{Deserialize, Serialize};

use crate::order::Ordered;
use crate::table::{Table, integer, text};
use crate::token::{ACCESS_SECONDS, AccessClaims, Family};

/// How many ended sessions an account remembers: more than anybody ends in the hour that their tokens have left.
pub const MAX_ENDED: usize = 200;
/// For how long after signing in one need not show who one is again, where there is no password to ask for.
const FRESH: u64 = 10 * 60 * 1000;

/// Sessions that were ended before their time.
pub const ENDED: Table = Table {
    name: "ended_sessions",
    tag: "",
    since: 2,
    columns: &[text("id").key(), integer("until")],
    indexes: &[],
};

/// A session that was ended before its time: an access token of it may be good for an hour yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub id: String,
    /// When the last of them is over, in Unix milliseconds.
    pub until: u64,
}

impl Ended {
    /// A session that ends now.
    pub fn new(id: String, now: u64) -> Self {
        let until = now + u64::from(ACCESS_SECONDS) * 1000;
        Self { id, until }
    }
}

/// Which ended sessions need not be remembered when another one is to be: those whose tokens are over, and of more than
/// [`MAX_ENDED`] the oldest.
pub fn forgettable(mut ended: Vec<Ended>, now: u64) -> Vec<Ended> {
    ended.order_by_key(|session| std::cmp::Reverse(session.until));
    let living = ended.iter().filter(|session| session.until > now);
    let keep = living.count().min(MAX_ENDED - 1);
    ended.split_off(keep)
}

/// Who holds an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bearer {
    pub user: UserId,
    /// The sign-in that it comes from; former releases did not say.
    pub session: Option<String>,
    /// When it was issued, in Unix milliseconds, cut to the second.
    pub issued: u64,
}

impl From<AccessClaims> for Bearer {
    fn from(claims: AccessClaims) -> Self {
        Self {
            user: claims.sub,
            session: claims.sid,
            issued: claims.iat * 1000,
        }
    }
}

/// What an account knows that decides about a token.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    pub user: &'a UserId,
    /// Tokens that were issued before count only if their session is open.
    pub valid_from: u64,
    /// Whether the token's session is open.
    pub is_open: bool,
    /// Whether it was ended before its time.
    pub was_ended: bool,
}

impl Bearer {
    /// Whether the token speaks for the account. One whose session made room for a later one does until it is over, as one
    /// of a former release.
    pub fn speaks_for(&self, known: Known) -> bool {
        let is_left = !known.was_ended && self.issued >= known.valid_from;
        self.user == *known.user && (known.is_open || is_left)
    }
}

/// Whether somebody has just signed in, which stands for a password where an account has none.
pub fn is_fresh(family: &Family, now: u64) -> bool {
    now < family.created + FRESH
}

/// The sign-ins that are open, the latest used first, as the holder of one is shown them.
pub fn list(mut families: Vec<Family>, own: Option<&str>, now: u64) -> Vec<SignIn> {
    families.retain(|family| family.expires > now);
    families.order_by_key(|family| std::cmp::Reverse(family.expires));
    let shown = families.into_iter().map(|family| SignIn {
        created_at: (family.created > 0).then_some(family.created),
        used_at: family.used(),
        current: own == Some(family.id.as_str()),
        browser: family.browser,
        id: family.id,
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::REFRESH_SECONDS;

    #[test]
    fn a_token_speaks_for_its_account_until_its_session_is_ended() {
        let ada: UserId = "ada".parse().unwrap();
        let table = [
            // Open, ended, issued before all others were ended; whether it speaks.
            (true, false, false, true),
            (true, false, true, true),
            (false, false, false, true),
            (false, false, true, false),
            (false, true, false, false),
            (false, true, true, false),
        ];
        for (is_open, was_ended, before, speaks) in table {
            let known = Known {
                user: &ada,
                valid_from: if before { 9_001 } else { 9_000 },
                is_open,
                was_ended,
            };
            let claims = AccessClaims::new(ada.clone(), "Ada".into(), 9_999);
            let bearer = Bearer::from(claims.of_session("s".into()));
            assert_eq!(bearer.issued, 9_000);
            assert_eq!(bearer.speaks_for(known), speaks, "{known:?}");
            let eve = Bearer {
                user: "eve".parse().unwrap(),
                ..bearer
            };
            assert!(!eve.speaks_for(known));
        }
    }

    #[test]
    fn of_ended_sessions_those_are_remembered_that_have_tokens_left() {
        let hour = u64::from(ACCESS_SECONDS) * 1000;
        let ended = |at: u64| Ended::new(at.to_string(), at);
        let all: Vec<Ended> = (0..300).map(ended).collect();
        let gone = forgettable(all.clone(), 0);
        assert_eq!(all.len() - gone.len(), MAX_ENDED - 1);
        assert!(gone.iter().all(|session| session.until <= hour + 100));
        assert_eq!(forgettable(all, hour + 300).len(), 300);
        assert!(forgettable(vec![ended(1)], hour).is_empty());
    }

    #[test]
    fn sessions_are_shown_as_they_were_used() {
        let family = |id: &str, at: u64| Family {
            browser: "Firefox on Linux".into(),
            ..Family::new(id.into(), "secret".into(), String::new(), at)
        };
        let former = Family {
            created: 0,
            ..family("former", 7)
        };
        let week = REFRESH_SECONDS * 1000;
        let shown = list(
            vec![family("expired", 0), former, family("own", 9)],
            Some("own"),
            week,
        );
        let seen: Vec<_> = shown
            .iter()
            .map(|sign_in| {
                let SignIn {
                    id,
                    created_at,
                    used_at,
                    current,
                    ..
                } = sign_in;
                (id.as_str(), *created_at, *used_at, *current)
            })
            .collect();
        assert_eq!(
            seen,
            [("own", Some(9), 9, true), ("former", None, 7, false)]
        );
        assert!(is_fresh(&family("own", 9), FRESH + 8));
        assert!(!is_fresh(&family("own", 9), FRESH + 9));
    }
}
