//! Feedback of a subscriber, opened by ourselves: it is about our egress, and there is a lot of it, so that the way through
//! str0m would cost more than what it says (SRTCP, RFC 3711, 3.4; RFC 7714, 9).
//!
//! Only what str0m has no use for is opened here. Farewells and the reports of who sends media go its way, and all of a session
//! whose keys are for AES-CM, which browsers agree on no more.

use std::fmt;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, UnboundKey};
use str0m::crypto::dtls::SrtpProfile;

use super::keys::StreamKeys;
use super::{ENCRYPTED, RTCP_HEADER_LEN, gcm_nonce};
use crate::packet::rtcp::{
    Compound, EXTENDED_REPORT, PAYLOAD_FEEDBACK, RECEIVER_REPORT, SENDER_REPORT,
    SOURCE_DESCRIPTION, TRANSPORT_FEEDBACK,
};

/// The word with the SRTCP index, at a packet's end.
const WORD_LEN: usize = 4;
/// Length of a GCM tag.
const TAG_LEN: usize = 16;
/// Most SSRCs that a peer's feedback may come from: one of each stream that it sends.
const MAX_SOURCES: usize = 32;

/// Why a packet was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("not feedback alone, or not sealed in the way that is known here")]
    NotFeedback,
    #[error("not sealed by the peer")]
    Forged,
    #[error("it has come before, or is too old to tell")]
    Replayed,
}

/// Opens what a session's peer says about what it receives.
pub struct Opener {
    key: LessSafeKey,
    salt: [u8; 12],
    /// By the SSRC of who says it: each counts its own packets.
    windows: Vec<(u32, Window)>,
}

impl fmt::Debug for Opener {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").finish_non_exhaustive()
    }
}

impl Opener {
    /// `None` for keys that are not for GCM.
    pub(super) fn new(keys: &StreamKeys) -> Option<Self> {
        let algorithm = match keys.profile {
            SrtpProfile::AEAD_AES_256_GCM => &AES_256_GCM,
            SrtpProfile::AEAD_AES_128_GCM => &AES_128_GCM,
            _ => return None,
        };
        let [salt @ .., _, _] = keys.salt;
        let key = UnboundKey::new(algorithm, keys.key()).ok()?;
        Some(Self {
            key: LessSafeKey::new(key),
            salt,
            windows: Vec::new(),
        })
    }

    /// Appends the compound packet in the clear to `out`; returns its length. `is_received` says of an SSRC whether media
    /// has come from it: who has sent nothing yet has nothing to report as a sender, and some do so each second, at length.
    ///
    /// # Errors
    /// Nothing was appended. On [`OpenError::NotFeedback`] it is not known whether the packet is good.
    pub fn open(
        &mut self,
        packet: &[u8],
        out: &mut Vec<u8>,
        is_received: impl Fn(u32) -> bool,
    ) -> Result<usize, OpenError> {
        let parts = packet
            .split_first_chunk::<RTCP_HEADER_LEN>()
            .and_then(|(header, rest)| Some((header, rest.split_last_chunk::<WORD_LEN>()?)));
        let Some((header, (sealed, word))) = parts else {
            return Err(OpenError::NotFeedback);
        };
        let [first, kind, _, _, ssrc @ ..] = *header;
        let source = u32::from_be_bytes(ssrc);
        let index = u32::from_be_bytes(*word);
        if first >> 6 != 2 || index & ENCRYPTED == 0 || sealed.len() < TAG_LEN {
            return Err(OpenError::NotFeedback);
        }
        let index = index & !ENCRYPTED;
        let known = self.windows.iter().position(|(of, _)| *of == source);
        // Whatever it is: what was opened here must not be opened there once media has come.
        if known.is_some_and(|known| !self.windows[known].1.is_new(index)) {
            return Err(OpenError::Replayed);
        }
        let is_full = known.is_none() && self.windows.len() == MAX_SOURCES;
        if is_full || !is_feedback(kind, || is_received(source)) {
            return Err(OpenError::NotFeedback);
        }
        let start = out.len();
        out.extend_from_slice(header);
        out.extend_from_slice(sealed);
        let mut aad = [0; RTCP_HEADER_LEN + WORD_LEN];
        aad[..RTCP_HEADER_LEN].copy_from_slice(header);
        aad[RTCP_HEADER_LEN..].copy_from_slice(word);
        let nonce = gcm_nonce(&self.salt, ssrc, u64::from(index));
        let opened = &mut out[start + RTCP_HEADER_LEN..];
        if self
            .key
            .open_in_place(nonce, Aad::from(aad), opened)
            .is_err()
        {
            out.truncate(start);
            return Err(OpenError::Forged);
        }
        out.truncate(out.len() - TAG_LEN);
        let alone = Compound(&out[start..]).all(|packet| {
            let source = packet.body.first_chunk().copied().map(u32::from_be_bytes);
            is_feedback(packet.kind, || source.is_none_or(&is_received))
        });
        if !alone {
            out.truncate(start);
            return Err(OpenError::NotFeedback);
        }
        match known {
            Some(known) => self.windows[known].1.note(index),
            None => self.windows.push((source, Window::starting_with(index))),
        }
        Ok(out.len() - start)
    }
}

/// Whether str0m has no use for an RTCP packet of this type. `is_received`: media comes from the SSRC that it starts with.
fn is_feedback(kind: u8, is_received: impl Fn() -> bool) -> bool {
    match kind {
        RECEIVER_REPORT | SOURCE_DESCRIPTION | TRANSPORT_FEEDBACK | PAYLOAD_FEEDBACK => true,
        SENDER_REPORT | EXTENDED_REPORT => !is_received(),
        _ => false,
    }
}

/// The indices of late (RFC 3711, 3.3.2): each passes once.
#[derive(Debug)]
struct Window {
    highest: u32,
    /// Bit n: `highest - n` has come.
    seen: u128,
}

impl Window {
    fn starting_with(index: u32) -> Self {
        Self {
            highest: index,
            seen: 1,
        }
    }

    fn is_new(&self, index: u32) -> bool {
        match self.highest.checked_sub(index) {
            None => true,
            Some(back) => back < u128::BITS && self.seen & 1 << back == 0,
        }
    }

    fn note(&mut self, index: u32) {
        if let Some(ahead) = index.checked_sub(self.highest) {
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = index;
        } else {
            let back = self.highest - index;
            self.seen |= 1_u128.checked_shl(back).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hex, srtcp_keys};
    use super::*;
    use crate::egress::seal::{Protection, Sealer};

    /// A receiver report, a PLI, and the same with a farewell behind it.
    const REPORT: &str = "81c90007000000010000000200000000000000000000000000000000";
    const PLI: &str = "81ce00020000000100000002";
    const WITH_BYE: &str = "81ce0002000000010000000281cb000100000001";
    const SENDER_REPORT: &str = "80c800060000000100000000000000000000000000000000000000 00";

    fn ends(profile: SrtpProfile) -> (Sealer, Opener) {
        let protection = || Protection::new(&srtcp_keys(profile)).unwrap();
        let sealer = Sealer {
            rtp: protection(),
            rtcp: protection(),
            rtcp_index: 7,
        };
        (sealer, Opener::new(&srtcp_keys(profile)).unwrap())
    }

    fn all(_: u32) -> bool {
        true
    }

    fn sealed(sealer: &mut Sealer, clear: &str) -> Vec<u8> {
        let mut packet = hex(&clear.replace(' ', ""));
        sealer.seal_rtcp(&mut packet, 0).unwrap();
        packet
    }

    #[test]
    fn feedback_is_opened_once() {
        for profile in [SrtpProfile::AEAD_AES_128_GCM, SrtpProfile::AEAD_AES_256_GCM] {
            let (mut sealer, mut opener) = ends(profile);
            let packets: Vec<_> = (0..200).map(|_| sealed(&mut sealer, PLI)).collect();
            let mut out = b"before".to_vec();
            for late in [3, 0, 1, 150] {
                assert_eq!(opener.open(&packets[late], &mut out, all), Ok(12));
                assert_eq!(out[out.len() - 12..], hex(PLI));
                assert_eq!(
                    opener.open(&packets[late], &mut out, all),
                    Err(OpenError::Replayed)
                );
            }
            assert_eq!(
                opener.open(&packets[2], &mut out, all),
                Err(OpenError::Replayed)
            );
            assert_eq!(out.len(), 6 + 4 * 12);
            let report = sealed(&mut sealer, REPORT);
            assert_eq!(opener.open(&report, &mut out, all), Ok(28));
        }
    }

    #[test]
    fn what_str0m_has_to_see_is_left_to_it() {
        let (mut sealer, mut opener) = ends(SrtpProfile::AEAD_AES_128_GCM);
        let mut out = Vec::new();
        for clear in [WITH_BYE, SENDER_REPORT] {
            let packet = sealed(&mut sealer, clear);
            for _ in 0..2 {
                assert_eq!(
                    opener.open(&packet, &mut out, all),
                    Err(OpenError::NotFeedback)
                );
            }
        }
        assert!(out.is_empty());
        assert!(Opener::new(&srtcp_keys(SrtpProfile::AES128_CM_SHA1_80)).is_none());
    }

    #[test]
    fn a_sender_report_of_who_has_sent_nothing_is_feedback() {
        let (mut sealer, mut opener) = ends(SrtpProfile::AEAD_AES_128_GCM);
        let mut out = Vec::new();
        let packet = sealed(&mut sealer, SENDER_REPORT);
        let received = |ssrc| move |of: u32| of == ssrc;
        assert_eq!(
            opener.open(&packet, &mut out, received(1)),
            Err(OpenError::NotFeedback)
        );
        assert_eq!(opener.open(&packet, &mut out, received(2)), Ok(28));
        assert_eq!(
            opener.open(&packet, &mut out, received(1)),
            Err(OpenError::Replayed)
        );
    }

    #[test]
    fn what_the_peer_has_not_sealed_changes_nothing() {
        let (mut sealer, mut opener) = ends(SrtpProfile::AEAD_AES_128_GCM);
        let good = sealed(&mut sealer, REPORT);
        let mut out = Vec::new();
        for at in 4..good.len() {
            let mut packet = good.clone();
            packet[at] ^= 1;
            assert!(opener.open(&packet, &mut out, all).is_err(), "byte {at}");
            assert!(opener.open(&good[..at], &mut out, all).is_err());
        }
        assert!(out.is_empty() && opener.windows.is_empty());
        assert_eq!(opener.open(&good, &mut out, all), Ok(28));
    }

    #[test]
    fn so_many_speak_and_no_more() {
        let (mut sealer, mut opener) = ends(SrtpProfile::AEAD_AES_128_GCM);
        let mut out = Vec::new();
        for source in 0..40 {
            let packet = sealed(
                &mut sealer,
                &PLI.replace("00000001", &format!("{source:08x}")),
            );
            let opened = opener.open(&packet, &mut out, all);
            assert_eq!(opened.is_ok(), source < MAX_SOURCES, "{source}");
        }
    }
}
