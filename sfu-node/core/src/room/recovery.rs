//! How a room gets what is missing: keyframes for decoders that cannot go on, and packets that other nodes sent and that did not
//! come.

use std::time::Instant;

use protocol::cascade::CascadeMessage;
use protocol::media::MediaKind;

use super::deadlines::Deadline;
use super::{Context, Effect, Room};
use crate::egress::subscriber::{Offered, Requests};
use crate::key::MemberKey;
use crate::router::{Forward, LayerKey, Origin};

impl Room {
    /// A slot wants a layer from a keyframe on: from the last one, if that came just now, or else one is asked for.
    pub(super) fn start(&mut self, cx: &mut Context<'_>, key: LayerKey, at: Forward) {
        let fresh = self
            .router
            .layer(key)
            .and_then(|l| l.fresh_keyframe(cx.now));
        let member = self.members.get_mut(at.member);
        let (Some(first), Some(member)) = (fresh, member) else {
            return self.request_keyframe(cx, key);
        };
        let subscriber = &mut member.subscriber;
        if !subscriber.slots[at.slot].can_start_in_the_past(key) {
            return self.request_keyframe(cx, key);
        }
        // To one that is not connected yet nothing is sent: it will start when it is.
        let offered = subscriber.offer(cx.now, at.slot, key, first);
        if let Offered::Queued { left, .. } = offered {
            subscriber.catch_up(cx.now, at.slot, key, first.sequence, &self.router);
            self.mark_pending(at.member);
            if let Some(left) = left {
                self.detach(cx, left, at.member, at.slot);
            }
        }
    }

    /// A member is connected: its slots start with what they wait for.
    pub(super) fn start_slots(&mut self, cx: &mut Context<'_>, member: MemberKey) {
        let slots = self.member(member).map(|m| m.subscriber.slots.as_slice());
        let slots = slots.unwrap_or_default().iter().enumerate();
        let lacking: Vec<(usize, LayerKey)> = slots
            .flat_map(|(slot, entry)| entry.lacks_keyframe(cx.now).map(move |key| (slot, key)))
            .collect();
        for (slot, key) in lacking {
            self.start(cx, key, Forward { member, slot });
        }
    }

    /// Asks for the keyframes that a member's decoders need, and remembers those that have to wait.
    pub(super) fn ask_for_keyframes(
        &mut self,
        cx: &mut Context<'_>,
        member: MemberKey,
        requests: &Requests,
    ) {
        for layer in &requests.keyframes {
            self.request_keyframe(cx, *layer);
        }
        if let Some(at) = requests.held {
            self.deadlines.lower(Deadline::Plea(member), at);
        }
    }

    /// A member's decoder has waited for long enough: its keyframe is asked for.
    pub(super) fn take_held_pleas(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        if let Some((subscriber, _)) = self.subscriber(key) {
            let requests = subscriber.held_pleas(cx.now);
            self.ask_for_keyframes(cx, key, &requests);
        }
    }

    /// A decoder needs a keyframe of this layer; at most one request goes on in a while.
    pub fn request_keyframe(&mut self, cx: &mut Context<'_>, key: LayerKey) {
        let Some(track) = self.router.get_mut(key.0) else {
            return;
        };
        if track.codec.kind() != MediaKind::Video {
            return;
        }
        let Some(layer) = track.layers.get_mut(usize::from(key.1.0)) else {
            return;
        };
        let send_now = layer.keyframes.request(cx.now);
        let retry = layer.keyframes.timeout();
        if send_now {
            self.send_keyframe_request(cx, key);
        }
        if let Some(at) = retry {
            self.watch(key, at);
        }
    }

    fn send_keyframe_request(&mut self, cx: &mut Context<'_>, key: LayerKey) {
        let Some(track) = self.router.get(key.0) else {
            return;
        };
        match track.origin {
            Origin::Local(member) => {
                let source = track.id.source;
                if let Some(member) = self.member(member) {
                    cx.effects.push_back(Effect::Keyframe {
                        session: member.session,
                        source,
                        layer: key.1,
                    });
                }
            }
            Origin::Remote(peer) => {
                let layer = track.layers.get(usize::from(key.1.0));
                if let Some(inbound) = layer.and_then(|layer| layer.inbound.as_ref()) {
                    cx.tell_peer(peer, CascadeMessage::Keyframe { flow: inbound.flow });
                }
            }
        }
    }

    /// Sees to it that a layer is looked at again by then: a keyframe or a repair is awaited.
    pub(super) fn watch(&mut self, key: LayerKey, at: Instant) {
        self.deadlines.lower(Deadline::Recovery(key), at);
    }

    /// A keyframe or a repair of a layer is overdue: asks again.
    pub(super) fn recover(&mut self, cx: &mut Context<'_>, key: LayerKey) {
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
                cx.tell_peer(peer, message);
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

    /// Layers that some slot without a picture waits for although they flow: their keyframe came when the slot could not
    /// take it, or the slot was overrun.
    pub(super) fn missed_keyframes(&self, now: Instant) -> Vec<LayerKey> {
        let router = &self.router;
        let flows = |key: &LayerKey| router.layer(*key).is_some_and(|l| l.flows(now));
        let mut missed = Vec::new();
        let members = self.members.iter().map(|(_, member)| member);
        for member in members.filter(|member| member.subscriber.is_connected()) {
            for slot in &member.subscriber.slots {
                missed.extend(slot.lacks_keyframe(now).find(flows));
            }
        }
        missed.sort();
        missed.dedup();
        missed
    }
}
