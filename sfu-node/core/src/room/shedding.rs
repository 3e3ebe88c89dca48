//! Flows that wait because the path to a peer is too narrow: which matter most, and what a pause means at both ends.

use std::time::Instant;

use protocol::cascade::CascadeMessage;
use protocol::media::{Source, TrackId};

use super::{Context, Room};
use crate::relay::shedding::Importance;
use crate::router::{LayerKey, RelayFlow};

impl Room {
    /// How much a layer matters on a path that does not carry everything.
    pub fn importance(&self, now: Instant, (key, layer): LayerKey) -> Importance {
        let Some(track) = self.router.get(key) else {
            return Importance::Detail(0);
        };
        match track.id.source {
            Source::Microphone | Source::ScreenAudio => Importance::Sound,
            Source::Screen => Importance::Screen,
            Source::Camera => {
                let rank = self.loudness(now, &track.id);
                if layer.0 > 0 {
                    Importance::Detail(rank)
                } else {
                    Importance::Camera(rank)
                }
            }
        }
    }

    /// How loud the person before a camera is now, in dB above silence.
    fn loudness(&self, now: Instant, camera: &TrackId) -> u8 {
        let microphone = TrackId {
            participant: camera.participant.clone(),
            source: Source::Microphone,
        };
        let track = self.router.find(&microphone);
        let score = track.and_then(|track| self.loudest.score(now, &track));
        score.unwrap_or_default() as u8
    }

    /// Sends nothing more of a flow for a while. Here it counts as unwanted, so nothing is fetched for it either.
    pub fn pause_flow(&mut self, cx: &mut Context<'_>, key: LayerKey, relay: RelayFlow) {
        self.unwanted(cx, key, relay);
        let message = CascadeMessage::Pause { flow: relay.flow };
        let peer = relay.peer;
        cx.tell_peer(peer, message);
    }

    /// Sends a paused flow again, from a keyframe on.
    pub fn resume_flow(&mut self, cx: &mut Context<'_>, key: LayerKey, relay: RelayFlow) {
        let Some(layer) = self.router.layer_mut(key) else {
            return;
        };
        layer.relays.push(relay);
        let flow = relay.flow;
        // What is paused further up does not come yet.
        cx.tell_peer(relay.peer, standing(flow, layer.is_paused()));
        self.demand(cx, key);
        self.request_keyframe(cx, key);
    }

    /// A peer has paused a flow that this room asked for, or sends it again: until then its layer counts as not there, for
    /// the slots here and for whoever gets it from here.
    pub fn flow_paused(&mut self, cx: &mut Context<'_>, key: LayerKey, paused: bool) {
        let Some(layer) = self.router.layer_mut(key) else {
            return;
        };
        let Some(inbound) = layer.inbound.as_mut().filter(|i| i.paused != paused) else {
            return;
        };
        inbound.paused = paused;
        if !paused {
            // What was not sent was not lost.
            inbound.loss.restart();
            layer.expect_again();
            for forward in &layer.forwards {
                if let Some(member) = self.members.get_mut(forward.member) {
                    member.subscriber.slots[forward.slot].break_off(key);
                }
            }
        }
        for relay in &layer.relays {
            cx.tell_peer(relay.peer, standing(relay.flow, paused));
        }
        self.demand(cx, key);
        self.assign_all(cx);
    }

    /// A publisher here may send a layer no more, or again: for other nodes it is paused meanwhile.
    pub(super) fn forbid_layer(&mut self, cx: &mut Context<'_>, key: LayerKey, forbidden: bool) {
        let Some(layer) = self.router.layer_mut(key) else {
            return;
        };
        if std::mem::replace(&mut layer.forbidden, forbidden) == forbidden {
            return;
        }
        layer.expect_again();
        for relay in &layer.relays {
            cx.tell_peer(relay.peer, standing(relay.flow, forbidden));
        }
        let is_wanted = layer.is_wanted();
        self.demand(cx, key);
        if is_wanted {
            self.request_keyframe(cx, key);
        }
    }
}

/// What a peer is told of a flow: whether anything comes of it.
fn standing(flow: u64, paused: bool) -> CascadeMessage {
    match paused {
        true => CascadeMessage::Pause { flow },
        false => CascadeMessage::Resume { flow },
    }
}
