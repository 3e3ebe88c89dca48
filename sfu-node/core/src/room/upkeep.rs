//! What a room does as time passes: repeats, repairs, reports, and a look at everything now and then.
//!
//! Whoever waits for something is in a list, so that the work depends on what happens and not on how large the room is.

use std::time::{Duration, Instant};

use protocol::cascade::CascadeMessage;
use protocol::media::{Layer, Source};

use super::{Context, Effect, Room};
use crate::egress::subscriber::REPORT_INTERVAL;
use crate::key::MemberKey;
use crate::router::{LayerKey, Origin};

/// How often every layer of the room is looked at.
const SWEEP_INTERVAL: Duration = Duration::from_millis(500);
/// A camera's layer that is wanted and silent for so long does not come: its publisher has not the bits for it, say.
const CAMERA_PATIENCE: Duration = Duration::from_secs(1);
/// The same for a screen, which may be sent a frame a second while nothing moves on it.
const SCREEN_PATIENCE: Duration = Duration::from_secs(3);

impl Room {
    /// Everything that is due.
    pub fn handle_timeout(&mut self, cx: &mut Context<'_>) {
        self.due = None;
        self.assign_waiting(cx);
        self.choose_speakers(cx);
        self.retry_watched(cx);
        self.tell_qualities(cx);
        self.report_due(cx);
        self.sweep(cx);
        self.decide_due(cx);
        self.stop_lingering(cx);
    }

    /// Sees to it that a layer is looked at again by then: a keyframe or a repair is awaited.
    pub(super) fn watch(&mut self, key: LayerKey, at: Instant) {
        if let Some(layer) = self.router.layer_mut(key)
            && !std::mem::replace(&mut layer.watched, true)
        {
            self.watched.push(key);
        }
        self.arm(at);
    }

    fn retry_watched(&mut self, cx: &mut Context<'_>) {
        let mut watched = std::mem::take(&mut self.watched);
        for key in watched.drain(..) {
            if let Some(layer) = self.router.layer_mut(key) {
                layer.watched = false;
                self.retry(cx, key);
            }
        }
        // The list keeps its memory.
        watched.append(&mut self.watched);
        self.watched = watched;
    }

    fn retry(&mut self, cx: &mut Context<'_>, key: LayerKey) {
        let Some(track) = self.router.get_mut(key.0) else {
            return;
        };
        let origin = track.origin;
        let Some(layer) = track.layers.get_mut(usize::from(key.1.0)) else {
            return;
        };
        let mut due = None;
        let mut ask_again = false;
        if layer.is_wanted() {
            ask_again = layer.keyframes.poll(cx.now);
            due = layer.keyframes.timeout();
        }
        if let (Origin::Remote(peer), Some(inbound)) = (origin, &mut layer.inbound) {
            let round_trip = cx.relay.peer(peer).and_then(|peer| peer.round_trip);
            if let Some(round_trip) = round_trip {
                inbound.loss.set_rtt(round_trip);
            }
            let missing = inbound.loss.poll(cx.now);
            if !missing.is_empty() {
                let message = CascadeMessage::Nack {
                    flow: inbound.flow,
                    sequences: missing.iter().map(|sequence| *sequence as u16).collect(),
                };
                cx.effects.push_back(Effect::Peer { peer, message });
            }
            due = due.into_iter().chain(inbound.loss.timeout()).min();
        }
        if ask_again {
            self.send_keyframe_request(cx, key);
        }
        if let Some(at) = due {
            self.watch(key, at);
        }
    }

    /// A member's first report is due in an interval.
    pub(super) fn start_reports(&mut self, now: Instant, key: MemberKey) {
        let at = now + REPORT_INTERVAL;
        if let Some(member) = self.member_mut(key) {
            member.report_at = Some(at);
            self.reports.push_back((at, key));
            self.arm(at);
        }
    }

    /// Members whose reports are due. All have the same interval, so the queue is in order.
    fn report_due(&mut self, cx: &mut Context<'_>) {
        while let Some((at, key)) = self.reports.front().copied() {
            if at > cx.now {
                self.arm(at);
                return;
            }
            self.reports.pop_front();
            // A member that has left may have had this place.
            if let Some(member) = self.member_mut(key)
                && member.report_at == Some(at)
            {
                member.subscriber.report_soon();
                self.measure_quality(cx, key);
                self.mark_pending(key);
                self.start_reports(cx.now, key);
                self.look_at_budget(cx.now, key);
            }
        }
    }

    /// Looks at every layer: lets go of what is kept of silent ones, and falls back where one does not come.
    fn sweep(&mut self, cx: &mut Context<'_>) {
        let next = self.swept.map_or(cx.now, |at| at + SWEEP_INTERVAL);
        if next > cx.now {
            self.arm(next);
            return;
        }
        self.swept = Some(cx.now);
        let mut stalled = Vec::new();
        for (key, track) in self.router.iter_mut() {
            let patience = match track.id.source {
                Source::Screen => SCREEN_PATIENCE,
                Source::Camera | Source::Microphone | Source::ScreenAudio => CAMERA_PATIENCE,
            };
            let mut below_flows = false;
            for (index, layer) in track.layers.iter_mut().enumerate() {
                layer.rest(cx.now);
                if index > 0 && layer.is_stalled(cx.now, patience) {
                    // A publisher that sends nothing at all may send everything in a moment.
                    let absent = below_flows && layer.note_absence(cx.now);
                    stalled.push(((key, Layer(index as u8)), absent));
                }
                below_flows |= layer.flows(cx.now);
            }
        }
        for (key, absent) in stalled {
            self.fall_back(cx, key, absent);
        }
        for key in self.missed_keyframes(cx.now) {
            self.request_keyframe(cx, key);
        }
        if self.limit_rates() {
            self.assign_all(cx);
        }
        if !self.router.is_empty() {
            self.arm(cx.now + SWEEP_INTERVAL);
        }
    }

    /// Layers that some slot without a picture waits for although they flow: their keyframe came when the slot could not
    /// take it, or the slot was overrun.
    fn missed_keyframes(&self, now: Instant) -> Vec<LayerKey> {
        let slots = self
            .members
            .iter()
            .flat_map(|(_, member)| &member.subscriber.slots);
        let flows = |key: &LayerKey| self.router.layer(*key).is_some_and(|l| l.flows(now));
        let missed = slots.filter_map(|slot| slot.lacks_keyframe(now).find(flows));
        let mut missed: Vec<_> = missed.collect();
        missed.sort();
        missed.dedup();
        missed
    }

    /// A layer does not come: the slots that wait for it make do with a lower one. `absent`: they are set to another, too.
    fn fall_back(&mut self, cx: &mut Context<'_>, key: LayerKey, absent: bool) {
        let lower = self.flowing_below(cx.now, key);
        let Some(layer) = self.router.layer(key) else {
            return;
        };
        for forward in layer.forwards.clone() {
            let member = self.member(forward.member);
            let carrying = member.map(|member| member.subscriber.slots[forward.slot].carrying);
            let carrying = carrying.unwrap_or_default();
            let flows = carrying.flowing().is_some_and(|flowing| flowing != key);
            if absent {
                self.decide_at(cx.now, forward.member);
            }
            if carrying.target() == Some(key) && !flows {
                self.change(cx, forward.member, forward.slot, |now| now.fall_back(lower));
            }
        }
    }

    /// The highest layer below this one that flows, or else the lowest of all: publishers give that up last.
    fn flowing_below(&self, now: Instant, (track, layer): LayerKey) -> LayerKey {
        let flows = |below: &u8| {
            let layer = self.router.layer((track, Layer(*below)));
            layer.is_some_and(|layer| layer.flows(now))
        };
        let below = (0..layer.0).rev().find(flows).unwrap_or(0);
        (track, Layer(below))
    }
}
