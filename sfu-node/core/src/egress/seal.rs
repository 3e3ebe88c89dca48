//! SRTP of our own: outgoing packets are sealed in place, in the buffer they are sent from (RFC 3711, RFC 7714).
//!
//! The secret is str0m's: its DTLS handshake negotiates it, [`tap`] overhears it, and [`keys`] derives our keys from it. What
//! receivers say about what was sent is opened here, too ([`open`]), and RTCP that str0m would have reduced is sealed in its place
//! ([`tap`]).

mod keys;
mod open;
mod tap;

use std::fmt;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use str0m::crypto::dtls::SrtpProfile;

use crate::packet::rtp::RTP_HEADER_LEN;
use keys::{SessionKeys, StreamKeys};
pub use open::{OpenError, Opener};
pub use tap::{Tap, provider};

/// The clear start of an SRTCP packet: the first header and its SSRC.
const RTCP_HEADER_LEN: usize = 8;
/// The 80 bits of HMAC-SHA1 that are kept (RFC 3711, 5.2).
const HMAC_TAG_LEN: usize = 10;
/// The E flag in the word that carries an SRTCP index: the packet is encrypted.
const ENCRYPTED: u32 = 1 << 31;
/// Our first SRTCP index. str0m counts its own from 0 under the same key; starting half-way up, the two can never
/// meet, even if they named the same SSRC.
const FIRST_RTCP_INDEX: u32 = 1 << 30;
/// The first one of what is sent in the place of str0m's, under its SSRC: half-way up from there.
const FIRST_REPORT_INDEX: u32 = FIRST_RTCP_INDEX + (1 << 29);
/// An SRTP index has 48 bits: a roll-over counter of 32 and the sequence number.
const MAX_RTP_INDEX: u64 = (1 << 48) - 1;

/// Why a packet could not be sealed. It must not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("the packet is shorter than its header")]
    Short,
    #[error("the key has sealed as many packets as it may; the session must be set up anew")]
    Exhausted,
    #[error("the cipher refused the packet")]
    Cipher,
}

impl From<Unspecified> for SealError {
    fn from(_: Unspecified) -> Self {
        Self::Cipher
    }
}

/// Seals what a session sends.
///
/// Never a (SSRC, index) twice under one key:
/// - a slot's SSRC belongs to one [`crate::rewrite::Rewriter`], which gives no sequence number twice, and what is repeated under
///   it is the sealed bytes ([`crate::egress::kept`]);
/// - its stream for repair counts its own;
/// - str0m sends no media;
/// - our RTCP names a slot's SSRC, and str0m's one of its own; besides, ours counts from [`FIRST_RTCP_INDEX`], what is sent in the
///   place of str0m's from [`FIRST_REPORT_INDEX`], and str0m from 0.
pub struct Sealer {
    rtp: Protection,
    rtcp: Protection,
    rtcp_index: u32,
}

impl fmt::Debug for Sealer {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("rtcp_index", &self.rtcp_index)
            .finish_non_exhaustive()
    }
}

impl Sealer {
    fn new(keys: &SessionKeys) -> Result<Self, Unspecified> {
        Ok(Self {
            rtp: Protection::new(&keys.rtp)?,
            rtcp: Protection::new(&keys.rtcp)?,
            rtcp_index: FIRST_RTCP_INDEX,
        })
    }

    /// What seals RTCP in the place of str0m's.
    fn of_reports(keys: &SessionKeys) -> Result<Self, Unspecified> {
        Ok(Self {
            rtcp_index: FIRST_REPORT_INDEX,
            ..Self::new(keys)?
        })
    }

    /// One for tests of what is sent, and not of how it is sealed.
    #[cfg(any(test, feature = "fuzz"))]
    pub fn of_test_keys() -> Self {
        let profile = SrtpProfile::AEAD_AES_128_GCM;
        let keys = SessionKeys::derive(&[7; 56], profile, true);
        keys.and_then(|keys| Self::new(&keys)).expect("keys")
    }

    /// Encrypts the payload of the packet at `buf[start..]` in place, and appends the tag. `sequence` is extended: its
    /// upper bits are the roll-over counter, its low 16 must be those in the header. The SSRC is read from the header.
    pub fn seal_rtp(
        &mut self,
        buf: &mut Vec<u8>,
        start: usize,
        header_len: usize,
        sequence: u64,
    ) -> Result<(), SealError> {
        if sequence > MAX_RTP_INDEX {
            return Err(SealError::Exhausted);
        }
        let packet = buf.get_mut(start..).ok_or(SealError::Short)?;
        if header_len < RTP_HEADER_LEN {
            return Err(SealError::Short);
        }
        let (header, payload) = packet
            .split_at_mut_checked(header_len)
            .ok_or(SealError::Short)?;
        debug_assert_eq!(header[2..4], (sequence as u16).to_be_bytes());
        let ssrc = [header[8], header[9], header[10], header[11]];
        match &self.rtp {
            Protection::Gcm { key, salt } => {
                let tag = key.seal_in_place_separate_tag(
                    gcm_nonce(salt, ssrc, sequence),
                    Aad::from(&*header),
                    payload,
                )?;
                buf.extend_from_slice(tag.as_ref());
            }
            Protection::Cm { key, auth, salt } => {
                cm_encrypt(key, salt, ssrc, sequence, payload)?;
                let roll_over = (sequence >> 16) as u32;
                let tag = hmac_tag(auth, &buf[start..], &roll_over.to_be_bytes());
                buf.extend_from_slice(&tag);
            }
        }
        Ok(())
    }

    /// Encrypts the compound packet at `buf[start..]` in place, and appends index and tag. The SSRC is its first
    /// packet's.
    pub fn seal_rtcp(&mut self, buf: &mut Vec<u8>, start: usize) -> Result<(), SealError> {
        let index = self.rtcp_index;
        if index >= ENCRYPTED {
            return Err(SealError::Exhausted);
        }
        let packet = buf.get_mut(start..).ok_or(SealError::Short)?;
        let (header, payload) = packet
            .split_first_chunk_mut::<RTCP_HEADER_LEN>()
            .ok_or(SealError::Short)?;
        self.rtcp_index += 1;
        let word = (ENCRYPTED | index).to_be_bytes();
        let ssrc = [header[4], header[5], header[6], header[7]];
        match &self.rtcp {
            Protection::Gcm { key, salt } => {
                let mut aad = [0; RTCP_HEADER_LEN + 4];
                aad[..RTCP_HEADER_LEN].copy_from_slice(header);
                aad[RTCP_HEADER_LEN..].copy_from_slice(&word);
                let nonce = gcm_nonce(salt, ssrc, u64::from(index));
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(aad), payload)?;
                buf.extend_from_slice(tag.as_ref());
                buf.extend_from_slice(&word);
            }
            Protection::Cm { key, auth, salt } => {
                cm_encrypt(key, salt, ssrc, u64::from(index), payload)?;
                buf.extend_from_slice(&word);
                let tag = hmac_tag(auth, &buf[start..], &[]);
                buf.extend_from_slice(&tag);
            }
        }
        Ok(())
    }
}

/// A cipher with its salt.
#[expect(
    clippy::large_enum_variant,
    reason = "GCM is the rule; a box would cost it a cache line for each packet"
)]
enum Protection {
    Gcm {
        key: LessSafeKey,
        salt: [u8; 12],
    },
    Cm {
        key: EncryptingKey,
        auth: hmac::Key,
        salt: [u8; 14],
    },
}

impl Protection {
    fn new(keys: &StreamKeys) -> Result<Self, Unspecified> {
        let gcm = |algorithm, key: &[u8]| -> Result<Self, Unspecified> {
            let [salt @ .., _, _] = keys.salt;
            Ok(Self::Gcm {
                key: LessSafeKey::new(UnboundKey::new(algorithm, key)?),
                salt,
            })
        };
        match keys.profile {
            SrtpProfile::AEAD_AES_256_GCM => gcm(&AES_256_GCM, &keys.key),
            SrtpProfile::AEAD_AES_128_GCM => gcm(&AES_128_GCM, keys.key()),
            SrtpProfile::AES128_CM_SHA1_80 => Ok(Self::Cm {
                key: EncryptingKey::ctr(UnboundCipherKey::new(&AES_128, keys.key())?)?,
                auth: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &keys.auth),
                salt: keys.salt,
            }),
            _ => Err(Unspecified),
        }
    }
}

/// RFC 7714, 8.1 and 9.1: an SRTCP index stands where the low bits of an SRTP index do.
fn gcm_nonce(salt: &[u8; 12], ssrc: [u8; 4], index: u64) -> Nonce {
    let mut nonce = *salt;
    xor(&mut nonce[2..6], &ssrc);
    xor(&mut nonce[6..12], &index.to_be_bytes()[2..]);
    Nonce::assume_unique_for_key(nonce)
}

/// RFC 3711, 4.1.1: AES in counter mode, from the 112 bits of salt, SSRC and index on.
fn cm_encrypt(
    key: &EncryptingKey,
    salt: &[u8; 14],
    ssrc: [u8; 4],
    index: u64,
    payload: &mut [u8],
) -> Result<(), Unspecified> {
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(salt);
    xor(&mut iv[4..8], &ssrc);
    xor(&mut iv[8..14], &index.to_be_bytes()[2..]);
    key.less_safe_encrypt(payload, EncryptionContext::Iv128(iv.into()))?;
    Ok(())
}

/// Bytes that nobody can guess; `None` when the system has none.
pub fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(bytes)
}

/// HMAC-SHA1 of all these parts together (RFC 8489, 14.5).
pub fn sha1_hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let mut context = hmac::Context::with_key(&key);
    parts.iter().for_each(|part| context.update(part));
    let mut tag = [0; 20];
    tag.copy_from_slice(context.sign().as_ref());
    tag
}

fn hmac_tag(auth: &hmac::Key, packet: &[u8], roll_over: &[u8]) -> [u8; HMAC_TAG_LEN] {
    let mut context = hmac::Context::with_key(auth);
    context.update(packet);
    context.update(roll_over);
    let mut tag = [0; HMAC_TAG_LEN];
    tag.copy_from_slice(&context.sign().as_ref()[..HMAC_TAG_LEN]);
    tag
}

fn xor(target: &mut [u8], with: &[u8]) {
    for (byte, with) in target.iter_mut().zip(with) {
        *byte ^= with;
    }
}

#[cfg(test)]
mod tests;
