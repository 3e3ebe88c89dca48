//! What each receive slot carries: the loudest for audio, the client's view for video.

use std::time::Instant;

use protocol::client::{NodeMediaMessage, Tile};
use protocol::media::{Layer, MediaKind};

use super::deadlines::Deadline;
use super::{ASSIGN_INTERVAL, Context, Member, Room};
use crate::egress::carrying::Carrying;
use crate::key::MemberKey;
use crate::router::{Forward, LayerKey, TrackKey};

/// Most tiles of a view that count: more than anybody has slots for.
const MAX_TILES: usize = 128;

impl Room {
    /// The client says what it shows. What comes too soon after the last word waits, and only the latest counts.
    pub fn set_view(&mut self, cx: &mut Context<'_>, key: MemberKey, mut tiles: Vec<Tile>) {
        tiles.truncate(MAX_TILES);
        let Some(member) = self.member_mut(key) else {
            return;
        };
        match wait(member.view_at, cx.now) {
            Some(at) => {
                member.next_view = Some(tiles);
                self.deadlines.lower(Deadline::View(key), at);
            }
            None => {
                member.view = Some(tiles);
                member.view_at = Some(cx.now);
                // One that waits is older.
                member.next_view = None;
                self.deadlines.clear(Deadline::View(key));
                self.assign(cx, key);
            }
        }
    }

    /// The time of a view that has waited has come.
    pub(super) fn take_next_view(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        let tiles = self.member_mut(key).and_then(|m| m.next_view.take());
        if let Some(tiles) = tiles {
            self.set_view(cx, key, tiles);
        }
    }

    /// Decides anew for everybody, now or soon.
    pub(super) fn assign_all(&mut self, cx: &mut Context<'_>) {
        if let Some(at) = wait(self.assigned, cx.now) {
            self.deadlines.lower(Deadline::Slots, at);
            return;
        }
        self.deadlines.clear(Deadline::Slots);
        self.assigned = Some(cx.now);
        self.order_by_recency();
        for key in self.member_keys() {
            self.assign(cx, key);
        }
    }

    /// Decides anew what the slots of one member carry, and tells the client when that has changed. One that is not connected
    /// yet wants the same: what publishers have to start for it, and other nodes to send, is on its way by then.
    pub fn assign(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        let Some(member) = self.member(key) else {
            return;
        };
        let audio = self.wanted_audio(member);
        self.fill(cx, key, MediaKind::Audio, &audio);
        self.assign_video(cx, key);
    }

    /// The same for its video slots alone.
    pub(super) fn assign_video(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        let Some(member) = self.member(key) else {
            return;
        };
        let slots = member.subscriber.slots.iter();
        let slots = slots.filter(|slot| slot.kind == MediaKind::Video).count();
        let mut shown = self.shown(member);
        shown.truncate(slots);
        let layers = self.decide(cx, key, &shown);
        let wanted: Vec<Wanted> = shown
            .iter()
            .zip(layers)
            .map(|(shown, layer)| Wanted {
                track: shown.track,
                layer,
            })
            .collect();
        self.fill(cx, key, MediaKind::Video, &wanted);
        self.tell_slots(cx, key);
    }

    /// The selected but oneself: who speaks, and then the others, in both cases the loudest first.
    fn wanted_audio(&self, member: &Member) -> Vec<Wanted> {
        let selected = self.loudest.selected().iter().copied();
        let mut others: Vec<_> = selected
            .filter(|track| !self.is_own(member, *track))
            .collect();
        // There may be fewer slots: who speaks comes before who is merely unmuted. A stable order, or slots would flutter.
        let speaking = self.talk.speakers();
        let rank = |track: &TrackKey| speaking.iter().position(|speaker| speaker == track);
        others.sort_by_key(|track| rank(track).unwrap_or(usize::MAX));
        let wanted = others.into_iter().map(|track| Wanted {
            track,
            layer: Some(Layer(0)),
        });
        wanted.collect()
    }

    /// Puts the wanted tracks into the slots of a kind; what is carried already stays where it is.
    fn fill(&mut self, cx: &mut Context<'_>, key: MemberKey, kind: MediaKind, wanted: &[Wanted]) {
        let Some(member) = self.member(key) else {
            return;
        };
        let slots = member.subscriber.slots.iter().enumerate();
        let mut slots: Vec<(usize, Option<TrackKey>)> = slots
            .filter(|(_, slot)| slot.kind == kind)
            .map(|(index, slot)| (index, slot.track))
            .collect();
        let wanted = &wanted[..wanted.len().min(slots.len())];

        for (slot, carried) in &mut slots {
            if let Some(track) = *carried
                && wanted.iter().all(|wanted| wanted.track != track)
            {
                self.give(key, *slot, None);
                self.steer(cx, key, *slot, None);
                *carried = None;
            }
        }
        for wanted in wanted {
            let place = slots
                .iter_mut()
                .find(|(_, track)| *track == Some(wanted.track));
            let slot = match place {
                Some((slot, _)) => *slot,
                None => {
                    let Some((slot, free)) = slots.iter_mut().find(|(_, track)| track.is_none())
                    else {
                        continue;
                    };
                    *free = Some(wanted.track);
                    self.give(key, *slot, Some(wanted.track));
                    *slot
                }
            };
            self.steer(
                cx,
                key,
                slot,
                wanted.layer.map(|layer| (wanted.track, layer)),
            );
        }
    }

    /// A slot is a track's from now on, or free.
    fn give(&mut self, key: MemberKey, slot: usize, track: Option<TrackKey>) {
        if let Some(member) = self.member_mut(key) {
            member.subscriber.slots[slot].give(track);
        }
    }

    /// Sets a slot to a layer of its track; `None` pauses it.
    fn steer(
        &mut self,
        cx: &mut Context<'_>,
        key: MemberKey,
        slot: usize,
        layer: Option<LayerKey>,
    ) {
        self.change(cx, key, slot, |carrying| carrying.steer(layer));
    }

    /// Changes what a slot carries, and asks for the layers that it needs then.
    pub(super) fn change(
        &mut self,
        cx: &mut Context<'_>,
        key: MemberKey,
        slot: usize,
        to: impl FnOnce(Carrying) -> Carrying,
    ) {
        let Some(member) = self.member_mut(key) else {
            return;
        };
        let slot_entry = &mut member.subscriber.slots[slot];
        let before = slot_entry.carrying;
        let after = to(before);
        slot_entry.carrying = after;
        for layer in after
            .layers()
            .filter(|new| before.layers().all(|old| old != *new))
        {
            self.attach(cx, layer, key, slot);
        }
        for layer in before
            .layers()
            .filter(|old| after.layers().all(|new| new != *old))
        {
            self.detach(cx, layer, key, slot);
        }
    }

    /// A slot wants a layer from now on.
    fn attach(&mut self, cx: &mut Context<'_>, layer: LayerKey, member: MemberKey, slot: usize) {
        if let Some(entry) = self.router.layer_mut(layer) {
            entry.attach(cx.now, Forward { member, slot });
            self.demand(cx, layer);
            self.start(cx, layer, Forward { member, slot });
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
            entry.detach(Forward { member, slot });
            self.demand(cx, layer);
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
            .assignments(|track| self.router.get(track).map(|track| track.id.clone()));
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
        cx.tell(session, &message);
    }
}

/// A track that a member is to be sent, and which of its layers; none of them while it is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    track: TrackKey,
    layer: Option<Layer>,
}

/// Until when to wait with a decision; `None` when it is time.
fn wait(last: Option<Instant>, now: Instant) -> Option<Instant> {
    last.map(|last| last + ASSIGN_INTERVAL)
        .filter(|at| *at > now)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use protocol::media::{Source, TrackId};

    use super::*;
    use crate::room::tell::tests::{room_with_member, texts};

    fn view(of: &str) -> Vec<Tile> {
        let tile = Tile {
            track: TrackId {
                participant: of.parse().unwrap(),
                source: Source::Camera,
            },
            width: 640,
            height: 360,
            priority: 0,
        };
        vec![tile]
    }

    #[test]
    fn a_view_that_waited_does_not_come_after_a_newer_one() {
        let start = Instant::now();
        let (mut room, member) = room_with_member(start);
        let set = |room: &mut Room, ms, of| {
            let at = start + Duration::from_millis(ms);
            texts(room, at, |room, cx| room.set_view(cx, member, view(of)));
            room.member(member).unwrap().view.clone().unwrap()
        };
        assert_eq!(set(&mut room, 0, "first"), view("first"));
        assert_eq!(set(&mut room, 5, "second"), view("first"), "it waits");
        // Its time has come, but the room has not been woken yet.
        assert_eq!(set(&mut room, 20, "third"), view("third"));
        for ms in [20, 40, 1_000] {
            let at = start + Duration::from_millis(ms);
            texts(&mut room, at, |room, cx| room.handle_timeout(cx));
            let shown = &room.member(member).unwrap().view;
            assert_eq!(*shown, Some(view("third")), "after {ms} ms");
        }
    }

    #[test]
    fn of_views_that_come_fast_the_last_counts() {
        let start = Instant::now();
        let (mut room, member) = room_with_member(start);
        for (ms, of) in [(0, "first"), (1, "second"), (2, "third")] {
            let at = start + Duration::from_millis(ms);
            texts(&mut room, at, |room, cx| {
                room.set_view(cx, member, view(of))
            });
        }
        let due = start + ASSIGN_INTERVAL;
        assert_eq!(room.next_deadline(), Some(due));
        texts(&mut room, due, |room, cx| room.handle_timeout(cx));
        assert_eq!(room.member(member).unwrap().view, Some(view("third")));
    }
}
