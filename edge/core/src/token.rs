//! Tokens: the claims of the signed ones, and the families of the refresh tokens.

use protocol::client::Role;
use protocol::id::{RoomId, UserId};
use protocol::node::{Claims, MAX_TOKEN_SECONDS};
use serde::{Deserialize, Serialize};

use crate::order::Ordered;
use crate::table::{Table, integer, json, text};

/// How long an access token holds, in seconds.
pub const ACCESS_SECONDS: u32 = 3600;
/// How long a guest's token holds, in seconds: as long as anybody stays in one call. Nothing renews it.
pub const GUEST_SECONDS: u32 = 12 * 3600;
/// What a guest's id begins with. An account's has hexadecimal digits alone.
const GUEST: &str = "guest-";
/// How long a refresh token holds after its last use, in seconds.
pub const REFRESH_SECONDS: u64 = 7 * 24 * 3600;
/// How long a refresh token that was replaced is still answered, with the same successor, in milliseconds: its answer may
/// have been lost, which is no theft (RFC 9700, 4.14.2), and a browser's tabs may have asked at the same time.
pub const GRACE: u64 = 30_000;
/// How many sign-ins an account keeps: so many browsers of one person. A script that signs in over and over does not fill
/// the account.
pub const MAX_FAMILIES: usize = 20;
/// How far the clock of a node may be ahead of ours, in seconds.
const CLOCKS: u64 = 10;

/// Claims of an access token (RFC 7519).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    pub sub: UserId,
    /// The display name.
    pub name: String,
    /// Unix time in seconds.
    pub iat: u64,
    pub exp: u64,
    /// The room that a guest's token is good for; absent where there is an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// The sign-in that it comes from ([`Family`]); absent for guests and in tokens of former releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// What the room's owner has a guest be there, or a provider's claims make of an account's holder in every room; absent where
    /// they come by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// When a token is issued, in Unix milliseconds, and for how many seconds.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub now: u64,
    pub seconds: u32,
}

/// What a request is about, where that matters to a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Whatever is an account's.
    Account,
    /// The way into this room.
    Room(&'a RoomId),
    /// What helps on the way into any room.
    AnyRoom,
}

impl AccessClaims {
    /// The claims of a token issued now.
    pub fn new(sub: UserId, name: String, now: u64) -> Self {
        let iat = now / 1000;
        Self {
            sub,
            name,
            iat,
            exp: iat + u64::from(ACCESS_SECONDS),
            room: None,
            sid: None,
            role: None,
        }
    }

    /// The claims of a token that comes from this sign-in.
    pub fn of_session(self, session: String) -> Self {
        let sid = Some(session);
        Self { sid, ..self }
    }

    /// The claims of a guest's token, issued now.
    pub fn of_guest(sub: UserId, name: String, room: RoomId, now: u64) -> Self {
        let claims = Self::new(sub, name, now);
        Self {
            exp: claims.iat + u64::from(GUEST_SECONDS),
            room: Some(room),
            ..claims
        }
    }

    /// The claims of a token by which the room's owner lets somebody in, issued now.
    pub fn of_invited(sub: UserId, name: String, room: RoomId, role: Role, times: Times) -> Self {
        let claims = Self::new(sub, name, times.now);
        Self {
            exp: claims.iat + u64::from(times.seconds),
            room: Some(room),
            role: Some(role),
            ..claims
        }
    }

    /// Whether they are of somebody without an account.
    pub fn is_guest(&self) -> bool {
        self.room.is_some()
    }

    /// Whether the token is good for what is asked by it.
    pub fn is_good_for(&self, scope: Scope) -> bool {
        match (&self.room, scope) {
            (None, _) | (Some(_), Scope::AnyRoom) => true,
            (Some(_), Scope::Account) => false,
            (Some(own), Scope::Room(room)) => own == room,
        }
    }
}

/// The id of a guest, of 128 bits that nobody can guess. No account can have it.
pub fn guest_id(random: u128) -> Option<UserId> {
    format!("{GUEST}{random:032x}").parse().ok()
}

/// Whether this is the id of a guest.
pub fn is_guest(user: &UserId) -> bool {
    user.as_str().starts_with(GUEST)
}

/// Whether a node's token is as short-lived as it must be. Signature, audience and expiry are checked before.
pub fn is_short_lived(claims: &Claims, now: u64) -> bool {
    claims.exp <= now / 1000 + MAX_TOKEN_SECONDS + CLOCKS
}

/// The families of an account.
pub const FAMILIES: Table = Table {
    name: "families",
    tag: "",
    since: 1,
    columns: &[
        text("id").key(),
        text("current"),
        json("former").optional(),
        integer("expires"),
        integer("created").since(2, "0"),
        text("browser").since(2, "''"),
        text("role").optional().since(3, "NULL"),
        integer("ends").optional().since(3, "NULL"),
    ],
    indexes: &[],
};

/// The refresh tokens that descend from one sign-in: the latest is good, and for [`GRACE`] so is the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    pub id: String,
    /// SHA-256 of the latest secret.
    pub current: String,
    /// What the latest secret replaced.
    #[serde(default)]
    pub former: Option<Former>,
    /// Unix time in milliseconds.
    pub expires: u64,
    /// When the sign-in was, in Unix milliseconds; 0 in those of releases that did not say.
    #[serde(default)]
    pub created: u64,
    /// From what it was, in coarse words ([`crate::browser`]); empty where that is not known.
    #[serde(default)]
    pub browser: String,
    /// What the provider's claims make of them in every room, where one vouched for them.
    #[serde(default)]
    pub role: Option<Role>,
    /// When it ends however much it is used, in Unix milliseconds, where the provider is to be asked again.
    #[serde(default)]
    pub ends: Option<u64>,
}

/// A secret that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    /// SHA-256 of it.
    pub hash: String,
    /// By which its successor comes from it: whoever shows it gets the same one again, and who reads this alone gets none.
    pub salt: String,
    /// Unix time in milliseconds.
    pub replaced: u64,
}

/// What would follow upon a secret.
pub struct Successor {
    /// SHA-256 of it.
    pub hash: String,
    /// By which it comes from the secret.
    pub salt: String,
}

/// What comes of presenting a refresh token to its family.
#[derive(Debug, PartialEq, Eq)]
pub enum Presented {
    /// It was the latest, and is now replaced by its successor.
    Rotated(Family),
    /// It was replaced a moment ago: its successor is the one that comes from it by this salt.
    Again { salt: String },
    /// It was used before (stolen, or its successor was): the family must end.
    Reused,
    /// It is too old: the family ends of itself.
    Expired,
}

impl Family {
    /// A family begun by a sign-in.
    pub fn new(id: String, first: String, browser: String, now: u64) -> Self {
        Self {
            id,
            current: first,
            former: None,
            expires: now + REFRESH_SECONDS * 1000,
            created: now,
            browser,
            role: None,
            ends: None,
        }
    }

    /// The same by a provider's word, which holds until then.
    pub fn vouched(self, role: Option<Role>, ends: u64) -> Self {
        Self {
            role,
            ends: Some(ends),
            ..self
        }
    }

    /// Whether it is over.
    fn is_over(&self, now: u64) -> bool {
        now >= self.expires || self.ends.is_some_and(|ends| now >= ends)
    }

    /// When a token of it was presented last, or given.
    pub fn used(&self) -> u64 {
        self.expires.saturating_sub(REFRESH_SECONDS * 1000)
    }

    /// Presents the hash of a secret, with the successor that it gets if it is the latest.
    pub fn present(self, hash: &str, next: Successor, now: u64) -> Presented {
        if self.is_over(now) {
            return Presented::Expired;
        }
        if self.current == hash {
            let former = Former {
                hash: hash.to_owned(),
                salt: next.salt,
                replaced: now,
            };
            return Presented::Rotated(Self {
                current: next.hash,
                former: Some(former),
                expires: now + REFRESH_SECONDS * 1000,
                ..self
            });
        }
        match self.former {
            Some(former) if former.hash == hash && now < former.replaced + GRACE => {
                Presented::Again { salt: former.salt }
            }
            _ => Presented::Reused,
        }
    }
}

/// Which families end when an account gets another one: the expired, and the least recently used beyond [`MAX_FAMILIES`].
pub fn outlived(mut families: Vec<Family>, now: u64) -> Vec<Family> {
    families.order_by_key(|family| std::cmp::Reverse(family.expires));
    let living = families.iter().filter(|family| family.expires > now);
    let keep = living.count().min(MAX_FAMILIES - 1);
    families.split_off(keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_token_is_good_for_the_way_into_its_room_alone() {
        let (own, other): (RoomId, RoomId) = ("own".parse().unwrap(), "other".parse().unwrap());
        let guest = guest_id(7).unwrap();
        assert_eq!(guest.as_str(), "guest-00000000000000000000000000000007");
        assert!(is_guest(&guest) && !is_guest(&"ada".parse().unwrap()));
        let guest = AccessClaims::of_guest(guest, "Gil".into(), own.clone(), 5_000);
        let account = AccessClaims::new("ada".parse().unwrap(), "Ada".into(), 5_000);
        assert_eq!((guest.iat, guest.exp), (5, 5 + 12 * 3600));
        for (scope, is_for_guest) in [
            (Scope::Account, false),
            (Scope::Room(&own), true),
            (Scope::Room(&other), false),
            (Scope::AnyRoom, true),
        ] {
            assert_eq!(guest.is_good_for(scope), is_for_guest, "{scope:?}");
            assert!(account.is_good_for(scope), "{scope:?}");
        }
        // A token of a release without guests is an account's.
        let former = r#"{"sub":"ada","name":"Ada","iat":5,"exp":3605}"#;
        assert_eq!(
            serde_json::from_str::<AccessClaims>(former).unwrap(),
            account
        );
    }

    fn next(hash: &str) -> Successor {
        Successor {
            hash: hash.into(),
            salt: format!("salt of {hash}"),
        }
    }

    /// A family whose secrets were "one", replaced by "two" at 1 s, replaced by "three" at 100 s.
    fn rotated_twice() -> Family {
        [("one", "two", 1_000), ("two", "three", 100_000)]
            .into_iter()
            .fold(
                Family::new("f".into(), "one".into(), String::new(), 0),
                |family, (hash, successor, now)| match family.present(hash, next(successor), now) {
                    Presented::Rotated(family) => family,
                    other => panic!("{hash} is the latest, and was {other:?}"),
                },
            )
    }

    #[test]
    fn a_secret_that_was_just_replaced_has_the_same_successor() {
        let replaced = 100_000;
        let again = || Presented::Again {
            salt: "salt of three".into(),
        };
        let table = [
            ("two", replaced, again()),
            ("two", replaced + GRACE - 1, again()),
            ("two", replaced + GRACE, Presented::Reused),
            ("one", replaced, Presented::Reused),
            ("one", replaced + GRACE, Presented::Reused),
            ("never", replaced, Presented::Reused),
            ("two", replaced + REFRESH_SECONDS * 1000, Presented::Expired),
        ];
        for (hash, now, expected) in table {
            let family = rotated_twice();
            assert_eq!(
                family.present(hash, next("four"), now),
                expected,
                "{hash} at {now}"
            );
        }
        assert!(matches!(
            rotated_twice().present("three", next("four"), replaced + GRACE),
            Presented::Rotated(_)
        ));
    }

    #[test]
    fn a_family_of_an_earlier_release_has_no_former_secret() {
        let stored = r#"{"id":"f","current":"one","expires":5000}"#;
        let family: Family = serde_json::from_str(stored).unwrap();
        assert_eq!((family.created, family.browser.as_str()), (0, ""));
        assert_eq!(family.present("zero", next("two"), 0), Presented::Reused);
    }

    #[test]
    fn the_least_recently_used_families_make_room() {
        let family = |at: u64| Family::new(at.to_string(), String::new(), String::new(), at);
        let mut families: Vec<Family> = (1..=30).map(family).collect();
        families.reverse();
        let ended = outlived(families.clone(), 30);
        assert_eq!(families.len() - ended.len(), MAX_FAMILIES - 1);
        assert!(ended.iter().all(|family| family.expires <= family_end(11)));
        let week = REFRESH_SECONDS * 1000;
        assert_eq!(outlived(families, 40 + week).len(), 30);
        assert!(outlived(vec![family(1)], 2).is_empty());
    }

    fn family_end(at: u64) -> u64 {
        at + REFRESH_SECONDS * 1000
    }

    #[test]
    fn a_provider_s_word_holds_for_its_time_however_much_it_is_used() {
        let family = Family::new("f".into(), "one".into(), String::new(), 0);
        let family = family.vouched(Some(Role::Viewer), 100_000);
        let Presented::Rotated(family) = family.present("one", next("two"), 99_999) else {
            panic!("still good");
        };
        assert_eq!(family.role, Some(Role::Viewer));
        assert_eq!(
            family.clone().present("two", next("three"), 100_000),
            Presented::Expired
        );
        assert_eq!(
            family.present("one", next("three"), 100_000),
            Presented::Expired
        );
    }

    #[test]
    fn a_family_ages_from_its_last_use() {
        let week = REFRESH_SECONDS * 1000;
        let family = Family::new("f".into(), "one".into(), String::new(), 0);
        assert_eq!(
            family.clone().present("one", next("two"), week),
            Presented::Expired
        );
        let Presented::Rotated(family) = family.present("one", next("two"), week - 1) else {
            panic!("still good");
        };
        assert_eq!(family.expires, 2 * week - 1);
        assert_eq!((family.created, family.used()), (0, week - 1));
    }
}
