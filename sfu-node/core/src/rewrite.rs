//! Rewriting of one receive slot: whatever flows in it, the decoder sees one continuous stream.

use std::time::{Duration, Instant};

use protocol::media::MediaKind;

use crate::packet::{Packet, extend};

/// A step in the source's numbers that no loss explains (RFC 3550, A.1 `MAX_DROPOUT`): it is taken as a switch, or
/// else the receiver would lose count of the roll-overs, and with it its keys.
pub const MAX_DROPOUT: u64 = 3_000;
/// So many numbers may be skipped over several steps: a receiver that misses a few packets in a row must not be led further
/// than half of the 2¹⁶ ahead (RFC 3711, 3.3.1). Each packet that is sent forgives some, so that mere loss never adds up.
const MAX_SKIPPED: u64 = 8_192;
const FORGIVEN: u64 = 2;
/// Longest step of the timestamp at a switch, in ticks. Receivers compare timestamps modulo 2³²: a step of half of
/// that (6.6 hours of video) would look like one back.
const MAX_STEP: u64 = 1 << 30;
/// How far the publisher's clock may be from ours about the length of a switch, in seconds. Beyond, it has jumped, and
/// ours is believed.
const CLOCK_TRUST: i64 = 2;
/// Late packets are told from duplicates as far back as this, in packets. It must be at least what a repair takes:
/// a second of video at 5 Mbit/s is some 600 packets.
const WINDOW: u64 = 1_024;

/// A packet's numbers in the slot's own stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rewritten {
    /// Extended: the low 16 bits go on the wire, the others are the roll-over counter of SRTP.
    pub sequence: u64,
    pub timestamp: u32,
    /// 15 bits; a narrow descriptor takes the low 7.
    pub picture_id: Option<u16>,
    pub tl0_pic_idx: Option<u8>,
}

/// What is added to each of a source's numbers. Within one source these never change; a narrow picture id is the same
/// sum modulo 2⁷.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offsets {
    pub sequence: u64,
    pub timestamp: u32,
    pub picture_id: u16,
    pub tl0_pic_idx: u8,
}

impl Offsets {
    /// The packet's numbers in the slot's stream.
    pub fn apply(&self, packet: &Packet) -> Rewritten {
        Rewritten {
            sequence: packet.sequence.wrapping_add(self.sequence),
            timestamp: packet.timestamp.wrapping_add(self.timestamp),
            picture_id: packet
                .vp8
                .and_then(|vp8| vp8.picture_id)
                .map(|id| id.value.wrapping_add(self.picture_id) & 0x7FFF),
            tl0_pic_idx: packet
                .vp8
                .and_then(|vp8| vp8.tl0_pic_idx)
                .map(|index| index.wrapping_add(self.tl0_pic_idx)),
        }
    }
}

/// The source that flows now.
#[derive(Debug)]
struct Source {
    /// Its first packet in the slot; what is older stays out.
    first: u64,
    offsets: Offsets,
}

/// The newest packet sent.
#[derive(Debug)]
struct Newest {
    sequence: u64,
    timestamp: u32,
    /// When this timestamp was first sent.
    at: Instant,
}

/// Gives each packet its place in the slot's stream when it departs: what the source has not brought leaves a hole, which it
/// can still fill, and what was not sent leaves none. No place is given twice, so no (SSRC, index) is sealed twice.
#[derive(Debug)]
pub struct Rewriter {
    kind: MediaKind,
    first_sequence: u16,
    first_timestamp: u32,
    source: Option<Source>,
    /// The next source's first timestamp in the slot's stream, by the publisher's clock.
    resumes_at: Option<u32>,
    newest: Option<Newest>,
    /// Numbers skipped of late.
    skipped: u64,
    picture_id: u16,
    tl0_pic_idx: u8,
    sent: Window,
}

impl Rewriter {
    /// A stream that starts with these numbers, which are best chosen at random (RFC 3550, 5.1).
    pub fn new(kind: MediaKind, first_sequence: u16, first_timestamp: u32) -> Self {
        Self {
            kind,
            first_sequence,
            first_timestamp,
            source: None,
            resumes_at: None,
            newest: None,
            skipped: 0,
            picture_id: 0,
            tl0_pic_idx: 0,
            sent: Window::default(),
        }
    }

    /// The next packet comes from another source, or from the same one after a pause: go on after the last sent.
    pub fn switch(&mut self) {
        self.source = None;
        self.resumes_at = None;
    }

    /// The same, and the next packet's timestamp is known by the publisher's clock: two layers of one picture, so that
    /// the decoder's clock does not jump by what one was longer on its way than the other.
    pub fn switch_at(&mut self, timestamp: u32) {
        self.source = None;
        self.resumes_at = Some(timestamp);
    }

    /// Whether there is a source that flows.
    pub fn flows(&self) -> bool {
        self.source.is_some()
    }

    /// How many packets of late were given numbers above this one.
    pub fn sent_above(&self, sequence: u16) -> u32 {
        let newest = self.newest.as_ref();
        newest.map_or(0, |newest| {
            let sequence = extend(Some(newest.sequence), sequence);
            self.sent.used_above(sequence)
        })
    }

    /// All that the present source's numbers are moved by.
    pub fn offsets(&self) -> Option<Offsets> {
        self.source.as_ref().map(|source| source.offsets)
    }

    /// The packet's place, or `None` when it has none: older than the switch, sent already, or too old to know.
    pub fn rewrite(&mut self, now: Instant, packet: &Packet) -> Option<Rewritten> {
        let goes_on = match &self.source {
            Some(source) if packet.sequence < source.first => return None,
            Some(source) => !self.is_jump(source, packet),
            None => false,
        };
        if !goes_on {
            let offsets = self.start(now, packet);
            self.source = Some(Source {
                first: packet.sequence,
                offsets,
            });
        }
        let source = self.source.as_ref()?;
        let rewritten = source.offsets.apply(packet);
        if !self.sent.insert(rewritten.sequence) {
            return None;
        }
        self.note(now, &rewritten);
        Some(rewritten)
    }

    /// Whether the present source's numbers make a step with this packet that cannot be loss: what comes then does not
    /// continue what was sent.
    pub fn jumps(&self, packet: &Packet) -> bool {
        let source = self.source.as_ref();
        source.is_some_and(|source| self.is_jump(source, packet))
    }

    fn is_jump(&self, source: &Source, packet: &Packet) -> bool {
        // What is older than the beginning stays out: in the slot's stream it may have no number at all.
        let newest = self
            .newest
            .as_ref()
            .filter(|_| packet.sequence >= source.first);
        newest.is_some_and(|newest| {
            let sequence = packet.sequence.wrapping_add(source.offsets.sequence);
            let skipped = sequence.saturating_sub(newest.sequence + 1);
            skipped >= MAX_DROPOUT || self.skipped + skipped > MAX_SKIPPED
        })
    }

    /// The offsets that put a source's first packet right after what was sent last.
    fn start(&mut self, now: Instant, packet: &Packet) -> Offsets {
        let resumes_at = self.resumes_at.take();
        let (sequence, timestamp) = match &self.newest {
            None => (u64::from(self.first_sequence), self.first_timestamp),
            Some(newest) => (
                newest.sequence + 1,
                newest
                    .timestamp
                    .wrapping_add(self.step(now, newest, resumes_at)),
            ),
        };
        let picture_id = self.picture_id.wrapping_add(1);
        let tl0_pic_idx = self.tl0_pic_idx.wrapping_add(1);
        let vp8 = packet.vp8;
        Offsets {
            sequence: sequence.wrapping_sub(packet.sequence),
            timestamp: timestamp.wrapping_sub(packet.timestamp),
            picture_id: vp8
                .and_then(|vp8| vp8.picture_id)
                .map_or(0, |id| picture_id.wrapping_sub(id.value)),
            tl0_pic_idx: vp8
                .and_then(|vp8| vp8.tl0_pic_idx)
                .map_or(0, |index| tl0_pic_idx.wrapping_sub(index)),
        }
    }

    /// The step of the timestamp over a switch, in ticks: by the publisher's clock when it is known and plausible, else
    /// by the time that has passed here.
    fn step(&self, now: Instant, newest: &Newest, resumes_at: Option<u32>) -> u32 {
        let frame = match self.kind {
            // 20 ms, the usual packet.
            MediaKind::Audio => 960,
            // 1/30 s.
            MediaKind::Video => 3_000,
        };
        let rate = self.kind.clock_rate();
        let passed: Duration = now.saturating_duration_since(newest.at);
        let ticks = passed.as_micros() * u128::from(rate) / 1_000_000;
        let ours = ticks.clamp(frame, u128::from(MAX_STEP)) as u32;
        let theirs = resumes_at.map(|at| at.wrapping_sub(newest.timestamp) as i32);
        match theirs {
            // Two frames must not share a timestamp, even if they show the same moment.
            Some(step)
                if (i64::from(step) - i64::from(ours)).abs() <= CLOCK_TRUST * i64::from(rate) =>
            {
                step.max(1) as u32
            }
            _ => ours,
        }
    }

    /// Remembers what was sent last, by sequence rather than by time.
    fn note(&mut self, now: Instant, sent: &Rewritten) {
        let at = match &self.newest {
            Some(newest) if sent.sequence <= newest.sequence => return,
            Some(newest) if sent.timestamp == newest.timestamp => newest.at,
            _ => now,
        };
        let skipped = self
            .newest
            .as_ref()
            .map_or(0, |newest| sent.sequence - newest.sequence - 1);
        self.skipped = self.skipped.saturating_sub(FORGIVEN) + skipped;
        self.newest = Some(Newest {
            sequence: sent.sequence,
            timestamp: sent.timestamp,
            at,
        });
        self.picture_id = sent.picture_id.unwrap_or(self.picture_id);
        self.tl0_pic_idx = sent.tl0_pic_idx.unwrap_or(self.tl0_pic_idx);
    }
}

/// Which of the last [`WINDOW`] sequence numbers were used: a bit each, in a ring.
#[derive(Debug, Default)]
struct Window {
    /// One above the highest used.
    end: u64,
    used: [u64; (WINDOW / 64) as usize],
}

impl Window {
    /// Marks a number as used; false when it was already, or is too old to know.
    fn insert(&mut self, sequence: u64) -> bool {
        if sequence + WINDOW < self.end {
            return false;
        }
        if sequence >= self.end + WINDOW {
            self.used = Default::default();
        } else {
            for skipped in self.end..=sequence {
                self.used[word(skipped)] &= !bit(skipped);
            }
        }
        self.end = self.end.max(sequence + 1);
        let new = self.used[word(sequence)] & bit(sequence) == 0;
        self.used[word(sequence)] |= bit(sequence);
        new
    }

    /// How many of those that it knows are above this number.
    fn used_above(&self, sequence: u64) -> u32 {
        let mut from = (sequence + 1).max(self.end.saturating_sub(WINDOW));
        let mut count = 0;
        while from < self.end {
            let next = (from / 64 + 1) * 64;
            let mut used = self.used[word(from)] >> (from % 64);
            if next > self.end {
                used &= bit(self.end - from) - 1;
            }
            count += used.count_ones();
            from = next;
        }
        count
    }
}

fn word(sequence: u64) -> usize {
    (sequence % WINDOW / 64) as usize
}

fn bit(sequence: u64) -> u64 {
    1 << (sequence % 64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use protocol::media::Codec;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn audio(sequence: u64, timestamp: u32) -> Packet {
        Packet::new(
            sequence,
            timestamp,
            false,
            Codec::Opus,
            None,
            [0][..].into(),
        )
    }

    /// An interframe's first packet with a picture id (15 bits, or 7) and a TL0PICIDX.
    fn video(sequence: u64, timestamp: u32, picture_id: u16, wide: bool, tl0: u8) -> Packet {
        let mut payload = vec![0x90, 0xC0];
        match wide {
            true => payload.extend_from_slice(&(picture_id | 0x8000).to_be_bytes()),
            false => payload.push(picture_id as u8),
        }
        payload.extend_from_slice(&[tl0, 1]);
        Packet::new(sequence, timestamp, true, Codec::Vp8, None, payload.into())
    }

    #[test]
    fn a_stream_starts_where_it_is_told_and_counts_on_over_the_wrap_around() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(MediaKind::Audio, 65_535, u32::MAX - 100);
        let first = rewriter.rewrite(now, &audio(500, 7)).unwrap();
        assert_eq!((first.sequence, first.timestamp), (65_535, u32::MAX - 100));
        let offsets = rewriter.offsets().unwrap();
        assert_eq!(offsets.timestamp, (u32::MAX - 100).wrapping_sub(7));
        let next = rewriter.rewrite(now, &audio(501, 967)).unwrap();
        assert_eq!((next.sequence, next.timestamp), (65_536, 859));
        assert_eq!((next.picture_id, next.tl0_pic_idx), (None, None));
    }

    #[test]
    fn the_timestamp_steps_by_the_time_that_passed_at_a_switch() {
        let start = Instant::now();
        let mut rewriter = Rewriter::new(MediaKind::Video, 0, 0);
        // A frame of three packets: the time counts from its first.
        for (n, ms) in [(0, 0), (1, 5), (2, 10)] {
            rewriter.rewrite(start + ms * MS, &video(n, 50, 1, true, 1));
        }
        rewriter.switch();
        assert!(!rewriter.flows());
        let next = rewriter
            .rewrite(start + 200 * MS, &video(9_000, 4_000_000_000, 7, true, 7))
            .unwrap();
        assert_eq!((next.sequence, next.timestamp), (3, 200 * 90));
        // Right away: one frame at least.
        rewriter.switch();
        let next = rewriter
            .rewrite(start + 201 * MS, &video(5, 5, 7, true, 7))
            .unwrap();
        assert_eq!((next.sequence, next.timestamp), (4, 18_000 + 3_000));
        // After a day: a step that still looks like one forward.
        rewriter.switch();
        let next = rewriter
            .rewrite(start + 86_400_000 * MS, &video(5, 5, 7, true, 7))
            .unwrap();
        assert_eq!(next.timestamp, 21_000 + (1 << 30));
    }

    #[test]
    fn a_source_that_skips_again_and_again_leads_no_receiver_out_of_step() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(MediaKind::Audio, 0, 0);
        let last = (0..100)
            .filter_map(|n| rewriter.rewrite(now, &audio(n * 2_999, 0)))
            .last();
        let last = last.unwrap().sequence;
        assert!(last < 100 + MAX_SKIPPED, "{last}");
    }

    #[test]
    fn what_is_older_than_the_beginning_is_no_jump_forward() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(MediaKind::Audio, 3, 0);
        rewriter.rewrite(now, &audio(1_000, 0));
        for sequence in [999, 998, 995, 1] {
            assert!(!rewriter.jumps(&audio(sequence, 0)), "{sequence}");
        }
        assert!(rewriter.jumps(&audio(1_001 + MAX_DROPOUT, 0)));
    }

    #[test]
    fn mere_loss_never_adds_up() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(MediaKind::Audio, 0, 0);
        for n in 0..100_000 {
            // A third is lost.
            if n % 3 != 1 {
                let sent = rewriter.rewrite(now, &audio(n, 0)).unwrap();
                assert_eq!(sent.sequence, n);
            }
        }
    }

    #[test]
    fn late_packets_get_their_place_and_duplicates_none() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(MediaKind::Audio, 65_530, 0);
        assert_eq!(
            rewriter.rewrite(now, &audio(100, 0)).unwrap().sequence,
            65_530
        );
        assert_eq!(
            rewriter.rewrite(now, &audio(110, 10)).unwrap().sequence,
            65_540
        );
        assert_eq!(
            rewriter.rewrite(now, &audio(105, 5)).unwrap().sequence,
            65_535
        );
        assert_eq!(rewriter.rewrite(now, &audio(105, 5)), None);
        assert_eq!(rewriter.rewrite(now, &audio(110, 10)), None);
        assert_eq!(
            rewriter.rewrite(now, &audio(99, 0)),
            None,
            "older than the first"
        );
        assert_eq!(
            rewriter
                .rewrite(now, &audio(110 + 1_024, 0))
                .unwrap()
                .sequence,
            66_564
        );
        assert_eq!(
            rewriter.rewrite(now, &audio(110, 0)),
            None,
            "too old to know"
        );
        assert_eq!(
            rewriter.rewrite(now, &audio(111, 0)).unwrap().sequence,
            65_541
        );
    }

    #[test]
    fn a_step_that_no_loss_explains_is_taken_as_a_switch() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(MediaKind::Audio, 10, 0);
        rewriter.rewrite(now, &audio(100, 0));
        assert_eq!(
            rewriter.rewrite(now, &audio(3_100, 0)).unwrap().sequence,
            3_010
        );
        assert_eq!(
            rewriter.rewrite(now, &audio(9_000, 0)).unwrap().sequence,
            3_011
        );
    }

    #[test]
    fn picture_ids_go_on_over_their_wrap_arounds_and_widths() {
        let now = Instant::now();
        let mut rewriter = Rewriter::new(MediaKind::Video, 0, 0);
        let ids = |rewriter: &mut Rewriter, packet: &Packet| {
            let r = rewriter.rewrite(now, packet).unwrap();
            // A narrow source leaves the upper bits open.
            (r.picture_id.unwrap() & 0x7F, r.tl0_pic_idx.unwrap())
        };
        assert_eq!(ids(&mut rewriter, &video(0, 0, 0x7FFE, true, 254)), (1, 1));
        assert_eq!(ids(&mut rewriter, &video(1, 0, 0x7FFF, true, 255)), (2, 2));
        assert_eq!(ids(&mut rewriter, &video(2, 0, 0, true, 0)), (3, 3));
        rewriter.switch();
        assert_eq!(ids(&mut rewriter, &video(7, 0, 126, false, 9)), (4, 4));
        assert_eq!(ids(&mut rewriter, &video(8, 0, 127, false, 9)), (5, 4));
        assert_eq!(ids(&mut rewriter, &video(9, 0, 0, false, 10)), (6, 5));
        rewriter.switch();
        assert_eq!(ids(&mut rewriter, &video(1, 0, 77, true, 1)), (7, 6));
    }

    /// What happens to a slot: packets lost, late and doubled on the way from a source, and changes of source.
    #[derive(Debug, Clone)]
    enum Step {
        /// The source sends a packet; it arrives after the `late` following ones, `times` times. `ends`: its frame ends.
        Send { late: u8, times: u8, ends: bool },
        /// Another source or layer; `clock` is what the publisher's clock says the timestamp would step by.
        Switch {
            clock: Option<i32>,
            sequence: u64,
            timestamp: u32,
            picture_id: u16,
            wide: bool,
            pause: u16,
        },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (0..6_u8, 0..4_u8, any::<bool>()).prop_map(|(late, times, ends)| Step::Send { late, times, ends }),
            1 => (
                proptest::option::of(prop_oneof![any::<i32>(), -200_000..200_000]),
                0..1_u64 << 40, any::<u32>(), 0..0x8000_u16, any::<bool>(), any::<u16>(),
            ).prop_map(
                |(clock, sequence, timestamp, picture_id, wide, pause)| Step::Switch {
                    clock, sequence, timestamp, picture_id, wide, pause
                }
            ),
        ]
    }

    proptest! {
        #[test]
        fn the_decoder_sees_one_stream_whatever_happens(
            first: u16,
            first_timestamp: u32,
            steps in proptest::collection::vec(step(), 1..200),
        ) {
            let mut rewriter = Rewriter::new(MediaKind::Video, first, first_timestamp);
            let mut now = Instant::now();
            let (mut sequence, mut timestamp, mut picture_id, mut wide) = (9, 9, 9, true);
            // By due time and number: what is on its way.
            let mut wire = BTreeMap::new();
            let mut sent: BTreeMap<u64, Rewritten> = BTreeMap::new();
            for (tick, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Send { late, times, ends } => {
                        let packet = video(sequence, timestamp, picture_id & if wide { 0x7FFF } else { 0x7F }, wide, picture_id as u8);
                        for copy in 0..times {
                            wire.insert((tick + usize::from(late) + usize::from(copy), sequence), packet.clone());
                        }
                        sequence += 1;
                        if ends {
                            timestamp = timestamp.wrapping_add(3_000);
                            picture_id = picture_id.wrapping_add(1);
                            now += 33 * MS;
                        }
                    }
                    Step::Switch { clock, sequence: s, timestamp: t, picture_id: p, wide: w, pause } => {
                        // The caller hands in nothing more of the old source.
                        wire.clear();
                        let last = sent.values().next_back().map(|r: &Rewritten| r.timestamp);
                        match clock.zip(last) {
                            Some((step, last)) => rewriter.switch_at(last.wrapping_add_signed(step)),
                            None => rewriter.switch(),
                        }
                        (sequence, timestamp, picture_id, wide) = (s, t, p, w);
                        now += u32::from(pause) * MS;
                    }
                }
                let rest = wire.split_off(&(tick + 1, 0));
                for packet in std::mem::replace(&mut wire, rest).into_values() {
                    let before = sent.keys().next_back().copied();
                    let fresh = rewriter.source.is_none();
                    let Some(r) = rewriter.rewrite(now, &packet) else { continue };
                    if fresh {
                        prop_assert_eq!(r.sequence, before.map_or(u64::from(first), |last| last + 1));
                    }
                    prop_assert!(sent.insert(r.sequence, r).is_none(), "{} was given twice", r.sequence);
                    let above = rewriter.sent_above(r.sequence as u16);
                    prop_assert_eq!(above as usize, sent.range(r.sequence + 1..).count());
                }
            }
            for (a, b) in sent.values().zip(sent.values().skip(1)) {
                let step = b.timestamp.wrapping_sub(a.timestamp) as i32;
                prop_assert!(step >= 0, "the timestamp went from {} to {}", a.timestamp, b.timestamp);
                if b.sequence == a.sequence + 1 {
                    let pictures = b.picture_id.unwrap().wrapping_sub(a.picture_id.unwrap()) & 0x7F;
                    prop_assert_eq!(pictures, u16::from(step > 0), "one picture, one timestamp");
                }
            }
        }

        #[test]
        fn without_loss_the_output_has_no_gap(
            first: u16,
            sources in proptest::collection::vec((0..1_u64 << 40, any::<u32>(), 1..200_u64), 1..10),
        ) {
            let mut rewriter = Rewriter::new(MediaKind::Audio, first, 0);
            let now = Instant::now();
            let mut expected = u64::from(first);
            for (sequence, timestamp, count) in sources {
                rewriter.switch();
                for n in 0..count {
                    let r = rewriter.rewrite(now, &audio(sequence + n, timestamp.wrapping_add(n as u32 * 960)));
                    prop_assert_eq!(r.map(|r| r.sequence), Some(expected));
                    expected += 1;
                }
            }
        }
    }
}
