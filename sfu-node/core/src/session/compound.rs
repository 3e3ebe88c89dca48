//! Requests for keyframes to clients that did not agree to reduced RTCP (RFC 5506): they come in whole compound packets
//! (RFC 3550, 6.1), of which str0m makes none for them.

use crate::egress::report::write_cname;
use crate::egress::seal::{Sealer, random};
use crate::packet::rtcp::{PAYLOAD_FEEDBACK, RECEIVER_REPORT};

/// What makes them for one session.
pub struct Compounds {
    sealer: Sealer,
    /// Nobody else in the session seals RTCP under this SSRC: its indices are its own.
    ssrc: u32,
    cname: String,
}

impl Compounds {
    /// Takes the keys of this side. `None` without randomness.
    pub fn new(sealer: Sealer) -> Option<Self> {
        // 96 bits of a CNAME that says nothing (RFC 7022, 4.2).
        let name: [u8; 12] = random()?;
        Some(Self {
            sealer,
            ssrc: u32::from_be_bytes(random()?),
            cname: name.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }

    /// Asks for a keyframe of this stream (RFC 4585, 6.3.1): sealed, to be sent.
    pub fn request_keyframe(&mut self, stream: u32) -> Option<Vec<u8>> {
        let mut packet = Vec::new();
        self.write(&mut packet, stream);
        self.sealer.seal_rtcp(&mut packet, 0).ok()?;
        Some(packet)
    }

    fn write(&self, out: &mut Vec<u8>, stream: u32) {
        out.extend([0x80, RECEIVER_REPORT, 0, 1]);
        out.extend(self.ssrc.to_be_bytes());
        write_cname(out, self.ssrc, &self.cname);
        // Format 1: the picture is lost.
        out.extend([0x81, PAYLOAD_FEEDBACK, 0, 2]);
        out.extend(self.ssrc.to_be_bytes());
        out.extend(stream.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::feedback::{Feedback, parse};
    use crate::packet::rtcp::Compound;

    #[test]
    fn a_request_begins_with_a_report_and_names_its_sender() {
        let mut compounds = Compounds::new(Sealer::of_test_keys()).expect("randomness");
        let mut packet = Vec::new();
        compounds.write(&mut packet, 77);
        let kinds = Compound(&packet).map(|packet| packet.kind);
        assert_eq!(kinds.collect::<Vec<_>>(), [201, 202, 206]);
        assert_eq!(
            parse(&packet).collect::<Vec<_>>(),
            [Feedback::Pli { ssrc: 77 }]
        );
        let (first, second) = (
            compounds.request_keyframe(77),
            compounds.request_keyframe(77),
        );
        assert!(first.is_some() && first != second, "each has its own index");
    }
}
