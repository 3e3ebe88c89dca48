//! RTCP for clients that did not agree to reduced packets (RFC 5506): they get whole compound packets (RFC 3550, 6.1), which
//! str0m makes for nobody. So what it sends is overheard, made whole, and sent in its place.

use crate::egress::report::write_cname;
use crate::egress::seal::{Sealer, random};
use crate::packet::rtcp::{RECEIVER_REPORT, SENDER_REPORT};

/// What makes a session's packets whole.
pub struct Compounds {
    sealer: Sealer,
    cname: String,
}

impl Compounds {
    /// Takes what seals in the place of str0m. `None` without randomness.
    pub fn new(sealer: Sealer) -> Option<Self> {
        // 96 bits of a CNAME that says nothing (RFC 7022, 4.2).
        let name: [u8; 12] = random()?;
        Some(Self {
            sealer,
            cname: name.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }

    /// What is sent in the place of a packet of str0m's: whole, and sealed.
    pub fn seal(&mut self, sent: &[u8]) -> Option<Vec<u8>> {
        let mut packet = self.complete(sent)?;
        self.sealer.seal_rtcp(&mut packet, 0).ok()?;
        Some(packet)
    }

    /// Reports come first, if only an empty one, then who sends this, then all else.
    fn complete(&self, sent: &[u8]) -> Option<Vec<u8>> {
        let source = *sent.get(4..)?.first_chunk()?;
        let (reports, rest) = sent.split_at(len_of_reports(sent));
        let mut out = Vec::with_capacity(sent.len() + 64);
        if reports.is_empty() {
            out.extend([0x80, RECEIVER_REPORT, 0, 1]);
            out.extend(source);
        }
        out.extend(reports);
        write_cname(&mut out, u32::from_be_bytes(source), &self.cname);
        out.extend(rest);
        Some(out)
    }
}

/// The length of the reports that a packet begins with.
fn len_of_reports(packet: &[u8]) -> usize {
    let mut len = 0;
    while let Some(&[_, RECEIVER_REPORT | SENDER_REPORT, l0, l1]) =
        packet.get(len..).and_then(<[u8]>::first_chunk)
    {
        len += 4 + 4 * usize::from(u16::from_be_bytes([l0, l1]));
    }
    len.min(packet.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::rtcp::Compound;

    const REPORT: &[u8] = &[0x80, 201, 0, 1, 0, 0, 0, 7];
    const PLI: &[u8] = &[0x81, 206, 0, 2, 0, 0, 0, 7, 0, 0, 0, 9];

    #[test]
    fn reports_come_first_then_who_sends_them_and_then_all_else_as_it_was() {
        let compounds = Compounds::new(Sealer::of_test_keys()).expect("randomness");
        for (sent, reports) in [
            (PLI.to_vec(), 1),
            ([REPORT, PLI].concat(), 1),
            ([REPORT, REPORT, PLI, PLI].concat(), 2),
            (REPORT.to_vec(), 1),
        ] {
            let whole = compounds.complete(&sent).expect("it names its sender");
            let packets: Vec<_> = Compound(&whole).collect();
            let (first, rest) = packets.split_at(reports);
            assert!(first.iter().all(|packet| packet.kind == RECEIVER_REPORT));
            assert_eq!(rest[0].kind, 202);
            assert!(
                packets
                    .iter()
                    .all(|packet| packet.body[..4] == [0, 0, 0, 7])
            );
            let others = Compound(&sent).filter(|packet| packet.kind == 206);
            assert!(rest[1..].iter().copied().eq(others));
        }
        for cut in 0..8 {
            assert_eq!(compounds.complete(&PLI[..cut]), None);
        }
        assert!(
            compounds
                .complete(&[0x80, 201, 0xFF, 0xFF, 0, 0, 0, 7])
                .is_some()
        );
    }

    #[test]
    fn each_is_sealed_under_an_index_of_its_own() {
        let mut compounds = Compounds::new(Sealer::of_test_keys()).expect("randomness");
        let (first, second) = (compounds.seal(PLI), compounds.seal(PLI));
        assert!(first.is_some() && first != second);
    }
}
