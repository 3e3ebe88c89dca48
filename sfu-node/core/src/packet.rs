//! A received media packet in canonical form: the same whatever way it came in.

mod av1;
mod h264;
mod relay;
pub mod rtcp;
pub mod rtp;
mod vp8;
mod vp9;

use std::sync::Arc;

use protocol::media::Codec;

pub use relay::read_relay;
pub use vp8::Vp8;

/// A media packet as its publisher meant it, whatever way it came in. Cloning is cheap: the payload is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Extended sequence number: it counts on where the wire's 16 bits wrap.
    pub sequence: u64,
    /// In ticks of the codec's clock.
    pub timestamp: u32,
    /// The end of a frame (video) or the start of a talk spurt (audio).
    pub marker: bool,
    pub codec: Codec,
    pub level: Option<AudioLevel>,
    /// Whether a decoder can start with this packet: the first one of a keyframe.
    pub keyframe: bool,
    /// The payload descriptor of a VP8 packet that has a well-formed one.
    pub vp8: Option<Vp8>,
    pub payload: Arc<[u8]>,
}

/// How loud a packet of audio is (RFC 6464).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioLevel {
    /// In -dBov: 0 is the loudest, 127 silence.
    pub dbov: u8,
    /// Whether the sender takes it for voice.
    pub voice: bool,
}

impl AudioLevel {
    /// The extension's one octet.
    pub fn to_byte(self) -> u8 {
        u8::from(self.voice) << 7 | self.dbov.min(127)
    }

    /// From the extension's one octet.
    pub fn from_byte(byte: u8) -> Self {
        Self {
            dbov: byte & 0x7F,
            voice: byte & 0x80 != 0,
        }
    }
}

impl Packet {
    /// A packet from its parts; what the payload says about itself is read here.
    pub fn new(
        sequence: u64,
        timestamp: u32,
        marker: bool,
        codec: Codec,
        level: Option<AudioLevel>,
        payload: Arc<[u8]>,
    ) -> Self {
        let vp8 = match codec {
            Codec::Vp8 => Vp8::parse(&payload),
            Codec::Opus | Codec::H264 | Codec::Vp9 | Codec::Av1 => None,
        };
        let keyframe = match codec {
            Codec::Opus => false,
            Codec::Vp8 => vp8.is_some_and(|vp8| vp8.starts_keyframe(&payload)),
            Codec::H264 => h264::starts_keyframe(&payload),
            Codec::Vp9 => vp9::starts_keyframe(&payload),
            Codec::Av1 => av1::starts_keyframe(&payload),
        };
        Self {
            sequence,
            timestamp,
            marker,
            codec,
            level,
            keyframe,
            vp8,
            payload,
        }
    }

    /// Width and height of the picture in pixels, where the start of a keyframe tells them cheaply.
    pub fn size(&self) -> Option<(u16, u16)> {
        match self.codec {
            Codec::Vp8 => self.vp8.as_ref()?.size(&self.payload),
            Codec::H264 => h264::size(&self.payload),
            Codec::Opus | Codec::Vp9 | Codec::Av1 => None,
        }
    }
}

/// The extended sequence number that is nearest to the highest one seen.
///
/// The first of a stream is placed one cycle up, so that an earlier one that comes late has a number too.
pub fn extend(highest: Option<u64>, sequence: u16) -> u64 {
    const CYCLE: u64 = 1 << 16;
    let Some(highest) = highest else {
        return CYCLE + u64::from(sequence);
    };
    let step = sequence.wrapping_sub(highest as u16) as i16;
    highest
        .checked_add_signed(i64::from(step))
        .unwrap_or(u64::from(sequence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_extend_over_each_wrap_around() {
        let first = extend(None, 65_535);
        assert_eq!(first, 131_071);
        assert_eq!(extend(Some(first), 0), 131_072);
        assert_eq!(extend(Some(131_072), 65_535), 131_071);
        assert_eq!(extend(Some(extend(None, 0)), 65_535), 65_535);
        // Half a cycle ahead counts as behind.
        assert_eq!(
            extend(Some(100_000), (100_000_u64 + 32_767) as u16),
            132_767
        );
        assert_eq!(extend(Some(100_000), (100_000_u64 + 32_768) as u16), 67_232);
        // Nothing lies before 0.
        assert_eq!(extend(Some(3), 65_535), 65_535);
        assert_eq!(extend(Some(u64::MAX), 0) as u16, 0);
    }
}
