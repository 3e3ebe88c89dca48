//! How passwords are hashed: Argon2id. A setting is a PHC string that ends with its salt; a hash is its setting and what came out, so
//! that the parameters can grow.

use std::ops::RangeInclusive;

use argon2::password_hash::CustomizedPasswordHasher;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Argon2, Params, Version};

/// OWASP's first choice: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// What may be asked for: what is stored has at least ours, and nobody's memory or time is taken by a number.
const MEMORIES_KIB: RangeInclusive<u32> = MEMORY_KIB..=64 * 1024;
const MOST_PASSES: u32 = 8;
const MOST_LANES: u32 = 4;

/// Why nothing is hashed by a setting.
#[derive(Debug, thiserror::Error)]
#[error("this is no setting of Argon2id that passwords are hashed by")]
pub struct Unfit;

/// How a password that is new is hashed.
pub fn setting(salt: &[u8; 16]) -> Result<String, Unfit> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| Unfit)?;
    let setting = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(|_| Unfit)?,
        salt: Some(Salt::new(salt).map_err(|_| Unfit)?),
        hash: None,
    };
    Ok(setting.to_string())
}

/// The setting that a hash was made by.
pub fn setting_of(hash: &str) -> Result<&str, Unfit> {
    let (setting, _) = hash.rsplit_once('$').ok_or(Unfit)?;
    Ok(setting)
}

/// Hashes a password: some 20 ms of a core, and twice as much in WebAssembly.
pub fn hash(password: &str, setting: &str) -> Result<String, Unfit> {
    let setting = PasswordHash::new(setting).map_err(|_| Unfit)?;
    let params = Params::try_from(&setting).map_err(|_| Unfit)?;
    let fits = setting.algorithm == ARGON2ID_IDENT
        && setting.hash.is_none()
        && MEMORIES_KIB.contains(&params.m_cost())
        && params.t_cost() <= MOST_PASSES
        && params.p_cost() <= MOST_LANES;
    let salt = setting.salt.filter(|_| fits).ok_or(Unfit)?;
    let hash = Argon2::default().hash_password_customized(
        password.as_bytes(),
        &salt,
        Some(&setting.algorithm),
        setting.version,
        params,
    );
    Ok(hash.map_err(|_| Unfit)?.to_string())
}

/// Whether two hashes are of the same password by the same setting, in a time that does not say how far they are.
pub fn is_same(one: &str, other: &str) -> bool {
    let output = |hash| PasswordHash::new(hash).ok()?.hash;
    let (one, other): (Option<Output>, Option<Output>) = (output(one), output(other));
    // Compared in constant time by its type.
    one.is_some() && one == other
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of Node's own Argon2: `argon2Sync("argon2id", …)` with these parameters, the salt `connect-no-one-!` and `password123`.
    const KNOWN: &str = "$argon2id$v=19$m=19456,t=2,p=1$Y29ubmVjdC1uby1vbmUtIQ$NuHo/0MSBKBhakhBaKnf7AIuivQwADKfPo+VIK5Mf8w";

    #[test]
    fn a_hash_is_that_of_others_and_fits_its_password_alone() {
        let setting = setting(b"connect-no-one-!").unwrap();
        assert_eq!(setting_of(KNOWN).unwrap(), setting);
        let hashed = hash("password123", &setting).unwrap();
        assert_eq!(hashed, KNOWN);
        assert!(is_same(&hashed, KNOWN));
        assert!(!is_same(&hash("password124", &setting).unwrap(), KNOWN));
    }

    #[test]
    fn nothing_weaker_and_nothing_that_takes_a_machine_is_hashed() {
        let salt = "Y29ubmVjdC1uby1vbmUtIQ";
        for setting in [
            "",
            "$argon2id$v=19$m=19456,t=2,p=1",
            &format!("$argon2id$v=19$m=1024,t=2,p=1${salt}"),
            &format!("$argon2id$v=19$m=4194304,t=2,p=1${salt}"),
            &format!("$argon2id$v=19$m=19456,t=2000000,p=1${salt}"),
            &format!("$argon2id$v=19$m=19456,t=2,p=1000${salt}"),
            &format!("$argon2i$v=19$m=19456,t=2,p=1${salt}"),
            KNOWN,
        ] {
            assert!(hash("password123", setting).is_err(), "{setting}");
        }
    }

    #[test]
    fn what_is_no_hash_is_the_same_as_nothing() {
        assert!(!is_same("", ""));
        assert!(!is_same(
            "$argon2id$v=19$m=19456,t=2,p=1",
            "$argon2id$v=19$m=19456,t=2,p=1"
        ));
    }
}
