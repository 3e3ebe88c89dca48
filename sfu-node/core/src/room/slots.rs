//! What each receive slot carries: the loudest for audio, the client's view for video.

use std::time::{Duration, Instant};

use protocol::client::{NodeMediaMessage, Tile};
use protocol::media::{Layer, MediaKind};

use super::deadlines::Deadline;
use super::pairing::{Voice, partner, place_picture, place_sounds};
use super::shown::Shown;
use super::{ASSIGN_INTERVAL, Context, Member, Room};
use crate::egress::carrying::Carrying;
use crate::key::MemberKey;
use crate::router::{Forward, LayerKey, TrackKey};

/// Most tiles of a view that count: more than anybody has slots for.
const MAX_TILES: usize = 128;
/// In so long a pause sound can be moved unheard: a client has played what came before.
const PAUSE: Duration = Duration::from_millis(300);

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
        // Pictures first: sound follows them.
        self.fill_video(cx, key);
        self.fill_audio(cx, key);
        self.tell_slots(cx, key);
    }

    /// The same for its video slots alone.
    pub(super) fn assign_video(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        self.fill_video(cx, key);
        self.tell_slots(cx, key);
    }

    fn fill_audio(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        let Some(member) = self.member(key) else {
            return;
        };
        let slots = slots_of(member, MediaKind::Audio);
        let mut wanted = self.wanted_audio(member);
        wanted.truncate(slots.len());
        let pictures = slots_of(member, MediaKind::Video);
        let home = |track: TrackKey| {
            let picture = self.router.find(&partner(&self.router.get(track)?.id))?;
            pictures.iter().position(|slot| slot.track == Some(picture))
        };
        let speaking = self.talk.speakers();
        // What a screen sounds speaks for nobody.
        let sounded = |track: &TrackKey| {
            let spoke = self.loudest.spoke(track);
            spoke.is_some_and(|at| cx.now < at + PAUSE)
        };
        let sound = |track: &TrackKey| Voice {
            track: *track,
            home: home(*track),
            speaks: speaking.contains(track) || sounded(track),
        };
        let sounds: Vec<_> = wanted.iter().map(sound).collect();
        let carried: Vec<_> = slots.iter().map(|slot| slot.track).collect();
        let places = place_sounds(&carried, &sounds);
        self.fill(cx, key, &slots, &places, |track| Some((track, Layer(0))));
    }

    fn fill_video(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        let Some(member) = self.member(key) else {
            return;
        };
        let slots = slots_of(member, MediaKind::Video);
        let pairs = slots_of(member, MediaKind::Audio).len();
        let mut shown = self.shown(member);
        shown.truncate(slots.len());
        let is_shown = |track: &TrackKey| shown.iter().any(|shown| shown.track == *track);
        let carried = slots.iter().map(|slot| slot.track.filter(is_shown));
        let mut places: Vec<Option<TrackKey>> = carried.collect();
        for Shown { track, .. } in &shown {
            if places.contains(&Some(*track)) {
                continue;
            }
            let free = (0..places.len()).filter(|place| places[*place].is_none());
            if let Some(place) = place_picture(free, pairs, shown.len(), self.is_heard(*track)) {
                places[place] = Some(*track);
            }
        }
        let layers = self.decide(cx, key, &shown);
        let wanted: Vec<_> = shown.iter().map(|shown| shown.track).zip(layers).collect();
        self.fill(cx, key, &slots, &places, |track| {
            let (_, layer) = wanted.iter().find(|(wanted, _)| *wanted == track)?;
            layer.map(|layer| (track, layer))
        });
    }

    /// Whether sound of the same origin as a picture is among what is sent to all.
    fn is_heard(&self, picture: TrackKey) -> bool {
        let picture = self.router.get(picture);
        let sound = picture.and_then(|picture| self.router.find(&partner(&picture.id)));
        sound.is_some_and(|sound| self.loudest.selected().contains(&sound))
    }

    /// The selected but oneself: who speaks, and then the others, in both cases the loudest first.
    fn wanted_audio(&self, member: &Member) -> Vec<TrackKey> {
        let selected = self.loudest.selected().iter().copied();
        let mut others: Vec<_> = selected
            .filter(|track| !self.is_own(member, *track))
            .collect();
        // There may be fewer slots: who speaks comes before who is merely unmuted. A stable order, or slots would flutter.
        let speaking = self.talk.speakers();
        let rank = |track: &TrackKey| speaking.iter().position(|speaker| speaker == track);
        others.sort_by_key(|track| rank(track).unwrap_or(usize::MAX));
        others
    }

    /// Has the slots of a kind carry what is placed there, at the layer that is wanted; what is carried already flows on.
    fn fill(
        &mut self,
        cx: &mut Context<'_>,
        key: MemberKey,
        slots: &[Held],
        places: &[Option<TrackKey>],
        layer: impl Fn(TrackKey) -> Option<LayerKey>,
    ) {
        let moves = || {
            slots
                .iter()
                .zip(places)
                .filter(|(slot, place)| slot.track != **place)
        };
        // All that go first: none is in two slots at once.
        for (slot, _) in moves() {
            self.give(key, slot.index, None);
            self.steer(cx, key, slot.index, None);
        }
        for (slot, place) in moves() {
            self.give(key, slot.index, *place);
        }
        for (slot, place) in slots.iter().zip(places) {
            if let Some(track) = place {
                self.steer(cx, key, slot.index, layer(*track));
            }
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

/// A slot of a member, by its place among all of them, and the track that it was given.
#[derive(Debug, Clone, Copy)]
struct Held {
    index: usize,
    track: Option<TrackKey>,
}

/// A member's slots of a kind, in their order.
fn slots_of(member: &Member, kind: MediaKind) -> Vec<Held> {
    let slots = member.subscriber.slots.iter().enumerate();
    let slots = slots.filter(|(_, slot)| slot.kind == kind);
    let held = slots.map(|(index, slot)| Held {
        index,
        track: slot.track,
    });
    held.collect()
}

/// Until when to wait with a decision; `None` when it is time.
fn wait(last: Option<Instant>, now: Instant) -> Option<Instant> {
    last.map(|last| last + ASSIGN_INTERVAL)
        .filter(|at| *at > now)
}

#[cfg(test)]
mod tests {
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
