//! A received media packet in canonical form, and its form on a relay flow.

use std::sync::Arc;

use protocol::media::Codec;

/// Length of the fixed RTP header (RFC 3550, 5.1).
pub const RTP_HEADER_LEN: usize = 12;

/// The profile word of one-byte header extensions (RFC 8285, 4.2).
pub const ONE_BYTE_PROFILE: [u8; 2] = [0xBE, 0xDE];

/// Payload types on relay flows; they only need to tell our codecs apart.
const RELAY_OPUS: u8 = 111;
const RELAY_VP8: u8 = 96;
/// The audio level's extension id on relay flows.
const RELAY_LEVEL: u8 = 1;

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
    /// Whether this is the first packet of a VP8 keyframe.
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
    /// The temporal layer; 0 where the stream has none.
    pub tid: u8,
    pub layer_sync: bool,
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
            tid: 0,
            layer_sync: false,
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
            let byte = *payload.get(at)?;
            if flags & 0x20 != 0 {
                vp8.tid = byte >> 6;
                vp8.layer_sync = byte & 0x20 != 0;
            }
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
}

/// Why bytes are not a packet of a relay flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("an RTP packet is longer than {0} bytes")]
    Short(usize),
    #[error("RTP version 2 was expected, {0} came")]
    Version(u8),
    #[error("payload type {0} is none of a relay flow")]
    PayloadType(u8),
}

impl Packet {
    /// A packet from its parts; what the payload's descriptor says is read here.
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
            Codec::Opus => None,
        };
        // The payload header's lowest bit is the inverse keyframe flag (RFC 7741, 4.3).
        let keyframe = vp8.is_some_and(|vp8| {
            vp8.starts_frame
                && payload
                    .get(usize::from(vp8.len))
                    .is_some_and(|header| header & 1 == 0)
        });
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

    /// Appends the packet as it travels between nodes: a plain RTP packet without SSRC, for the flow names the stream.
    pub fn write_relay(&self, out: &mut Vec<u8>) {
        let payload_type = match self.codec {
            Codec::Opus => RELAY_OPUS,
            Codec::Vp8 => RELAY_VP8,
        };
        out.push(0x80 | u8::from(self.level.is_some()) << 4);
        out.push(u8::from(self.marker) << 7 | payload_type);
        out.extend_from_slice(&(self.sequence as u16).to_be_bytes());
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        if let Some(level) = self.level {
            out.extend_from_slice(&ONE_BYTE_PROFILE);
            out.extend_from_slice(&[0, 1, RELAY_LEVEL << 4, level.to_byte(), 0, 0]);
        }
        out.extend_from_slice(&self.payload);
    }
}

/// Reads a packet of a relay flow, and extends its sequence number against the highest one seen in that flow.
pub fn read_relay(data: &[u8], highest: Option<u64>) -> Result<Packet, Malformed> {
    let header = data
        .first_chunk::<RTP_HEADER_LEN>()
        .ok_or(Malformed::Short(RTP_HEADER_LEN - 1))?;
    if header[0] >> 6 != 2 {
        return Err(Malformed::Version(header[0] >> 6));
    }
    let codec = match header[1] & 0x7F {
        RELAY_OPUS => Codec::Opus,
        RELAY_VP8 => Codec::Vp8,
        other => return Err(Malformed::PayloadType(other)),
    };
    let mut at = RTP_HEADER_LEN + 4 * usize::from(header[0] & 0x0F);
    let mut level = None;
    if header[0] & 0x10 != 0 {
        let &[p0, p1, l0, l1] = data
            .get(at..)
            .and_then(<[u8]>::first_chunk)
            .ok_or(Malformed::Short(at + 3))?;
        at += 4;
        let len = 4 * usize::from(u16::from_be_bytes([l0, l1]));
        let elements = data
            .get(at..at + len)
            .ok_or(Malformed::Short(at + len - 1))?;
        if [p0, p1] == ONE_BYTE_PROFILE {
            level = one_byte_element(elements, RELAY_LEVEL)
                .and_then(<[u8]>::first)
                .map(|&byte| AudioLevel::from_byte(byte));
        }
        at += len;
    }
    let padding = if header[0] & 0x20 != 0 {
        usize::from(data.last().copied().unwrap_or_default())
    } else {
        0
    };
    let payload = data
        .len()
        .checked_sub(padding)
        .and_then(|end| data.get(at..end))
        .ok_or(Malformed::Short(at + padding - 1))?;
    Ok(Packet::new(
        extend(highest, u16::from_be_bytes([header[2], header[3]])),
        u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
        header[1] & 0x80 != 0,
        codec,
        level,
        payload.into(),
    ))
}

/// The data of the element with this id in a block of one-byte header extensions (RFC 8285, 4.2).
fn one_byte_element(mut block: &[u8], id: u8) -> Option<&[u8]> {
    while let Some((&head, rest)) = block.split_first() {
        match head >> 4 {
            // Padding, a single byte.
            0 => block = rest,
            // Reserved: stop here.
            15 => return None,
            found => {
                let len = usize::from(head & 0x0F) + 1;
                let data = rest.get(..len)?;
                if found == id {
                    return Some(data);
                }
                block = &rest[len..];
            }
        }
    }
    None
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
    use proptest::prelude::*;

    use super::*;

    fn vp8(payload: &[u8]) -> Packet {
        Packet::new(70_000, 9, true, Codec::Vp8, None, payload.into())
    }

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
        assert_eq!(
            (read.tl0_pic_idx, read.tid, read.layer_sync),
            (Some(7), 1, true)
        );
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
    fn a_relay_packet_survives_foreign_extensions_and_padding() {
        let level = AudioLevel {
            dbov: 30,
            voice: true,
        };
        let mut data = vec![0xB1, RELAY_OPUS, 0, 5, 0, 0, 0, 9, 0, 0, 0, 0, 1, 2, 3, 4];
        data.extend_from_slice(&[0xBE, 0xDE, 0, 2, 0x21, 8, 8, 0, 0x10, level.to_byte(), 0, 0]);
        data.extend_from_slice(&[42, 0, 0, 3]);
        let packet = read_relay(&data, Some(65_000)).unwrap();
        assert_eq!(packet.sequence, 65_541);
        assert_eq!(packet.level, Some(level));
        assert_eq!(&packet.payload[..], [42]);
    }

    proptest! {
        #[test]
        fn a_packet_reads_back_from_its_relay_form(
            sequence in 40_000_u64..1 << 40,
            timestamp: u32,
            marker: bool,
            video: bool,
            level in proptest::option::of(any::<u8>()),
            payload in proptest::collection::vec(any::<u8>(), 0..64),
            lag in -1_000_i64..1_000,
        ) {
            let codec = if video { Codec::Vp8 } else { Codec::Opus };
            let level = level.map(AudioLevel::from_byte);
            let packet = Packet::new(sequence, timestamp, marker, codec, level, payload.into());
            let mut wire = Vec::new();
            packet.write_relay(&mut wire);
            prop_assert_eq!(read_relay(&wire, sequence.checked_add_signed(lag)), Ok(packet));
        }

        #[test]
        fn garbage_is_refused_or_read_but_never_panics(
            data in proptest::collection::vec(any::<u8>(), 0..64),
            highest: Option<u64>,
        ) {
            let _ = read_relay(&data, highest);
            if let Some(vp8) = Vp8::parse(&data) {
                let mut copy = data.clone();
                vp8.patch(&mut copy, Some(1), Some(2));
                prop_assert_eq!(Vp8::parse(&copy).map(|new| new.len), Some(vp8.len));
            }
        }
    }
}
