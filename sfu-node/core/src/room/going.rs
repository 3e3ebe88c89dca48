//! Members that go: for good, or to another room with the session that they have.

use super::demand::Told;
use super::{Context, Member, Room};
use crate::budget::Budget;
use crate::key::MemberKey;

impl Room {
    /// Removes a member and its tracks.
    pub fn leave(&mut self, cx: &mut Context<'_>, key: MemberKey) {
        drop(self.let_go(cx, key));
    }

    /// The same of a member that goes on elsewhere ([`Room::arrive`]).
    pub fn let_go(&mut self, cx: &mut Context<'_>, key: MemberKey) -> Option<Member> {
        let mut member = self.members.remove(key)?;
        for slot in 0..member.subscriber.slots.len() {
            let carrying = std::mem::take(&mut member.subscriber.slots[slot].carrying);
            for layer in carrying.layers() {
                self.detach(cx, layer, key, slot);
            }
        }
        for track in member.tracks.iter_mut().filter_map(Option::take) {
            let id = self.router.get(track).map(|track| track.id.clone());
            self.remove_track(cx, track);
            // The participant may be at another node meanwhile.
            if let Some(id) = id {
                self.choose(cx, &id);
            }
        }
        self.pending.retain(|pending| *pending != key);
        self.forget_deadlines(key);
        self.assign_all(cx);
        Some(member)
    }

    /// Adds a member that another room has let go of: its session goes on, and nothing that it had there.
    pub fn arrive(&mut self, cx: &mut Context<'_>, mut member: Member) -> MemberKey {
        member.subscriber.vacate();
        let member = Member {
            intakes: Default::default(),
            tracks: [None; 4],
            next_view: None,
            view_at: None,
            told: Vec::new(),
            demand: Told::default(),
            budget: Budget::default(),
            decided: None,
            pending: false,
            ..member
        };
        let (connected, told) = (member.subscriber.is_connected(), member.channel_open);
        let key = self.members.insert(member);
        match connected {
            true => self.begin(cx, key),
            false => self.assign(cx, key),
        }
        if told {
            self.tell_everything(cx, key);
        }
        key
    }
}
