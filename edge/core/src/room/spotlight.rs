//! The spotlight: whom everybody is shown first and large, in the order in which they were put there. It goes with them.

use protocol::client::{Deed, ErrorCode, MAX_SPOTLIT, RoomEvent};
use protocol::id::ParticipantId;

use super::roles::Right;
use super::{Client, Effect, Room};
use crate::order::Ordered;
use crate::refusal::Refusal;

impl Room {
    pub(super) fn spotlights(
        &mut self,
        client: &Client,
        target: &ParticipantId,
        on: bool,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::Moderate)?;
        let spotlit = self.spotlit();
        if self.present(target)?.spotlight.is_some() == on {
            return Ok(());
        }
        if on && spotlit.len() >= MAX_SPOTLIT {
            let message = "as many are in the spotlight as can be: take one of them out first";
            return Err(Refusal::new(ErrorCode::TooMany, message));
        }
        self.may_act(&client.participant, now)?;
        self.audit_on(client, target, Deed::Spotlight { on }, now, out);
        let people = self.people.values();
        let last = people.filter_map(|person| person.spotlight).max();
        if let Some(person) = self.people.get_mut(target) {
            person.spotlight = on.then_some(last.map_or(1, |last| last + 1));
        }
        self.save_person(target, out);
        let participants = self.spotlit();
        self.happen(RoomEvent::Spotlight { participants }, None, now, out);
        Ok(())
    }

    /// Who is in the spotlight, the first first.
    pub(super) fn spotlit(&self) -> Vec<ParticipantId> {
        let people = self.people.values();
        let mut spotlit: Vec<_> = people
            .filter_map(|person| Some((person.spotlight?, person.id.clone())))
            .collect();
        spotlit.order_by(Ord::cmp);
        spotlit.into_iter().map(|(_, id)| id).collect()
    }
}
