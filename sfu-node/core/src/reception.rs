//! How a stream is received: loss and jitter between two looks (RFC 3550, A.3 and A.8).

use std::time::{Duration, Instant};

use crate::packet::Packet;

/// A packet that comes behind so many later ones was lost and repaired: paths reorder within a burst, and hardly further.
const REPAIRED: u64 = 4;
/// A larger step is no loss: the stream was silent, or is another one.
const MAX_GAP: u64 = 1_000;

/// One stream's reception.
#[derive(Debug, Default)]
pub struct Reception {
    highest: Option<u64>,
    interval: Interval,
    /// Arrival and timestamp of the last packet, and the jitter in ticks.
    last: Option<(Instant, u32)>,
    jitter: f64,
    clock_rate: u32,
}

/// What was received since the last look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Interval {
    /// Packets that should have come.
    pub expected: u64,
    /// Packets that came, without those that were repaired.
    pub received: u64,
    /// Payload bytes of all that came.
    pub bytes: u64,
}

impl Interval {
    /// Share of packets lost, 0 to 1.
    pub fn loss(&self) -> f64 {
        let lost = self.expected.saturating_sub(self.received);
        lost as f64 / self.expected.max(1) as f64
    }
}

impl std::ops::AddAssign for Interval {
    fn add_assign(&mut self, other: Self) {
        self.expected += other.expected;
        self.received += other.received;
        self.bytes += other.bytes;
    }
}

impl Reception {
    /// A packet has come to this machine at that time.
    pub fn note(&mut self, arrived: Instant, packet: &Packet) {
        self.interval.bytes += packet.payload.len() as u64;
        let highest = self.highest.unwrap_or(packet.sequence.wrapping_sub(1));
        let step = packet.sequence.wrapping_sub(highest) as i64;
        if step <= 0 {
            self.interval.received += u64::from(step.unsigned_abs() < REPAIRED);
            return;
        }
        self.highest = Some(packet.sequence);
        let step = step as u64;
        self.interval.expected += if step > MAX_GAP { 1 } else { step };
        self.interval.received += 1;
        self.clock_rate = packet.codec.clock_rate();
        self.note_jitter(arrived, packet.timestamp);
    }

    fn note_jitter(&mut self, arrived: Instant, timestamp: u32) {
        let Some((before, timestamp_before)) = self.last.replace((arrived, timestamp)) else {
            return;
        };
        let sent = timestamp.wrapping_sub(timestamp_before) as i32;
        if sent == 0 {
            // More of the same frame: it was not sent at its timestamp's time.
            self.last = Some((before, timestamp_before));
            return;
        }
        let passed = arrived.saturating_duration_since(before).as_secs_f64();
        let difference = passed * f64::from(self.clock_rate) - f64::from(sent);
        // A pause tells nothing about the path.
        if difference.abs() < f64::from(self.clock_rate) {
            self.jitter += (difference.abs() - self.jitter) / 16.0;
        }
    }

    /// What came since the last look.
    pub fn take(&mut self) -> Interval {
        std::mem::take(&mut self.interval)
    }

    /// The interarrival jitter.
    pub fn jitter(&self) -> Duration {
        match self.clock_rate {
            0 => Duration::ZERO,
            rate => Duration::from_secs_f64(self.jitter / f64::from(rate)),
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::media::Codec;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn packet(sequence: u64, timestamp: u32) -> Packet {
        Packet::new(
            sequence,
            timestamp,
            false,
            Codec::Opus,
            None,
            [0; 10][..].into(),
        )
    }

    #[test]
    fn what_is_missing_counts_and_what_was_repaired_is_still_lost() {
        let now = Instant::now();
        let mut reception = Reception::default();
        for sequence in [65_530, 65_531, 65_533, 65_532, 65_536, 65_540, 65_534] {
            reception.note(now, &packet(sequence, 0));
        }
        let interval = reception.take();
        assert_eq!((interval.expected, interval.received), (11, 6));
        assert_eq!(interval.bytes, 70);
        assert!((interval.loss() - 5.0 / 11.0).abs() < 1e-9);
        // After a pause.
        reception.note(now, &packet(1_000_000, 0));
        assert_eq!(reception.take().loss(), 0.0);
        assert_eq!(reception.take(), Interval::default());
    }

    #[test]
    fn jitter_is_the_mean_deviation_of_the_transit_times() {
        let start = Instant::now();
        let mut reception = Reception::default();
        assert_eq!(reception.jitter(), Duration::ZERO);
        for n in 0..500_u32 {
            let late = n % 2 * 10;
            let at = start + (n * 20 + late) * MS;
            let timestamp = u32::MAX.wrapping_sub(1_000).wrapping_add(n * 960);
            reception.note(at, &packet(n.into(), timestamp));
        }
        let jitter = reception.jitter();
        assert!(jitter.abs_diff(10 * MS) < MS, "{jitter:?}");
    }
}
