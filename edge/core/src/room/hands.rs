//! Raised hands, in the order in which they were raised. A hand is a participant's, and goes with them.

use protocol::client::{Deed, RoomEvent};
use protocol::id::ParticipantId;

use super::roles::Right;
use super::{Client, Effect, Room};
use crate::order::Ordered;
use crate::refusal::Refusal;

impl Room {
    pub(super) fn raises_hand(
        &mut self,
        client: &Client,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::RaiseHand)?;
        let id = &client.participant;
        let is_up = |room: &Self| room.people.get(id).is_none_or(|p| p.hand.is_some());
        if is_up(self) {
            return Ok(());
        }
        self.may_act(id, now)?;
        let last = self.people.values().filter_map(|person| person.hand).max();
        self.set_hand(id, Some(last.map_or(1, |last| last + 1)), out);
        self.tell_hand(id, true, now, out);
        Ok(())
    }

    /// Everybody lowers their own hand, who keeps order any.
    pub(super) fn lowers_hand(
        &mut self,
        client: &Client,
        of: &ParticipantId,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if *of != client.participant {
            self.require(client, Right::Moderate)?;
            if self.hands().contains(of) {
                self.audit_on(client, of, Deed::HandLowered, now, out);
            }
        }
        self.hand_goes_down(of, now, out);
        Ok(())
    }

    pub(super) fn hand_goes_down(&mut self, of: &ParticipantId, now: u64, out: &mut Vec<Effect>) {
        let person = self.people.get(of);
        if person.is_some_and(|person| person.hand.is_some()) {
            self.set_hand(of, None, out);
            self.tell_hand(of, false, now, out);
        }
    }

    pub(super) fn lowers_all_hands(
        &mut self,
        client: &Client,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::Moderate)?;
        let raised = self.hands();
        if raised.is_empty() {
            return Ok(());
        }
        self.audit_all(client, Deed::HandLowered, now, out);
        for id in raised {
            self.set_hand(&id, None, out);
        }
        self.happen(RoomEvent::HandsLowered, None, now, out);
        Ok(())
    }

    /// Whose hands are up, the first first.
    pub(super) fn hands(&self) -> Vec<ParticipantId> {
        let people = self.people.values();
        let mut raised: Vec<_> = people
            .filter_map(|person| Some((person.hand?, person.id.clone())))
            .collect();
        raised.order_by(Ord::cmp);
        raised.into_iter().map(|(_, id)| id).collect()
    }

    fn set_hand(&mut self, id: &ParticipantId, hand: Option<u64>, out: &mut Vec<Effect>) {
        if let Some(person) = self.people.get_mut(id) {
            person.hand = hand;
        }
        self.save_person(id, out);
    }

    fn tell_hand(&mut self, id: &ParticipantId, raised: bool, now: u64, out: &mut Vec<Effect>) {
        let participant = id.clone();
        let event = RoomEvent::Hand {
            participant,
            raised,
        };
        self.happen(event, None, now, out);
    }
}
