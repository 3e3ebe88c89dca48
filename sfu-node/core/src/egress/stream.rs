//! A receive slot's outgoing stream: RTP and RTX packets built straight into the send buffer.

use protocol::media::{Codec, MediaKind};

use super::extensions::{Block, Extensions};
use crate::packet::Packet;
use crate::packet::rtp::FixedHeader;
use crate::rewrite::Rewritten;

/// A codec that a slot can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotCodec {
    pub codec: Codec,
    pub pt: u8,
    /// The payload type of its repair packets (RFC 4588).
    pub rtx_pt: Option<u8>,
}

/// What was sent under one SSRC, for sender reports (RFC 3550, 6.4.1). Both wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SenderCounts {
    pub packets: u32,
    /// Payload octets, without headers.
    pub octets: u32,
}

impl SenderCounts {
    fn count(&mut self, octets: usize) {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets as u32);
    }
}

/// A packet in the clear, at the end of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub header_len: usize,
    /// Extended, of its own SSRC.
    pub sequence: u64,
    /// It carries a transport-wide number: the receiver's feedback tells of no other.
    pub numbered: bool,
    /// A NACK for it is answered by the same packet once more.
    pub repeats: bool,
}

/// A receive slot of the client, as negotiated.
#[derive(Debug, Clone)]
pub struct NegotiatedSlot {
    pub mid: String,
    pub kind: MediaKind,
    /// In the order that the client prefers; a packet's codec selects its payload type.
    pub codecs: Vec<SlotCodec>,
    pub ssrc: u32,
    /// Repair packets have an SSRC of their own (RFC 4588, 5: SSRC multiplexing).
    pub rtx_ssrc: Option<u32>,
    pub extensions: Extensions,
    /// Which streams are played in step with it (RFC 3550, 6.5.1).
    pub cname: String,
}

/// One slot's outgoing stream.
#[derive(Debug)]
pub struct Stream {
    ssrc: u32,
    rtx_ssrc: Option<u32>,
    payload_types: PayloadTypes,
    extensions: Block,
    sent: SenderCounts,
    /// Extended, as [`Rewritten::sequence`] is.
    rtx_sequence: u64,
}

impl Stream {
    /// A slot's stream that has sent nothing. `rtx_first` is the first sequence number of its repair packets.
    pub fn new(slot: &NegotiatedSlot, rtx_first: u16) -> Self {
        Self {
            ssrc: slot.ssrc,
            rtx_ssrc: slot.rtx_ssrc,
            payload_types: PayloadTypes::new(&slot.codecs),
            extensions: Block::new(&slot.mid, slot.extensions),
            sent: SenderCounts::default(),
            rtx_sequence: u64::from(rtx_first),
        }
    }

    /// Whether the client can receive this codec.
    pub fn carries(&self, codec: Codec) -> bool {
        self.payload_types.of(codec).is_some()
    }

    /// Whether a NACK for a packet in this codec is answered by the same once more: it is video, whose losses are reported, and
    /// nothing else was negotiated to repair them.
    fn repeats(&self, codec: SlotCodec) -> bool {
        let has_rtx = codec.rtx_pt.is_some() && self.rtx_ssrc.is_some();
        codec.codec.kind() == MediaKind::Video && !has_rtx
    }

    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// What was sent so far, repair apart.
    pub fn sent(&self) -> SenderCounts {
        self.sent
    }

    /// Appends the packet in the clear. `None`, and nothing written, for a codec that the client did not negotiate.
    pub fn write(
        &mut self,
        out: &mut Vec<u8>,
        packet: &Packet,
        rewritten: &Rewritten,
        twcc: u16,
    ) -> Option<Written> {
        let known = self.payload_types.of(packet.codec)?;
        let header = FixedHeader {
            marker: packet.marker,
            payload_type: known.pt,
            sequence: rewritten.sequence as u16,
            timestamp: rewritten.timestamp,
            ssrc: self.ssrc,
            ..FixedHeader::default()
        };
        let header_len = self.extensions.write(out, header, twcc, packet.level);
        write_payload(out, packet, rewritten);
        self.sent.count(packet.payload.len());
        Some(Written {
            repeats: self.repeats(known),
            ..self.written(header_len, rewritten.sequence)
        })
    }

    /// Appends the packet once more as a repair packet (RFC 4588, 4). `None`, and nothing written, when the session negotiated
    /// no repair.
    pub fn write_rtx(
        &mut self,
        out: &mut Vec<u8>,
        packet: &Packet,
        rewritten: &Rewritten,
        twcc: u16,
    ) -> Option<Written> {
        let (ssrc, pt) = self
            .rtx_ssrc
            .zip(self.payload_types.of(packet.codec)?.rtx_pt)?;
        let sequence = self.rtx_sequence;
        self.rtx_sequence += 1;
        let header = FixedHeader {
            marker: packet.marker,
            payload_type: pt,
            sequence: sequence as u16,
            timestamp: rewritten.timestamp,
            ssrc,
            ..FixedHeader::default()
        };
        let header_len = self.extensions.write(out, header, twcc, packet.level);
        out.extend_from_slice(&(rewritten.sequence as u16).to_be_bytes());
        write_payload(out, packet, rewritten);
        Some(self.written(header_len, sequence))
    }

    /// Appends padding in the stream of repair packets (RFC 3550, 5.1), which a receiver drops: it fills a probe. `None`, and
    /// nothing written, when the session negotiated no repair.
    pub fn write_padding(&mut self, out: &mut Vec<u8>, twcc: u16) -> Option<Written> {
        /// The length is one octet.
        const PADDING: u8 = 255;
        let (ssrc, pt) = self.any_rtx()?;
        let sequence = self.rtx_sequence;
        self.rtx_sequence += 1;
        let header = FixedHeader {
            padding: true,
            payload_type: pt,
            sequence: sequence as u16,
            ssrc,
            ..FixedHeader::default()
        };
        let header_len = self.extensions.write(out, header, twcc, None);
        out.resize(out.len() + usize::from(PADDING) - 1, 0);
        out.push(PADDING);
        Some(self.written(header_len, sequence))
    }

    fn written(&self, header_len: usize, sequence: u64) -> Written {
        Written {
            header_len,
            sequence,
            numbered: self.extensions.is_numbered(),
            repeats: false,
        }
    }

    /// Whether probes can travel in it: as repair that nobody misses, under transport-wide numbers that feedback tells of.
    pub fn can_probe(&self) -> bool {
        self.extensions.is_numbered() && self.any_rtx().is_some()
    }

    /// SSRC and payload type of its repair packets, of whichever codec.
    fn any_rtx(&self) -> Option<(u32, u8)> {
        let mut codecs = self.payload_types.0.iter().flatten();
        let pt = codecs.find_map(|codec| codec.rtx_pt)?;
        Some((self.rtx_ssrc?, pt))
    }
}

/// A stream's codecs, each at its own place: they are looked at for each packet, and stand in the stream itself.
#[derive(Debug)]
struct PayloadTypes([Option<SlotCodec>; Codec::ALL.len()]);

impl PayloadTypes {
    fn new(codecs: &[SlotCodec]) -> Self {
        let mut places = [None; Codec::ALL.len()];
        // Of several for one codec the client's favorite counts, which comes first.
        for codec in codecs.iter().rev() {
            places[codec.codec as usize] = Some(*codec);
        }
        Self(places)
    }

    fn of(&self, codec: Codec) -> Option<SlotCodec> {
        self.0[codec as usize]
    }
}

/// Appends the payload, with the slot's numbers in a VP8 descriptor.
fn write_payload(out: &mut Vec<u8>, packet: &Packet, rewritten: &Rewritten) {
    let start = out.len();
    out.extend_from_slice(&packet.payload);
    if let Some(vp8) = &packet.vp8 {
        vp8.patch(
            &mut out[start..],
            rewritten.picture_id,
            rewritten.tl0_pic_idx,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::AudioLevel;

    const REWRITTEN: Rewritten = Rewritten {
        sequence: 0x1_0002,
        timestamp: 0x0A0B_0C0D,
        picture_id: Some(0x1234),
        tl0_pic_idx: Some(9),
    };
    const EXTENSIONS: Extensions = Extensions {
        mid: Some(4),
        twcc: Some(3),
        level: Some(1),
    };

    fn slot(mid: &str, codecs: &[(Codec, u8, Option<u8>)]) -> NegotiatedSlot {
        NegotiatedSlot {
            mid: mid.into(),
            kind: codecs[0].0.kind(),
            codecs: codecs
                .iter()
                .map(|&(codec, pt, rtx_pt)| SlotCodec { codec, pt, rtx_pt })
                .collect(),
            ssrc: 0x01020304,
            rtx_ssrc: Some(2),
            cname: "c".into(),
            extensions: EXTENSIONS,
        }
    }

    fn audio(level: Option<AudioLevel>) -> Packet {
        Packet::new(5, 5, true, Codec::Opus, level, [7, 7, 7][..].into())
    }

    #[test]
    fn the_header_carries_the_slot_s_numbers_and_extensions() {
        let opus = slot("a1", &[(Codec::Opus, 111, None)]);
        let mut stream = Stream::new(&opus, 0);
        let mut out = vec![99];
        let level = AudioLevel {
            dbov: 20,
            voice: true,
        };
        let written = stream.write(&mut out, &audio(Some(level)), &REWRITTEN, 0xABCD);
        let expected = Written {
            header_len: 12 + 4 + 8,
            sequence: 0x1_0002,
            numbered: true,
            repeats: false,
        };
        assert_eq!(written, Some(expected));
        let mut expected = vec![99, 0x90, 0xEF, 0, 2, 0x0A, 0x0B, 0x0C, 0x0D, 1, 2, 3, 4];
        expected.extend_from_slice(&[0xBE, 0xDE, 0, 2]);
        expected.extend_from_slice(&[0x31, 0xAB, 0xCD, 0x10, 0x94, 0x41, b'a', b'1']);
        expected.extend_from_slice(&[7, 7, 7]);
        assert_eq!(out, expected);
        assert_eq!(
            stream.sent(),
            SenderCounts {
                packets: 1,
                octets: 3
            }
        );

        // Without a level, padding stands in its place.
        out.clear();
        stream.write(&mut out, &audio(None), &REWRITTEN, 0);
        assert_eq!(out[16..24], [0x31, 0, 0, 0, 0, 0x41, b'a', b'1']);
    }

    #[test]
    fn without_extensions_there_is_no_block() {
        let mut opus = slot("a1", &[(Codec::Opus, 111, None)]);
        opus.extensions = Extensions::default();
        let mut stream = Stream::new(&opus, 0);
        let mut out = Vec::new();
        let written = stream.write(&mut out, &audio(None), &REWRITTEN, 0).unwrap();
        assert_eq!((written.header_len, written.numbered), (12, false));
        assert_eq!((out[0], out.len()), (0x80, 15));
        assert_eq!(
            stream.write_rtx(&mut out, &audio(None), &REWRITTEN, 0),
            None
        );
        assert_eq!(out.len(), 15);
    }

    #[test]
    fn padding_has_a_number_and_nothing_else() {
        let vp8 = slot("v", &[(Codec::Vp8, 96, Some(97))]);
        let mut stream = Stream::new(&vp8, 7);
        let mut out = vec![9];
        let written = stream.write_padding(&mut out, 0xABCD).unwrap();
        assert_eq!((written.header_len, written.sequence), (12 + 4 + 8, 7));
        assert_eq!(out[1..13], [0xB0, 97, 0, 7, 0, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(out[17..20], [0x31, 0xAB, 0xCD]);
        assert_eq!((out.len(), out.last()), (1 + 24 + 255, Some(&255)));
        let vp8 = slot("v", &[(Codec::Vp8, 96, None)]);
        let mut bare = Stream::new(&vp8, 7);
        assert_eq!(bare.write_padding(&mut out, 1), None);
    }

    #[test]
    fn a_repair_packet_starts_with_the_sequence_number_it_repairs() {
        let vp8 = slot("v", &[(Codec::Vp8, 96, Some(97))]);
        let mut stream = Stream::new(&vp8, 65_535);
        let payload = [0x90, 0xC0, 0x80, 0x00, 1, 0x00];
        let packet = Packet::new(5, 5, false, Codec::Vp8, None, payload[..].into());
        let mut out = Vec::new();
        let written = stream.write_rtx(&mut out, &packet, &REWRITTEN, 1).unwrap();
        assert_eq!(written.sequence, 65_535);
        assert_eq!(out[..4], [0x90, 97, 0xFF, 0xFF]);
        assert_eq!(
            out[written.header_len..],
            [0, 2, 0x90, 0xC0, 0x92, 0x34, 9, 0x00]
        );
        // The repair's own numbers wrap by themselves.
        out.clear();
        let written = stream.write_rtx(&mut out, &packet, &REWRITTEN, 2).unwrap();
        assert_eq!(written.sequence, 65_536);
        assert_eq!(out[2..4], [0, 0]);
        assert_eq!(stream.sent().packets, 0, "repair is not counted");
    }

    #[test]
    fn a_packet_s_codec_selects_its_payload_types() {
        let video = [
            (Codec::Vp8, 96, Some(97)),
            (Codec::H264, 108, Some(109)),
            (Codec::Vp9, 98, None),
        ];
        let mut stream = Stream::new(&slot("v", &video), 0);
        let packet = |codec| Packet::new(5, 5, false, codec, None, [0x41, 1][..].into());
        let mut out = Vec::new();
        for (codec, pt, rtx_pt) in video {
            out.clear();
            stream.write(&mut out, &packet(codec), &REWRITTEN, 0);
            assert_eq!(out[1], pt);
            out.clear();
            let repair = stream.write_rtx(&mut out, &packet(codec), &REWRITTEN, 0);
            assert_eq!(repair.and(rtx_pt), rtx_pt);
            assert_eq!(out.get(1).copied(), rtx_pt);
        }
        assert!(!stream.carries(Codec::Av1));
        out.clear();
        let written = stream.write(&mut out, &packet(Codec::Av1), &REWRITTEN, 0);
        assert_eq!((written, out.len()), (None, 0));
    }

    #[test]
    fn video_without_repair_packets_repeats_its_own() {
        let repeats = |codecs: &[_], rtx_ssrc, of: Codec| {
            let mut slot = slot("m", codecs);
            slot.rtx_ssrc = rtx_ssrc;
            let packet = Packet::new(5, 5, false, of, None, [0x41, 1][..].into());
            let written = Stream::new(&slot, 0).write(&mut Vec::new(), &packet, &REWRITTEN, 0);
            written.is_some_and(|written| written.repeats)
        };
        let bare = (Codec::Vp8, 96, None);
        let repaired = (Codec::Vp8, 96, Some(97));
        assert!(repeats(&[bare], Some(2), Codec::Vp8));
        assert!(repeats(&[repaired], None, Codec::Vp8));
        assert!(!repeats(&[repaired], Some(2), Codec::Vp8));
        let both = [repaired, (Codec::H264, 108, None)];
        assert!(!repeats(&both, Some(2), Codec::Vp8));
        assert!(repeats(&both, Some(2), Codec::H264));
        let sound = [(Codec::Opus, 111, None)];
        assert!(
            !repeats(&sound, None, Codec::Opus),
            "nobody asks for sound again"
        );
    }
}
