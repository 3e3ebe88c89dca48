//! Sender reports, and the publisher's clock that they are made from (RFC 3550, 6.4.1).

use std::time::{Duration, Instant};

/// Longest CNAME (RFC 3550, 6.5: its length is one octet).
const MAX_CNAME_LEN: usize = 255;

/// A publisher's clock as its last sender report gave it: this NTP time is this RTP timestamp, and it was now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockMap {
    /// NTP timestamp: seconds in the upper 32 bits, their fraction in the lower.
    pub ntp: u64,
    /// In ticks of the codec's clock.
    pub rtp: u32,
    /// When the report arrived.
    pub at: Instant,
}

impl ClockMap {
    /// What the publisher's NTP clock shows now.
    pub fn ntp_at(&self, now: Instant) -> u64 {
        self.ntp
            .wrapping_add(ntp_ticks(now.saturating_duration_since(self.at)))
    }

    /// The publisher's RTP timestamp now. Add a rewriter's offset to get the slot's.
    pub fn rtp_at(&self, now: Instant, clock_rate: u32) -> u32 {
        let passed = now.saturating_duration_since(self.at);
        let ticks = passed.as_micros() * u128::from(clock_rate) / 1_000_000;
        self.rtp.wrapping_add(ticks as u32)
    }
}

/// A duration in units of 2⁻³² s.
pub fn ntp_ticks(duration: Duration) -> u64 {
    let fraction = (u64::from(duration.subsec_nanos()) << 32) / 1_000_000_000;
    duration.as_secs() << 32 | fraction
}

/// The round-trip time from a receiver report's LSR and DLSR (RFC 3550, 6.4.1), by the clock that wrote the sender
/// report. `None` when it had not received any, or the numbers make no sense.
pub fn round_trip(ntp_now: u64, lsr: u32, dlsr: u32) -> Option<Duration> {
    if lsr == 0 {
        return None;
    }
    let ticks = ((ntp_now >> 16) as u32)
        .wrapping_sub(lsr)
        .wrapping_sub(dlsr);
    // A negative difference (clocks are re-read in 2⁻¹⁶ s) looks like half a day.
    (ticks < 1 << 31).then(|| Duration::from_secs(1) * ticks / 65_536)
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
    fn the_clock_runs_on_from_the_last_report() {
        let at = Instant::now();
        let clock = ClockMap {
            ntp: u64::MAX,
            rtp: u32::MAX,
            at,
        };
        let now = at + Duration::from_millis(1_500);
        assert_eq!(clock.ntp_at(now), (1 << 32 | 1 << 31) - 1);
        assert_eq!(clock.rtp_at(now, 48_000), 71_999);
        assert_eq!(clock.rtp_at(at, 90_000), u32::MAX);
    }

    #[test]
    fn a_round_trip_is_read_from_a_receiver_report() {
        let sent = 0xFFFF_FFFF_8000_0000_u64;
        let lsr = (sent >> 16) as u32;
        // Back 300 ms later, of which the receiver kept 100: over the wrap-around of the seconds.
        let now = sent.wrapping_add(ntp_ticks(Duration::from_millis(700)));
        let dlsr = 65_536 / 2;
        let trip = round_trip(now, lsr, dlsr).unwrap();
        assert!(
            trip.abs_diff(Duration::from_millis(200)) < Duration::from_millis(1),
            "{trip:?}"
        );
        assert_eq!(round_trip(now, 0, 0), None);
        assert_eq!(round_trip(sent, lsr, 1), None);
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
