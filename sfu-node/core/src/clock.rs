//! Publishers' clocks, the node's own, and what can be told by them (RFC 3550, 6.4.1).

use std::time::{Duration, Instant};

/// From 1900, where NTP begins, to 1970.
const SECONDS_TO_1970: u64 = 2_208_988_800;
/// Whose clock is found to be further than this from where it was has set it, has slept, or was first heard of late. So nobody's time at
/// clients is further than this from the node's.
const SET: Duration = Duration::from_secs(1);

/// The node's own clock: it runs on evenly from what it showed once, though the machine's may be set meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct NodeClock {
    at: Instant,
    ntp: u64,
}

impl NodeClock {
    /// A clock that shows now what has passed since 1970.
    pub fn new(now: Instant, since_1970: Duration) -> Self {
        Self {
            at: now,
            ntp: (SECONDS_TO_1970 << 32).wrapping_add(ntp_ticks(since_1970)),
        }
    }

    fn ntp(&self, now: Instant) -> u64 {
        self.ntp
            .wrapping_add(ntp_ticks(now.saturating_duration_since(self.at)))
    }
}

/// A publisher's clock as its last sender report gave it: this NTP time is this RTP timestamp, and it was now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockMap {
    /// NTP timestamp: seconds in the upper 32 bits, their fraction in the lower.
    pub ntp: u64,
    /// In ticks of the codec's clock.
    pub rtp: u32,
    /// When the report arrived.
    pub at: Instant,
    /// What the node's clock is ahead of the publisher's.
    ahead: u64,
}

impl ClockMap {
    /// What a report that has come now tells. `known`: what was told before by the same clock, of this stream or of another that is to be
    /// played in step with it. They share what the first report was late; if this one is not kept to it, they are to be
    /// [`Self::set_by`] it.
    pub fn new(
        now: Instant,
        (ntp, rtp): (u64, u32),
        node: &NodeClock,
        known: Option<ClockMap>,
    ) -> Self {
        let ahead = node.ntp(now).wrapping_sub(ntp);
        let apart = |known: &u64| (known.wrapping_sub(ahead) as i64).unsigned_abs();
        let known = known.map(|known| known.ahead);
        let kept = known.filter(|known| apart(known) < ntp_ticks(SET));
        Self {
            ntp,
            rtp,
            at: now,
            ahead: kept.unwrap_or(ahead),
        }
    }

    /// Sets it by the node's clock as another stream's was that is to be played in step with it.
    pub fn set_by(&mut self, other: &Self) {
        self.ahead = other.ahead;
    }

    /// What clients are told of the time now: the publisher's clock, set once by the node's. So a slot's time goes on when somebody else
    /// publishes in it, and sound beside a stranger's picture does not wait for as much as two people's clocks are apart.
    pub fn ntp_at(&self, now: Instant) -> u64 {
        self.ntp
            .wrapping_add(self.ahead)
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

    fn told(now: Instant, ntp: u64, rtp: u32, known: Option<ClockMap>) -> ClockMap {
        let node = NodeClock {
            at: now,
            ntp: 1_000 << 32,
        };
        ClockMap::new(now, (ntp, rtp), &node, known)
    }

    #[test]
    fn the_clock_runs_on_from_the_last_report() {
        let at = Instant::now();
        let clock = told(at, u64::MAX, u32::MAX, None);
        let now = at + Duration::from_millis(1_500);
        assert_eq!(clock.ntp_at(now), 1_001 << 32 | 1 << 31);
        assert_eq!(clock.rtp_at(now, 48_000), 71_999);
        assert_eq!(clock.rtp_at(at, 90_000), u32::MAX);
    }

    #[test]
    fn the_node_s_clock_counts_from_1900() {
        let at = Instant::now();
        let node = NodeClock::new(at, Duration::from_secs(1));
        let later = at + Duration::from_millis(500);
        assert_eq!(node.ntp(later), 2_208_988_801 << 32 | 1 << 31);
    }

    #[test]
    fn what_is_played_in_step_is_told_by_one_clock_and_none_is_far_from_the_node_s() {
        let at = Instant::now();
        let mut sound = told(at, 7 << 32, 0, None);
        assert_eq!(sound.ntp_at(at), 1_000 << 32);
        // Of three quarters of a second before: so much later it came.
        let picture = told(at, (7 << 32) - (3 << 30), 0, Some(sound));
        assert_eq!(picture.ntp_at(at), (1_000 << 32) - (3 << 30));
        // Whose clock was set by some seconds, or an hour.
        for seconds in [4, 9, 3_607] {
            let set = told(at, seconds << 32, 0, Some(sound));
            assert_eq!(set.ntp_at(at), 1_000 << 32, "{seconds}");
            sound.set_by(&set);
            let expected = 1_007_u64.wrapping_sub(seconds) << 32;
            assert_eq!(sound.ntp_at(at), expected, "{seconds}");
        }
    }

    #[test]
    fn two_streams_of_one_publisher_meet_on_its_clock() {
        let at = Instant::now();
        let clock = |ntp, rtp| told(at, ntp, rtp, None);
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
