//! VP8 in RTP: what a payload says about its picture, and other numbers written into it (RFC 7741).

/// A VP8 picture id and its width on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureId {
    pub value: u16,
    /// 15 bits rather than 7.
    pub wide: bool,
}

/// What a VP8 payload descriptor says (RFC 7741, 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vp8 {
    pub picture_id: Option<PictureId>,
    pub tl0_pic_idx: Option<u8>,
    /// The first packet of a frame: S bit and partition 0.
    pub starts_frame: bool,
    /// Length of the descriptor in bytes; the VP8 payload header follows.
    pub len: u8,
}

impl Vp8 {
    /// Where a picture id stands, when there is one.
    const PICTURE_ID_AT: usize = 2;

    /// Reads the descriptor at the start of a payload.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let (&first, _) = payload.split_first()?;
        let mut vp8 = Self {
            picture_id: None,
            tl0_pic_idx: None,
            starts_frame: first & 0x10 != 0 && first & 0x07 == 0,
            len: 1,
        };
        if first & 0x80 == 0 {
            return Some(vp8);
        }
        let flags = *payload.get(1)?;
        let mut at = Self::PICTURE_ID_AT;
        if flags & 0x80 != 0 {
            let high = *payload.get(at)?;
            let wide = high & 0x80 != 0;
            let value = if wide {
                u16::from_be_bytes([high & 0x7F, *payload.get(at + 1)?])
            } else {
                u16::from(high)
            };
            vp8.picture_id = Some(PictureId { value, wide });
            at += 1 + usize::from(wide);
        }
        if flags & 0x40 != 0 {
            vp8.tl0_pic_idx = Some(*payload.get(at)?);
            at += 1;
        }
        if flags & 0x30 != 0 {
            // The temporal layer and the index of the key frame: the octet stays as it is.
            payload.get(at)?;
            at += 1;
        }
        vp8.len = at as u8;
        Some(vp8)
    }

    /// Writes other numbers into a copy of the payload that this was parsed from. Widths stay as they are.
    pub fn patch(&self, payload: &mut [u8], picture_id: Option<u16>, tl0_pic_idx: Option<u8>) {
        let mut at = Self::PICTURE_ID_AT;
        if let Some(old) = self.picture_id {
            let width = 1 + usize::from(old.wide);
            if let (Some(new), Some(field)) = (picture_id, payload.get_mut(at..at + width)) {
                match field {
                    [high, low] => [*high, *low] = (new | 0x8000).to_be_bytes(),
                    field => field[0] = new as u8 & 0x7F,
                }
            }
            at += width;
        }
        if self.tl0_pic_idx.is_some()
            && let (Some(new), Some(field)) = (tl0_pic_idx, payload.get_mut(at))
        {
            *field = new;
        }
    }

    /// Whether this payload, from which the descriptor was parsed, starts a keyframe: the lowest bit of the payload
    /// header is the inverse keyframe flag (RFC 7741, 4.3).
    pub fn starts_keyframe(&self, payload: &[u8]) -> bool {
        let header = payload.get(usize::from(self.len));
        self.starts_frame && header.is_some_and(|header| header & 1 == 0)
    }

    /// Width and height in pixels, from the first packet of a keyframe (RFC 6386, 9.1).
    pub fn size(&self, payload: &[u8]) -> Option<(u16, u16)> {
        const START_CODE: [u8; 3] = [0x9D, 0x01, 0x2A];
        if !self.starts_keyframe(payload) {
            return None;
        }
        let frame = payload.get(usize::from(self.len)..)?;
        let &[_, _, _, s0, s1, s2, w0, w1, h0, h1] = frame.first_chunk()?;
        // The upper two bits of each are a scale.
        let side = |low, high| u16::from_le_bytes([low, high]) & 0x3FFF;
        ([s0, s1, s2] == START_CODE).then(|| (side(w0, w1), side(h0, h1)))
    }
}

#[cfg(test)]
mod tests {
    use protocol::media::Codec;

    use super::*;
    use crate::packet::Packet;

    fn vp8(payload: &[u8]) -> Packet {
        Packet::new(70_000, 9, true, Codec::Vp8, None, payload.into())
    }

    #[test]
    fn a_descriptor_is_read_and_patched_in_place() {
        // X, S | I L T | 15 bits | TL0PICIDX | TID 1, Y | keyframe
        let wide = [0x90, 0xE0, 0x81, 0x02, 7, 0x60, 0x00];
        let packet = vp8(&wide);
        let read = packet.vp8.unwrap();
        assert_eq!(
            read.picture_id,
            Some(PictureId {
                value: 0x102,
                wide: true
            })
        );
        assert_eq!(read.tl0_pic_idx, Some(7));
        assert!(packet.keyframe);
        let mut copy = wide;
        read.patch(&mut copy, Some(0x7FFF), Some(255));
        assert_eq!(copy, [0x90, 0xE0, 0xFF, 0xFF, 255, 0x60, 0x00]);

        // 7 bits, no temporal layers, an interframe.
        let narrow = [0x90, 0x80, 0x7F, 0x01];
        let packet = vp8(&narrow);
        assert_eq!(
            packet.vp8.unwrap().picture_id,
            Some(PictureId {
                value: 127,
                wide: false
            })
        );
        assert!(!packet.keyframe);
        let mut copy = narrow;
        packet.vp8.unwrap().patch(&mut copy, Some(128), Some(1));
        assert_eq!(copy, [0x90, 0x80, 0x00, 0x01]);
    }

    #[test]
    fn only_the_first_packet_of_a_keyframe_is_one() {
        assert!(vp8(&[0x10, 0x00]).keyframe);
        // No S bit; partition 1; no payload header; no payload.
        for payload in [&[0x00, 0x00][..], &[0x11, 0x00], &[0x10], &[]] {
            assert!(!vp8(payload).keyframe, "{payload:?}");
        }
    }

    #[test]
    fn a_keyframe_tells_its_size() {
        let payload = [0x10, 0x00, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x42, 0x68, 0x01];
        assert_eq!(vp8(&payload).size(), Some((640, 360)));
        assert_eq!(vp8(&payload[..10]).size(), None, "cut short");
        let interframe = [0x10, 0x01, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x42, 0x68, 0x01];
        assert_eq!(vp8(&interframe).size(), None);
    }
}
