//! Repair of one hop: what was sent, what can be sent again, and what is missing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use protocol::media::Codec;

use crate::packet::{Packet, extend};
use crate::rewrite::{Offsets, Rewritten};

/// A packet older than this is of no use to a decoder that plays live.
const USEFUL: Duration = Duration::from_secs(1);

/// The last packets of one published track and layer, from which every hop behind it is repaired.
#[derive(Debug)]
pub struct PacketStore {
    /// By sequence number modulo its length.
    ring: Box<[Option<Packet>]>,
    /// The newest packet's sequence and timestamp.
    newest: Option<(u64, u32)>,
}

impl PacketStore {
    /// An empty store, as large as the codec needs for about a second: 1,024 packets of video (5 Mbit/s send some 600),
    /// 256 of audio (the shortest of 5 ms).
    pub fn new(codec: Codec) -> Self {
        let len = match codec {
            Codec::Vp8 => 1_024,
            Codec::Opus => 256,
        };
        Self {
            ring: vec![None; len].into_boxed_slice(),
            newest: None,
        }
    }

    /// Remembers a packet. One older than the store reaches back is ignored.
    pub fn insert(&mut self, packet: &Packet) {
        let newest = self.newest.map_or(packet.sequence, |(newest, _)| newest);
        if packet.sequence.saturating_add(self.ring.len() as u64) <= newest {
            return;
        }
        if packet.sequence >= newest {
            self.newest = Some((packet.sequence, packet.timestamp));
        }
        let at = self.at(packet.sequence);
        self.ring[at] = Some(packet.clone());
    }

    /// The packet, if it is here and less than a second older than the newest.
    pub fn get(&self, sequence: u64) -> Option<&Packet> {
        let packet = self.ring[self.at(sequence)].as_ref()?;
        let (_, newest) = self.newest?;
        let age = newest.wrapping_sub(packet.timestamp) as i32;
        let useful = u64::from(packet.codec.clock_rate()) * USEFUL.as_secs();
        (packet.sequence == sequence && i64::from(age) <= useful as i64).then_some(packet)
    }

    /// The newest packet's sequence number, to extend the 16 bits of a NACK against.
    pub fn highest(&self) -> Option<u64> {
        self.newest.map(|(sequence, _)| sequence)
    }

    fn at(&self, sequence: u64) -> usize {
        (sequence % self.ring.len() as u64) as usize
    }
}

/// Notices what is lost on the receiving side of a hop, and says when to ask for it.
#[derive(Debug)]
pub struct LossTracker {
    highest: Option<u64>,
    /// In ascending order.
    missing: VecDeque<Missing>,
    rtt: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Missing {
    sequence: u64,
    noticed: Instant,
    /// When to ask for it, again or for the first time.
    due: Instant,
    tries: u8,
}

/// How long a packet may come late before it counts as lost. Paths reorder within a burst, and hardly further.
const REORDERING: Duration = Duration::from_millis(5);
/// Shortest time between two questions for one packet, whatever the round trip.
const MIN_RETRY: Duration = Duration::from_millis(20);
/// Who has not got it after so many questions will not get it in time.
const MAX_TRIES: u8 = 8;
/// Missing packets watched at once. A larger gap is an outage: the keyframe that ends it repairs more cheaply.
const MAX_MISSING: u64 = 512;
/// The round-trip time until one is measured: a neighboring continent's.
const INITIAL_RTT: Duration = Duration::from_millis(100);

impl Default for LossTracker {
    fn default() -> Self {
        Self {
            highest: None,
            missing: VecDeque::new(),
            rtt: INITIAL_RTT,
        }
    }
}

impl LossTracker {
    /// A hop on which nothing was received.
    pub fn new() -> Self {
        Self::default()
    }

    /// The hop's round-trip time, which sets the pace of the questions.
    pub fn set_rtt(&mut self, rtt: Duration) {
        self.rtt = rtt;
    }

    /// A packet with this extended sequence number was received.
    pub fn note(&mut self, sequence: u64, now: Instant) {
        let highest = *self.highest.get_or_insert(sequence);
        if sequence <= highest {
            if let Ok(at) = self
                .missing
                .binary_search_by_key(&sequence, |missing| missing.sequence)
            {
                self.missing.remove(at);
            }
            return;
        }
        self.highest = Some(sequence);
        let gap = sequence - highest - 1;
        if gap + self.missing.len() as u64 > MAX_MISSING {
            self.missing.clear();
        }
        if gap > MAX_MISSING {
            return;
        }
        self.missing
            .extend((highest + 1..sequence).map(|sequence| Missing {
                sequence,
                noticed: now,
                due: now + REORDERING,
                tries: 0,
            }));
    }

    /// The extended sequence numbers to ask for now. Gives up what came too late to be of use.
    pub fn poll(&mut self, now: Instant) -> Vec<u64> {
        let retry = (self.rtt + self.rtt / 4).max(MIN_RETRY);
        let mut ask = Vec::new();
        self.missing.retain_mut(|missing| {
            if now.saturating_duration_since(missing.noticed) >= USEFUL {
                return false;
            }
            if now < missing.due {
                return true;
            }
            if missing.tries == MAX_TRIES {
                return false;
            }
            ask.push(missing.sequence);
            missing.tries += 1;
            missing.due = now + retry;
            true
        });
        ask
    }

    /// When to call [`Self::poll`] next.
    pub fn timeout(&self) -> Option<Instant> {
        self.missing.iter().map(|missing| missing.due).min()
    }
}

/// What a slot has sent, so that a NACK for it is answered from the source's store.
///
/// It holds one entry per source, not per packet: within one source each number is moved by a constant, so where a
/// packet came from, and how it was numbered, follows from its sequence number.
#[derive(Debug)]
pub struct SentLog<K> {
    runs: VecDeque<Run<K>>,
    highest: u64,
    /// What was sent again of late, and when.
    again: VecDeque<(u64, Instant)>,
    guard: Duration,
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
    /// The numbers that the packet was sent with.
    pub fn rewritten(&self, packet: &Packet) -> Rewritten {
        self.offsets.apply(packet)
    }
}

/// Sources remembered: more switches than this within a second are not worth repairing.
const MAX_RUNS: usize = 16;
/// How far back a NACK reaches, in packets: no further than any store does.
const MAX_AGE: u64 = 1_024;
/// Shortest time between two answers for one packet: receivers ask in bursts.
const MIN_GUARD: Duration = Duration::from_millis(20);
/// Answers within that time, over which a receiver gets no more: it asks for the whole stream again.
const MAX_AGAIN: usize = 128;

impl<K> Default for SentLog<K> {
    fn default() -> Self {
        Self {
            runs: VecDeque::new(),
            highest: 0,
            again: VecDeque::new(),
            guard: MIN_GUARD,
        }
    }
}

impl<K: Copy + PartialEq> SentLog<K> {
    /// A slot that has sent nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The receiver's round-trip time: until it has passed, an answer may still be on its way.
    pub fn set_rtt(&mut self, rtt: Duration) {
        self.guard = rtt.clamp(MIN_GUARD, USEFUL);
    }

    /// A packet of this source was sent with these offsets ([`crate::rewrite::Rewriter::offsets`]).
    pub fn record(&mut self, key: K, rewritten: &Rewritten, offsets: Offsets) {
        self.highest = self.highest.max(rewritten.sequence);
        if self
            .runs
            .back()
            .is_some_and(|run| run.key == key && run.offsets == offsets)
        {
            return;
        }
        if self.runs.len() == MAX_RUNS {
            self.runs.pop_front();
        }
        self.runs.push_back(Run {
            first: rewritten.sequence,
            key,
            offsets,
        });
    }

    /// What was sent as this sequence number, if it is worth sending again now: it is not when it is too old, or was
    /// sent again just before.
    pub fn find(&mut self, now: Instant, sequence: u16) -> Option<Sent<K>> {
        let sequence = extend(Some(self.highest), sequence);
        if sequence > self.highest || sequence + MAX_AGE <= self.highest {
            return None;
        }
        let run = self.runs.iter().rev().find(|run| run.first <= sequence)?;
        let sent = Sent {
            key: run.key,
            sequence: sequence.wrapping_sub(run.offsets.sequence),
            offsets: run.offsets,
        };
        self.guard(now, sequence).then_some(sent)
    }

    /// Whether this number may be sent again, and if so, that it is.
    fn guard(&mut self, now: Instant, sequence: u64) -> bool {
        let recent = |at: Instant| now.saturating_duration_since(at) < self.guard;
        while self.again.front().is_some_and(|(_, at)| !recent(*at)) {
            self.again.pop_front();
        }
        if self.again.len() == MAX_AGAIN
            || self.again.iter().any(|(answered, _)| *answered == sequence)
        {
            return false;
        }
        self.again.push_back((sequence, now));
        true
    }
}

#[cfg(test)]
mod tests {
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
    fn the_store_keeps_the_last_packets_and_a_second_of_them() {
        let mut store = PacketStore::new(Codec::Opus);
        assert_eq!(store.highest(), None);
        assert_eq!(store.get(0), None);
        for n in 0..300 {
            store.insert(&packet(65_400 + n, u32::MAX - 100));
        }
        assert_eq!(store.highest(), Some(65_699));
        assert_eq!(store.get(65_443), None);
        assert_eq!(
            store.get(65_444).map(|packet| packet.sequence),
            Some(65_444)
        );
        // A late one, and one too late.
        store.insert(&packet(65_300, 0));
        assert_eq!(store.get(65_300), None);
        assert_eq!(
            store.get(65_300 + 256).map(|packet| packet.sequence),
            Some(65_556)
        );
        // One second on, over the timestamp's wrap-around: still there; then not.
        store.insert(&packet(65_700, (u32::MAX - 100).wrapping_add(48_000)));
        assert!(store.get(65_699).is_some());
        store.insert(&packet(65_701, (u32::MAX - 100).wrapping_add(48_001)));
        assert_eq!(store.get(65_699), None);
    }

    #[test]
    fn a_lost_packet_is_asked_for_until_it_comes() {
        let start = Instant::now();
        let mut tracker = LossTracker::new();
        tracker.set_rtt(40 * MS);
        assert_eq!(tracker.timeout(), None);
        for sequence in [65_533, 65_535, 65_538] {
            tracker.note(sequence, start);
        }
        assert_eq!(tracker.poll(start), [0; 0]);
        tracker.note(65_536, start + 4 * MS);
        assert_eq!(tracker.timeout(), Some(start + 5 * MS));
        assert_eq!(tracker.poll(start + 5 * MS), [65_534, 65_537]);
        assert_eq!(tracker.poll(start + 6 * MS), [0; 0]);
        tracker.note(65_534, start + 45 * MS);
        assert_eq!(tracker.timeout(), Some(start + 55 * MS));
        assert_eq!(tracker.poll(start + 55 * MS), [65_537]);
        tracker.note(65_537, start + 60 * MS);
        tracker.note(65_537, start + 61 * MS);
        assert_eq!(tracker.timeout(), None);
    }

    #[test]
    fn what_does_not_come_is_given_up() {
        let start = Instant::now();
        let mut tracker = LossTracker::new();
        tracker.set_rtt(MS);
        tracker.note(1, start);
        tracker.note(3, start);
        let asked: usize = (0..1_000)
            .map(|ms| tracker.poll(start + ms * MS).len())
            .sum();
        assert_eq!(asked, usize::from(MAX_TRIES));
        assert_eq!(tracker.timeout(), None);
        // Slow hops give up by age.
        tracker.set_rtt(900 * MS);
        tracker.note(5, start);
        assert_eq!(tracker.poll(start + 999 * MS), [4]);
        assert_eq!(tracker.poll(start + 1_000 * MS), [0; 0]);
        assert_eq!(tracker.timeout(), None);
    }

    #[test]
    fn an_outage_is_not_asked_for() {
        let start = Instant::now();
        let mut tracker = LossTracker::new();
        tracker.note(1, start);
        tracker.note(3, start);
        tracker.note(10_000, start);
        assert_eq!(tracker.timeout(), None);
        tracker.note(10_002, start);
        assert_eq!(tracker.poll(start + 5 * MS), [10_001]);
    }

    #[test]
    fn a_nack_finds_the_packet_over_switches_and_wrap_arounds() {
        let mut now = Instant::now();
        let mut rewriter = Rewriter::new(Codec::Opus, 65_530, 9);
        let mut log = SentLog::new();
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
            let found = log.find(now, r.sequence as u16).unwrap();
            assert_eq!((found.key, found.sequence), (*key, packet.sequence));
            assert_eq!(found.rewritten(packet), *r);
        }
        assert_eq!(log.find(now, 65_529), None, "before the first");
        assert_eq!(log.find(now, 9), None, "after the last");
    }

    #[test]
    fn nothing_is_sent_again_twice_within_a_round_trip() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(Codec::Opus, 0, 0);
        let mut log = SentLog::new();
        for n in 0..300 {
            let r = rewriter.rewrite(now, &packet(n, 0)).unwrap();
            log.record((), &r, rewriter.offsets().unwrap());
        }
        assert!(log.find(now, 7).is_some());
        assert!(log.find(now + 19 * MS, 7).is_none());
        assert!(log.find(now + 20 * MS, 7).is_some());
        log.set_rtt(100 * MS);
        assert!(log.find(now + 119 * MS, 7).is_none());
        assert!(log.find(now + 120 * MS, 7).is_some());
        let answered = (100..300)
            .filter(|n| log.find(now + 300 * MS, *n).is_some())
            .count();
        assert_eq!(answered, MAX_AGAIN);
    }
}
