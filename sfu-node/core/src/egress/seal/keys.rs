//! The keys of a session's SRTP, derived from what its DTLS handshake has agreed on (RFC 5764, 4.2; RFC 3711, 4.3).

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::error::Unspecified;
use str0m::crypto::dtls::SrtpProfile;

/// What one direction of a session is sealed with.
pub struct SessionKeys {
    pub rtp: StreamKeys,
    pub rtcp: StreamKeys,
}

/// The derived keys of RTP or RTCP. A profile that needs fewer bytes uses the first ones.
pub struct StreamKeys {
    pub profile: SrtpProfile,
    pub key: [u8; 32],
    pub salt: [u8; 14],
    pub auth: [u8; 20],
}

impl StreamKeys {
    /// As many bytes of the key as the profile has.
    pub fn key(&self) -> &[u8] {
        &self.key[..lengths(self.profile).0]
    }
}

/// The lengths of a profile's master key and salt in bytes (RFC 5764, 4.1.2; RFC 7714, 12).
fn lengths(profile: SrtpProfile) -> (usize, usize) {
    match profile {
        SrtpProfile::AEAD_AES_256_GCM => (32, 12),
        SrtpProfile::AEAD_AES_128_GCM => (16, 12),
        _ => (16, 14),
    }
}

impl SessionKeys {
    /// The keys of what the DTLS client sends, or the server, from the handshake's material: client key, server key,
    /// client salt, server salt (RFC 5764, 4.2).
    pub fn derive(
        material: &[u8],
        profile: SrtpProfile,
        of_client: bool,
    ) -> Result<Self, Unspecified> {
        let (key_len, salt_len) = lengths(profile);
        let other = usize::from(!of_client);
        let at = |at: usize, len: usize| material.get(at..at + len).ok_or(Unspecified);
        let key = at(other * key_len, key_len)?;
        let salt = at(2 * key_len + other * salt_len, salt_len)?;
        Ok(Self {
            rtp: StreamKeys::derive(key, salt, profile, 0)?,
            rtcp: StreamKeys::derive(key, salt, profile, 3)?,
        })
    }
}

impl StreamKeys {
    /// RFC 3711, 4.3.1: key, authentication key and salt have one label after another.
    pub(super) fn derive(
        key: &[u8],
        salt: &[u8],
        profile: SrtpProfile,
        first_label: u8,
    ) -> Result<Self, Unspecified> {
        let algorithm = if key.len() == 32 { &AES_256 } else { &AES_128 };
        let stream = |label: u8, out: &mut [u8]| -> Result<(), Unspecified> {
            let mut iv = [0; 16];
            // A salt of 12 bytes is followed by zeros (RFC 7714, 11).
            iv[..salt.len()].copy_from_slice(salt);
            iv[7] ^= label;
            let key = EncryptingKey::ctr(UnboundCipherKey::new(algorithm, key)?)?;
            key.less_safe_encrypt(out, EncryptionContext::Iv128(iv.into()))?;
            Ok(())
        };
        let (key_len, salt_len) = lengths(profile);
        let mut keys = Self {
            profile,
            key: [0; 32],
            salt: [0; 14],
            auth: [0; 20],
        };
        stream(first_label, &mut keys.key[..key_len])?;
        stream(first_label + 1, &mut keys.auth)?;
        stream(first_label + 2, &mut keys.salt[..salt_len])?;
        Ok(keys)
    }
}
