//! What a receiver's feedback brings about: repairs, requests for keyframes, and what is learned of its path.

use std::time::{Duration, Instant};

use protocol::media::MediaKind;

use super::{OVERHEAD, Queued, Subscriber};
use crate::egress::delivery::Sent;
use crate::egress::feedback::{Feedback, ReceptionReport, parse};
use crate::egress::pace::Class;
use crate::egress::slot::Slot;
use crate::router::{LayerKey, Router};

/// Most jitter that is believed, in seconds.
const MAX_JITTER: f64 = 10.0;
/// A path that loses more than this share gets each repair twice: one that is lost, too, costs another round trip, and soon a
/// picture that stands still.
const LOSSY: f64 = 0.05;
/// Transport-wide feedbacks that count in a second. Receivers send some twenty, and each can speak of thousands of packets in
/// a few bytes.
const MAX_TRANSPORT_WIDE: u32 = 200;
const SECOND: Duration = Duration::from_secs(1);

/// What a subscriber's feedback asks for.
#[derive(Debug, Default)]
pub struct Requests {
    /// Layers whose decoder needs a keyframe.
    pub keyframes: Vec<LayerKey>,
    /// When the first of those is due that have to wait ([`Subscriber::held_pleas`]).
    pub held: Option<Instant>,
    /// SSRC, NTP time and RTP time of the publisher's own sender reports.
    pub clocks: Vec<(u32, u64, u32)>,
}

impl Subscriber {
    /// Takes a compound RTCP packet of the subscriber in.
    pub fn feedback(
        &mut self,
        now: Instant,
        compound: &[u8],
        router: &Router,
        requests: &mut Requests,
    ) {
        let mut reported = false;
        for item in parse(compound) {
            match item {
                Feedback::Nack { ssrc, sequences } => self.repair(now, ssrc, sequences, router),
                Feedback::Pli { ssrc } | Feedback::Fir { ssrc } => {
                    let Some(slot) = self.slot_of(ssrc) else {
                        continue;
                    };
                    let slot = &mut self.slots[slot];
                    requests.keyframes.extend(slot.plead(now));
                    let held = requests.held.into_iter().chain(slot.plea_timeout());
                    requests.held = held.min();
                }
                Feedback::TransportWide { fci } if self.admits_transport_wide(now) => {
                    self.path.estimator.on_feedback(now, fci);
                }
                Feedback::Remb { bitrate } => self.path.estimator.on_remb(bitrate),
                Feedback::ReceiverReport(report) => reported |= self.measure(now, &report),
                Feedback::SenderReport { ssrc, ntp, rtp } => {
                    requests.clocks.push((ssrc, ntp, rtp));
                }
                _ => {}
            }
        }
        if reported {
            self.judge_delivery(now);
        }
    }

    /// Decoders that had to wait for their keyframe, and wait no longer.
    pub fn held_pleas(&mut self, now: Instant) -> Requests {
        let slots = self.slots.iter_mut();
        let keyframes = slots.filter_map(|slot| slot.held_plea(now)).collect();
        let timeouts = self.slots.iter().filter_map(Slot::plea_timeout);
        Requests {
            keyframes,
            held: timeouts.min(),
            clocks: Vec::new(),
        }
    }

    /// Whether one more transport-wide feedback counts in this second.
    fn admits_transport_wide(&mut self, now: Instant) -> bool {
        let (began, count) = &mut self.transport_wide;
        if now.saturating_duration_since(*began) >= SECOND {
            (*began, *count) = (now, 0);
        }
        *count += 1;
        *count <= MAX_TRANSPORT_WIDE
    }

    /// Sends again what is missed, if it is worth it.
    fn repair(
        &mut self,
        now: Instant,
        ssrc: u32,
        missed: impl Iterator<Item = u16>,
        router: &Router,
    ) {
        let Some(slot) = self.slot_of(ssrc) else {
            return;
        };
        let copies = match self.path.estimator.loss() > LOSSY {
            true => 2,
            false => 1,
        };
        for sequence in missed {
            if self.path.pacer.is_full() {
                break;
            }
            let Some((sent, copies)) = self.slots[slot].log.find(now, sequence, copies) else {
                continue;
            };
            if let Some(packet) = router.packet(sent.key, sent.sequence) {
                let bytes = packet.payload.len() + OVERHEAD;
                for _ in 0..copies {
                    let queued = Queued::Repair { slot, sent };
                    self.path.push(now, Class::Repair, bytes, queued);
                }
            }
        }
    }

    /// Learns from how a stream is received. The round trip sets how soon a packet may be sent again. Returns whether it tells
    /// what has arrived.
    fn measure(&mut self, now: Instant, report: &ReceptionReport) -> bool {
        let Some(slot) = self.slot_of(report.ssrc) else {
            return false;
        };
        let slot = &mut self.slots[slot];
        let ticks = f64::from(report.jitter) / f64::from(slot.kind.clock_rate());
        // A corrupt report is bounded by what a receiver would ever wait for.
        let jitter = Duration::from_secs_f64(ticks.min(MAX_JITTER));
        let of_sound = matches!(self.jitter, Some((MediaKind::Audio, _)));
        if slot.kind == MediaKind::Audio || !of_sound {
            self.jitter = Some((slot.kind, jitter));
        }
        let sent = Sent {
            counts: slot.stream.sent(),
            beyond: slot.rewriter.sent_above(report.highest as u16),
        };
        let delivered = slot.delivery.report(now, report, sent);
        if let Some(delivered) = &delivered {
            let estimator = &mut self.path.estimator;
            estimator.on_report(delivered.expected, delivered.lost);
        }
        if let Some(rtt) = slot.reports.round_trip(now, report.lsr, report.dlsr) {
            slot.log.set_rtt(rtt);
            self.round_trip = Some(rtt);
        }
        delivered.is_some()
    }

    /// Goes by what has arrived in all slots. Some clients report on each apart: while nothing is known of the path, what has arrived
    /// in the first alone is not all.
    fn judge_delivery(&mut self, now: Instant) {
        let mut slots = self.slots.iter();
        let is_new = self.path.estimator.known().is_none();
        if is_new && slots.any(|slot| slot.delivery.is_awaited(now)) {
            return;
        }
        let rates = self.slots.iter().map(|slot| slot.delivery.rates(now));
        let (sent, arrived) = rates.fold((0.0, 0.0), |sum, rate| (sum.0 + rate.0, sum.1 + rate.1));
        let round_trip = self.round_trip.unwrap_or_default();
        let estimator = &mut self.path.estimator;
        estimator.on_reports(now, sent as u64, arrived as u64, round_trip);
    }

    fn slot_of(&self, ssrc: u32) -> Option<usize> {
        self.slots
            .iter()
            .position(|slot| slot.stream.ssrc() == ssrc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A transport-wide feedback: the packet of this sequence number has come.
    fn transport_wide(sequence: u16) -> Vec<u8> {
        let mut compound = vec![0x8F, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2];
        compound.extend(sequence.to_be_bytes());
        // One packet, the reference time, the feedback's own number; a run of one small delta of 1 ms.
        compound.extend([0, 1, 0, 0, 1, 0, 0x20, 0x01, 4, 0]);
        compound
    }

    #[test]
    fn a_flood_of_transport_wide_feedback_is_not_worked_through() {
        let start = Instant::now();
        let router = Router::default();
        let mut subscriber = Subscriber::new(start, Vec::new());
        subscriber.path.begin(start);
        let sent = subscriber.path.sequence();
        subscriber.path.sent(start, 1_200);
        let mut requests = Requests::default();
        let mut hear = |now, sequence| {
            subscriber.feedback(now, &transport_wide(sequence), &router, &mut requests);
            subscriber.path.estimator.is_answered()
        };
        for n in 0..MAX_TRANSPORT_WIDE {
            let now = start + SECOND / 2 * n / MAX_TRANSPORT_WIDE;
            assert!(!hear(now, sent.wrapping_add(9_000)), "of no packet of ours");
        }
        assert!(!hear(start + SECOND / 2, sent), "one too many");
        assert!(hear(start + SECOND, sent), "the next second's counts");
    }
}
