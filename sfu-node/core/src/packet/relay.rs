//! A packet's form on a relay flow between nodes.

use protocol::media::Codec;

use super::rtp::{FixedHeader, ONE_BYTE_PROFILE, RtpPacket};
use super::{AudioLevel, Packet, extend};

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

impl Packet {
    /// Appends the packet as it travels between nodes: a plain RTP packet without SSRC, for the flow names the stream.
    pub fn write_relay(&self, out: &mut Vec<u8>) {
        let header = FixedHeader {
            extension: self.level.is_some(),
            marker: self.marker,
            payload_type: payload_type(self.codec),
            sequence: self.sequence as u16,
            timestamp: self.timestamp,
            ..FixedHeader::default()
        };
        out.extend_from_slice(&header.to_bytes());
        if let Some(level) = self.level {
            out.extend_from_slice(&ONE_BYTE_PROFILE);
            out.extend_from_slice(&[0, 1, LEVEL_ID << 4, level.to_byte(), 0, 0]);
        }
        out.extend_from_slice(&self.payload);
    }
}

/// Reads a packet of a relay flow, and extends its sequence number against the highest one seen in that flow. `None` for
/// anything else.
pub fn read_relay(data: &[u8], highest: Option<u64>) -> Option<Packet> {
    let packet = RtpPacket::read(data)?;
    let header = packet.header;
    let codec = Codec::ALL
        .into_iter()
        .find(|codec| payload_type(*codec) == header.payload_type)?;
    let level = packet.element(LEVEL_ID).and_then(<[u8]>::first);
    Some(Packet::new(
        extend(highest, header.sequence),
        header.timestamp,
        header.marker,
        codec,
        level.map(|byte| AudioLevel::from_byte(*byte)),
        packet.payload()?.into(),
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::packet::Vp8;

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
            prop_assert_eq!(read_relay(&wire, sequence.checked_add_signed(lag)), Some(packet));
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
