//! The media that simulated clients send: each packet says whose it is and which one, so that a receiver can be checked
//! packet by packet.

use std::sync::Arc;

/// What stands in every packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stamp {
    /// The sending client's number.
    pub client: u8,
    /// Counts a client's packets of one source.
    pub number: u32,
    pub keyframe: bool,
}

const STAMP: usize = 6;

impl Stamp {
    fn write(self, out: &mut Vec<u8>) {
        out.push(self.client);
        out.extend(self.number.to_be_bytes());
        out.push(u8::from(self.keyframe));
    }

    fn read(data: &[u8]) -> Option<Self> {
        let data: &[u8; STAMP] = data.first_chunk()?;
        Some(Self {
            client: data[0],
            number: u32::from_be_bytes([data[1], data[2], data[3], data[4]]),
            keyframe: data[5] == 1,
        })
    }

    /// An Opus-sized audio payload.
    pub fn audio(self) -> Arc<[u8]> {
        let mut payload = vec![0x78];
        self.write(&mut payload);
        payload.resize(100, 0);
        payload.into()
    }

    pub fn of_audio(payload: &[u8]) -> Option<Self> {
        Self::read(payload.get(1..)?)
    }

    /// A VP8 payload (RFC 7741): descriptor with a 15-bit picture id, then the first byte of the frame's header.
    pub fn video(self, picture: u16, first: bool) -> Arc<[u8]> {
        let mut payload = vec![if first { 0x90 } else { 0x80 }, 0x80];
        payload.extend((picture | 0x8000).to_be_bytes());
        payload.push(u8::from(!self.keyframe));
        self.write(&mut payload);
        payload.resize(1_000, 0);
        payload.into()
    }

    pub fn of_video(payload: &[u8]) -> Option<Self> {
        Self::read(payload.get(5..)?)
    }
}

/// The picture id of a payload made by [`Stamp::video`], as the receiver sees it.
pub fn picture_id(payload: &[u8]) -> Option<u16> {
    let bytes = payload.get(2..4)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]) & 0x7fff)
}

/// Whether a payload made by [`Stamp::video`] is the first of its frame.
pub fn starts_frame(payload: &[u8]) -> bool {
    payload
        .first()
        .is_some_and(|descriptor| descriptor & 0x10 != 0)
}
