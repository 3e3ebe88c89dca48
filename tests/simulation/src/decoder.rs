//! A decoder as a viewer has one: shows frames in order, asks for a keyframe when it is stuck, and notes when the picture
//! stood still.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// How long a decoder waits for a missing packet before it asks for a keyframe; repeated at the same pace.
const PATIENCE: Duration = Duration::from_millis(300);
/// The jitter buffer holds as much as the path has needed in the last while …
const MEMORY: Duration = Duration::from_secs(10);
/// … but no more than people who talk with each other bear.
const MOST: Duration = Duration::from_millis(400);

/// What a decoder sees of a packet.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// RTP timestamp, in ticks of 90 kHz.
    pub timestamp: u32,
    /// The first packet of its frame.
    pub first: bool,
    /// The last packet of its frame (the RTP marker).
    pub last: bool,
    pub keyframe: bool,
}

/// The decoder of one video slot.
#[derive(Debug, Default)]
pub struct Decoder {
    waiting: BTreeMap<u64, Part>,
    /// The sequence number that the next frame starts with; none before the first keyframe.
    next: Option<u64>,
    /// Since when nothing could be shown although there are packets, or when a keyframe was asked for last.
    stuck: Option<Instant>,
    playout: Playout,
    /// When each frame was shown.
    pub shown: Vec<Instant>,
    /// It asks for keyframes for as long as it is stuck, without waiting for repair.
    pub is_impatient: bool,
    /// How often a keyframe was asked for.
    pub asked: u32,
}

impl Decoder {
    /// Takes a packet by its extended sequence number; shows every frame that is whole now.
    pub fn receive(&mut self, now: Instant, sequence: u64, part: Part) {
        if self.next.is_none_or(|next| sequence >= next) {
            self.waiting.insert(sequence, part);
        }
        while let Some(end) = self.frame_at(self.next).or_else(|| self.whole_keyframe()) {
            let rest = self.waiting.split_off(&end);
            let frame = std::mem::replace(&mut self.waiting, rest);
            self.next = Some(end);
            if let Some((_, part)) = frame.last_key_value() {
                self.shown.push(self.playout.show(now, part.timestamp));
            }
            self.stuck = None;
        }
        if !self.waiting.is_empty() {
            self.stuck.get_or_insert(now);
        }
    }

    /// The end of the frame that starts here, if all of it is there.
    fn frame_at(&self, start: Option<u64>) -> Option<u64> {
        let start = start?;
        let mut expected = start;
        for (sequence, part) in self.waiting.range(start..) {
            if *sequence != expected || (part.first != (expected == start)) {
                return None;
            }
            expected += 1;
            if part.last {
                return Some(expected);
            }
        }
        None
    }

    /// The end of the newest whole keyframe: it makes everything before it unnecessary.
    fn whole_keyframe(&self) -> Option<u64> {
        let starts = self.waiting.iter().rev();
        starts
            .filter(|(_, part)| part.first && part.keyframe)
            .find_map(|(sequence, _)| self.frame_at(Some(*sequence)))
    }

    /// Whether to ask for a keyframe now.
    pub fn needs_keyframe(&mut self, now: Instant) -> bool {
        let patience = match self.is_impatient {
            true => Duration::ZERO,
            false => PATIENCE,
        };
        match self.stuck {
            Some(since) if now.saturating_duration_since(since) >= patience => {
                self.stuck = Some(now);
                self.asked += 1;
                true
            }
            _ => false,
        }
    }

    /// Share of the time between two instants in which the picture stood still, 0 to 1. A freeze is a gap between two
    /// frames of more than the average and 150 ms, and at least thrice the average (`freezeCount` of W3C webrtc-stats).
    pub fn frozen(&self, from: Instant, to: Instant) -> f64 {
        let times: Vec<_> = self
            .shown
            .iter()
            .copied()
            .filter(|at| (from..=to).contains(at))
            .collect();
        let whole = to.saturating_duration_since(from).as_secs_f64();
        if times.len() < 2 {
            return 1.0;
        }
        let average = whole / times.len() as f64;
        let limit = (3.0 * average).max(average + 0.15);
        let edges = [from].into_iter().chain(times.iter().copied()).chain([to]);
        let edges: Vec<_> = edges.collect();
        let gaps = edges
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).as_secs_f64());
        gaps.filter(|gap| *gap > limit).sum::<f64>() / whole
    }
}

/// A jitter buffer: frames are shown at the pace of their timestamps, behind by what the path has needed of late.
#[derive(Debug, Default)]
struct Playout {
    /// When timestamp 0 would have been whole on an idle path, and the latest timestamp with it.
    origin: Option<(Instant, u32)>,
    last: Option<Instant>,
    /// How much later than on an idle path frames were whole of late.
    late: VecDeque<(Instant, Duration)>,
}

impl Playout {
    /// When a frame is shown that is whole now.
    fn show(&mut self, now: Instant, timestamp: u32) -> Instant {
        let (origin, before) = *self.origin.get_or_insert((now, timestamp));
        let ticks = i64::from(timestamp.wrapping_sub(before) as i32);
        let passed = Duration::from_micros(ticks.max(0) as u64 * 1_000 / 90);
        let idle = (origin + passed).min(now);
        self.origin = Some((idle, timestamp));
        let late = now - idle;
        while self.late.front().is_some_and(|(at, _)| now - *at > MEMORY) {
            self.late.pop_front();
        }
        self.late.push_back((now, late));
        let most = self.late.iter().map(|(_, late)| *late).max();
        let due = idle + most.unwrap_or(late).min(MOST);
        let shown = due.max(now).max(self.last.unwrap_or(now));
        self.last = Some(shown);
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn frame(decoder: &mut Decoder, at: Instant, first: u64, keyframe: bool, lose: Option<u64>) {
        for n in 0..3 {
            if lose != Some(n) {
                let part = Part {
                    timestamp: first as u32 * 990,
                    first: n == 0,
                    last: n == 2,
                    keyframe,
                };
                decoder.receive(at, first + n, part);
            }
        }
    }

    #[test]
    fn a_lost_packet_freezes_the_picture_until_repair_or_keyframe() {
        let start = Instant::now();
        let mut decoder = Decoder::default();
        for n in 0..30 {
            let lose = (n == 10).then_some(1);
            frame(
                &mut decoder,
                start + 33 * n as u32 * MS,
                3 * n,
                n == 0,
                lose,
            );
        }
        assert_eq!(decoder.shown.len(), 10);
        assert!(decoder.needs_keyframe(start + 990 * MS));
        assert!(!decoder.needs_keyframe(start + 991 * MS));
        frame(&mut decoder, start + 1_000 * MS, 90, true, None);
        assert_eq!(decoder.shown.len(), 11);
        let frozen = decoder.frozen(start, start + 1_000 * MS);
        assert!((frozen - 0.703).abs() < 0.01, "{frozen}");
    }

    #[test]
    fn a_repaired_frame_shows_what_waited_behind_it() {
        let start = Instant::now();
        let mut decoder = Decoder::default();
        frame(&mut decoder, start, 0, true, None);
        frame(&mut decoder, start + 33 * MS, 3, false, Some(2));
        frame(&mut decoder, start + 66 * MS, 6, false, None);
        assert_eq!(decoder.shown.len(), 1);
        let late = Part {
            timestamp: 3 * 990,
            first: false,
            last: true,
            keyframe: false,
        };
        decoder.receive(start + 90 * MS, 5, late);
        assert_eq!(decoder.shown.len(), 3);
        assert!(decoder.frozen(start, start + 90 * MS) < 0.01);
    }
}
