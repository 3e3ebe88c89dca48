//! What stands in every packet that a bot sends, behind the headers of Opus and VP8.

use std::sync::Arc;
use std::time::Instant;

use protocol::media::MediaKind;

const AUDIO_PAYLOAD_BYTES: usize = 100;
/// Most bytes of a video packet's payload, descriptor included.
pub const MAX_VIDEO_PAYLOAD_BYTES: usize = 1_100;
/// Where a video's stamp stands: after a payload descriptor of six bytes and a keyframe's header of ten (RFC 7741; RFC 6386,
/// section 9.1).
const VIDEO_STAMP: usize = 16;
/// Where an audio's stamp stands: after the byte that names the mode (RFC 6716, section 3.1).
const AUDIO_STAMP: usize = 1;
const STAMP_BYTES: usize = 19;
/// Fewest bytes of a video packet's payload: all of the above fit.
pub const MIN_VIDEO_PAYLOAD_BYTES: usize = VIDEO_STAMP + STAMP_BYTES;

/// By it a receiver knows whose a packet is, what it is a part of, and how long it traveled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The sending bot's number.
    pub sender: u32,
    /// The simulcast layer, 0 the lowest.
    pub layer: u8,
    /// Counts the packets of this sender, kind and layer.
    pub number: u32,
    /// When it was sent, in microseconds of the process's clock; wraps around.
    pub sent: u32,
    /// Counts the frames of this layer.
    pub frame: u32,
    /// Which part of the frame it is, and how many there are.
    pub part: u8,
    pub parts: u8,
    /// Whether the frame is one that a decoder can start with.
    pub keyframe: bool,
}

/// What a video packet's headers say besides its stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// 15 bits.
    pub id: u16,
    pub tl0: u8,
    pub width: u16,
    pub height: u16,
}

impl Stamp {
    fn write(self, out: &mut [u8]) {
        out[..4].copy_from_slice(&self.sender.to_be_bytes());
        out[4..8].copy_from_slice(&self.number.to_be_bytes());
        out[8..12].copy_from_slice(&self.sent.to_be_bytes());
        out[12..16].copy_from_slice(&self.frame.to_be_bytes());
        out[16] = self.part;
        out[17] = self.parts;
        out[18] = u8::from(self.keyframe) | self.layer << 1;
    }

    /// The stamp of a payload; `None` if it is none of ours.
    pub fn read(kind: MediaKind, payload: &[u8]) -> Option<Self> {
        let start = match kind {
            MediaKind::Audio => AUDIO_STAMP,
            MediaKind::Video => VIDEO_STAMP,
        };
        let bytes: &[u8; STAMP_BYTES] = payload.get(start..)?.first_chunk()?;
        let number = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        Some(Self {
            sender: number(0),
            number: number(4),
            sent: number(8),
            frame: number(12),
            part: bytes[16],
            parts: bytes[17],
            keyframe: bytes[18] & 1 == 1,
            layer: bytes[18] >> 1,
        })
    }

    /// An Opus-sized payload.
    pub fn audio(self) -> Arc<[u8]> {
        let mut payload = [0; AUDIO_PAYLOAD_BYTES];
        payload[0] = 0x78;
        self.write(&mut payload[AUDIO_STAMP..]);
        payload.into()
    }

    /// A VP8 payload of so many bytes, as browsers make them: picture id of 15 bits, TL0PICIDX, a single temporal layer.
    pub fn video(self, picture: Picture, bytes: usize) -> Arc<[u8]> {
        let mut payload = vec![0; bytes.max(MIN_VIDEO_PAYLOAD_BYTES)];
        let first = self.part == 0;
        // X, and S where a partition starts; then I, L and T.
        payload[0] = if first { 0x90 } else { 0x80 };
        payload[1] = 0xE0;
        payload[2..4].copy_from_slice(&(picture.id | 0x8000).to_be_bytes());
        payload[4] = picture.tl0;
        if first {
            // The frame tag: P, version 0, shown.
            payload[6] = 0x10 | u8::from(!self.keyframe);
        }
        if first && self.keyframe {
            payload[9..12].copy_from_slice(&[0x9D, 0x01, 0x2A]);
            payload[12..14].copy_from_slice(&picture.width.to_le_bytes());
            payload[14..16].copy_from_slice(&picture.height.to_le_bytes());
        }
        self.write(&mut payload[VIDEO_STAMP..]);
        payload.into()
    }
}

/// Microseconds since `epoch`; wraps around after 71 minutes.
pub fn clock(epoch: Instant, now: Instant) -> u32 {
    now.saturating_duration_since(epoch).as_micros() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(part: u8, keyframe: bool) -> Stamp {
        Stamp {
            sender: 7,
            layer: 2,
            number: 70_000,
            sent: u32::MAX,
            frame: 900,
            part,
            parts: 3,
            keyframe,
        }
    }

    #[test]
    fn what_is_stamped_reads_back() {
        let picture = Picture {
            id: 0x7fff,
            tl0: 255,
            width: 1_280,
            height: 720,
        };
        for stamp in [stamp(0, true), stamp(1, true), stamp(0, false)] {
            let payload = stamp.video(picture, 1_000);
            assert_eq!(payload.len(), 1_000);
            assert_eq!(Stamp::read(MediaKind::Video, &payload), Some(stamp));
            assert_eq!(
                Stamp::read(MediaKind::Audio, &stamp.audio()),
                Some(stamp),
                "as audio"
            );
        }
        assert_eq!(Stamp::read(MediaKind::Video, &[0; 17]), None);
    }

    #[test]
    fn a_keyframe_says_its_size() {
        let picture = Picture {
            id: 1,
            tl0: 1,
            width: 640,
            height: 360,
        };
        let payload = stamp(0, true).video(picture, 0);
        assert_eq!(payload[6] & 1, 0, "P is clear in a keyframe");
        assert_eq!(payload[9..16], [0x9D, 1, 0x2A, 0x80, 2, 0x68, 1]);
        let payload = stamp(0, false).video(picture, 0);
        assert_eq!(payload[6] & 1, 1);
    }
}
