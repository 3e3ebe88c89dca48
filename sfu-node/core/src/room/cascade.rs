//! A room's talk with the other nodes that host it: what is there, what is wanted, what was lost.

use std::collections::BTreeSet;

use protocol::cascade::CascadeMessage;
use protocol::id::Epoch;
use protocol::media::{Codec, Layer, MediaKind, TrackId};

use super::{Context, Effect, Room};
use crate::io::PeerId;
use crate::packet::{extend, read_relay};
use crate::router::{LayerKey, Origin, RelayFlow, Track, TrackKey};

/// Most tracks that one peer may announce in a room; a node full of participants with four sources each fits.
const MAX_REMOTE_TRACKS: usize = 4_096;

impl Room {
    /// The room's plan: the peers that host it too. Returns false for an older plan than the last, which is ignored.
    pub fn set_peers(
        &mut self,
        cx: &mut Context<'_>,
        epoch: Epoch,
        peers: BTreeSet<PeerId>,
    ) -> bool {
        if epoch < self.epoch {
            return false;
        }
        self.epoch = epoch;
        let gone: Vec<_> = self.peers.difference(&peers).copied().collect();
        let new: Vec<_> = peers.difference(&self.peers).copied().collect();
        self.peers = peers;
        for peer in gone {
            self.drop_peer(cx, peer);
            if cx.relay.is_up(peer) {
                self.send(
                    cx,
                    peer,
                    CascadeMessage::Close {
                        room: self.id.clone(),
                    },
                );
            }
        }
        for peer in new {
            self.peer_up(cx, peer);
        }
        true
    }

    /// The room is no longer here: says so to its peers.
    pub fn close(&mut self, cx: &mut Context<'_>) {
        self.set_peers(cx, self.epoch, BTreeSet::new());
    }

    /// The peers of this room.
    pub fn peers(&self) -> &BTreeSet<PeerId> {
        &self.peers
    }

    /// A peer's connections are up: says that this room is here, and what can be had if the peer has said so before.
    pub fn peer_up(&mut self, cx: &mut Context<'_>, peer: PeerId) {
        if !self.peers.contains(&peer) || !cx.relay.is_up(peer) {
            return;
        }
        let room = self.id.clone();
        self.send(cx, peer, CascadeMessage::Open { room });
        self.announce_all(cx, peer);
    }

    /// Tells a peer of every track of this node, once both sides have said that they host the room.
    pub fn announce_all(&mut self, cx: &mut Context<'_>, peer: PeerId) {
        if !cx.relay.shares(peer, &self.id) || !self.peers.contains(&peer) {
            return;
        }
        let local: Vec<_> = self
            .router
            .iter()
            .filter(|(_, track)| matches!(track.origin, Origin::Local(_)))
            .map(|(key, _)| key)
            .collect();
        for key in local {
            self.announce_to(cx, peer, key);
        }
    }

    pub(super) fn announce_to_all(&mut self, cx: &mut Context<'_>, key: TrackKey) {
        for peer in self.peers.clone() {
            if cx.relay.shares(peer, &self.id) {
                self.announce_to(cx, peer, key);
            }
        }
    }

    fn announce_to(&mut self, cx: &mut Context<'_>, peer: PeerId, key: TrackKey) {
        if let Some(track) = self.router.get(key) {
            let message = CascadeMessage::Announce {
                room: self.id.clone(),
                track: track.id.clone(),
                codec: track.codec,
                layers: track.layers.len() as u8,
            };
            self.send(cx, peer, message);
        }
    }

    /// A peer or the room at that peer is gone: its tracks are too, and nothing is sent to it.
    pub fn drop_peer(&mut self, cx: &mut Context<'_>, peer: PeerId) {
        let remote: Vec<_> = self
            .router
            .iter()
            .filter(|(_, track)| track.origin == Origin::Remote(peer))
            .map(|(key, _)| key)
            .collect();
        for key in remote {
            self.remove_track(cx, key);
        }
        for key in self.router.layer_keys() {
            if let Some(layer) = self.router.layer_mut(key) {
                for flow in layer.relays.extract_if(.., |relay| relay.peer == peer) {
                    cx.relay.close_outbound(peer, flow.flow);
                }
            }
        }
        self.assign_all(cx);
    }

    /// A peer has a track that can be asked for.
    pub fn announced(
        &mut self,
        cx: &mut Context<'_>,
        peer: PeerId,
        id: TrackId,
        codec: Codec,
        layers: u8,
    ) {
        let known = self.router.iter();
        let count = known
            .filter(|(_, track)| track.origin == Origin::Remote(peer))
            .count();
        if !self.peers.contains(&peer) || count >= MAX_REMOTE_TRACKS {
            return;
        }
        // A participant that has moved: the newest word on where a track is holds.
        if let Some(former) = self.router.find(&id) {
            if self.router.get(former).map(|track| track.origin) == Some(Origin::Remote(peer)) {
                return;
            }
            self.remove_track(cx, former);
        }
        let key = self.router.add(id, codec, Origin::Remote(peer), layers);
        if codec.kind() == MediaKind::Audio {
            self.demand(cx, (key, Layer(0)));
        }
        self.assign_all(cx);
    }

    /// A peer's track is gone.
    pub fn withdrawn(&mut self, cx: &mut Context<'_>, peer: PeerId, id: &TrackId) {
        let Some(key) = self.router.find(id) else {
            return;
        };
        if self.router.get(key).map(|track| track.origin) == Some(Origin::Remote(peer)) {
            self.remove_track(cx, key);
            self.assign_all(cx);
        }
    }

    /// A peer wants a layer of a track of this node.
    pub fn wanted(&mut self, cx: &mut Context<'_>, relay: RelayFlow, id: &TrackId, layer: Layer) {
        let Some(track) = self.router.find(id) else {
            return;
        };
        let is_local = matches!(
            self.router.get(track).map(|track| track.origin),
            Some(Origin::Local(_))
        );
        let key = (track, layer);
        if !is_local || !self.peers.contains(&relay.peer) {
            return;
        }
        let Some(entry) = self.router.layer_mut(key) else {
            return;
        };
        for former in entry
            .relays
            .extract_if(.., |other| other.peer == relay.peer)
        {
            cx.relay.close_outbound(former.peer, former.flow);
        }
        entry.relays.push(relay);
        let clock = entry.clock;
        cx.relay
            .open_outbound(relay.peer, relay.flow, (self.key, key));
        if let Some(clock) = clock {
            let message = CascadeMessage::SenderClock {
                flow: relay.flow,
                ntp: clock.ntp,
                rtp: clock.rtp,
            };
            self.send(cx, relay.peer, message);
        }
        self.request_keyframe(cx, key);
    }

    /// A peer wants a flow no more.
    pub fn unwanted(&mut self, key: LayerKey, relay: RelayFlow) {
        if let Some(layer) = self.router.layer_mut(key) {
            layer.relays.retain(|other| *other != relay);
        }
    }

    /// A peer has missed these packets of a flow: sends what is still kept. Returns how many that were.
    pub fn resend(
        &mut self,
        cx: &mut Context<'_>,
        key: LayerKey,
        relay: RelayFlow,
        sequences: &[u16],
    ) -> usize {
        let Some(layer) = self.router.layer(key) else {
            return 0;
        };
        let kept = sequences
            .iter()
            .filter_map(|sequence| layer.store.get(extend(layer.highest(), *sequence)));
        let mut count = 0;
        for packet in kept {
            cx.relay_batch.push(relay.peer, relay.flow, packet);
            count += 1;
        }
        count
    }

    /// A datagram of a flow that this room asked for. Returns false when it is malformed.
    pub fn relayed(&mut self, cx: &mut Context<'_>, key: LayerKey, rtp: &[u8]) -> bool {
        let Some(layer) = self.router.layer(key) else {
            return true;
        };
        let Ok(mut packet) = read_relay(rtp, layer.highest()) else {
            return false;
        };
        packet.sequence = layer.extend(cx.now, packet.sequence as u16);
        if self.router.get(key.0).map(|track| track.codec) != Some(packet.codec) {
            return false;
        }
        self.route(cx, key, packet);
        true
    }

    /// Ends the flows of a track that is gone, and withdraws it where it was announced.
    pub(super) fn end_flows(&mut self, cx: &mut Context<'_>, track: &Track) {
        for layer in &track.layers {
            for relay in &layer.relays {
                cx.relay.close_outbound(relay.peer, relay.flow);
            }
            if let (Some(inbound), Origin::Remote(peer)) = (&layer.inbound, track.origin) {
                cx.relay.close_inbound(peer, inbound.flow);
                if cx.relay.is_up(peer) {
                    self.send(cx, peer, CascadeMessage::Unwant { flow: inbound.flow });
                }
            }
        }
        if let Origin::Local(_) = track.origin {
            for peer in self.peers.clone() {
                if cx.relay.is_up(peer) {
                    let message = CascadeMessage::Withdraw {
                        room: self.id.clone(),
                        track: track.id.clone(),
                    };
                    self.send(cx, peer, message);
                }
            }
        }
    }

    fn send(&self, cx: &mut Context<'_>, peer: PeerId, message: CascadeMessage) {
        cx.effects.push_back(Effect::Peer { peer, message });
    }
}
