//! A subscriber's sending side: its receive slots, what waits to be sent in them, and the batch that becomes of it.

use std::time::{Duration, Instant};

use protocol::client::SlotAssignment;
use protocol::media::{MediaKind, TrackId};

use super::batch::Batch;
use super::feedback::{Feedback, ReceptionReport, parse};
use super::repair::{Sent, SentLog};
use super::report::write_sender_report;
use super::seal::Sealer;
use super::stream::{Extensions, NegotiatedSlot, Rtx, Stream};
use crate::clock::round_trip;
use crate::packet::Packet;
use crate::rewrite::{Rewriter, Rewritten};
use crate::router::{LayerKey, Router};

/// How often a live slot reports its clock (RFC 3550, 6.2 suggests 5 s for reports; lips want it sooner).
pub const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Longest queue of a subscriber between two flushes; a keyframe of a large screen fits several times.
const MAX_QUEUE: usize = 4_096;

/// What a slot carries now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrying {
    /// Nothing.
    Nothing,
    /// This layer from its next keyframe on.
    Waiting(LayerKey),
    /// This layer.
    Live(LayerKey),
}

impl Carrying {
    /// The layer that this slot is set to.
    pub fn layer(self) -> Option<LayerKey> {
        match self {
            Carrying::Nothing => None,
            Carrying::Waiting(key) | Carrying::Live(key) => Some(key),
        }
    }
}

/// A receive slot of the client.
#[derive(Debug)]
pub struct Slot {
    mid: String,
    pub kind: MediaKind,
    pub carrying: Carrying,
    clock_rate: u32,
    stream: Stream,
    rewriter: Rewriter,
    log: SentLog<LayerKey>,
}

#[derive(Debug, Clone, Copy)]
enum Queued {
    Media {
        slot: usize,
        key: LayerKey,
        sequence: u64,
        rewritten: Rewritten,
    },
    Repair {
        slot: usize,
        sent: Sent<LayerKey>,
    },
}

/// What a subscriber's feedback asks for.
#[derive(Debug, Default)]
pub struct Requests {
    /// Layers whose decoder needs a keyframe.
    pub keyframes: Vec<LayerKey>,
    /// SSRC, NTP time and RTP time of the publisher's own sender reports.
    pub clocks: Vec<(u32, u64, u32)>,
}

/// A subscriber's sending side.
#[derive(Debug)]
pub struct Subscriber {
    pub slots: Vec<Slot>,
    sealer: Option<Sealer>,
    queue: Vec<Queued>,
    twcc: u16,
    cname: String,
    next_report: Option<Instant>,
    /// Media packets sent, repairs among them.
    pub packets: u64,
    pub bytes: u64,
    pub repairs: u64,
}

impl Subscriber {
    /// A subscriber with these slots; nothing can be sent before [`Subscriber::connected`].
    pub fn new(slots: Vec<NegotiatedSlot>, extensions: Extensions, cname: String) -> Self {
        let slots = slots
            .into_iter()
            .map(|slot| Slot {
                kind: slot.kind,
                clock_rate: slot.codec.clock_rate(),
                carrying: Carrying::Nothing,
                // Any start will do (RFC 3550, 5.1); the random SSRC gives one without randomness of our own. It stays
                // low, so that packets lost before the receiver is ready cannot hide a wrap-around from its SRTP.
                rewriter: Rewriter::new(
                    slot.codec,
                    slot.ssrc as u16 >> 1,
                    slot.ssrc.rotate_left(13),
                ),
                log: SentLog::default(),
                stream: new_stream(&slot, extensions),
                mid: slot.mid,
            })
            .collect();
        Self {
            slots,
            sealer: None,
            queue: Vec::new(),
            twcc: 0,
            cname,
            next_report: None,
            packets: 0,
            bytes: 0,
            repairs: 0,
        }
    }

    /// The keys are there: media may flow.
    pub fn connected(&mut self, now: Instant, sealer: Sealer) {
        self.sealer = Some(sealer);
        self.next_report = Some(now + REPORT_INTERVAL);
    }

    pub fn is_connected(&self) -> bool {
        self.sealer.is_some()
    }

    /// Sets what a slot carries. Video starts with the layer's next keyframe, audio at once.
    pub fn carry(&mut self, slot: usize, layer: Option<LayerKey>) {
        let slot = &mut self.slots[slot];
        slot.carrying = match layer {
            None => Carrying::Nothing,
            Some(key) => Carrying::Waiting(key),
        };
    }

    /// The assignment of all slots, as the client is told.
    pub fn assignments(&self, name: impl Fn(LayerKey) -> Option<TrackId>) -> Vec<SlotAssignment> {
        self.slots
            .iter()
            .map(|slot| SlotAssignment {
                mid: slot.mid.clone(),
                track: slot.carrying.layer().and_then(&name),
                paused: false,
            })
            .collect()
    }

    /// Offers a packet to a slot that is set to its layer; returns whether it was queued.
    pub fn offer(&mut self, now: Instant, slot: usize, key: LayerKey, packet: &Packet) -> bool {
        if self.sealer.is_none() || self.queue.len() >= MAX_QUEUE {
            return false;
        }
        let entry = &mut self.slots[slot];
        match entry.carrying {
            Carrying::Live(live) if live == key => {}
            Carrying::Waiting(next)
                if next == key && (entry.kind == MediaKind::Audio || packet.keyframe) =>
            {
                entry.rewriter.switch();
                entry.carrying = Carrying::Live(key);
            }
            _ => return false,
        }
        // Rewritten now and not at the flush: a switch of the slot must not move what was offered before it.
        let Some(rewritten) = entry.rewriter.rewrite(now, packet) else {
            return false;
        };
        if let Some(offsets) = entry.rewriter.offsets() {
            entry.log.record(key, &rewritten, offsets);
        }
        self.queue.push(Queued::Media {
            slot,
            key,
            sequence: packet.sequence,
            rewritten,
        });
        true
    }

    /// Takes a compound RTCP packet of the subscriber in.
    pub fn feedback(
        &mut self,
        now: Instant,
        compound: &[u8],
        router: &Router,
        requests: &mut Requests,
    ) {
        for item in parse(compound) {
            match item {
                Feedback::Nack { ssrc, sequences } => {
                    let Some(slot) = self.slot_of(ssrc) else {
                        continue;
                    };
                    for sequence in sequences {
                        if self.queue.len() >= MAX_QUEUE {
                            break;
                        }
                        if let Some(sent) = self.slots[slot].log.find(now, sequence) {
                            self.queue.push(Queued::Repair { slot, sent });
                        }
                    }
                }
                Feedback::Pli { ssrc } | Feedback::Fir { ssrc } => {
                    let slot = self.slot_of(ssrc).map(|slot| &self.slots[slot]);
                    if let Some(key) = slot.and_then(|slot| slot.carrying.layer()) {
                        requests.keyframes.push(key);
                    }
                }
                Feedback::ReceiverReport(report) => self.measure(now, &report, router),
                Feedback::SenderReport { ssrc, ntp, rtp } => {
                    requests.clocks.push((ssrc, ntp, rtp));
                }
                _ => {}
            }
        }
    }

    /// The round trip sets how soon a packet may be sent again. Our sender reports tell the publisher's time, so theirs is
    /// the clock that the receiver's echo is read by.
    fn measure(&mut self, now: Instant, report: &ReceptionReport, router: &Router) {
        let Some(slot) = self.slot_of(report.ssrc) else {
            return;
        };
        let slot = &mut self.slots[slot];
        let layer = slot.carrying.layer().and_then(|key| router.layer(key));
        if let Some(clock) = layer.and_then(|layer| layer.clock)
            && let Some(rtt) = round_trip(clock.ntp_at(now), report.lsr, report.dlsr)
        {
            slot.log.set_rtt(rtt);
        }
    }

    fn slot_of(&self, ssrc: u32) -> Option<usize> {
        self.slots
            .iter()
            .position(|slot| slot.stream.ssrc() == ssrc)
    }

    /// Whether [`Subscriber::flush`] has anything to do.
    pub fn is_pending(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Builds and seals everything that waits.
    pub fn flush(&mut self, router: &Router, batch: &mut Batch) {
        let Some(sealer) = &mut self.sealer else {
            self.queue.clear();
            return;
        };
        for queued in self.queue.drain(..) {
            let start = batch.bytes.len();
            let sealed = match queued {
                Queued::Media {
                    slot,
                    key,
                    sequence,
                    rewritten,
                } => {
                    let Some(packet) = router.packet(key, sequence) else {
                        continue;
                    };
                    let slot = &mut self.slots[slot];
                    let header = slot
                        .stream
                        .write(&mut batch.bytes, packet, &rewritten, self.twcc);
                    sealer.seal_rtp(&mut batch.bytes, start, header, rewritten.sequence)
                }
                Queued::Repair { slot, sent } => {
                    let slot = &mut self.slots[slot];
                    let Some(packet) = router.packet(sent.key, sent.sequence) else {
                        continue;
                    };
                    let rewritten = sent.rewritten(packet);
                    let written =
                        slot.stream
                            .write_rtx(&mut batch.bytes, packet, &rewritten, self.twcc);
                    let Some((header, rtx_sequence)) = written else {
                        continue;
                    };
                    self.repairs += 1;
                    sealer.seal_rtp(&mut batch.bytes, start, header, rtx_sequence)
                }
            };
            if sealed.is_err() {
                batch.discard_rest();
                continue;
            }
            self.twcc = self.twcc.wrapping_add(1);
            self.packets += 1;
            self.bytes += (batch.bytes.len() - start) as u64;
            batch.end_datagram();
        }
    }

    /// When the next sender reports are due.
    pub fn next_report(&self) -> Option<Instant> {
        self.next_report
    }

    /// Appends the sender reports that are due: one datagram for each live slot whose publisher's clock is known.
    pub fn report(&mut self, now: Instant, router: &Router, batch: &mut Batch) {
        let (Some(sealer), Some(due)) = (&mut self.sealer, self.next_report) else {
            return;
        };
        if now < due {
            return;
        }
        self.next_report = Some(now + REPORT_INTERVAL);
        for slot in &self.slots {
            let Carrying::Live(key) = slot.carrying else {
                continue;
            };
            let Some(layer) = router.layer(key) else {
                continue;
            };
            let (Some(clock), Some(offset)) = (&layer.clock, slot.rewriter.timestamp_offset())
            else {
                continue;
            };
            let start = batch.bytes.len();
            let rtp = clock.rtp_at(now, slot.clock_rate).wrapping_add(offset);
            let sent = slot.stream.sent();
            write_sender_report(
                &mut batch.bytes,
                slot.stream.ssrc(),
                clock.ntp_at(now),
                rtp,
                sent.packets,
                sent.octets,
                &self.cname,
            );
            match sealer.seal_rtcp(&mut batch.bytes, start) {
                Ok(_) => batch.end_datagram(),
                Err(_) => batch.discard_rest(),
            }
        }
    }
}

fn new_stream(slot: &NegotiatedSlot, extensions: Extensions) -> Stream {
    let rtx = slot.rtx_ssrc.zip(slot.rtx_pt);
    let rtx = rtx.map(|(ssrc, pt)| Rtx { ssrc, pt });
    let rtx_first = rtx.as_ref().map_or(0, |rtx| rtx.ssrc as u16 >> 1);
    Stream::new(slot.ssrc, slot.pt, rtx, rtx_first, &slot.mid, extensions)
}
