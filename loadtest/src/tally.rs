//! What a bot received: packets, loss, gaps, keyframes and delay, and sums of them over bots.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use protocol::media::MediaKind;
use serde::Serialize;

use crate::media;
use crate::peer::Media;
use crate::playback::{Decoder, Shown};

/// Longer silence in the middle of a sender's stream is a gap.
const GAP: Duration = Duration::from_millis(100);

/// What was counted over all slots of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Packets between the first and the last sequence number of each slot.
    pub expected: u64,
    pub received: u64,
    /// Silences of over 100 ms in the middle of a sender's stream. Where the node stopped forwarding it on purpose, the
    /// sender's count goes on and the slot's does not: that is none.
    pub gaps: u64,
    pub longest_gap_ms: u64,
}

impl Counts {
    /// Packets that never came, in percent of those expected.
    pub fn loss_percent(&self) -> f64 {
        let lost = self.expected.saturating_sub(self.received);
        if self.expected == 0 {
            return 0.0;
        }
        lost as f64 * 100.0 / self.expected as f64
    }

    /// Adds another bot's counts.
    pub fn add(&mut self, other: &Self) {
        self.expected += other.expected;
        self.received += other.received;
        self.gaps += other.gaps;
        self.longest_gap_ms = self.longest_gap_ms.max(other.longest_gap_ms);
    }
}

/// What one bot received.
#[derive(Debug, Default)]
pub struct Tally {
    slots: Vec<Option<Slot>>,
    audio: Counts,
    video: Counts,
    /// The senders whose video came.
    pub senders: HashSet<u32>,
    /// One per slot, where packets are looked into.
    decoders: Vec<Decoder>,
    shown: Shown,
    /// How long packets traveled.
    pub delay: Delays,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    kind: MediaKind,
    first: u64,
    highest: u64,
    received: u64,
    /// The latest packet.
    latest: Media,
    at: Instant,
}

impl Tally {
    /// Notes a packet that came at `now`; `epoch` is the zero of the process's clock. Returns whether the decoder of its
    /// slot needs a keyframe.
    pub fn note(&mut self, now: Instant, epoch: Instant, media: &Media) -> bool {
        let mut stuck = false;
        if let Some(stamp) = &media.stamp {
            self.delay
                .note(media::clock(epoch, now).wrapping_sub(stamp.sent));
            if media.kind == MediaKind::Video {
                self.senders.insert(stamp.sender);
                let decoder = self.decoder(media.slot);
                stuck = decoder.note(now, media.sequence, stamp);
            }
        }
        self.count(now, media);
        stuck
    }

    /// Whether the node carries nothing in this slot for now.
    pub fn rest(&mut self, slot: usize, resting: bool) {
        self.decoder(slot).rest(resting);
    }

    /// Counts from here on; the decoders go on with what they have.
    pub fn begin(&mut self) {
        let mut decoders = std::mem::take(&mut self.decoders);
        decoders.iter_mut().for_each(|decoder| {
            decoder.take();
        });
        *self = Self {
            decoders,
            ..Self::default()
        };
    }

    fn decoder(&mut self, slot: usize) -> &mut Decoder {
        if self.decoders.len() <= slot {
            self.decoders.resize_with(slot + 1, Decoder::default);
        }
        &mut self.decoders[slot]
    }

    fn count(&mut self, now: Instant, media: &Media) {
        if self.slots.len() <= media.slot {
            self.slots.resize(media.slot + 1, None);
        }
        let Some(slot) = &mut self.slots[media.slot] else {
            self.slots[media.slot] = Some(Slot {
                kind: media.kind,
                first: media.sequence,
                highest: media.sequence,
                received: 1,
                latest: *media,
                at: now,
            });
            return;
        };
        // One from before the measurement, repaired late.
        if media.sequence < slot.first {
            return;
        }
        slot.received += 1;
        slot.highest = slot.highest.max(media.sequence);
        let silence = now.saturating_duration_since(slot.at);
        let continues = continues(&slot.latest, media);
        (slot.latest, slot.at) = (*media, now);
        if continues && silence > GAP {
            let counts = match media.kind {
                MediaKind::Audio => &mut self.audio,
                MediaKind::Video => &mut self.video,
            };
            counts.gaps += 1;
            counts.longest_gap_ms = counts.longest_gap_ms.max(silence.as_millis() as u64);
        }
    }

    /// The session is another one from now on: its sequence numbers start anew.
    pub fn restart(&mut self) {
        for mut decoder in std::mem::take(&mut self.decoders) {
            self.shown.add(&decoder.take());
        }
        for slot in std::mem::take(&mut self.slots).into_iter().flatten() {
            let counts = match slot.kind {
                MediaKind::Audio => &mut self.audio,
                MediaKind::Video => &mut self.video,
            };
            counts.expected += slot.highest - slot.first + 1;
            counts.received += slot.received;
        }
    }

    /// The sums over audio slots and over video slots.
    pub fn finish(mut self) -> Received {
        self.restart();
        Received {
            audio: self.audio,
            video: self.video,
            senders: self.senders.len(),
            shown: self.shown,
            delay: self.delay,
        }
    }
}

/// Whether a packet stands in its sender's stream where it stands in the slot's.
fn continues(before: &Media, after: &Media) -> bool {
    let (Some(old), Some(new)) = (before.stamp, after.stamp) else {
        return false;
    };
    let sent = new.number.wrapping_sub(old.number);
    let forwarded = after.sequence.wrapping_sub(before.sequence) as u32;
    (old.sender, old.layer) == (new.sender, new.layer) && sent == forwarded
}

/// What one bot received in all.
#[derive(Debug, Default)]
pub struct Received {
    pub audio: Counts,
    pub video: Counts,
    /// Whose video came.
    pub senders: usize,
    pub shown: Shown,
    pub delay: Delays,
}

/// A histogram of delays.
#[derive(Debug, Clone, Default)]
pub struct Delays {
    /// Counts per step; the last one holds all that is longer.
    buckets: Vec<u64>,
}

impl Delays {
    const STEP_MICROSECONDS: u32 = 100;
    const BUCKETS: usize = 5_000;

    /// Notes a delay in microseconds.
    pub fn note(&mut self, microseconds: u32) {
        let bucket = ((microseconds / Self::STEP_MICROSECONDS) as usize).min(Self::BUCKETS - 1);
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] += 1;
    }

    /// Adds another bot's delays.
    pub fn add(&mut self, other: &Self) {
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (sum, count) in self.buckets.iter_mut().zip(&other.buckets) {
            *sum += count;
        }
    }

    /// The delay in milliseconds that this share of packets (0 to 1) does not exceed, to a step of 0.1 ms; `None`
    /// without packets.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let total: u64 = self.buckets.iter().sum();
        let rank = ((total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let bucket = self.buckets.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some((bucket + 1) as f64 * f64::from(Self::STEP_MICROSECONDS) / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Stamp;

    fn packet(slot: usize, sequence: u64, sender: u32) -> Media {
        numbered(slot, sequence, sender, sequence as u32)
    }

    fn numbered(slot: usize, sequence: u64, sender: u32, number: u32) -> Media {
        Media {
            slot,
            kind: MediaKind::Video,
            sequence,
            stamp: Some(Stamp {
                sender,
                layer: 0,
                number,
                sent: 0,
                frame: number,
                part: 0,
                parts: 1,
                keyframe: false,
            }),
        }
    }

    #[test]
    fn loss_is_what_is_missing_between_first_and_last() {
        let epoch = Instant::now();
        let mut tally = Tally::default();
        // 11 is lost, 13 comes late, 9 is from before.
        for sequence in [10, 12, 14, 13, 9] {
            tally.note(epoch, epoch, &packet(0, sequence, 1));
        }
        tally.restart();
        // The next session counts from elsewhere.
        for sequence in [500, 501] {
            tally.note(epoch, epoch, &packet(0, sequence, 2));
        }
        let received = tally.finish();
        assert_eq!((received.video.expected, received.video.received), (7, 6));
        assert!((received.video.loss_percent() - 100.0 / 7.0).abs() < 1e-9);
        assert_eq!(received.senders, 2);
        assert_eq!(received.audio, Counts::default());
    }

    #[test]
    fn a_silence_is_a_gap_only_in_the_middle_of_a_stream() {
        let epoch = Instant::now();
        let mut tally = Tally::default();
        for (at, sender) in [(0, 1), (90, 1), (250, 1), (900, 2)] {
            let now = epoch + Duration::from_millis(at);
            tally.note(now, epoch, &packet(0, at, sender));
        }
        // Not forwarded for a while: the sender went on, the slot did not.
        let later = epoch + Duration::from_secs(3);
        tally.note(later, epoch, &numbered(0, 901, 2, 910));
        let video = tally.finish().video;
        assert_eq!((video.gaps, video.longest_gap_ms), (1, 160));
    }

    #[test]
    fn quantiles_are_those_of_all_bots_together() {
        let (mut one, mut two) = (Delays::default(), Delays::default());
        assert_eq!(one.quantile(0.5), None);
        (0..90).for_each(|_| one.note(950));
        (0..10).for_each(|_| two.note(7_050));
        one.add(&two);
        assert_eq!(one.quantile(0.5), Some(1.0));
        assert_eq!(one.quantile(0.95), Some(7.1));
        two.note(u32::MAX);
        assert_eq!(two.quantile(1.0), Some(500.0));
    }
}
