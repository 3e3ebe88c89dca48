//! What a slot has sent, so that a NACK is answered.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::packet::{Packet, extend};
use crate::rewrite::{Offsets, Rewritten};
use crate::store::USEFUL;

/// What a slot has sent, so that a NACK for it is answered from the source's store.
///
/// It holds one entry per source, not per packet: within one source each number is moved by a constant, so where a
/// packet came from, and how it was numbered, follows from its sequence number.
#[derive(Debug)]
pub struct SentLog<K> {
    /// The source that flows, apart from the former ones: each packet looks at it.
    current: Option<Run<K>>,
    former: VecDeque<Run<K>>,
    highest: u64,
    /// What comes before this number is not repaired.
    first: u64,
    /// What was sent again, as long as it can be asked for.
    again: BTreeMap<u64, Again>,
    /// Since when answers are counted, and how many there were.
    answers: Option<(Instant, usize)>,
    guard: Duration,
}

/// How often a packet was sent again, and when last.
#[derive(Debug, Clone, Copy)]
struct Again {
    at: Instant,
    times: u8,
}

/// A stretch of the slot's stream that came from one source.
#[derive(Debug, Clone, Copy)]
struct Run<K> {
    first: u64,
    key: K,
    offsets: Offsets,
}

/// A packet that was sent: whose, and how to number it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent<K> {
    pub key: K,
    /// The source's extended sequence number, to look it up in its store.
    pub sequence: u64,
    offsets: Offsets,
}

impl<K> Sent<K> {
    /// The extended number that it was sent with.
    pub fn number(&self) -> u64 {
        self.sequence.wrapping_add(self.offsets.sequence)
    }

    /// The numbers that the packet was sent with.
    pub fn rewritten(&self, packet: &Packet) -> Rewritten {
        self.offsets.apply(packet)
    }
}

/// Former sources remembered: more switches than this within a second are not worth repairing.
const MAX_RUNS: usize = 16;
/// How far back a NACK reaches, in packets: no further than any store does.
const MAX_AGE: u64 = 1_024;
/// Shortest time between two answers for one packet: receivers ask in bursts.
const MIN_GUARD: Duration = Duration::from_millis(20);
/// Copies of one packet: who has got none of so many will not get it in time.
const MAX_TIMES: u8 = 8;
/// Answers within that time, over which a receiver gets no more: it asks for the whole stream again.
const MAX_AGAIN: usize = 128;

impl<K> Default for SentLog<K> {
    fn default() -> Self {
        Self {
            current: None,
            former: VecDeque::new(),
            highest: 0,
            first: 0,
            again: BTreeMap::new(),
            answers: None,
            guard: MIN_GUARD,
        }
    }
}

impl<K: Copy + PartialEq> SentLog<K> {
    /// The receiver's round-trip time: until it has passed, an answer may still be on its way.
    pub fn set_rtt(&mut self, rtt: Duration) {
        self.guard = rtt.clamp(MIN_GUARD, USEFUL);
    }

    /// A packet of this source was sent with these offsets ([`crate::rewrite::Rewriter::offsets`]).
    pub fn record(&mut self, key: K, rewritten: &Rewritten, offsets: Offsets) {
        self.highest = self.highest.max(rewritten.sequence);
        let goes_on = |run: &Run<K>| run.key == key && run.offsets == offsets;
        if self.current.as_ref().is_some_and(goes_on) {
            return;
        }
        let former = self.current.replace(Run {
            first: rewritten.sequence,
            key,
            offsets,
        });
        if self.former.len() == MAX_RUNS {
            self.former.pop_front();
        }
        self.former.extend(former);
    }

    /// What was sent up to now is not repaired: a decoder has no use for it any more.
    pub fn forget(&mut self) {
        self.first = self.highest + 1;
    }

    /// What was sent as this sequence number, if it is worth sending again now, and in how many copies of those that are wanted:
    /// it is not when it is too old, or was sent again just before.
    pub fn find(&mut self, now: Instant, sequence: u16, copies: u8) -> Option<(Sent<K>, u8)> {
        let sequence = extend(Some(self.highest), sequence);
        if sequence > self.highest || sequence + MAX_AGE <= self.highest {
            return None;
        }
        let sent = self.at(sequence)?;
        Some((sent, self.guard(now, sequence, copies)?))
    }

    /// What was sent so many packets before the newest, whenever it was sent again: to fill a probe with.
    pub fn recent(&self, back: u64) -> Option<Sent<K>> {
        self.at(self.highest.checked_sub(back)?)
    }

    fn at(&self, sequence: u64) -> Option<Sent<K>> {
        if sequence < self.first {
            return None;
        }
        let mut runs = self.current.iter().chain(self.former.iter().rev());
        let run = runs.find(|run| run.first <= sequence)?;
        Some(Sent {
            key: run.key,
            sequence: sequence.wrapping_sub(run.offsets.sequence),
            offsets: run.offsets,
        })
    }

    /// How many of these copies of a number may be sent again, if any, and that they are.
    fn guard(&mut self, now: Instant, sequence: u64, copies: u8) -> Option<u8> {
        let reach = (self.highest + 1).saturating_sub(MAX_AGE);
        while let Some(oldest) = self.again.first_entry().filter(|old| *old.key() < reach) {
            oldest.remove();
        }
        let recent = |at: Instant| now.saturating_duration_since(at) < self.guard;
        let (since, answers) = self
            .answers
            .filter(|(at, _)| recent(*at))
            .unwrap_or((now, 0));
        let times = match self.again.get(&sequence) {
            Some(again) if recent(again.at) || again.times == MAX_TIMES => return None,
            Some(again) => again.times,
            None => 0,
        };
        if answers == MAX_AGAIN {
            return None;
        }
        self.answers = Some((since, answers + 1));
        let copies = copies.min(MAX_TIMES - times);
        let times = times + copies;
        self.again.insert(sequence, Again { at: now, times });
        Some(copies)
    }
}

#[cfg(test)]
mod tests {
    use protocol::media::{Codec, MediaKind};

    use super::*;
    use crate::rewrite::Rewriter;

    const MS: Duration = Duration::from_millis(1);

    fn packet(sequence: u64, timestamp: u32) -> Packet {
        Packet::new(
            sequence,
            timestamp,
            false,
            Codec::Opus,
            None,
            [0][..].into(),
        )
    }

    #[test]
    fn a_nack_finds_the_packet_over_switches_and_wrap_arounds() {
        let mut now = Instant::now();
        let mut rewriter = Rewriter::new(MediaKind::Audio, 65_530, 9);
        let mut log = SentLog::default();
        let mut sent = Vec::new();
        for (key, first) in [('a', 100), ('b', 7), ('a', 200)] {
            rewriter.switch();
            for n in 0..5 {
                let packet = packet(first + n, n as u32 * 960);
                let r = rewriter.rewrite(now, &packet).unwrap();
                log.record(key, &r, rewriter.offsets().unwrap());
                sent.push((key, packet, r));
                now += 20 * MS;
            }
        }
        for (key, packet, r) in &sent {
            let (found, _) = log.find(now, r.sequence as u16, 1).unwrap();
            assert_eq!((found.key, found.sequence), (*key, packet.sequence));
            assert_eq!(found.rewritten(packet), *r);
        }
        assert_eq!(log.find(now, 65_529, 1), None, "before the first");
        assert_eq!(log.find(now, 9, 1), None, "after the last");
    }

    #[test]
    fn what_was_forgotten_is_not_found_and_what_follows_is() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(MediaKind::Audio, 65_533, 0);
        let mut log = SentLog::default();
        for n in 0..6 {
            let r = rewriter.rewrite(now, &packet(n, 0)).unwrap();
            log.record((), &r, rewriter.offsets().unwrap());
            if n == 3 {
                log.forget();
            }
        }
        for (sequence, found) in [(65_533, false), (0, false), (1, true), (2, true)] {
            assert_eq!(log.find(now, sequence, 1).is_some(), found, "{sequence}");
        }
        assert!(log.recent(1).is_some());
        assert!(log.recent(2).is_none());
    }

    #[test]
    fn nothing_is_sent_again_twice_within_a_round_trip() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(MediaKind::Audio, 0, 0);
        let mut log = SentLog::default();
        for n in 0..300 {
            let r = rewriter.rewrite(now, &packet(n, 0)).unwrap();
            log.record((), &r, rewriter.offsets().unwrap());
        }
        assert!(log.find(now, 7, 1).is_some());
        assert!(log.find(now + 19 * MS, 7, 1).is_none());
        assert!(log.find(now + 20 * MS, 7, 1).is_some());
        log.set_rtt(100 * MS);
        assert!(log.find(now + 119 * MS, 7, 1).is_none());
        assert!(log.find(now + 120 * MS, 7, 1).is_some());
        let answered = (100..300)
            .filter(|n| log.find(now + 300 * MS, *n, 1).is_some())
            .count();
        assert_eq!(answered, MAX_AGAIN);
    }

    #[test]
    fn one_packet_is_sent_again_so_often_and_no_more() {
        let mut now = Instant::now();
        let mut rewriter = Rewriter::new(MediaKind::Audio, 0, 0);
        let mut log = SentLog::default();
        for n in 0..100 {
            let r = rewriter.rewrite(now, &packet(n, 0)).unwrap();
            log.record((), &r, rewriter.offsets().unwrap());
        }
        for (sequence, wanted) in [(7, 1), (8, 2), (9, 3)] {
            let mut copies = 0;
            for _ in 0..50 {
                now += MIN_GUARD;
                let found = log.find(now, sequence, wanted);
                copies += found.map_or(0, |(_, copies)| copies);
            }
            assert_eq!(copies, MAX_TIMES, "{wanted} at a time");
        }
        for n in 100..2_000 {
            let r = rewriter.rewrite(now, &packet(n, 0)).unwrap();
            log.record((), &r, rewriter.offsets().unwrap());
        }
        assert!(log.find(now, 1_990, 1).is_some());
        assert_eq!(log.again.len(), 1, "what is too old is forgotten");
    }
}
