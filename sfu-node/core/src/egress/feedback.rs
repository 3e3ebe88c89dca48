//! What receivers report back: RTCP compound packets read as they lie, without a copy (RFC 3550, RFC 4585).

use crate::packet::rtcp::{
    Compound, PAYLOAD_FEEDBACK, RECEIVER_REPORT, RtcpPacket, SENDER_REPORT, TRANSPORT_FEEDBACK,
};

/// One piece of feedback out of a compound packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feedback<'a> {
    /// These packets of the stream are missing (RFC 4585, 6.2.1).
    Nack { ssrc: u32, sequences: Nacks<'a> },
    /// A decoder needs a keyframe (RFC 4585, 6.3.1).
    Pli { ssrc: u32 },
    /// The same, said in the older way (RFC 5104, 4.3.1).
    Fir { ssrc: u32 },
    /// How the stream is received (RFC 3550, 6.4.2), out of a receiver or a sender report.
    ReceiverReport(ReceptionReport),
    /// The sender's clock (RFC 3550, 6.4.1).
    SenderReport { ssrc: u32, ntp: u64, rtp: u32 },
    /// Transport-wide arrival times (draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1), from the base sequence
    /// number on.
    TransportWide { fci: &'a [u8] },
    /// The receiver's estimate in bits per second (draft-alvestrand-rmcat-remb-03).
    Remb { bitrate: u64 },
}

/// A report block (RFC 3550, 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceptionReport {
    /// The stream reported on.
    pub ssrc: u32,
    /// Lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// The highest sequence number received, extended by the receiver's count of its cycles.
    pub highest: u32,
    /// In ticks of the codec's clock.
    pub jitter: u32,
    /// The middle 32 bits of the NTP time of the last sender report; 0 if there was none.
    pub lsr: u32,
    /// The time since that report came, in 2⁻¹⁶ s.
    pub dlsr: u32,
}

impl ReceptionReport {
    const LEN: usize = 24;

    fn read(block: &[u8; Self::LEN]) -> Self {
        let word = |at: usize| u32_at(block, at);
        Self {
            ssrc: word(0),
            fraction_lost: block[4],
            highest: word(8),
            jitter: word(12),
            lsr: word(16),
            dlsr: word(20),
        }
    }
}

/// The sequence numbers that a NACK asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nacks<'a> {
    /// Pairs of a packet id and a bit mask of those after it, not yet begun.
    entries: &'a [u8],
    base: u16,
    /// Bit n: `base + n` is still to come.
    mask: u32,
}

impl Iterator for Nacks<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if self.mask == 0 {
            let (&[p0, p1, m0, m1], rest) = self.entries.split_first_chunk()?;
            self.entries = rest;
            self.base = u16::from_be_bytes([p0, p1]);
            self.mask = u32::from(u16::from_be_bytes([m0, m1])) << 1 | 1;
        }
        let n = self.mask.trailing_zeros();
        self.mask &= self.mask - 1;
        Some(self.base.wrapping_add(n as u16))
    }
}

/// Reads a decrypted compound packet. What is malformed ends it; what is unknown is skipped.
pub fn parse(compound: &[u8]) -> Feedbacks<'_> {
    Feedbacks {
        rest: Compound(compound),
        blocks: Blocks::None,
    }
}

/// The pieces of a compound packet, in its order.
#[derive(Debug, Clone)]
pub struct Feedbacks<'a> {
    /// Packets not yet begun.
    rest: Compound<'a>,
    /// Pieces still to come of the packet at hand.
    blocks: Blocks<'a>,
}

#[derive(Debug, Clone)]
enum Blocks<'a> {
    None,
    Reports(&'a [u8]),
    Firs(&'a [u8]),
}

impl<'a> Iterator for Feedbacks<'a> {
    type Item = Feedback<'a>;

    fn next(&mut self) -> Option<Feedback<'a>> {
        loop {
            if let Some(piece) = self.blocks.next() {
                return Some(piece);
            }
            let (piece, blocks) = read(self.rest.next()?);
            self.blocks = blocks;
            if piece.is_some() {
                return piece;
            }
        }
    }
}

impl<'a> Blocks<'a> {
    fn next(&mut self) -> Option<Feedback<'a>> {
        match self {
            Blocks::None => None,
            Blocks::Reports(blocks) => {
                let (block, rest) = blocks.split_first_chunk()?;
                *blocks = rest;
                Some(Feedback::ReceiverReport(ReceptionReport::read(block)))
            }
            Blocks::Firs(entries) => {
                let (entry, rest) = entries.split_first_chunk::<8>()?;
                *entries = rest;
                Some(Feedback::Fir {
                    ssrc: u32_at(entry, 0),
                })
            }
        }
    }
}

/// What a packet says: a piece, or several.
fn read(packet: RtcpPacket<'_>) -> (Option<Feedback<'_>>, Blocks<'_>) {
    let body = packet.body;
    match (packet.kind, packet.count) {
        (SENDER_REPORT, count) if body.len() >= 24 => {
            let clock = Feedback::SenderReport {
                ssrc: u32_at(body, 0),
                ntp: u64::from(u32_at(body, 4)) << 32 | u64::from(u32_at(body, 8)),
                rtp: u32_at(body, 12),
            };
            (Some(clock), reports(&body[24..], count))
        }
        (RECEIVER_REPORT, count) if body.len() >= 4 => (None, reports(&body[4..], count)),
        (TRANSPORT_FEEDBACK, format) if body.len() >= 8 => {
            (transport_feedback(format, body), Blocks::None)
        }
        (PAYLOAD_FEEDBACK, format) if body.len() >= 8 => payload_feedback(format, body),
        _ => (None, Blocks::None),
    }
}

/// The report blocks that follow, of which `count` are announced.
fn reports(blocks: &[u8], count: u8) -> Blocks<'_> {
    let len = blocks.len().min(usize::from(count) * ReceptionReport::LEN);
    Blocks::Reports(&blocks[..len])
}

/// Feedback about the transport, by its format (RFC 4585, 6.2). The body holds both SSRCs.
fn transport_feedback(format: u8, body: &[u8]) -> Option<Feedback<'_>> {
    let fci = &body[8..];
    match format {
        1 => Some(Feedback::Nack {
            ssrc: u32_at(body, 4),
            sequences: Nacks {
                entries: fci,
                base: 0,
                mask: 0,
            },
        }),
        15 => Some(Feedback::TransportWide { fci }),
        _ => None,
    }
}

/// Feedback about the payload, by its format (RFC 4585, 6.3). The body holds both SSRCs.
fn payload_feedback(format: u8, body: &[u8]) -> (Option<Feedback<'_>>, Blocks<'_>) {
    let fci = &body[8..];
    match format {
        1 => {
            let ssrc = u32_at(body, 4);
            (Some(Feedback::Pli { ssrc }), Blocks::None)
        }
        4 => (None, Blocks::Firs(fci)),
        15 => (remb(fci), Blocks::None),
        _ => (None, Blocks::None),
    }
}

/// `REMB`, the number of SSRCs, a 6-bit exponent and an 18-bit mantissa.
fn remb<'a>(fci: &[u8]) -> Option<Feedback<'a>> {
    let &[b'R', b'E', b'M', b'B', _, high, middle, low] = fci.first_chunk()? else {
        return None;
    };
    let mantissa = u64::from(high & 0x03) << 16 | u64::from(middle) << 8 | u64::from(low);
    let bitrate = u128::from(mantissa) << (high >> 2);
    Some(Feedback::Remb {
        bitrate: u64::try_from(bitrate).unwrap_or(u64::MAX),
    })
}

/// The big-endian word at a place that the caller has measured.
fn u32_at(data: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn a_browser_s_compound_is_read_in_order() {
        let mut compound = words(&[
            0x81C9_0007,
            1,
            0xAA,
            0x40FF_FFFE,
            0x0001_0005,
            77,
            0x1234_5678,
            0x8000, // RR
        ]);
        compound.extend(words(&[0x81CD_0003, 1, 0xAA, 0xFFFE_8005])); // NACK
        compound.extend(words(&[0x81CE_0002, 1, 0xBB])); // PLI
        compound.extend(words(&[
            0x84CE_0006,
            1,
            0,
            0xCC,
            0x0100_0000,
            0xDD,
            0x0200_0000,
        ])); // FIR
        compound.extend(words(&[0x8FCE_0005, 1, 0, 0x5245_4D42, 0x010B_FFFF, 0xAA])); // REMB
        compound.extend(words(&[0x8FCD_0004, 1, 0xAA, 0x0001_0002, 0x0304_0506])); // TWCC
        compound.extend(words(&[0x81CB_0001, 1])); // BYE
        let read: Vec<_> = parse(&compound).collect();
        let report = ReceptionReport {
            ssrc: 0xAA,
            fraction_lost: 0x40,
            highest: 0x0001_0005,
            jitter: 77,
            lsr: 0x1234_5678,
            dlsr: 0x8000,
        };
        assert_eq!(read[0], Feedback::ReceiverReport(report));
        let Feedback::Nack {
            ssrc: 0xAA,
            sequences,
        } = read[1].clone()
        else {
            panic!("{:?}", read[1]);
        };
        assert_eq!(sequences.collect::<Vec<_>>(), [65_534, 65_535, 1, 14]);
        assert_eq!(
            read[2..],
            [
                Feedback::Pli { ssrc: 0xBB },
                Feedback::Fir { ssrc: 0xCC },
                Feedback::Fir { ssrc: 0xDD },
                Feedback::Remb {
                    bitrate: 0x3_FFFF << 2
                },
                Feedback::TransportWide {
                    fci: &[0, 1, 0, 2, 3, 4, 5, 6]
                },
            ]
        );
    }

    #[test]
    fn a_packet_longer_than_its_compound_ends_it() {
        let mut compound = words(&[0x81CE_0002, 1, 0xBB]);
        compound.extend(words(&[0x81CE_0003, 1, 0xBB]));
        assert_eq!(parse(&compound).count(), 1);
        assert_eq!(parse(&compound[..11]).count(), 0);
    }

    proptest! {
        #[test]
        fn garbage_costs_bounded_work_and_no_panic(
            mut data in proptest::collection::vec(any::<u8>(), 0..200),
            kind in 200_u8..208,
            count in 0_u8..32,
        ) {
            if let [first, second, l0, l1, ..] = &mut data[..] {
                (*first, *second, *l0) = (0x80 | count, kind, 0);
                *l1 %= 50;
            }
            let pieces = parse(&data).map(|piece| match piece {
                Feedback::Nack { sequences, .. } => sequences.count(),
                _ => 1,
            });
            // A NACK entry of four bytes asks for at most 17 packets.
            prop_assert!(pieces.sum::<usize>() <= data.len() / 4 * 17);
        }
    }
}
