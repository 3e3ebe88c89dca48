//! A subscriber's sending side: its receive slots, what waits to be sent in them, and the batch that becomes of it.

mod answer;
mod flush;

use std::time::{Duration, Instant};

use protocol::client::SlotAssignment;
use protocol::media::{Codec, MediaKind, TrackId};

#[cfg(debug_assertions)]
use super::audit::Audit;
use super::batch::Batch;
use super::carrying::Carrying;
use super::counters::Counters;
use super::kept::Kept;
use super::pace::Class;
use super::path::Path;
use super::repair::Sent;
use super::report::write_sender_report;
use super::seal::Sealer;
pub use super::slot::Offered;
use super::slot::{Entered, Slot};
use super::stream::NegotiatedSlot;
use crate::e_model::Journey;
use crate::io::SlotUse;
use crate::packet::Packet;
use crate::router::{LayerKey, Router, TrackKey};
pub use answer::Requests;

/// How often a live slot reports its clock (RFC 3550, 6.2 suggests 5 s for reports; lips want it sooner).
pub const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// The first estimates climb from a low start: they count from this long after the first feedback.
const SETTLING: Duration = Duration::from_millis(800);
/// Without transport-wide feedback for so long after its start, a client is taken for one that gives none.
const PATIENCE: Duration = Duration::from_secs(3);
/// A packet's headers, extensions and tag, for the pacer; it need not be exact.
const OVERHEAD: usize = 44;

/// How much a subscriber can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Not known yet: feedback has not come, or only just.
    Unknown,
    /// Not known, and not going to be: the client gives no feedback.
    None,
    /// In bits per second.
    Bits(u64),
}

#[derive(Debug, Clone, Copy)]
enum Queued {
    Media { slot: usize, entered: Entered },
    Repair { slot: usize, sent: Sent<LayerKey> },
}

/// A subscriber's sending side.
#[derive(Debug)]
pub struct Subscriber {
    pub slots: Vec<Slot>,
    sealer: Option<Sealer>,
    path: Path<Queued>,
    kept: Kept,
    #[cfg(debug_assertions)]
    audit: Audit,
    report_due: bool,
    connected: Option<Instant>,
    /// When the first feedback on the path was noticed.
    answered: Option<Instant>,
    counters: Counters,
    /// What was counted at the last look.
    counted: Counters,
    /// The round trip and the jitter as the receiver's reports tell them; the jitter is the sound's, if there is any.
    round_trip: Option<Duration>,
    jitter: Option<(MediaKind, Duration)>,
    /// Since when transport-wide feedbacks are counted, and how many there were.
    transport_wide: (Instant, u32),
}

impl Subscriber {
    /// A subscriber with these slots; nothing can be sent before [`Subscriber::connected`].
    pub fn new(now: Instant, slots: Vec<NegotiatedSlot>) -> Self {
        let slots: Vec<Slot> = slots.into_iter().map(Slot::new).collect();
        let can_probe = slots.iter().any(|slot| slot.stream.can_probe());
        Self {
            path: Path::new(now, can_probe),
            kept: Kept::default(),
            #[cfg(debug_assertions)]
            audit: Audit::new(slots.iter().map(|slot| slot.kind)),
            slots,
            sealer: None,
            report_due: false,
            connected: None,
            answered: None,
            counters: Counters::default(),
            counted: Counters::default(),
            round_trip: None,
            jitter: None,
            transport_wide: (now, 0),
        }
    }

    /// The keys are there: media may flow.
    pub fn connected(&mut self, now: Instant, sealer: Sealer) {
        self.sealer = Some(sealer);
        self.connected = Some(now);
    }

    pub fn is_connected(&self) -> bool {
        self.sealer.is_some()
    }

    /// The assignment of all slots, as the client is told.
    pub fn assignments(&self, name: impl Fn(TrackKey) -> Option<TrackId>) -> Vec<SlotAssignment> {
        self.slots
            .iter()
            .map(|slot| slot.assignment(&name))
            .collect()
    }

    /// Whether any slot can carry this codec.
    pub fn carries(&self, codec: Codec) -> bool {
        self.slots.iter().any(|slot| slot.stream.carries(codec))
    }

    /// A slot's track is gone.
    pub fn free(&mut self, slot: usize) {
        let slot = &mut self.slots[slot];
        slot.give(None);
        slot.carrying = Carrying::Nothing;
    }

    /// Nothing that it has carried, or was to be sent, is there any more: its tracks are those of another room from now on. Its
    /// streams go on.
    pub fn vacate(&mut self) {
        self.path.pacer.clear();
        for slot in 0..self.slots.len() {
            self.free(slot);
            self.slots[slot].forget();
        }
    }

    /// Offers a packet to a slot. Video starts and switches at a keyframe, audio at once.
    pub fn offer(&mut self, now: Instant, slot: usize, key: LayerKey, packet: &Packet) -> Offered {
        if self.sealer.is_none() {
            return Offered::Refused;
        }
        let entry = &mut self.slots[slot];
        // Sound is let in whatever waits.
        if self.path.pacer.is_full() && entry.kind == MediaKind::Video {
            entry.overrun(now, key);
            return Offered::Refused;
        }
        let Some(passage) = entry.let_in(key, packet) else {
            return Offered::Refused;
        };
        self.counters.switches += u64::from(passage.switched);
        let class = match entry.kind {
            MediaKind::Audio => Class::Audio,
            MediaKind::Video => Class::Video,
        };
        let queued = Queued::Media {
            slot,
            entered: passage.entered,
        };
        let bytes = packet.payload.len() + OVERHEAD;
        self.path.push(now, class, bytes, queued);
        Offered::Queued {
            left: passage.left,
            began: passage.began,
        }
    }

    /// A slot has begun with a packet: what is there already of those after it was refused, or is older than the slot's wish
    /// for them, and belongs behind it.
    pub fn catch_up(
        &mut self,
        now: Instant,
        slot: usize,
        key: LayerKey,
        began: u64,
        router: &Router,
    ) {
        let layer = router.layer(key);
        for packet in layer.into_iter().flat_map(|layer| layer.after(began)) {
            self.offer(now, slot, key, packet);
        }
    }

    /// Whether [`Subscriber::flush`] has anything to do.
    pub fn is_pending(&self) -> bool {
        !self.path.pacer.is_empty()
    }

    /// What the path to this subscriber carries, in bits per second.
    pub fn estimate(&self) -> u64 {
        self.path.estimator.estimate()
    }

    /// How the path has carried what was sent since the last look. A receiver's reports know no path: what was late or lost on
    /// its publisher's way up is in them.
    pub fn take_journey(&mut self) -> Journey {
        let estimator = &mut self.path.estimator;
        let reported = self.jitter.map_or(Duration::ZERO, |(_, jitter)| jitter);
        Journey {
            round_trip: self.round_trip.or(estimator.measured_round_trip()),
            jitter: estimator.take_jitter().unwrap_or(reported),
            loss: estimator.take_loss(),
        }
    }

    /// Bytes sent since the beginning.
    pub fn sent_bytes(&self) -> u64 {
        self.counters.bytes
    }

    /// How many packets were dropped since the beginning because they had waited too long.
    pub fn stale(&self) -> u64 {
        self.path.pacer.stale
    }

    /// What was counted since the last look.
    pub fn take_counters(&mut self) -> Counters {
        self.counters.probes = self.path.estimator.probes();
        self.counters.stale = self.path.pacer.stale;
        let before = std::mem::replace(&mut self.counted, self.counters);
        self.counters.since(before)
    }

    /// What the slots of a kind are used for now.
    pub fn slot_use(&self, kind: MediaKind) -> SlotUse {
        let mut counts = SlotUse::default();
        for slot in self.slots.iter().filter(|slot| slot.kind == kind) {
            let count = if slot.carrying.flowing().is_some() {
                &mut counts.flowing
            } else if slot.carrying != Carrying::Nothing {
                &mut counts.waiting
            } else if slot.track.is_some() {
                &mut counts.paused
            } else {
                &mut counts.free
            };
            *count += 1;
        }
        counts
    }

    /// How much may be sent, as far as that is known.
    pub fn limit(&mut self, now: Instant) -> Limit {
        let passed = |since: Instant| now.saturating_duration_since(since);
        if self.path.estimator.is_answered() {
            let answered = *self.answered.get_or_insert(now);
            return match passed(answered) >= SETTLING {
                true => Limit::Bits(self.estimate()),
                false => Limit::Unknown,
            };
        }
        match (self.connected, self.path.estimator.known()) {
            (None, _) => Limit::Unknown,
            (Some(at), _) if passed(at) < PATIENCE => Limit::Unknown,
            (_, Some(estimate)) => Limit::Bits(estimate),
            _ => Limit::None,
        }
    }

    /// What one would like to send to this subscriber at most, in bits per second: the path is probed up to it.
    pub fn set_wanted(&mut self, bitrate: u64) {
        self.path.estimator.set_wanted(bitrate);
    }

    /// The next flush is to be followed by sender reports.
    pub fn report_soon(&mut self) {
        self.report_due = true;
    }

    /// Appends the sender reports if they are due: one datagram for each live slot whose publisher's clock is known.
    pub fn report(&mut self, now: Instant, router: &Router, batch: &mut Batch) {
        if !self.report_due {
            return;
        }
        let Some(sealer) = &mut self.sealer else {
            return;
        };
        self.report_due = false;
        for slot in &mut self.slots {
            let Some((key, offset)) = slot.flows_as() else {
                continue;
            };
            let Some(clock) = router.layer(key).and_then(|layer| layer.clock) else {
                continue;
            };
            let start = batch.bytes.len();
            let rtp = clock
                .rtp_at(now, slot.kind.clock_rate())
                .wrapping_add(offset);
            let ntp = clock.ntp_at(now);
            let sent = slot.stream.sent();
            write_sender_report(
                &mut batch.bytes,
                slot.stream.ssrc(),
                ntp,
                rtp,
                sent.packets,
                sent.octets,
                &slot.cname,
            );
            match sealer.seal_rtcp(&mut batch.bytes, start) {
                Ok(_) => {
                    batch.end_datagram();
                    slot.reports.note(now, ntp);
                }
                Err(_) => batch.discard_rest(),
            }
        }
    }
}
