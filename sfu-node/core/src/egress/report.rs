//! Sender reports (RFC 3550, 6.4.1), and the round trip that is told by what comes back of them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::packet::rtcp::{SENDER_REPORT, SOURCE_DESCRIPTION};

/// Longest CNAME (RFC 3550, 6.5: its length is one octet).
const MAX_CNAME_LEN: usize = 255;
/// Reports remembered: a receiver answers the last that it got, some of its own reports and ours may be lost, and a path may
/// hold those of two seconds.
const REMEMBERED: usize = 4;

/// A stream's last sender reports: what they said, and when they left.
///
/// They tell the time by the clock of whoever publishes in the slot, which may run faster than ours, and is set anew at times. So the time
/// that passed is read from our own clock, and a receiver's echo only names the report.
#[derive(Debug, Default)]
pub struct SentReports(VecDeque<(u32, Instant)>);

impl SentReports {
    /// A report with this NTP time leaves now.
    pub fn note(&mut self, now: Instant, ntp: u64) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(((ntp >> 16) as u32, now));
    }

    /// The round-trip time, from the LSR and DLSR of a receiver's report block that has just come. `None` when it names no
    /// report that was sent of late, or says that it was kept for longer than has passed.
    pub fn round_trip(&self, now: Instant, lsr: u32, dlsr: u32) -> Option<Duration> {
        // Receivers that keep the time as a floating-point number may be one off.
        let is_named = |ntp: u32| ntp.wrapping_sub(lsr).wrapping_add(1) <= 2;
        let mut named = self.0.iter().rev().filter(|(ntp, _)| is_named(*ntp));
        let (_, left) = named.next().filter(|_| lsr != 0)?;
        let kept = Duration::from_secs(1) * dlsr / 65_536;
        now.checked_duration_since(*left)?.checked_sub(kept)
    }
}

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
    out.extend_from_slice(&[0x80, SENDER_REPORT, 0, 6]);
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&ntp.to_be_bytes());
    out.extend_from_slice(&rtp_timestamp.to_be_bytes());
    out.extend_from_slice(&packets.to_be_bytes());
    out.extend_from_slice(&octets.to_be_bytes());
    write_cname(out, ssrc, cname);
}

/// Appends a source description with a CNAME (RFC 3550, 6.5.1), which is cut after 255 bytes.
pub fn write_cname(out: &mut Vec<u8>, ssrc: u32, cname: &str) {
    const CNAME: u8 = 1;

    let cname = &cname.as_bytes()[..cname.len().min(MAX_CNAME_LEN)];
    // SSRC, then the item (type, length, text), then at least one zero up to a full word.
    let words = 1 + (2 + cname.len()) / 4 + 1;
    let end = out.len() + 4 + 4 * words;
    out.extend_from_slice(&[0x81, SOURCE_DESCRIPTION, 0, words as u8]);
    out.extend_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(&[CNAME, cname.len() as u8]);
    out.extend_from_slice(cname);
    out.resize(end, 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ntp_ticks;
    use crate::egress::feedback::{Feedback, parse};

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_round_trip_is_read_from_the_report_that_is_named() {
        let start = Instant::now();
        let mut sent = SentReports::default();
        // One publisher's clock, over the wrap-around of its seconds; then another's, which shows an hour less.
        let ntp = [
            0xFFFF_FFFF_8000_0000_u64,
            0x0000_0000_8000_0000,
            0xFFFF_F1F0_0000_0000,
        ];
        for (n, ntp) in ntp.iter().enumerate() {
            sent.note(start + n as u32 * 1_000 * MS, *ntp);
        }
        // Each is answered after 300 ms, of which the receiver kept 100.
        let dlsr = (ntp_ticks(100 * MS) >> 16) as u32;
        for (n, ntp) in ntp.iter().enumerate() {
            let now = start + n as u32 * 1_000 * MS + 300 * MS;
            for off in [-1, 0, 1] {
                let lsr = ((ntp >> 16) as u32).wrapping_add_signed(off);
                let trip = sent.round_trip(now, lsr, dlsr).unwrap();
                assert!(trip.abs_diff(200 * MS) < MS, "{n}: {trip:?}");
            }
            let lsr = (ntp >> 16) as u32;
            assert_eq!(sent.round_trip(now, lsr.wrapping_add(2), dlsr), None);
            assert_eq!(sent.round_trip(now, lsr, 4 * dlsr), None, "kept too long");
        }
        assert_eq!(sent.round_trip(start + 3_000 * MS, 0, 0), None);
        for n in 0..REMEMBERED as u64 {
            sent.note(start + 3_000 * MS, n << 40);
        }
        let long_ago = (ntp[0] >> 16) as u32;
        assert_eq!(sent.round_trip(start + 3_000 * MS, long_ago, 0), None);
    }

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
