//! What a room does as time passes: reports, and a look at everything now and then.

use std::time::{Duration, Instant};

use protocol::media::{Layer, Source};

use super::deadlines::Deadline;
use super::{Context, Room};
use crate::egress::subscriber::REPORT_INTERVAL;
use crate::key::MemberKey;
use crate::router::LayerKey;

/// How often every layer of the room is looked at.
const SWEEP_INTERVAL: Duration = Duration::from_millis(500);
/// A camera's layer that is wanted and silent for so long does not come: its publisher has not the bits for it, say.
const CAMERA_PATIENCE: Duration = Duration::from_secs(1);
/// The same for a screen, which may be sent a frame a second while nothing moves on it.
const SCREEN_PATIENCE: Duration = Duration::from_secs(3);

impl Room {
    /// A member's next sender reports are due in an interval.
    pub(super) fn report_later(&mut self, now: Instant, key: MemberKey) {
        self.deadlines
            .set(Deadline::Reports(key), now + REPORT_INTERVAL);
    }

    /// A member's sender reports are due, and what else is done as often.
    pub(super) fn report(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        if let Some(member) = self.member_mut(key) {
            member.subscriber.report_soon();
            self.measure_quality(cx, key);
            self.mark_pending(key);
            self.report_later(cx.now, key);
            self.look_at_budget(cx.now, key);
        }
    }

    /// Every layer is to be looked at before long.
    pub(super) fn sweep_later(&mut self, now: Instant) {
        self.deadlines.lower(Deadline::Sweep, now + SWEEP_INTERVAL);
    }

    /// Looks at every layer: lets go of what is kept of silent ones, and falls back where one does not come.
    pub(super) fn sweep(&mut self, cx: &mut Context<'_>) {
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
        if self.limit_rates(cx) {
            self.assign_all(cx);
        }
        if !self.router.is_empty() {
            self.sweep_later(cx.now);
        }
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
