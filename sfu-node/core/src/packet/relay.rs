//! A packet's form on a relay flow between nodes.

use protocol::media::Codec;

use super::{AudioLevel, ONE_BYTE_PROFILE, Packet, RTP_HEADER_LEN, extend};

/// The audio level's extension id on relay flows.
const LEVEL_ID: u8 = 1;

/// Payload types on relay flows; they only need to tell our codecs apart.
fn payload_type(codec: Codec) -> u8 {
    match codec {
        Codec::Opus => 111,
        Codec::Vp8 => 96,
        Codec::H264 => 97,
        Codec::Vp9 => 98,
        Codec::Av1 => 99,
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
    /// Appends the packet as it travels between nodes: a plain RTP packet without SSRC, for the flow names the stream.
    pub fn write_relay(&self, out: &mut Vec<u8>) {
        let payload_type = payload_type(self.codec);
        out.push(0x80 | u8::from(self.level.is_some()) << 4);
        out.push(u8::from(self.marker) << 7 | payload_type);
        out.extend_from_slice(&(self.sequence as u16).to_be_bytes());
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        if let Some(level) = self.level {
            out.extend_from_slice(&ONE_BYTE_PROFILE);
            out.extend_from_slice(&[0, 1, LEVEL_ID << 4, level.to_byte(), 0, 0]);
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
    let number = header[1] & 0x7F;
    let codec = Codec::ALL
        .into_iter()
        .find(|codec| payload_type(*codec) == number)
        .ok_or(Malformed::PayloadType(number))?;
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
            level = one_byte_element(elements, LEVEL_ID)
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
pub fn one_byte_element(mut block: &[u8], id: u8) -> Option<&[u8]> {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::packet::Vp8;

    #[test]
    fn a_relay_packet_survives_foreign_extensions_and_padding() {
        let level = AudioLevel {
            dbov: 30,
            voice: true,
        };
        let mut data = vec![
            0xB1,
            payload_type(Codec::Opus),
            0,
            5,
            0,
            0,
            0,
            9,
            0,
            0,
            0,
            0,
            1,
            2,
            3,
            4,
        ];
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
            codec in proptest::sample::select(&Codec::ALL[..]),
            level in proptest::option::of(any::<u8>()),
            payload in proptest::collection::vec(any::<u8>(), 0..64),
            lag in -1_000_i64..1_000,
        ) {
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
            for codec in Codec::ALL {
                let packet = Packet::new(9, 9, false, codec, None, data[..].into());
                let _ = packet.size();
            }
            if let Some(vp8) = Vp8::parse(&data) {
                let mut copy = data.clone();
                vp8.patch(&mut copy, Some(1), Some(2));
                prop_assert_eq!(Vp8::parse(&copy).map(|new| new.len), Some(vp8.len));
            }
        }
    }
}
