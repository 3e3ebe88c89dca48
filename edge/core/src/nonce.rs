//! A nonce: a client's own name for what it sends, so that sending it again is safe.

use crate::refusal::Refusal;

/// Longest nonce, in bytes.
const MAX_NONCE_BYTES: usize = 64;

/// Whether a nonce has the form of one; else why it is refused.
pub fn check(nonce: &str) -> Result<(), Refusal> {
    if nonce.is_empty() || nonce.len() > MAX_NONCE_BYTES {
        return Err(Refusal::malformed("a nonce has 1 to 64 bytes"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_short_and_not_empty() {
        for (length, fine) in [(0, false), (1, true), (64, true), (65, false)] {
            assert_eq!(check(&"n".repeat(length)).is_ok(), fine, "{length}");
        }
    }
}
