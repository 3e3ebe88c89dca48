//! Bans: who stays out until that is lifted, or for a while.

use protocol::client::{Banned, CloseReason, Deed, NotedPerson, ServerMessage};
use protocol::id::{ParticipantId, UserId};

use super::roles::Right;
use super::{Client, Effect, NoTicket, Room};
use crate::order::Ordered;
use crate::refusal::Refusal;

impl Room {
    /// Refuses who was banned, or removed a short while ago.
    pub(super) fn stays_out(&self, user: &UserId, now: u64) -> Result<(), NoTicket> {
        if self
            .rulings
            .get(user)
            .is_some_and(|ruling| ruling.banned.is_some())
        {
            return Err(NoTicket::Banned);
        }
        match self.barred(user, now) {
            Some(wait) => Err(NoTicket::Removed { wait }),
            None => Ok(()),
        }
    }

    pub(super) fn bans(
        &mut self,
        client: &Client,
        target: &ParticipantId,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let user = self.subject_but_owner(client, target)?;
        self.audit_on(client, target, Deed::Banned, now, out);
        self.keeps_out(&user, target, now, out);
        Ok(())
    }

    /// A user, whose name this participant has, is out of the room for good.
    pub(super) fn keeps_out(
        &mut self,
        user: &UserId,
        target: &ParticipantId,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let name = self.people.get(target).map(|person| person.name.clone());
        self.rule(user, |ruling| ruling.banned = name, now, out);
        self.ends_for_user(user, now, out);
        for id in self.waiting_of(user) {
            self.sends_off(&id, CloseReason::Removed, out);
        }
        self.tell_keepers(&self.banned(), out);
    }

    /// Who was banned may come again.
    pub(super) fn unbans(
        &mut self,
        client: &Client,
        user: &UserId,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::Moderate)?;
        if let Some(on) = self.kept_out(user, now) {
            self.audit_of(client, Some(on), Deed::Unbanned, now, out);
        }
        self.lets_back(user, now, out);
        Ok(())
    }

    /// Who stays out, by the name that they had.
    pub(super) fn kept_out(&self, user: &UserId, now: u64) -> Option<NotedPerson> {
        self.stays_out(user, now).err()?;
        let ruling = self.rulings.get(user);
        let name = ruling.and_then(|ruling| ruling.banned.clone());
        Some(NotedPerson {
            participant: None,
            user: user.clone(),
            name: name.unwrap_or_default(),
        })
    }

    /// A user may come again.
    pub(super) fn lets_back(&mut self, user: &UserId, now: u64, out: &mut Vec<Effect>) {
        if self.stays_out(user, now).is_err() {
            let lift = |ruling: &mut super::rulings::Ruling| {
                ruling.banned = None;
                ruling.barred_until = 0;
            };
            self.rule(user, lift, now, out);
        }
        self.tell_keepers(&self.banned(), out);
    }

    /// Who is banned, the latest first.
    pub(super) fn banned(&self) -> ServerMessage {
        let mut banned: Vec<_> = self
            .rulings
            .values()
            .filter_map(|ruling| Some((ruling.at, &ruling.user, ruling.banned.as_ref()?)))
            .collect();
        banned.order_by_key(|(at, user, _)| (std::cmp::Reverse(*at), *user));
        let person = |(_, user, name): (u64, &UserId, &String)| Banned {
            user: user.clone(),
            name: name.clone(),
        };
        ServerMessage::Banned {
            people: banned.into_iter().map(person).collect(),
        }
    }
}
