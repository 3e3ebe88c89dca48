//! What of a stream arrives, as its receiver's reports tell (RFC 3550, 6.4.1).

use std::time::{Duration, Instant};

use super::feedback::ReceptionReport;
use super::stream::SenderCounts;

/// What a report said counts for so long: receivers leave up to 7.5 s between two (RFC 3550, 6.2).
const FRESH: Duration = Duration::from_secs(8);
/// A larger step between two reports is another count, not this many packets.
const MAX_STEP: u32 = 1 << 20;
/// Two reports this close tell of too little.
const MIN_TIME: Duration = Duration::from_millis(200);
/// IP, UDP and RTP headers, extensions and tag of a packet, in bytes; it need not be exact.
const HEADERS: f64 = 72.0;

/// What lies between two reports on a stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delivered {
    /// Packets that were to come, and those of them that did not.
    pub expected: u32,
    pub lost: u32,
    /// What was sent of them, and what of that arrived, in bits per second.
    sent: f64,
    arrived: f64,
}

/// What was sent in a stream so far.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    pub counts: SenderCounts,
    /// Those of the packets that a report does not know of yet: their numbers are above the highest in it.
    pub beyond: u32,
}

impl Sent {
    /// How many packets lie between two reports. A number that did not come from the publisher was never sent, and no path has lost it.
    fn since(&self, before: &Self) -> u32 {
        let known = |sent: &Self| sent.counts.packets.wrapping_sub(sent.beyond);
        known(self).wrapping_sub(known(before))
    }
}

/// A stream's last report.
#[derive(Debug, Default)]
pub struct Delivery {
    /// When it came, the highest sequence number in it, and what had been sent by then.
    last: Option<(Instant, u32, Sent)>,
    delivered: Option<Delivered>,
}

impl Delivery {
    /// Takes a report, and what was sent so far. Returns what lies between it and the one before.
    pub fn report(
        &mut self,
        now: Instant,
        report: &ReceptionReport,
        sent: Sent,
    ) -> Option<Delivered> {
        let Some((at, highest, before)) = self.last else {
            self.last = Some((now, report.highest, sent));
            return None;
        };
        let numbers = report.highest.wrapping_sub(highest);
        let took = now.saturating_duration_since(at);
        if numbers == 0 || took < MIN_TIME {
            return None;
        }
        self.last = Some((now, report.highest, sent));
        self.delivered = None;
        if numbers > MAX_STEP || took > FRESH {
            return None;
        }
        // What came late has filled a hole of before: more packets than there are new numbers.
        let expected = sent.since(&before).min(numbers);
        let missing = f64::from(numbers) * f64::from(report.fraction_lost) / 256.0;
        let holes = numbers - expected;
        let lost = (missing.round() as u32).saturating_sub(holes).min(expected);
        let loss = f64::from(lost) / f64::from(expected.max(1));
        let (sent, before) = (sent.counts, before.counts);
        let packets = sent.packets.wrapping_sub(before.packets);
        let octets = sent.octets.wrapping_sub(before.octets);
        let size = f64::from(octets) / f64::from(packets.max(1)) + HEADERS;
        let rate = f64::from(expected) * size * 8.0 / took.as_secs_f64();
        self.delivered = Some(Delivered {
            expected,
            lost,
            sent: rate,
            arrived: rate * (1.0 - loss),
        });
        self.delivered
    }

    /// Whether a second report is to come, without which nothing is known of this stream.
    pub fn is_awaited(&self, now: Instant) -> bool {
        let fresh = |at| now.saturating_duration_since(at) < FRESH;
        let last = self.last.as_ref();
        self.delivered.is_none() && last.is_some_and(|(at, ..)| fresh(*at))
    }

    /// What was sent and what arrived of late, in bits per second.
    pub fn rates(&self, now: Instant) -> (f64, f64) {
        let fresh = |(at, ..): &(Instant, u32, Sent)| now.saturating_duration_since(*at) < FRESH;
        let delivered = self
            .delivered
            .filter(|_| self.last.as_ref().is_some_and(fresh));
        delivered.map_or((0.0, 0.0), |delivered| (delivered.sent, delivered.arrived))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn report(highest: u32, fraction_lost: u8) -> ReceptionReport {
        ReceptionReport {
            ssrc: 1,
            fraction_lost,
            highest,
            jitter: 0,
            lsr: 0,
            dlsr: 0,
        }
    }

    fn counts(packets: u32) -> Sent {
        sent(packets, 0)
    }

    fn sent(packets: u32, beyond: u32) -> Sent {
        let counts = SenderCounts {
            packets,
            octets: packets.wrapping_mul(928),
        };
        Sent { counts, beyond }
    }

    #[test]
    fn what_the_publisher_left_out_no_path_has_lost() {
        let start = Instant::now();
        let mut delivery = Delivery::default();
        // Some are always under way still.
        delivery.report(start, &report(0, 0), sent(30, 30));
        // Two of three numbers were left out, and of the 100 packets 20 are lost: 220 of 300 are missing.
        let later = report(300, 188);
        let said = delivery.report(start + SECOND, &later, sent(150, 50));
        let said = said.expect("two reports");
        assert_eq!((said.expected, said.lost), (100, 20));
        let (out, arrived) = delivery.rates(start + SECOND);
        assert!((out - 800_000.0).abs() < 1.0, "{out}");
        assert!((arrived - 640_000.0).abs() < 1.0, "{arrived}");
        // What comes late fills holes of before.
        let said = delivery.report(start + 2 * SECOND, &report(310, 0), sent(150, 0));
        let said = said.expect("two reports");
        assert_eq!((said.expected, said.lost), (10, 0));
    }

    #[test]
    fn two_reports_tell_what_was_sent_and_what_of_it_arrived() {
        let start = Instant::now();
        let mut delivery = Delivery::default();
        // Over the wrap-around of all counts.
        let (first, highest) = (counts(u32::MAX - 9), u32::MAX - 49);
        assert_eq!(delivery.report(start, &report(highest, 0), first), None);
        assert_eq!(delivery.rates(start), (0.0, 0.0));
        let later = report(highest.wrapping_add(100), 64);
        let said = delivery.report(start + 2 * SECOND, &later, counts(100));
        let said = said.expect("two reports");
        assert_eq!((said.expected, said.lost), (100, 25));
        let (sent, arrived) = delivery.rates(start + 2 * SECOND);
        // 110 packets of 928 bytes by counts that wrap at 2³² octets, and headers.
        assert!((sent - 400_000.0).abs() < 1.0, "{sent}");
        assert!((arrived - 300_000.0).abs() < 1.0, "{arrived}");
        assert_eq!(delivery.rates(start + 10 * SECOND), (0.0, 0.0));
    }

    #[test]
    fn a_report_that_says_nothing_new_is_none() {
        let start = Instant::now();
        let mut delivery = Delivery::default();
        delivery.report(start, &report(10, 0), counts(1));
        let mut hear = |after, highest| {
            let said = delivery.report(start + after, &report(highest, 0), counts(highest));
            said.map(|said| said.expected)
        };
        assert_eq!(hear(SECOND, 10), None, "nothing came");
        assert_eq!(hear(SECOND, 20), Some(10));
        assert_eq!(hear(SECOND + MIN_TIME / 2, 30), None, "too soon");
        assert_eq!(hear(2 * SECOND, 30), Some(10));
        assert_eq!(hear(3 * SECOND, 5), None, "another count");
        assert_eq!(hear(4 * SECOND, 6), Some(1));
        assert_eq!(hear(20 * SECOND, 106), None, "long ago");
    }
}
