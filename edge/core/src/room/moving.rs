//! Moving a call: it goes on at one page or device of a user, and ends at the others.

use protocol::client::{CloseReason, LeaveReason};
use protocol::id::{ParticipantId, UserId};

use super::record::Person;
use super::{Effect, Room};

impl Room {
    /// Everything else that this participant's user has in the room ends. A ticket is not in the room yet.
    pub(super) fn moves_here(&mut self, id: &ParticipantId, now: u64, out: &mut Vec<Effect>) {
        let Some(person) = self.people.get(id) else {
            return;
        };
        let user = person.user.clone();
        let others: Vec<ParticipantId> = self
            .presences_of(&user)
            .map(|person| person.id.clone())
            .filter(|other| other != id)
            .collect();
        for other in others {
            self.ends_for(&other, CloseReason::Moved, LeaveReason::Moved, now, out);
        }
    }

    /// What a user has in the room for others to see.
    pub(super) fn presences_of(&self, user: &UserId) -> impl Iterator<Item = &Person> {
        let people = self.people.values();
        people.filter(move |person| person.user == *user && person.is_in())
    }
}
