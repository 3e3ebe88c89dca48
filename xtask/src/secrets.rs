//! `.dev.vars`: the secrets of a development machine, made at the first start.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use crate::failure::{Failure, Result};
use crate::paths;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn file() -> PathBuf {
    paths::root().join(".dev.vars")
}

/// Makes the secrets if there are none. Returns whether it did.
pub fn ensure() -> Result<bool> {
    let path = file();
    if path.exists() {
        return Ok(false);
    }
    let text = format!(
        "# Secrets of this machine only, read by wrangler. Delete the file to have new ones.\n\
         CONNECT_SIGNING_KEYS='[{{\"kid\":\"k1\",\"seed\":\"{}\"}}]'\n\
         CONNECT_NODE_KEY={}\n\
         CONNECT_ID_KEY={}\n",
        random_key()?,
        random_key()?,
        random_key()?
    );
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Failure::file("write", &path, &error))?;
    Ok(true)
}

/// The key that nodes sign their tokens with.
pub fn node_key() -> Result<String> {
    let path = file();
    let text = fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))?;
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix("CONNECT_NODE_KEY="));
    match value.map(str::trim) {
        Some(key) if !key.is_empty() => Ok(key.to_owned()),
        _ => Err(Failure::new(
            ".dev.vars has no CONNECT_NODE_KEY",
            "delete .dev.vars: the next start makes a new one (accounts made under the old keys must sign in again)",
        )),
    }
}

/// 32 random bytes in base64url (RFC 4648, section 5).
pub fn random_key() -> Result<String> {
    let path = PathBuf::from("/dev/urandom");
    let mut bytes = [0; 32];
    File::open(&path)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| Failure::file("read", &path, &error))?;
    Ok(base64url(&bytes))
}

fn base64url(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0, |group, i| {
            group << 8 | u32::from(*chunk.get(i).unwrap_or(&0))
        });
        for position in 0..=chunk.len() {
            let six = group >> (18 - 6 * position) & 63;
            text.push(char::from(ALPHABET[six as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_is_that_of_the_rfc() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
        ] {
            assert_eq!(base64url(plain.as_bytes()), coded);
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
        assert_eq!(base64url(&[0; 32]).len(), 43);
    }
}
