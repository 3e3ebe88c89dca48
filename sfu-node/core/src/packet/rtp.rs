//! RTP packets as they lie on the wire (RFC 3550, 5.1), with header extensions in both forms (RFC 8285, 4.2 and 4.3).

/// Length of the fixed header in bytes.
pub const RTP_HEADER_LEN: usize = 12;
/// The profile word of one-byte header extensions.
pub const ONE_BYTE_PROFILE: [u8; 2] = [0xBE, 0xDE];
/// That of two-byte ones. When read, its last four bits may be anything.
pub const TWO_BYTE_PROFILE: [u8; 2] = [0x10, 0];

/// The fixed header, without contributing sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FixedHeader {
    pub padding: bool,
    /// A block of header extensions follows.
    pub extension: bool,
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
}

impl FixedHeader {
    pub fn to_bytes(self) -> [u8; RTP_HEADER_LEN] {
        let mut bytes = [0; RTP_HEADER_LEN];
        bytes[0] = 0x80 | u8::from(self.padding) << 5 | u8::from(self.extension) << 4;
        bytes[1] = u8::from(self.marker) << 7 | self.payload_type;
        bytes[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..].copy_from_slice(&self.ssrc.to_be_bytes());
        bytes
    }
}

/// A packet that was taken apart. Of a sealed one the headers are in the clear.
#[derive(Debug, Clone, Copy)]
pub struct RtpPacket<'a> {
    pub header: FixedHeader,
    /// The elements of header extensions; empty where there are none, or of another kind.
    elements: &'a [u8],
    /// They have the two-byte form.
    wide: bool,
    /// What follows the headers.
    body: &'a [u8],
}

impl<'a> RtpPacket<'a> {
    /// `None` for anything that is not whole, or of another version.
    pub fn read(data: &'a [u8]) -> Option<Self> {
        let &[first, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = data.first_chunk()?;
        if first >> 6 != 2 {
            return None;
        }
        let header = FixedHeader {
            padding: first & 0x20 != 0,
            extension: first & 0x10 != 0,
            marker: second & 0x80 != 0,
            payload_type: second & 0x7F,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
        };
        let contributing = 4 * usize::from(first & 0x0F);
        let mut body = data.get(RTP_HEADER_LEN + contributing..)?;
        let mut elements = &[][..];
        let mut wide = false;
        if header.extension {
            let (&[p0, p1, l0, l1], rest) = body.split_first_chunk()?;
            let len = 4 * usize::from(u16::from_be_bytes([l0, l1]));
            let block;
            (block, body) = rest.split_at_checked(len)?;
            wide = [p0, p1 & 0xF0] == TWO_BYTE_PROFILE;
            if wide || [p0, p1] == ONE_BYTE_PROFILE {
                elements = block;
            }
        }
        Some(Self {
            header,
            elements,
            wide,
            body,
        })
    }

    /// The data of the header extension with this id.
    pub fn element(&self, id: u8) -> Option<&'a [u8]> {
        let mut rest = self.elements;
        while let Some((&head, after)) = rest.split_first() {
            // Padding, a single byte: id 0 in the short form is one of any length, which nobody sends.
            if head == 0 {
                rest = after;
                continue;
            }
            let (found, len, after) = match self.wide {
                true => {
                    let (len, after) = after.split_first()?;
                    (head, usize::from(*len), after)
                }
                // Reserved: stop here.
                false if head >> 4 == 15 => return None,
                false => (head >> 4, usize::from(head & 0x0F) + 1, after),
            };
            let (data, after) = after.split_at_checked(len)?;
            if found == id {
                return Some(data);
            }
            rest = after;
        }
        None
    }

    /// The payload without its padding, of a packet in the clear.
    pub fn payload(&self) -> Option<&'a [u8]> {
        let padding = match self.header.padding {
            true => usize::from(*self.body.last()?),
            false => 0,
        };
        self.body.get(..self.body.len().checked_sub(padding)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn contributing_sources_foreign_extensions_and_padding_are_passed_over() {
        let mut data = vec![0xB1, 0xEF, 0, 5, 0, 0, 0, 9, 0, 0, 0, 7, 1, 2, 3, 4];
        data.extend_from_slice(&[0xBE, 0xDE, 0, 2, 0x21, 8, 8, 0, 0x10, 30, 0, 0]);
        data.extend_from_slice(&[42, 0, 0, 3]);
        let packet = RtpPacket::read(&data).unwrap();
        let expected = FixedHeader {
            padding: true,
            extension: true,
            marker: true,
            payload_type: 111,
            sequence: 5,
            timestamp: 9,
            ssrc: 7,
        };
        assert_eq!(packet.header, expected);
        assert_eq!(packet.element(2), Some(&[8, 8][..]));
        assert_eq!(packet.element(1), Some(&[30][..]));
        assert_eq!(packet.element(3), None);
        assert_eq!(packet.payload(), Some(&[42][..]));
    }

    #[test]
    fn elements_of_the_two_byte_form_are_found() {
        let mut data = vec![0x90, 96, 0, 5, 0, 0, 0, 9, 0, 0, 0, 7];
        data.extend_from_slice(&[0x10, 0x03, 0, 3]);
        data.extend_from_slice(&[16, 2, 8, 9, 0, 1, 0, 200, 3, b'm', b'-', b'0', 42]);
        data.truncate(28);
        data.push(42);
        let packet = RtpPacket::read(&data).unwrap();
        assert_eq!(packet.element(16), Some(&[8, 9][..]));
        assert_eq!(packet.element(1), Some(&[][..]));
        assert_eq!(packet.element(200), Some(&b"m-0"[..]));
        assert_eq!(packet.element(2), None);
        assert_eq!(packet.payload(), Some(&[42][..]));
    }

    proptest! {
        #[test]
        fn a_fixed_header_reads_back(
            padding: bool,
            marker: bool,
            payload_type in 0_u8..128,
            sequence: u16,
            timestamp: u32,
            ssrc: u32,
        ) {
            let header = FixedHeader {
                padding, extension: true, marker, payload_type, sequence, timestamp, ssrc,
            };
            let mut data = header.to_bytes().to_vec();
            data.extend_from_slice(&[0; 4]);
            prop_assert_eq!(RtpPacket::read(&data).unwrap().header, header);
        }

        #[test]
        fn garbage_is_refused_or_read_but_never_panics(
            data in proptest::collection::vec(any::<u8>(), 0..64),
            id in 1_u8..15,
        ) {
            if let Some(packet) = RtpPacket::read(&data) {
                let _ = (packet.element(id), packet.payload());
            }
        }
    }
}
