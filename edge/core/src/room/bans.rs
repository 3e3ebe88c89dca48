//! Bans: who stays out until that is lifted, or for a while.

use protocol::client::{Banned, CloseReason, Deed, NotedPerson, ServerMessage};
use protocol::id::{ParticipantId, UserId};

use super::roles::Right;
use super::{Client, Effect, NoTicket, Room};
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
        let name = self.people.get(target).map(|person| person.name.clone());
        self.rule(&user, |ruling| ruling.banned = name, now, out);
        self.ends_for_user(&user, now, out);
        for id in self.waiting_of(&user) {
            self.sends_off(&id, CloseReason::Removed, out);
        }
        self.tell_keepers(&self.banned(), out);
        Ok(())
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
        if self.stays_out(user, now).is_err() {
            let ruling = self.rulings.get(user);
            let name = ruling.and_then(|ruling| ruling.banned.clone());
            let on = NotedPerson {
                participant: None,
                user: user.clone(),
                name: name.unwrap_or_default(),
            };
            self.audit_of(client, Some(on), Deed::Unbanned, now, out);
            let lift = |ruling: &mut super::rulings::Ruling| {
                ruling.banned = None;
                ruling.barred_until = 0;
            };
            self.rule(user, lift, now, out);
        }
        self.tell_keepers(&self.banned(), out);
        Ok(())
    }

    /// Who is banned, the latest first.
    pub(super) fn banned(&self) -> ServerMessage {
        let mut banned: Vec<_> = self
            .rulings
            .values()
            .filter_map(|ruling| Some((ruling.at, &ruling.user, ruling.banned.as_ref()?)))
            .collect();
        banned.sort_by_key(|(at, user, _)| (std::cmp::Reverse(*at), *user));
        let person = |(_, user, name): (u64, &UserId, &String)| Banned {
            user: user.clone(),
            name: name.clone(),
        };
        ServerMessage::Banned {
            people: banned.into_iter().map(person).collect(),
        }
    }
}
