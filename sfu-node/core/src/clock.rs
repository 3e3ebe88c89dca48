//! A publisher's clock, and what can be told by it (RFC 3550, 6.4.1).

use std::time::{Duration, Instant};

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

    /// What the publisher's NTP clock showed at this RTP timestamp, which must be within some hours of the report.
    pub fn ntp_of(&self, rtp: u32, clock_rate: u32) -> u64 {
        let ticks = i64::from(rtp.wrapping_sub(self.rtp) as i32);
        let passed = (i128::from(ticks) << 32) / i128::from(clock_rate);
        self.ntp.wrapping_add_signed(passed as i64)
    }

    /// The RTP timestamp at this time of the publisher's NTP clock.
    pub fn rtp_of(&self, ntp: u64, clock_rate: u32) -> u32 {
        let passed = i128::from(ntp.wrapping_sub(self.ntp) as i64);
        let ticks = (passed * i128::from(clock_rate)) >> 32;
        self.rtp.wrapping_add(ticks as u32)
    }
}

/// A duration in units of 2⁻³² s.
pub fn ntp_ticks(duration: Duration) -> u64 {
    let fraction = (u64::from(duration.subsec_nanos()) << 32) / 1_000_000_000;
    duration.as_secs() << 32 | fraction
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn two_streams_of_one_publisher_meet_on_its_clock() {
        let at = Instant::now();
        let clock = |ntp, rtp| ClockMap { ntp, rtp, at };
        let low = clock(7 << 32, u32::MAX - 10);
        // Reported half a second later.
        let high = clock(7 << 32 | 1 << 31, 500_000);
        for ms in [-900_i32, 0, 900] {
            let stamp = 500_000_u32.wrapping_add_signed(ms * 90);
            let other = low.rtp_of(high.ntp_of(stamp, 90_000), 90_000);
            let expected = (u32::MAX - 10).wrapping_add_signed((ms + 500) * 90);
            let apart = other.wrapping_sub(expected) as i32;
            assert!(apart.abs() <= 1, "{ms} ms: {apart} ticks apart");
        }
    }
}
