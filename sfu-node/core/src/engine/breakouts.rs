//! Breakout rooms. To its members and to other nodes each is a room of its own, under a name of its own, so that nothing of one can
//! be anywhere else. To the Durable Object all of them are one room, and a session goes from one to another as it is.

use std::time::Instant;

use protocol::id::{BreakoutId, ParticipantId, RoomId};

use super::Engine;
use crate::key::{MemberKey, RoomKey};

impl Engine {
    /// A room, or one of its breakout rooms, which is shared with the same nodes and shards.
    pub(super) fn place(
        &mut self,
        now: Instant,
        id: &RoomId,
        breakout: Option<BreakoutId>,
    ) -> RoomKey {
        let main = self.room_key(id);
        // A room's name leaves room for the number: one that does not is none that the edge has made.
        let Some(name) = breakout.and_then(|breakout| id.breakout(breakout).ok()) else {
            return main;
        };
        if let Some(key) = self.room_keys.get(&name) {
            return *key;
        }
        let key = self.open(name.clone(), id.clone());
        self.breakouts.entry(id.clone()).or_default().push(name);
        let shared = self.rooms.get(main).map(|room| room.shared());
        if let Some((epoch, peers)) = shared {
            self.with_room(now, key, |room, cx| room.share(cx, epoch, peers));
        }
        key
    }

    /// The room and its breakout rooms, as far as they are here.
    pub(super) fn places(&self, id: &RoomId) -> Vec<RoomKey> {
        let breakouts = self.breakouts.get(id).into_iter().flatten();
        let names = std::iter::once(id).chain(breakouts);
        names
            .filter_map(|name| self.room_keys.get(name).copied())
            .collect()
    }

    /// Where in a room, or in which of its breakout rooms, somebody is.
    pub(super) fn find_member(
        &self,
        id: &RoomId,
        participant: &ParticipantId,
    ) -> Option<(RoomKey, MemberKey)> {
        self.places(id).into_iter().find_map(|key| {
            let (member, _) = self.rooms.get(key)?.find(participant)?;
            Some((key, member))
        })
    }

    /// These breakout rooms are open. Whoever is in another is in the main room from now on.
    pub(super) fn set_breakouts(&mut self, now: Instant, id: &RoomId, open: &[BreakoutId]) {
        let names = open
            .iter()
            .filter_map(|breakout| id.breakout(*breakout).ok());
        let names: Vec<RoomId> = names.collect();
        let known = self.breakouts.get(id).cloned().unwrap_or_default();
        for over in known.iter().filter(|name| !names.contains(name)) {
            self.close_breakout(now, id, over);
        }
        for breakout in open {
            self.place(now, id, Some(*breakout));
        }
    }

    fn close_breakout(&mut self, now: Instant, id: &RoomId, name: &RoomId) {
        let Some(key) = self.room_keys.get(name).copied() else {
            return;
        };
        let main = self.room_key(id);
        let members = self.rooms.get(key).map(|room| room.member_keys());
        for member in members.unwrap_or_default() {
            self.go(now, (key, member), main);
        }
        self.close(now, name);
        if let Some(names) = self.breakouts.get_mut(id) {
            names.retain(|other| other != name);
        }
    }

    /// Somebody goes to a breakout room, or back to the main room.
    pub(super) fn set_breakout(
        &mut self,
        now: Instant,
        id: &RoomId,
        participant: &ParticipantId,
        breakout: Option<BreakoutId>,
    ) {
        if let Some(from) = self.find_member(id, participant) {
            let to = self.place(now, id, breakout);
            self.go(now, from, to);
        }
    }

    /// A session goes from one place to another, as it is: nothing of the one is seen or heard of it any more, before anything
    /// of it is in the other.
    fn go(&mut self, now: Instant, (from, member): (RoomKey, MemberKey), to: RoomKey) {
        if from == to {
            return;
        }
        let member = self.with_room(now, from, |room, cx| room.let_go(cx, member));
        let Some(member) = member.flatten() else {
            return;
        };
        let session = member.session;
        let joined = self.with_room(now, to, |room, cx| room.arrive(cx, member));
        match (self.seats.get_mut(session), joined) {
            (Some(seat), Some(joined)) => (seat.room, seat.member) = (to, joined),
            // A panic on the way: the client offers anew.
            _ => self.session_faulted(now, session),
        }
    }

    /// What a room is shared by has changed: the same holds for its breakout rooms.
    pub(super) fn share_breakouts(&mut self, now: Instant, id: &RoomId) {
        let main = self.room_keys.get(id).and_then(|key| self.rooms.get(*key));
        let Some((epoch, peers)) = main.map(|room| room.shared()) else {
            return;
        };
        for key in self.places(id).into_iter().skip(1) {
            self.with_room(now, key, |room, cx| room.share(cx, epoch, peers.clone()));
        }
    }
}
