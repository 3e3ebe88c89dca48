//! Randomness and hashes.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use edge_core::room::Secret;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use worker::{Error, Result};

/// Bytes of the platform's cryptographic generator.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::getrandom(&mut bytes)
        .map_err(|error| Error::RustError(format!("no randomness: {error}")))?;
    Ok(bytes)
}

/// Two uniform numbers, for a choice of a node.
pub fn random_pair() -> Result<[u32; 2]> {
    let bytes = u64::from_le_bytes(random()?);
    Ok([bytes as u32, (bytes >> 32) as u32])
}

/// A secret of 256 bits, in 43 characters that need no escaping anywhere.
pub fn secret() -> Result<String> {
    Ok(encode(&random::<32>()?))
}

/// A secret with its hash.
pub fn fresh() -> Result<Secret> {
    let text = secret()?;
    Ok(Secret {
        hash: sha256(&text),
        text,
    })
}

/// SHA-256 in hex: how secrets are stored and compared.
pub fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// SHA-256.
pub fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Whether two secrets are the same, in a time that does not say how far they are.
pub fn is_same(a: &str, b: &str) -> bool {
    // Of hashes nobody learns anything by the time that it takes to compare them.
    digest(a) == digest(b)
}

/// HMAC-SHA256 (RFC 2104).
pub fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    keyed(key, data).finalize().into_bytes().into()
}

/// Whether this is the HMAC-SHA256, in constant time.
pub fn verify_hmac(key: &[u8], data: &[u8], mac: &[u8]) -> bool {
    keyed(key, data).verify_slice(mac).is_ok()
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Base64url without padding (RFC 4648, 5).
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Base64 with padding (RFC 4648, 4).
pub fn encode_padded(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// What base64 with padding stands for.
pub fn decode_padded(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Base64url of exactly N bytes.
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD
        .decode(text.trim_end_matches('='))
        .ok()?
        .try_into()
        .ok()
}

/// Base64url of any length.
pub fn decode_all(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn keyed(key: &[u8], data: &[u8]) -> Hmac<Sha256> {
    // Panics for no key: HMAC takes every length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(data);
    mac
}
