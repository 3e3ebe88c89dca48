//! The stage of a webinar: viewers who wish to be on it, in the order in which they asked. Who is brought there, leaves or is
//! refused wishes for it no more.

use protocol::client::{Deed, ErrorCode, Role, RoomEvent, Wish};
use protocol::id::ParticipantId;

use super::moderation::meant;
use super::roles::Right;
use super::{Client, Effect, Room};
use crate::order::Ordered;
use crate::refusal::Refusal;

impl Room {
    pub(super) fn asks_to_speak(
        &mut self,
        client: &Client,
        on: bool,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let id = &client.participant;
        let person = self.people.get(id);
        if person.is_none_or(|person| person.wish.is_some() == on) {
            return Ok(());
        }
        if person.is_none_or(|person| person.role != Role::Viewer) {
            let message = "you are on stage already";
            return Err(Refusal::new(ErrorCode::Forbidden, message));
        }
        self.may_act(id, now)?;
        let last = self.people.values().filter_map(|person| person.wish).max();
        self.set_wish(id, on.then_some(last.map_or(1, |last| last + 1)), out);
        let wish = if on { Wish::Asked } else { Wish::Withdrawn };
        self.tell_wish(vec![id.clone()], wish, now, out);
        Ok(())
    }

    /// One who keeps order says no to somebody, or to everybody who asks.
    pub(super) fn refuses_to_speak(
        &mut self,
        client: &Client,
        target: Option<ParticipantId>,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::Moderate)?;
        let asking = meant(target.as_ref(), self.wishes());
        if asking.is_empty() {
            return Ok(());
        }
        match &target {
            Some(target) => self.audit_on(client, target, Deed::RefusedToSpeak, now, out),
            None => self.audit_all(client, Deed::RefusedToSpeak, now, out),
        }
        for id in &asking {
            self.set_wish(id, None, out);
        }
        self.tell_wish(asking, Wish::Refused, now, out);
        Ok(())
    }

    /// Who wishes to be on stage, the first first.
    pub(super) fn wishes(&self) -> Vec<ParticipantId> {
        let people = self.people.values();
        let mut wishes: Vec<_> = people
            .filter_map(|person| Some((person.wish?, person.id.clone())))
            .collect();
        wishes.order_by(Ord::cmp);
        wishes.into_iter().map(|(_, id)| id).collect()
    }

    fn set_wish(&mut self, id: &ParticipantId, wish: Option<u64>, out: &mut Vec<Effect>) {
        if let Some(person) = self.people.get_mut(id) {
            person.wish = wish;
        }
        self.save_person(id, out);
    }

    fn tell_wish(
        &mut self,
        participants: Vec<ParticipantId>,
        wish: Wish,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let event = RoomEvent::Stage { participants, wish };
        self.happen(event, None, now, out);
    }
}
