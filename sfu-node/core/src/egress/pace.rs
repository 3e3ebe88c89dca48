//! Pacing: media leaves in bursts that the path can swallow, sound first (or behind a little video, in one message with it),
//! and what has waited too long not at all.
//!
//! Nothing is decided per packet but whether the budget still allows one: a flush takes what may go now, and says when the
//! next one is due.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The queue empties at this multiple of the estimate: a keyframe of several times a frame's size is out within a few
/// frames' time, and the path's queue stays short.
const FACTOR: f64 = 2.5;
/// Most that leaves at once, as a time at the pacing rate: it stays one short burst on the wire …
const BURST: f64 = 0.005;
/// … or, if that is more, as a time at the estimate: a usual frame (25 a second) is not cut up.
const FRAME: f64 = 0.040;
/// Over a while no more leaves than this multiple of the estimate, or the path's queue would fill, and sound with it would
/// wait and be lost there: what is too much waits here, where sound overtakes it …
const SUSTAINED: f64 = 1.2;
/// … and that while is as long as this many seconds at the estimate, enough for a keyframe.
const RESERVE: f64 = 0.6;
/// The last packet of sound leaves behind video that takes no longer than this at the estimate, in seconds: the kernel takes
/// a run of equal packets and a shorter one as one message, and a call has many flushes of just that.
const BESIDE_SOUND: f64 = 0.010;
/// Shortest time to the next flush: shorter bursts cost more calls.
const SHORTEST_WAIT: Duration = Duration::from_millis(2);
/// Video that has waited for longer is dropped: what is played live is of no use so late, and the next keyframe
/// is not held up.
const STALE: Duration = Duration::from_millis(500);
/// Longest queue, in packets; a keyframe of a large screen fits several times.
const MAX_QUEUE: usize = 4_096;

/// In which order packets leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Always in the next flush.
    Audio,
    /// Before other video: somebody's picture stands still until then.
    Repair,
    Video,
}

#[derive(Debug)]
struct Waiting<T> {
    since: Instant,
    bytes: u32,
    packet: T,
}

/// A subscriber's queues and their budget.
#[derive(Debug)]
pub struct Pacer<T> {
    audio: VecDeque<Waiting<T>>,
    repair: VecDeque<Waiting<T>>,
    video: VecDeque<Waiting<T>>,
    /// Bytes per second; `None` while nothing is known of the path.
    rate: Option<f64>,
    /// Most bytes of a burst.
    burst: f64,
    /// Bytes that may leave now; negative after a burst that ended within a packet, or much sound.
    budget: f64,
    /// The same over a while.
    reserve: f64,
    /// Bytes of video that may still leave before the last packet of sound, in this flush.
    beside_sound: f64,
    filled: Option<Instant>,
    /// Packets dropped because they, or one that they need, had waited too long.
    pub stale: u64,
}

impl<T> Default for Pacer<T> {
    fn default() -> Self {
        Self {
            audio: VecDeque::new(),
            repair: VecDeque::new(),
            video: VecDeque::new(),
            rate: None,
            burst: 0.0,
            budget: 0.0,
            reserve: 0.0,
            beside_sound: 0.0,
            filled: None,
            stale: 0,
        }
    }
}

impl<T> Pacer<T> {
    /// Whether there is no room for another packet.
    pub fn is_full(&self) -> bool {
        self.len() >= MAX_QUEUE
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        self.audio.len() + self.repair.len() + self.video.len()
    }

    /// Drops all that waits.
    pub fn clear(&mut self) {
        self.audio.clear();
        self.repair.clear();
        self.video.clear();
    }

    /// A packet of about so many bytes waits to leave.
    pub fn push(&mut self, now: Instant, class: Class, bytes: usize, packet: T) {
        let queue = match class {
            Class::Audio => &mut self.audio,
            Class::Repair => &mut self.repair,
            Class::Video => &mut self.video,
        };
        queue.push_back(Waiting {
            since: now,
            bytes: bytes as u32,
            packet,
        });
    }

    /// What the path carries in bits per second; `None` lets everything leave at once.
    pub fn set_estimate(&mut self, estimate: Option<u64>) {
        self.rate = estimate.map(|bits| FACTOR * bits as f64 / 8.0);
        if let Some(rate) = self.rate {
            self.burst = (BURST * rate).max(FRAME * rate / FACTOR);
        }
    }

    /// A flush begins: time has passed since the last one.
    pub fn fill(&mut self, now: Instant) {
        let Some(rate) = self.rate else {
            self.filled = None;
            self.beside_sound = 0.0;
            return;
        };
        // At first both are full.
        let passed = self
            .filled
            .map_or(1.0, |at| now.saturating_duration_since(at).as_secs_f64());
        self.filled = Some(now);
        self.budget = (self.budget + passed * rate).clamp(-self.burst, self.burst);
        let estimate = rate / FACTOR;
        let reserve = self.reserve + passed * SUSTAINED * estimate;
        self.reserve = reserve.clamp(-self.burst, RESERVE * estimate);
        self.beside_sound = BESIDE_SOUND * estimate;
    }

    /// Takes out the next packet that has waited too long. Call it until there is none, before a flush.
    pub fn pop_stale(&mut self, now: Instant) -> Option<T> {
        let is_stale = |first: &mut Waiting<T>| now.saturating_duration_since(first.since) > STALE;
        let first = self.repair.pop_front_if(is_stale);
        let first = first.or_else(|| self.video.pop_front_if(is_stale))?;
        self.stale += 1;
        Some(first.packet)
    }

    /// Drops what waits and is of no use any more, sound apart; repairs are asked about first, then video, each in its order.
    pub fn drop_useless(&mut self, mut is_useless: impl FnMut(&T) -> bool) {
        let before = self.len();
        self.repair.retain(|waiting| !is_useless(&waiting.packet));
        self.video.retain(|waiting| !is_useless(&waiting.packet));
        self.stale += (before - self.len()) as u64;
    }

    /// The next packet that may leave now, and since when it has waited.
    pub fn pop(&mut self) -> Option<(Instant, T)> {
        let allowed = self.rate.is_none() || self.budget.min(self.reserve) > 0.0;
        let waiting = if allowed && self.sound_can_follow() {
            let waiting = self.pop_any()?;
            self.beside_sound -= f64::from(waiting.bytes);
            waiting
        } else if let Some(waiting) = self.audio.pop_front() {
            waiting
        } else if allowed {
            self.pop_any()?
        } else {
            return None;
        };
        self.spend(waiting.bytes);
        Some((waiting.since, waiting.packet))
    }

    /// Whether the only packet of sound may leave behind the next one of video.
    fn sound_can_follow(&self) -> bool {
        let next = self.repair.front().or_else(|| self.video.front());
        self.audio.len() == 1 && next.is_some_and(|next| f64::from(next.bytes) <= self.beside_sound)
    }

    fn spend(&mut self, bytes: u32) {
        self.budget -= f64::from(bytes);
        self.reserve -= f64::from(bytes);
    }

    /// The next packet of sound.
    pub fn pop_audio(&mut self) -> Option<(Instant, T)> {
        let waiting = self.audio.pop_front()?;
        self.spend(waiting.bytes);
        Some((waiting.since, waiting.packet))
    }

    /// The next packet, whatever the budget says: a probe is being sent, which has its own.
    pub fn pop_for_probe(&mut self) -> Option<(Instant, T)> {
        let waiting = self.audio.pop_front().or_else(|| self.pop_any())?;
        Some((waiting.since, waiting.packet))
    }

    fn pop_any(&mut self) -> Option<Waiting<T>> {
        self.repair.pop_front().or_else(|| self.video.pop_front())
    }

    /// When the next flush is due; `None` when nothing waits.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        if self.is_empty() {
            return None;
        }
        let wait = self.rate.map_or(0.0, |rate| {
            // For a whole burst, or for what there is.
            let waiting = self.repair.iter().chain(&self.video);
            let enough = (BURST * rate).min(self.burst);
            let mut wanted = 0.0;
            for next in waiting {
                if wanted >= enough {
                    break;
                }
                wanted += f64::from(next.bytes);
            }
            let wanted = wanted.min(enough);
            let by_reserve = (wanted - self.reserve) * FACTOR / (SUSTAINED * rate);
            by_reserve.max((wanted - self.budget) / rate)
        });
        Some(now + Duration::from_secs_f64(wait.max(0.0)).max(SHORTEST_WAIT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// All that may leave now.
    fn popped(pacer: &mut Pacer<u32>) -> Vec<u32> {
        std::iter::from_fn(|| pacer.pop().map(|(_, packet)| packet)).collect()
    }

    /// Flushes when due until nothing waits; returns when each packet left.
    fn drain(pacer: &mut Pacer<u32>, start: Instant) -> Vec<(u32, u128)> {
        let mut now = start;
        let mut left = Vec::new();
        loop {
            while pacer.pop_stale(now).is_some() {}
            pacer.fill(now);
            while let Some((_, packet)) = pacer.pop() {
                left.push((packet, (now - start).as_millis()));
            }
            match pacer.due(now) {
                Some(at) => now = at,
                None => return left,
            }
        }
    }

    #[test]
    fn a_frame_leaves_at_once_and_a_keyframe_is_spread() {
        let now = Instant::now();
        let mut pacer = Pacer::default();
        pacer.set_estimate(Some(1_000_000));
        for n in 0..4 {
            pacer.push(now, Class::Video, 1_200, n);
        }
        assert!(drain(&mut pacer, now).iter().all(|(_, at)| *at == 0));
        // 60 kB at 2.5 Mbit/s, of which 5 kB may leave at once.
        let later = now + 1_000 * MS;
        for n in 0..50 {
            pacer.push(later, Class::Video, 1_200, n);
        }
        let left = drain(&mut pacer, later);
        let (first, last) = (left.iter().filter(|(_, at)| *at == 0).count(), left[49].1);
        assert!((4..=6).contains(&first), "{first}");
        assert!((165..=180).contains(&last), "{last}");
        assert!(left.windows(2).all(|pair| pair[0].0 < pair[1].0));
        // Not a flush for each packet.
        let mut times: Vec<_> = left.iter().map(|(_, at)| *at).collect();
        times.dedup();
        assert!(times.len() < 40, "{}", times.len());
    }

    #[test]
    fn sound_never_waits_and_repair_goes_before_video() {
        let now = Instant::now();
        let mut pacer = Pacer::default();
        pacer.set_estimate(Some(100_000));
        for n in 0..20 {
            pacer.push(now, Class::Video, 1_200, n);
        }
        pacer.push(now, Class::Repair, 1_200, 100);
        pacer.push(now, Class::Audio, 100, 200);
        pacer.fill(now);
        let left: Vec<u32> = popped(&mut pacer);
        assert_eq!(left, [200, 100]);
        pacer.push(now, Class::Audio, 100, 201);
        assert_eq!(popped(&mut pacer), [201]);
    }

    #[test]
    fn the_last_sound_leaves_behind_a_little_video_and_before_much() {
        let now = Instant::now();
        let mut pacer = Pacer::default();
        // 2.5 kB in 10 ms.
        pacer.set_estimate(Some(2_000_000));
        let mut leave = |sounds: u32, videos: u32| -> Vec<u32> {
            (0..videos).for_each(|n| pacer.push(now, Class::Video, 1_200, n));
            (0..sounds).for_each(|n| pacer.push(now, Class::Audio, 100, 100 + n));
            pacer.fill(now);
            popped(&mut pacer)
        };
        assert_eq!(leave(1, 2), [0, 1, 100]);
        assert_eq!(leave(2, 2), [100, 0, 1, 101]);
        assert_eq!(leave(1, 3), [0, 1, 100, 2]);
        assert_eq!(leave(1, 0), [100]);
    }

    #[test]
    fn what_has_waited_too_long_is_dropped() {
        let now = Instant::now();
        let mut pacer = Pacer::default();
        pacer.set_estimate(Some(100_000));
        for n in 0..100 {
            pacer.push(now, Class::Video, 1_200, n);
        }
        let left = drain(&mut pacer, now);
        assert!(left.last().is_some_and(|(_, at)| *at <= 500), "{left:?}");
        assert_eq!(left.len() as u64 + pacer.stale, 100);
        assert!((9..20).contains(&left.len()), "{}", left.len());
    }

    #[test]
    fn what_is_of_no_use_is_dropped_and_sound_is_kept() {
        let now = Instant::now();
        let mut pacer = Pacer::default();
        for (class, packet) in [
            (Class::Video, 1),
            (Class::Audio, 2),
            (Class::Video, 3),
            (Class::Repair, 4),
            (Class::Repair, 5),
        ] {
            pacer.push(now, class, 100, packet);
        }
        let mut asked = Vec::new();
        pacer.drop_useless(|packet| {
            asked.push(*packet);
            packet % 2 == 1
        });
        assert_eq!(asked, [4, 5, 1, 3]);
        assert_eq!(pacer.stale, 3);
        let left: Vec<u32> = popped(&mut pacer);
        assert_eq!(left, [2, 4]);
    }

    #[test]
    fn too_much_for_long_waits_here_and_not_on_the_path() {
        let start = Instant::now();
        let mut pacer = Pacer::default();
        pacer.set_estimate(Some(1_000_000));
        // Video of 2 Mbit/s for five seconds, beside sound.
        let mut bytes = 0;
        for n in 0..1_000_u32 {
            let now = start + n * 5 * MS;
            pacer.push(now, Class::Video, 1_250, 0);
            pacer.push(now, Class::Audio, 100, 1);
            pacer.fill(now);
            let left: Vec<u32> = popped(&mut pacer);
            assert!(left.contains(&1), "sound never waits");
            bytes += left
                .iter()
                .map(|kind| if *kind == 0 { 1_250 } else { 100 })
                .sum::<u64>();
        }
        // 20% more than the path carries, and the keyframe's worth at the start.
        let most = 1.2 * 5.0 * 125_000.0 + 0.6 * 125_000.0;
        assert!(
            (0.9 * most..1.05 * most).contains(&(bytes as f64)),
            "{bytes}"
        );
    }

    #[test]
    fn an_unknown_path_is_not_paced() {
        let now = Instant::now();
        let mut pacer = Pacer::default();
        for n in 0..1_000 {
            pacer.push(now, Class::Video, 1_200, n);
        }
        assert!(drain(&mut pacer, now).iter().all(|(_, at)| *at == 0));
    }
}
