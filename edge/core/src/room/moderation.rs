//! Moderation: what somebody is let send, and sending somebody out. Both hold for a user, whichever participant
//! they are now or come back as.

use protocol::client::{CloseReason, ErrorCode, LeaveReason, REMOVAL_SECONDS, Role};
use protocol::id::{ParticipantId, UserId};
use protocol::media::Caps;
use protocol::node::RoomToNode;

use super::messages::Refusal;
use super::record::{self, Person, Record, Ruling};
use super::roles::Right;
use super::{Client, Effect, Room};

/// How many users a room keeps rulings on; the oldest is forgotten first.
const MAX_RULINGS: usize = 1_000;

impl Room {
    /// What was ruled that this user may send.
    pub(super) fn caps_of(&self, user: &UserId) -> Caps {
        let ruling = self.rulings.get(user);
        ruling.map(|ruling| ruling.caps).unwrap_or_default()
    }

    /// For how many milliseconds more this user may not join.
    pub(super) fn barred(&self, user: &UserId, now: u64) -> Option<u64> {
        let until = self.rulings.get(user)?.barred_until;
        (until > now).then(|| until - now)
    }

    pub(super) fn sets_caps(
        &mut self,
        client: &Client,
        target: &ParticipantId,
        caps: Caps,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let user = self.subject(client, target)?;
        self.rule(&user, |ruling| ruling.caps = caps, now, out);
        Ok(())
    }

    /// Tells a person's node what they may send, if they have media there.
    pub(super) fn tell_caps(&self, id: &ParticipantId, out: &mut Vec<Effect>) {
        let Some(person) = self.people.get(id) else {
            return;
        };
        let host = person.node.as_ref().and_then(|node| self.hosts.get(node));
        if let (Some(_), Some(host)) = (person.live_attempt(), host) {
            out.push(Effect::Tell {
                link: host.named(),
                message: RoomToNode::Caps {
                    participant: id.clone(),
                    caps: person.caps,
                },
            });
        }
    }

    pub(super) fn sends_out(
        &mut self,
        client: &Client,
        target: &ParticipantId,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let user = self.subject(client, target)?;
        if self.is_owner(&user) {
            let message = "the owner is not removed: leave, or delete the room";
            return Err(Refusal::new(ErrorCode::Forbidden, message));
        }
        let until = now + REMOVAL_SECONDS * 1_000;
        self.rule(&user, |ruling| ruling.barred_until = until, now, out);
        for id in self.everything_of(&user) {
            self.ends_for(&id, CloseReason::Removed, LeaveReason::Removed, now, out);
        }
        Ok(())
    }

    /// The user behind a participant, if this client may rule on them.
    pub(super) fn subject(
        &self,
        client: &Client,
        target: &ParticipantId,
    ) -> Result<UserId, Refusal> {
        let role = self.demand(client, Right::Moderate)?;
        let target = self.people.get(target).filter(|person| person.is_in());
        let message = "nobody in the room has this id";
        let target = target.ok_or(Refusal::new(ErrorCode::UnknownParticipant, message))?;
        if role != Role::Host && target.role >= role {
            let message = "a moderator decides about those who keep no order, alone";
            return Err(Refusal::new(ErrorCode::Forbidden, message));
        }
        Ok(target.user.clone())
    }

    /// Changes what is ruled on a user. A ruling that says nothing any more is forgotten.
    pub(super) fn rule(
        &mut self,
        user: &UserId,
        change: impl FnOnce(&mut Ruling),
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let mut ruling = self.rulings.remove(user).unwrap_or_else(|| Ruling {
            user: user.clone(),
            caps: Caps::default(),
            barred_until: 0,
            role: None,
            at: now,
        });
        change(&mut ruling);
        ruling.at = now;
        let says = ruling.caps != Caps::default() || ruling.role.is_some();
        if !says && ruling.barred_until <= now {
            return out.push(Effect::Erase(record::ruling_key(user)));
        }
        if self.rulings.len() >= MAX_RULINGS
            && let Some(oldest) = self.rulings.values().min_by_key(|ruling| ruling.at)
        {
            let oldest = oldest.user.clone();
            self.rulings.remove(&oldest);
            out.push(Effect::Erase(record::ruling_key(&oldest)));
        }
        out.push(Effect::Save(Record::Ruling(ruling.clone())));
        self.rulings.insert(user.clone(), ruling);
    }

    pub(super) fn everything_of(&self, user: &UserId) -> Vec<ParticipantId> {
        let of_user = |person: &&Person| person.user == *user;
        let people = self.people.values().filter(of_user);
        people.map(|person| person.id.clone()).collect()
    }
}
