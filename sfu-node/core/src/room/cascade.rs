//! A room's talk with the other shards and nodes that host it: what is there, what is wanted, what was lost.

use std::collections::{BTreeMap, BTreeSet};

use protocol::cascade::CascadeMessage;
use protocol::id::{Attempt, Epoch};
use protocol::media::{Codec, Layer, MediaKind, TrackId};

use super::catalog::{MAX_HOPS, Offer};
use super::peers::{Change, Peers, Ring};
use super::{Context, Room};
use crate::io::PeerId;
use crate::packet::{extend, read_relay};
use crate::router::{LayerKey, Origin, RelayFlow, Track, TrackKey};

/// A track as a peer announces it.
pub struct Announcement {
    pub track: TrackId,
    pub codec: Codec,
    pub layers: u8,
    pub attempt: Option<Attempt>,
    pub hops: u8,
}

/// Who shares the room.
impl Room {
    /// The room's plan: the nodes that host it too. Returns false for an older plan than the last, which is ignored.
    pub fn set_peers(
        &mut self,
        cx: &mut Context<'_>,
        epoch: Epoch,
        planned: BTreeMap<PeerId, Ring>,
    ) -> bool {
        if epoch < self.epoch {
            return false;
        }
        self.epoch = epoch;
        let change = self.peers.plan(planned);
        self.peers_changed(cx, change);
        true
    }

    /// The other shards of this node that host the room too.
    pub fn set_siblings(&mut self, cx: &mut Context<'_>, siblings: BTreeSet<PeerId>) {
        let change = self.peers.set_siblings(siblings);
        self.peers_changed(cx, change);
    }

    /// Whom the room is shared with, and since which plan.
    pub fn shared(&self) -> (Epoch, Peers) {
        (self.epoch, self.peers.clone())
    }

    /// The room is shared with these from now on.
    pub fn share(&mut self, cx: &mut Context<'_>, epoch: Epoch, peers: Peers) {
        self.epoch = epoch;
        let change = self.peers.replace(peers);
        self.peers_changed(cx, change);
    }

    /// The room is no longer here: says so to its peers.
    pub fn close(&mut self, cx: &mut Context<'_>) {
        self.share(cx, self.epoch, Peers::default());
    }

    fn peers_changed(&mut self, cx: &mut Context<'_>, change: Change) {
        for peer in change.gone {
            self.drop_peer(cx, peer);
            if cx.relay.is_up(peer) {
                let room = self.id.clone();
                cx.tell_peer(peer, CascadeMessage::Close { room });
            }
        }
        for peer in change.new {
            self.peer_up(cx, peer);
        }
    }

    /// Whether the room is shared with this peer.
    pub fn is_shared_with(&self, peer: PeerId) -> bool {
        self.peers.contains(peer)
    }

    /// A peer's connections are up: says that this room is here, and what can be had if the peer has said so before.
    pub fn peer_up(&mut self, cx: &mut Context<'_>, peer: PeerId) {
        if !self.peers.contains(peer) || !cx.relay.is_up(peer) {
            return;
        }
        let room = self.id.clone();
        cx.tell_peer(peer, CascadeMessage::Open { room });
        self.announce_all(cx, peer);
    }

    /// A peer or the room at that peer is gone: its tracks are too, and nothing is sent to it.
    pub fn drop_peer(&mut self, cx: &mut Context<'_>, peer: PeerId) {
        for key in self.router.layer_keys() {
            let Some(layer) = self.router.layer_mut(key) else {
                continue;
            };
            let before = layer.relays.len();
            for flow in layer.relays.extract_if(.., |relay| relay.peer == peer) {
                cx.relay.close_outbound(peer, flow.flow);
            }
            if layer.relays.len() < before {
                self.demand(cx, key);
            }
        }
        for id in self.catalog.drop_peer(peer) {
            self.choose(cx, &id);
        }
        self.assign_all(cx);
    }
}

/// Tracks: which there are, and by which way they come.
impl Room {
    /// Tells a peer of every track that it can have from here, once both sides have said that they host the room.
    pub fn announce_all(&mut self, cx: &mut Context<'_>, peer: PeerId) {
        let Some(ring) = self.peers.ring(peer) else {
            return;
        };
        if !cx.relay.shares(peer, &self.id) {
            return;
        }
        for (_, track) in self.router.iter() {
            self.announce_to(cx, peer, ring, track);
        }
    }

    /// A track is there: tells everybody who can have it from here. If it is a member's, a newer session of the same
    /// participant may be at another node already, and then it is taken from there.
    pub(super) fn announce_to_all(&mut self, cx: &mut Context<'_>, key: TrackKey) {
        let Some(track) = self.router.get(key) else {
            return;
        };
        for (peer, ring) in self.peers.iter() {
            if cx.relay.shares(peer, &self.id) {
                self.announce_to(cx, peer, ring, track);
            }
        }
        if let Origin::Local(_) = track.origin {
            let id = track.id.clone();
            self.choose(cx, &id);
        }
    }

    fn announce_to(&self, cx: &mut Context<'_>, peer: PeerId, ring: Ring, track: &Track) {
        let (attempt, hops) = match track.origin {
            Origin::Local(member) => match self.member(member) {
                Some(member) => (member.attempt, 0),
                None => return,
            },
            Origin::Remote(_) => match self.catalog.taken(&track.id) {
                Some(offer) if offer.ring != ring => (offer.attempt, offer.hops),
                _ => return,
            },
        };
        if hops < MAX_HOPS {
            let message = CascadeMessage::Announce {
                room: self.id.clone(),
                track: track.id.clone(),
                codec: track.codec,
                layers: track.layers.len() as u8,
                attempt: Some(attempt),
                hops,
            };
            cx.tell_peer(peer, message);
        }
    }

    /// A peer has a track that can be asked for.
    pub fn announced(&mut self, cx: &mut Context<'_>, peer: PeerId, announced: Announcement) {
        let Some(ring) = self.peers.ring(peer) else {
            return;
        };
        let offer = Offer {
            peer,
            ring,
            attempt: Attempt::default(),
            hops: announced.hops.saturating_add(1),
            codec: announced.codec,
            layers: announced.layers,
        };
        if self
            .catalog
            .offer(&announced.track, offer, announced.attempt)
        {
            self.choose(cx, &announced.track);
            self.assign_all(cx);
        }
    }

    /// A peer's track is gone.
    pub fn withdrawn(&mut self, cx: &mut Context<'_>, peer: PeerId, id: &TrackId) {
        if self.catalog.withdraw(id, peer) {
            self.choose(cx, id);
            self.assign_all(cx);
        }
    }

    /// Takes a track by the best way there is now.
    pub(super) fn choose(&mut self, cx: &mut Context<'_>, id: &TrackId) {
        let best = self.catalog.best(id);
        let current = self.router.find(id);
        let origin = current
            .and_then(|key| self.router.get(key))
            .map(|t| t.origin);
        let stays = match origin {
            // A member's track yields to a newer session of the same participant only.
            Some(Origin::Local(key)) => self
                .member(key)
                .is_some_and(|member| best.is_none_or(|best| best.attempt <= member.attempt)),
            Some(Origin::Remote(_)) => best.as_ref() == self.catalog.taken(id),
            None => best.is_none(),
        };
        if stays {
            return;
        }
        if let Some(key) = current {
            self.remove_track(cx, key);
        }
        let Some(best) = best else {
            return;
        };
        self.catalog.take(id, Some(best));
        let origin = Origin::Remote(best.peer);
        let key = self.router.add(id.clone(), best.codec, origin, best.layers);
        self.sweep_later(cx.now);
        if best.codec.kind() == MediaKind::Audio {
            self.demand(cx, (key, Layer(0)));
        }
        self.announce_to_all(cx, key);
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
                    cx.tell_peer(peer, CascadeMessage::Unwant { flow: inbound.flow });
                }
            }
        }
        let learned = self.catalog.taken(&track.id).map(|offer| offer.ring);
        for (peer, ring) in self.peers.iter() {
            if Some(ring) != learned && cx.relay.shares(peer, &self.id) {
                let message = CascadeMessage::Withdraw {
                    room: self.id.clone(),
                    track: track.id.clone(),
                };
                cx.tell_peer(peer, message);
            }
        }
        self.catalog.take(&track.id, None);
    }
}

/// Flows to peers.
impl Room {
    /// A peer wants a layer of a track that was announced to it.
    pub fn wanted(&mut self, cx: &mut Context<'_>, relay: RelayFlow, id: &TrackId, layer: Layer) {
        let Some(ring) = self.peers.ring(relay.peer) else {
            return;
        };
        // Split horizon: what came from the peer's own ring, the peer has from there.
        if self
            .catalog
            .taken(id)
            .is_some_and(|offer| offer.ring == ring)
        {
            return;
        }
        let Some(key) = self.router.find(id).map(|track| (track, layer)) else {
            return;
        };
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
        let (clock, is_paused) = (entry.clock, entry.is_paused());
        cx.relay
            .open_outbound(relay.peer, relay.flow, (self.key, key));
        if let Some(clock) = clock {
            let message = CascadeMessage::SenderClock {
                flow: relay.flow,
                ntp: clock.ntp,
                rtp: clock.rtp,
            };
            cx.tell_peer(relay.peer, message);
        }
        if is_paused {
            let message = CascadeMessage::Pause { flow: relay.flow };
            cx.tell_peer(relay.peer, message);
        }
        self.demand(cx, key);
        self.request_keyframe(cx, key);
    }

    /// A peer wants a flow no more.
    pub fn unwanted(&mut self, cx: &mut Context<'_>, key: LayerKey, relay: RelayFlow) {
        if let Some(layer) = self.router.layer_mut(key) {
            layer.relays.retain(|other| *other != relay);
            self.demand(cx, key);
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
        if cx.relay.is_paused(relay.peer, relay.flow) {
            return 0;
        }
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
        let Some(mut packet) = read_relay(rtp, layer.highest()) else {
            return false;
        };
        packet.sequence = layer.extend(cx.now, packet.sequence as u16);
        let kind = |codec: Codec| codec.kind();
        if self.router.get(key.0).map(|track| kind(track.codec)) != Some(kind(packet.codec)) {
            return false;
        }
        self.router.count(cx.now, key, &packet);
        self.route(cx, key, cx.now, packet);
        true
    }
}
