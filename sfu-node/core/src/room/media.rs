//! How packets move through a room: from a publisher or a peer to the slots and flows that want them.

use std::time::{Duration, Instant};

use protocol::cascade::CascadeMessage;
use protocol::media::{Layer, MediaKind, Source};

use super::intake::Taken;
use super::pairing::partner;
use super::{Context, Room, source_index};
use crate::clock::ClockMap;
use crate::egress::subscriber::{Offered, Requests};
use crate::key::MemberKey;
use crate::packet::{AudioLevel, Packet};
use crate::router::{LayerKey, TrackKey};

/// Shortest time between two sender reports of a layer that count: each goes to every other node that has the layer.
const CLOCK_INTERVAL: Duration = Duration::from_millis(200);

/// What sound counts for whose sender does not tell its level: less than a voice, and more than silence.
const UNKNOWN_LEVEL: AudioLevel = AudioLevel {
    dbov: 60,
    voice: false,
};

impl Room {
    /// A packet that a member published. Returns false when the participant's caps do not allow it.
    pub fn publish(
        &mut self,
        cx: &mut Context<'_>,
        member: MemberKey,
        (source, layer): (Source, Layer),
        arrived: Instant,
        mut packet: Packet,
    ) -> bool {
        let Some(publisher) = self.member(member) else {
            return true;
        };
        let Some(track) = publisher.tracks[source_index(source)] else {
            return true;
        };
        let allowed = self.may_publish(cx, member, source, layer, &packet);
        match self.take_in(member, (source, layer), allowed, &mut packet) {
            Taken::In => self.route(cx, (track, layer), arrived, packet),
            Taken::Out => return false,
            Taken::NeedsKeyframe => {
                self.request_keyframe(cx, (track, layer));
                return false;
            }
        }
        true
    }

    /// Hands a packet to everybody who wants its layer.
    pub(super) fn route(
        &mut self,
        cx: &mut Context<'_>,
        key: LayerKey,
        arrived: Instant,
        packet: Packet,
    ) {
        if !self.router.received(cx.now, key, arrived, &packet) {
            return;
        }
        if packet.codec.kind() == MediaKind::Audio {
            let level = packet.level.unwrap_or(UNKNOWN_LEVEL);
            self.loudest.level(cx.now, key.0, level);
            self.hear_again(cx.now);
        }
        let Some(layer) = self.router.layer(key) else {
            return;
        };
        for forward in &layer.forwards {
            let Some(member) = self.members.get_mut(forward.member) else {
                continue;
            };
            let subscriber = &mut member.subscriber;
            if layer.resumes {
                subscriber.slots[forward.slot].break_off(key);
            }
            let offered = subscriber.offer(cx.now, forward.slot, key, &packet);
            let Offered::Queued { left, began } = offered else {
                continue;
            };
            if began {
                subscriber.catch_up(cx.now, forward.slot, key, packet.sequence, &self.router);
            }
            if !member.pending {
                member.pending = true;
                self.pending.push(forward.member);
            }
            self.left.extend(left.map(|left| (*forward, left)));
        }
        // What comes from another node was selected there; to select anew would be to drop somebody's loudest.
        let is_heard = packet.codec.kind() == MediaKind::Video
            || layer.inbound.is_some()
            || self.loudest.selected().contains(&key.0);
        if is_heard {
            for relay in &layer.relays {
                cx.relay_batch.push(relay.peer, relay.flow, &packet);
            }
        }
        let lacks_keyframe = layer.resumes && layer.is_wanted() && !packet.keyframe;
        let repair = layer.inbound.as_ref().and_then(|i| i.loss.timeout());
        if let Some(at) = repair {
            self.watch(key, at);
        }
        while let Some((forward, left)) = self.left.pop() {
            self.detach(cx, left, forward.member, forward.slot);
        }
        if lacks_keyframe {
            // No viewer is to blame: none waits for as long as after a plea of its own.
            self.request_keyframe(cx, key);
        }
    }

    /// Compound RTCP of a member: answers its NACKs, passes its keyframe requests on. Returns its own sender reports.
    pub fn feedback(
        &mut self,
        cx: &mut Context<'_>,
        key: MemberKey,
        compound: &[u8],
    ) -> Vec<(u32, u64, u32)> {
        let mut requests = Requests::default();
        let Some((subscriber, router)) = self.subscriber(key) else {
            return Vec::new();
        };
        subscriber.feedback(cx.now, compound, router, &mut requests);
        if subscriber.is_pending() {
            self.mark_pending(key);
        }
        self.estimated(cx.now, key);
        self.ask_for_keyframes(cx, key, &requests);
        requests.clocks
    }

    /// A publisher's sender report: this NTP time was this RTP time of the track.
    pub fn clock(
        &mut self,
        cx: &mut Context<'_>,
        member: MemberKey,
        (source, layer): (Source, Layer),
        ntp: u64,
        rtp: u32,
    ) {
        let track = self.member(member).map(|m| m.tracks[source_index(source)]);
        if let Some(Some(track)) = track {
            self.set_clock(cx, (track, layer), ntp, rtp);
        }
    }

    /// A layer's publisher says that this NTP time was this RTP time.
    pub fn set_clock(&mut self, cx: &mut Context<'_>, key: LayerKey, ntp: u64, rtp: u32) {
        let both = self.in_step(key.0);
        let known = both.into_iter().flatten().find_map(|track| {
            let mut layers = self.router.get(track)?.layers.iter();
            layers.find_map(|layer| layer.clock)
        });
        let clock = ClockMap::new(cx.now, (ntp, rtp), &self.clock, known);
        let Some(layer) = self.router.layer_mut(key) else {
            return;
        };
        let recent = |clock: ClockMap| cx.now.saturating_duration_since(clock.at) < CLOCK_INTERVAL;
        if layer.clock.is_some_and(recent) {
            return;
        }
        layer.clock = Some(clock);
        for relay in &layer.relays {
            let flow = relay.flow;
            cx.tell_peer(relay.peer, CascadeMessage::SenderClock { flow, ntp, rtp });
        }
        for track in both.into_iter().flatten() {
            let layers = self.router.get_mut(track).map(|track| &mut track.layers);
            for layer in layers.into_iter().flatten() {
                if let Some(other) = &mut layer.clock {
                    other.set_by(&clock);
                }
            }
        }
    }

    /// A track, and the one that is played in step with it.
    fn in_step(&self, track: TrackKey) -> [Option<TrackKey>; 2] {
        let id = self.router.get(track).map(|track| partner(&track.id));
        [Some(track), id.and_then(|id| self.router.find(&id))]
    }
}
