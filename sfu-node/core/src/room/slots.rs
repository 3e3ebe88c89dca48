//! What each receive slot carries: the loudest for audio, the client's view for video.

use std::cmp::Reverse;
use std::time::Instant;

use protocol::cascade::CascadeMessage;
use protocol::client::{NodeMediaMessage, Tile};
use protocol::media::{Layer, MediaKind};

use super::{ASSIGN_INTERVAL, Context, Effect, Member, Room};
use crate::egress::subscriber::Carrying;
use crate::io::PeerId;
use crate::key::MemberKey;
use crate::router::{Forward, Inbound, LayerKey, Origin};

impl Room {
    /// The client says what it shows. What comes too soon after the last word waits, and only the latest counts.
    pub fn set_view(&mut self, cx: &mut Context<'_>, key: MemberKey, tiles: Vec<Tile>) {
        let Some(member) = self.member_mut(key) else {
            return;
        };
        match wait(member.view_at, cx.now) {
            Some(at) => {
                member.next_view = Some(tiles);
                self.arm(at);
            }
            None => {
                member.view = Some(tiles);
                member.view_at = Some(cx.now);
                self.assign(cx, key);
            }
        }
    }

    /// Takes the views whose time has come, and decides anew for everybody where that is due.
    pub(super) fn assign_waiting(&mut self, cx: &mut Context<'_>) {
        for key in self.member_keys() {
            let tiles = self.member_mut(key).and_then(|m| m.next_view.take());
            if let Some(tiles) = tiles {
                self.set_view(cx, key, tiles);
            }
        }
        if self.assign_due {
            self.assign_all(cx);
        }
    }

    /// Decides anew for everybody, now or soon.
    pub(super) fn assign_all(&mut self, cx: &mut Context<'_>) {
        if let Some(at) = wait(self.assigned, cx.now) {
            self.assign_due = true;
            self.arm(at);
            return;
        }
        self.assign_due = false;
        self.assigned = Some(cx.now);
        for key in self.member_keys() {
            self.assign(cx, key);
        }
    }

    /// Decides anew what the slots of one member carry, and tells the client when that has changed.
    pub(super) fn assign(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        let Some(member) = self.member(key) else {
            return;
        };
        if !member.subscriber.is_connected() {
            return;
        }
        let audio = self.wanted_audio(member);
        let video = self.wanted_video(member);
        self.fill(cx, key, MediaKind::Audio, &audio);
        self.fill(cx, key, MediaKind::Video, &video);
        self.tell_slots(cx, key);
    }

    /// The selected speakers but oneself, the loudest first.
    fn wanted_audio(&self, member: &Member) -> Vec<LayerKey> {
        let own = &member.tracks;
        let others = self.speakers.selected().iter();
        others
            .filter(|track| !own.contains(&Some(**track)))
            .map(|track| (*track, Layer(0)))
            .collect()
    }

    /// The tiles of the view in the order of their priority; without a view all videos of the others.
    fn wanted_video(&self, member: &Member) -> Vec<LayerKey> {
        let Some(view) = &member.view else {
            let mut videos: Vec<_> = self
                .router
                .iter()
                .filter(|(_, track)| track.id.source.kind() == MediaKind::Video)
                .filter(|(_, track)| track.id.participant != member.participant)
                .map(|(key, _)| (key, Layer(0)))
                .collect();
            videos.sort();
            return videos;
        };
        let mut tiles: Vec<_> = view
            .iter()
            .filter(|tile| tile.track.source.kind() == MediaKind::Video)
            .filter(|tile| tile.track.participant != member.participant)
            .collect();
        tiles.sort_by_key(|tile| Reverse(tile.priority));
        let mut wanted = Vec::new();
        for tile in tiles {
            if let Some(track) = self.router.find(&tile.track)
                && !wanted.contains(&(track, Layer(0)))
            {
                wanted.push((track, Layer(0)));
            }
        }
        wanted
    }

    /// Puts the wanted layers into the slots of a kind; what is carried already stays where it is.
    fn fill(&mut self, cx: &mut Context<'_>, key: MemberKey, kind: MediaKind, wanted: &[LayerKey]) {
        let Some(member) = self.member(key) else {
            return;
        };
        let slots = member.subscriber.slots.iter().enumerate();
        let mut slots: Vec<(usize, Carrying)> = slots
            .filter(|(_, slot)| slot.kind == kind)
            .map(|(index, slot)| (index, slot.carrying))
            .collect();
        let wanted = &wanted[..wanted.len().min(slots.len())];

        for (slot, carrying) in &mut slots {
            if let Some(layer) = carrying.layer()
                && !wanted.contains(&layer)
            {
                self.detach(cx, layer, key, *slot);
                self.carry(key, *slot, None);
                *carrying = Carrying::Nothing;
            }
        }
        let missing: Vec<_> = wanted
            .iter()
            .filter(|layer| slots.iter().all(|(_, c)| c.layer() != Some(**layer)))
            .collect();
        let free = slots.iter().filter(|(_, c)| *c == Carrying::Nothing);
        for (layer, (slot, _)) in missing.into_iter().zip(free) {
            self.attach(cx, *layer, key, *slot);
            self.carry(key, *slot, Some(*layer));
        }
    }

    fn carry(&mut self, key: MemberKey, slot: usize, layer: Option<LayerKey>) {
        if let Some(member) = self.member_mut(key) {
            member.subscriber.carry(slot, layer);
        }
    }

    /// A slot wants a layer from now on.
    fn attach(&mut self, cx: &mut Context<'_>, layer: LayerKey, member: MemberKey, slot: usize) {
        if let Some(entry) = self.router.layer_mut(layer) {
            entry.forwards.push(Forward { member, slot });
            self.demand(cx, layer);
            self.request_keyframe(cx, layer);
        }
    }

    /// A slot wants a layer no more.
    pub(super) fn detach(
        &mut self,
        cx: &mut Context<'_>,
        layer: LayerKey,
        member: MemberKey,
        slot: usize,
    ) {
        if let Some(entry) = self.router.layer_mut(layer) {
            entry
                .forwards
                .retain(|forward| *forward != Forward { member, slot });
            self.demand(cx, layer);
        }
    }

    /// Asks the home node of a remote layer for it, or no longer, as it is wanted here or not. Audio is asked for always:
    /// its home node sends only what is loud enough, and here it takes part in the choice of speakers.
    pub(super) fn demand(&mut self, cx: &mut Context<'_>, key: LayerKey) {
        let Some(track) = self.router.get_mut(key.0) else {
            return;
        };
        let Origin::Remote(peer) = track.origin else {
            return;
        };
        let id = track.id.clone();
        let codec = track.codec;
        let Some(layer) = track.layers.get_mut(usize::from(key.1.0)) else {
            return;
        };
        let wanted = layer.is_wanted() || codec.kind() == MediaKind::Audio;
        match (&layer.inbound, wanted) {
            (None, true) => {
                // Nothing of an earlier flow counts: the publisher may have sent any number of packets since.
                layer.store.clear();
                let flow = cx.relay.open_inbound(peer, (self.key, key));
                let round_trip = cx.relay.peer(peer).and_then(|peer| peer.round_trip);
                layer.inbound = Some(Inbound::new(flow, round_trip));
                let message = CascadeMessage::Want {
                    flow,
                    room: self.id.clone(),
                    track: id,
                    layer: key.1,
                };
                send(cx, peer, message);
            }
            (Some(inbound), false) => {
                let flow = inbound.flow;
                layer.inbound = None;
                cx.relay.close_inbound(peer, flow);
                send(cx, peer, CascadeMessage::Unwant { flow });
            }
            _ => {}
        }
    }

    /// Tells a client what its slots carry, when that is news.
    pub(super) fn tell_slots(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        let Some(member) = self.member(key) else {
            return;
        };
        if !member.channel_open {
            return;
        }
        let slots = member
            .subscriber
            .assignments(|(track, _)| self.router.get(track).map(|track| track.id.clone()));
        if slots == member.told {
            return;
        }
        let session = member.session;
        let message = NodeMediaMessage::Slots {
            slots: slots.clone(),
        };
        if let Some(member) = self.member_mut(key) {
            member.told = slots;
        }
        if let Ok(text) = serde_json::to_string(&message) {
            cx.effects.push_back(Effect::Text { session, text });
        }
    }
}

/// Until when to wait with a decision; `None` when it is time.
fn wait(last: Option<Instant>, now: Instant) -> Option<Instant> {
    last.map(|last| last + ASSIGN_INTERVAL)
        .filter(|at| *at > now)
}

fn send(cx: &mut Context<'_>, peer: PeerId, message: CascadeMessage) {
    cx.effects.push_back(Effect::Peer { peer, message });
}
