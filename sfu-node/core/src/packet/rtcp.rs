//! RTCP packets as they lie in a compound (RFC 3550, 6.1), in the clear.

/// Packet types (RFC 3550, 12.1; RFC 4585, 9; RFC 3611, 2).
pub const SENDER_REPORT: u8 = 200;
pub const RECEIVER_REPORT: u8 = 201;
pub const SOURCE_DESCRIPTION: u8 = 202;
pub const TRANSPORT_FEEDBACK: u8 = 205;
pub const PAYLOAD_FEEDBACK: u8 = 206;
pub const EXTENDED_REPORT: u8 = 207;

/// One packet of a compound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtcpPacket<'a> {
    /// The count or format field.
    pub count: u8,
    pub kind: u8,
    /// After the first word, without padding.
    pub body: &'a [u8],
}

/// The packets of a compound, in its order; what is malformed ends it.
#[derive(Debug, Clone)]
pub struct Compound<'a>(pub &'a [u8]);

impl<'a> Iterator for Compound<'a> {
    type Item = RtcpPacket<'a>;

    fn next(&mut self) -> Option<RtcpPacket<'a>> {
        let (&[first, kind, l0, l1], rest) = self.0.split_first_chunk()?;
        if first >> 6 != 2 {
            return None;
        }
        let len = 4 * usize::from(u16::from_be_bytes([l0, l1]));
        let (mut body, rest) = rest.split_at_checked(len)?;
        if first & 0x20 != 0 {
            let padding = usize::from(*body.last()?);
            body = body.get(..len.checked_sub(padding)?)?;
        }
        self.0 = rest;
        Some(RtcpPacket {
            count: first & 0x1F,
            kind,
            body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compound_is_cut_into_its_packets() {
        // A report without blocks, and a PLI with four bytes of padding.
        let compound = [
            0x80, 201, 0, 1, 0, 0, 0, 1, //
            0xA1, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 4,
        ];
        let cut: Vec<_> = Compound(&compound).collect();
        let expected = [(0, RECEIVER_REPORT, 4), (1, PAYLOAD_FEEDBACK, 8)];
        let cut = cut
            .iter()
            .map(|packet| (packet.count, packet.kind, packet.body.len()));
        assert!(cut.eq(expected));
    }

    #[test]
    fn what_is_longer_than_its_compound_or_all_padding_ends_it() {
        assert_eq!(Compound(&[0x80, 201, 0, 2, 0, 0, 0, 1]).count(), 0);
        assert_eq!(Compound(&[0xA0, 201, 0, 1, 0, 0, 0, 5]).count(), 0);
        assert_eq!(Compound(&[0x40, 201, 0, 0]).count(), 0);
    }
}
