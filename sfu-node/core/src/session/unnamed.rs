//! A sender that offered simulcast and then names no rid: what it sends is taken for its lowest layer.
//!
//! str0m maps a new SSRC by mid and rid, and drops a packet without a rid where rids were offered.

use crate::packet::rtp::RtpPacket;

/// The ids of the header extensions that name a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameExtensions {
    pub mid: u8,
    /// The stream's own, and that of one that repairs it.
    pub rids: [Option<u8>; 2],
}

/// SSRC, payload type and mid of an RTP packet that has a mid and no rid.
pub fn without_rid(data: &[u8], ids: NameExtensions) -> Option<(u32, u8, &str)> {
    let packet = RtpPacket::read(data)?;
    let payload_type = packet.header.payload_type;
    // RTCP looks like these on a port for both (RFC 5761, 4).
    if (64..96).contains(&payload_type) {
        return None;
    }
    let mut rids = ids.rids.iter().flatten();
    if rids.any(|id| packet.element(*id).is_some()) {
        return None;
    }
    let mid = std::str::from_utf8(packet.element(ids.mid)?).ok()?;
    Some((packet.header.ssrc, payload_type, mid))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: NameExtensions = NameExtensions {
        mid: 4,
        rids: [Some(10), Some(11)],
    };

    fn packet(elements: &[u8]) -> Vec<u8> {
        let mut data = vec![0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2];
        data.extend([0xBE, 0xDE, 0, elements.len().div_ceil(4) as u8]);
        data.extend_from_slice(elements);
        data.resize(data.len().next_multiple_of(4) + 8, 0);
        data
    }

    #[test]
    fn only_a_packet_with_a_mid_and_no_rid_is_one() {
        let named = [0x40, b'1', 0xA0, b'q'];
        let repair = [0x40, b'1', 0xB0, b'q'];
        let bare = [0x40, b'1', 0x10, 7];
        assert_eq!(without_rid(&packet(&bare), IDS), Some((0x102, 96, "1")));
        assert_eq!(without_rid(&packet(&named), IDS), None);
        assert_eq!(without_rid(&packet(&repair), IDS), None);
        assert_eq!(without_rid(&packet(&[0x10, 7]), IDS), None, "no mid");
        let mut rtcp = packet(&bare);
        rtcp[1] = 200;
        assert_eq!(without_rid(&rtcp, IDS), None);
        for len in 0..packet(&bare).len() {
            let _ = without_rid(&packet(&bare)[..len], IDS);
        }
    }
}
