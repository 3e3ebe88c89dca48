//! The media that simulated clients send: each packet says whose it is and which one, so that a receiver can be checked
//! packet by packet.

use std::sync::Arc;

use crate::h264;

/// What stands in every packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stamp {
    /// The sending client's number.
    pub client: u8,
    /// The screen, rather than the camera.
    pub screen: bool,
    /// The simulcast layer.
    pub layer: u8,
    /// Counts a client's packets of one source and layer.
    pub number: u32,
    pub keyframe: bool,
}

const STAMP: usize = 8;
/// Descriptor and frame header of a video payload.
const VIDEO_HEADER: usize = 14;

impl Stamp {
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.extend([self.client, u8::from(self.screen), self.layer]);
        out.extend(self.number.to_be_bytes());
        out.push(u8::from(self.keyframe));
    }

    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        let &[client, screen, layer, n0, n1, n2, n3, keyframe] = data.first_chunk::<STAMP>()?;
        Some(Self {
            client,
            screen: screen == 1,
            layer,
            number: u32::from_be_bytes([n0, n1, n2, n3]),
            keyframe: keyframe == 1,
        })
    }

    /// An Opus-sized audio payload.
    pub fn audio(self) -> Arc<[u8]> {
        let mut payload = vec![0x78];
        self.write(&mut payload);
        payload.resize(100, 0);
        payload.into()
    }

    /// The stamp of an audio payload; none if a byte of it is another than was sent.
    pub fn of_audio(payload: &[u8]) -> Option<Self> {
        let stamp = Self::read(payload.get(1..)?)?;
        (*stamp.audio() == *payload).then_some(stamp)
    }

    /// A VP8 payload (RFC 7741) of so many bytes: descriptor with a 15-bit picture id, then the start of the frame's header
    /// (RFC 6386, 9.1).
    pub fn video(self, picture: u16, first: bool, size: (u16, u16), bytes: usize) -> Arc<[u8]> {
        let mut payload = vec![if first { 0x90 } else { 0x80 }, 0x80];
        payload.extend((picture | 0x8000).to_be_bytes());
        payload.extend([u8::from(!self.keyframe), 0, 0, 0x9d, 0x01, 0x2a]);
        payload.extend(size.0.to_le_bytes());
        payload.extend(size.1.to_le_bytes());
        self.write(&mut payload);
        payload.resize(bytes, 0);
        payload.into()
    }

    pub fn of_video(payload: &[u8]) -> Option<Self> {
        if is_vp8(payload) {
            Self::read(payload.get(VIDEO_HEADER..)?)
        } else {
            h264::stamp(payload)
        }
    }
}

/// Whether a video payload is one of [`Stamp::video`]. Its first bit says that more of the descriptor follows; in H.264
/// that bit is always clear (RFC 6184, 5.3).
fn is_vp8(payload: &[u8]) -> bool {
    payload
        .first()
        .is_some_and(|descriptor| descriptor & 0x80 != 0)
}

/// The picture id of a video payload, as the receiver sees it: H.264 has none.
pub fn picture_id(payload: &[u8]) -> Option<u16> {
    if !is_vp8(payload) {
        return None;
    }
    let bytes = payload.get(2..4)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]) & 0x7fff)
}

/// Whether a video payload is the first of its frame.
pub fn starts_frame(payload: &[u8]) -> bool {
    if !is_vp8(payload) {
        return h264::starts_frame(payload);
    }
    payload
        .first()
        .is_some_and(|descriptor| descriptor & 0x10 != 0)
}
