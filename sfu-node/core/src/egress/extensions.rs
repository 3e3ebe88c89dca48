//! The header extensions of an outgoing stream (RFC 8285): what its m-line negotiated, and nothing else.

use crate::packet::AudioLevel;
use crate::packet::rtp::{FixedHeader, ONE_BYTE_PROFILE, RTP_HEADER_LEN, TWO_BYTE_PROFILE};

/// Longest mid in bytes. Agents keep to 3 (RFC 8829, 5.2.1), some name theirs by a UUID; it travels in each packet.
pub const MAX_MID: usize = 64;
/// The largest id, and the most bytes, of an element in the one-byte form (RFC 8285, 4.2).
const MAX_SHORT_ID: u8 = 14;
const MAX_SHORT_LEN: usize = 16;

/// The ids of header extensions as an m-line negotiated them (RFC 8285, 4.3: 1 to 255).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extensions {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid` (RFC 9143).
    pub mid: Option<u8>,
    /// The transport-wide sequence number (draft-holmer-rmcat-transport-wide-cc-extensions).
    pub twcc: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:ssrc-audio-level` (RFC 6464).
    pub level: Option<u8>,
}

impl Extensions {
    /// Whether a stream of this mid needs the two-byte form. All its packets then have that: a receiver need not understand
    /// both in one stream (RFC 8285, 4.1.2).
    fn need_two_bytes(self, mid: &str) -> bool {
        let mut ids = [self.mid, self.twcc, self.level].into_iter().flatten();
        ids.any(|id| id > MAX_SHORT_ID) || self.mid.is_some() && mid.len() > MAX_SHORT_LEN
    }
}

/// The extension block of a stream, laid out once; each packet takes a copy and fills in its numbers.
#[derive(Debug)]
pub struct Block {
    /// Whole, with its profile and length, and how long it is: 0 when no extension was negotiated.
    template: [u8; MAX_BLOCK],
    len: u8,
    /// Where the transport-wide number stands.
    twcc_at: Option<u8>,
    level: Option<LevelElement>,
}

/// Where the audio level's element stands, and what it looks like.
#[derive(Debug, Clone, Copy)]
struct LevelElement {
    start: u8,
    /// Where the level itself stands.
    at: u8,
    /// The first byte of the element: of one without a level it is padding (RFC 8285, 4.1.1), and what follows is zero.
    first: u8,
    second: u8,
}

/// Profile and length, a transport-wide number, an audio level and a mid, in whole words.
const MAX_BLOCK: usize = (4 + (2 + 2) + (2 + 1) + (2 + MAX_MID)).next_multiple_of(4);

impl Block {
    /// The block of a stream of this mid, which is at most [`MAX_MID`] bytes long: a longer one is told by the SDP alone.
    pub fn new(mid: &str, extensions: Extensions) -> Self {
        let wide = extensions.need_two_bytes(mid);
        let mut block = Self {
            template: [0; MAX_BLOCK],
            len: 4,
            twcc_at: None,
            level: None,
        };
        block.template[..2].copy_from_slice(match wide {
            true => &TWO_BYTE_PROFILE,
            false => &ONE_BYTE_PROFILE,
        });
        if let Some(id) = extensions.twcc {
            block.twcc_at = Some(block.append(wide, id, &[0, 0]));
        }
        if let Some(id) = extensions.level {
            block.append_level(wide, id);
        }
        if let (Some(id), 1..=MAX_MID) = (extensions.mid, mid.len()) {
            block.append(wide, id, mid.as_bytes());
        }
        let words = (block.len - 4).div_ceil(4);
        block.template[3] = words;
        block.len = if words == 0 { 0 } else { 4 + 4 * words };
        block
    }

    /// Puts an element behind what is there; returns where its data starts.
    fn append(&mut self, wide: bool, id: u8, data: &[u8]) -> u8 {
        let len = data.len() as u8;
        match wide {
            true => self.put(&[id, len]),
            false => self.put(&[id << 4 | (len - 1)]),
        }
        let at = self.len;
        self.put(data);
        at
    }

    /// Reserves the place of an audio level, padding for now.
    fn append_level(&mut self, wide: bool, id: u8) {
        let start = self.len;
        let at = self.append(wide, id, &[0]);
        let head = usize::from(start);
        self.level = Some(LevelElement {
            start,
            at,
            first: self.template[head],
            second: self.template[head + 1],
        });
        self.template[head..usize::from(self.len)].fill(0);
    }

    fn put(&mut self, bytes: &[u8]) {
        let start = usize::from(self.len);
        self.template[start..start + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len() as u8;
    }

    /// Whether there is a place for a transport-wide number.
    pub fn is_numbered(&self) -> bool {
        self.twcc_at.is_some()
    }

    /// The block to be copied.
    fn bytes(&self) -> &[u8] {
        &self.template[..usize::from(self.len)]
    }

    /// Appends a header with this block; returns the length of both.
    pub fn write(
        &self,
        out: &mut Vec<u8>,
        header: FixedHeader,
        twcc: u16,
        level: Option<AudioLevel>,
    ) -> usize {
        let header = FixedHeader {
            extension: self.len > 0,
            ..header
        };
        out.extend_from_slice(&header.to_bytes());
        let start = out.len();
        out.extend_from_slice(self.bytes());
        let block = &mut out[start..];
        if let Some(at) = self.twcc_at.map(usize::from) {
            block[at..at + 2].copy_from_slice(&twcc.to_be_bytes());
        }
        if let (Some(element), Some(level)) = (self.level, level) {
            let start = usize::from(element.start);
            block[start..start + 2].copy_from_slice(&[element.first, element.second]);
            block[usize::from(element.at)] = level.to_byte();
        }
        RTP_HEADER_LEN + usize::from(self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVEL: AudioLevel = AudioLevel {
        dbov: 20,
        voice: true,
    };

    /// The block that a packet of this mid gets, behind its fixed header.
    fn block(mid: &str, extensions: Extensions, level: Option<AudioLevel>) -> Vec<u8> {
        let mut out = Vec::new();
        let header = FixedHeader::default();
        let len = Block::new(mid, extensions).write(&mut out, header, 0xABCD, level);
        assert_eq!(len, out.len());
        out.split_off(RTP_HEADER_LEN)
    }

    #[test]
    fn ids_of_one_byte_are_written_in_the_short_form() {
        let extensions = Extensions {
            mid: Some(14),
            twcc: Some(3),
            level: Some(1),
        };
        let expected = [
            0xBE, 0xDE, 0, 2, 0x31, 0xAB, 0xCD, 0x10, 0x94, 0xE1, b'a', b'1',
        ];
        assert_eq!(block("a1", extensions, Some(LEVEL)), expected);
        let mut silent = expected;
        silent[7..9].fill(0);
        assert_eq!(block("a1", extensions, None), silent);
    }

    #[test]
    fn an_id_above_14_puts_the_whole_stream_into_the_two_byte_form() {
        let extensions = Extensions {
            mid: Some(4),
            twcc: Some(15),
            level: Some(255),
        };
        let expected = [
            0x10, 0, 0, 3, 15, 2, 0xAB, 0xCD, 255, 1, 0x94, 4, 2, b'a', b'1', 0,
        ];
        assert_eq!(block("a1", extensions, Some(LEVEL)), expected);
        let mut silent = expected;
        silent[8..11].fill(0);
        assert_eq!(block("a1", extensions, None), silent);
    }

    #[test]
    fn so_does_a_mid_of_more_than_16_bytes() {
        let extensions = Extensions {
            mid: Some(4),
            ..Extensions::default()
        };
        for len in [1, 16, 17, MAX_MID] {
            let mid = "m".repeat(len);
            let block = block(&mid, extensions, None);
            let wide = len > 16;
            assert_eq!(block[..2] == TWO_BYTE_PROFILE, wide, "{len}");
            let at = if wide { 6 } else { 5 };
            assert_eq!(block[at..at + len], *mid.as_bytes());
            assert_eq!(block.len() % 4, 0);
        }
        assert!(block(&"m".repeat(MAX_MID + 1), extensions, None).is_empty());
    }
}
