//! Tokens: the claims of the signed ones, and the families of the refresh tokens.

use protocol::id::UserId;
use protocol::node::{Claims, MAX_TOKEN_SECONDS};
use serde::{Deserialize, Serialize};

/// How long an access token holds, in seconds.
pub const ACCESS_SECONDS: u32 = 3600;
/// How long a refresh token holds after its last use, in seconds.
pub const REFRESH_SECONDS: u64 = 7 * 24 * 3600;
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
        }
    }
}

/// Whether a node's token is as short-lived as it must be. Signature, audience and expiry are checked before.
pub fn is_short_lived(claims: &Claims, now: u64) -> bool {
    claims.exp <= now / 1000 + MAX_TOKEN_SECONDS + CLOCKS
}

/// The refresh tokens that descend from one sign-in: only the latest is good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    pub id: String,
    /// SHA-256 of the one good secret.
    pub current: String,
    /// Unix time in milliseconds.
    pub expires: u64,
}

/// What comes of presenting a refresh token to its family.
#[derive(Debug, PartialEq, Eq)]
pub enum Presented {
    /// It was the good one, and is now replaced by the next.
    Rotated(Family),
    /// It was used before (stolen, or its successor was): the family must end.
    Reused,
    /// It is too old: the family ends of itself.
    Expired,
}

impl Family {
    /// A family begun by a sign-in.
    pub fn new(id: String, first: String, now: u64) -> Self {
        Self {
            id,
            current: first,
            expires: now + REFRESH_SECONDS * 1000,
        }
    }

    /// Presents the hash of a secret, with the hash of its successor.
    pub fn present(self, hash: &str, next: String, now: u64) -> Presented {
        if now >= self.expires {
            Presented::Expired
        } else if self.current != hash {
            Presented::Reused
        } else {
            Presented::Rotated(Self::new(self.id, next, now))
        }
    }
}

/// Which families end when an account gets another one: the expired, and the least recently used beyond [`MAX_FAMILIES`].
pub fn outlived(mut families: Vec<Family>, now: u64) -> Vec<Family> {
    families.sort_by_key(|family| std::cmp::Reverse(family.expires));
    let living = families.iter().filter(|family| family.expires > now);
    let keep = living.count().min(MAX_FAMILIES - 1);
    families.split_off(keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_is_good_once() {
        let family = Family::new("f".into(), "one".into(), 0);
        let Presented::Rotated(family) = family.present("one", "two".into(), 1000) else {
            panic!("the first secret is good");
        };
        assert_eq!(
            family.clone().present("one", "x".into(), 2000),
            Presented::Reused
        );
        assert!(matches!(
            family.present("two", "three".into(), 2000),
            Presented::Rotated(_)
        ));
    }

    #[test]
    fn the_least_recently_used_families_make_room() {
        let family = |at: u64| Family::new(at.to_string(), String::new(), at);
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
    fn a_family_ages_from_its_last_use() {
        let week = REFRESH_SECONDS * 1000;
        let family = Family::new("f".into(), "one".into(), 0);
        assert_eq!(
            family.clone().present("one", "two".into(), week),
            Presented::Expired
        );
        let Presented::Rotated(family) = family.present("one", "two".into(), week - 1) else {
            panic!("still good");
        };
        assert_eq!(family.expires, 2 * week - 1);
    }
}
