//! Sender reports (RFC 3550, 6.4.1).

/// Longest CNAME (RFC 3550, 6.5: its length is one octet).
const MAX_CNAME_LEN: usize = 255;

/// Appends a sender report with its SDES CNAME: a whole compound packet, in the clear.
///
/// `ntp` and `rtp_timestamp` name the same moment; a CNAME of more than 255 bytes is cut.
pub fn write_sender_report(
    out: &mut Vec<u8>,
    ssrc: u32,
    ntp: u64,
    rtp_timestamp: u32,
    packets: u32,
    octets: u32,
    cname: &str,
) {
    const SENDER_REPORT: u8 = 200;
    const SDES: u8 = 202;
    const CNAME: u8 = 1;

    out.extend_from_slice(&[0x80, SENDER_REPORT, 0, 6]);
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&ntp.to_be_bytes());
    out.extend_from_slice(&rtp_timestamp.to_be_bytes());
    out.extend_from_slice(&packets.to_be_bytes());
    out.extend_from_slice(&octets.to_be_bytes());

    let cname = &cname.as_bytes()[..cname.len().min(MAX_CNAME_LEN)];
    // SSRC, then the item (type, length, text), then at least one zero up to a full word.
    let words = 1 + (2 + cname.len()) / 4 + 1;
    let end = out.len() + 4 + 4 * words;
    out.extend_from_slice(&[0x81, SDES, 0, words as u8]);
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&[CNAME, cname.len() as u8]);
    out.extend_from_slice(cname);
    out.resize(end, 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::feedback::{Feedback, parse};

    #[test]
    fn a_report_is_a_compound_of_whole_words_for_any_cname() {
        for len in (0..12).chain([255, 300]) {
            let mut out = vec![1, 2, 3];
            write_sender_report(&mut out, 5, 6 << 32, 7, 8, 9, &"c".repeat(len));
            let report = &out[3..];
            assert_eq!(report.len() % 4, 0);
            assert_eq!(report.last(), Some(&0), "an item list ends with a zero");
            let sdes = &report[28..];
            assert_eq!(
                sdes.len(),
                4 + 4 * usize::from(u16::from_be_bytes([sdes[2], sdes[3]]))
            );
            assert_eq!(usize::from(sdes[9]), len.min(255));
            let read: Vec<_> = parse(report).collect();
            assert_eq!(
                read,
                [Feedback::SenderReport {
                    ssrc: 5,
                    ntp: 6 << 32,
                    rtp: 7
                }]
            );
        }
    }
}
