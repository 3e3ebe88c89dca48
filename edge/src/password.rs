//! Passwords: Argon2id, stored as PHC strings, so that the parameters can grow.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use worker::{Error, Result};

use crate::crypto;

/// OWASP's first choice: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What the password of an unknown account is checked against, so that the check takes as long.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$Y29ubmVjdC1uby1vbmUtIQ$3rqcUIhqNMyEZ8p7OoEf4QqHRMKNUpw7cHJDdBJkQvM";

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| Error::RustError(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The PHC string of a password, under fresh salt.
pub fn hash(password: &str) -> Result<String> {
    let salt = crypto::random::<16>()?;
    argon2()?
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|error| Error::RustError(error.to_string()))
}

/// Whether a password fits; nothing fits no hash, after the same work.
pub fn verify(password: &str, hash: Option<&str>) -> Result<bool> {
    let fits = argon2()?
        .verify_password(password.as_bytes(), hash.unwrap_or(DUMMY))
        .is_ok();
    Ok(fits && hash.is_some())
}
