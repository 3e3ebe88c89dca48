//! The door: who may come in, and what they have to show. All of it is asked before anything is done for them.

use protocol::api::Door;
use protocol::client::{Deed, ErrorCode, Role, RoomEvent, RoomKind, ServerMessage};
use protocol::id::UserId;
use protocol::media::Caps;

use super::passes::TICKET;
use super::people::{Person, Presence};
use super::record::Record;
use super::roles::{Right, Standing};
use super::{Admission, Client, Effect, NoTicket, Room, Seats};
use crate::limits::Limit;
use crate::password;
use crate::refusal::Refusal;

/// How many tickets a user may hold that are not used yet. More than one person opens at once, and than a page that is
/// reloaded over and over leaves behind.
pub const TICKETS: Limit = Limit {
    burst: 32,
    window: TICKET,
};
/// Longest password of a room, in characters as they are typed.
const LONGEST_PASSWORD: usize = 128;

impl Room {
    /// Says how many people may be in the room; until then it is the default.
    pub fn has_seats(&mut self, seats: Seats) {
        self.seats = seats;
    }

    /// What somebody is told who comes by a link.
    pub fn door(&self) -> Door {
        let settings = &self.info.settings;
        Door {
            name: self.info.name.clone(),
            webinar: settings.kind == RoomKind::Webinar,
            guests: settings.guests,
            lobby: settings.lobby,
            locked: settings.locked,
            password: settings.has_password,
            opens_at: settings.opens_at,
        }
    }

    /// Whether somebody may come without an account. Who is in the room already stays when that is forbidden.
    pub fn may_be_guest(&self) -> Result<(), NoTicket> {
        let allowed = self.info.settings.guests;
        allowed.then_some(()).ok_or(NoTicket::NoGuests)
    }

    /// Which of the guests that have come by one browser whoever comes by it now stays, as a ruling on them holds.
    pub fn stays_guest<'a>(&self, guests: &'a [UserId], now: u64) -> Option<&'a UserId> {
        let is_held = |user: &&UserId| {
            self.stays_out(user, now).is_err() || self.caps_of(user) != Caps::default()
        };
        guests.iter().find(is_held)
    }

    /// Whether this person may be given a ticket, if they know the password that fits this hash.
    pub fn may_join(&self, admission: &Admission, now: u64) -> Result<Option<&str>, NoTicket> {
        let Admission {
            user,
            guest,
            granted,
            ..
        } = admission;
        self.stays_out(user, now)?;
        if !admission.move_here && self.presences_of(user).count() >= self.seats.user as usize {
            let most = self.seats.user;
            return Err(NoTicket::TooOften { most });
        }
        self.has_too_many_tickets(user, now)?;
        if self.is_free_to_come(user, *granted) {
            return Ok(None);
        }
        // Whom the owner has given a token is asked for neither an account nor the password.
        if *guest && granted.is_none() {
            self.may_be_guest()?;
        }
        let settings = &self.info.settings;
        if settings.opens_at > now {
            let wait = settings.opens_at - now;
            return Err(NoTicket::NotOpenYet { wait });
        }
        if settings.locked {
            return Err(NoTicket::Locked);
        }
        if settings.lobby {
            self.may_wait(user)?;
        } else if self.is_full() {
            let most = self.capacity();
            return Err(NoTicket::Full { most });
        }
        let password = self.info.password.as_deref();
        // What a provider's claims make of an account's holder is no invitation to this room.
        let invited = *guest && granted.is_some();
        Ok(password.filter(|_| !invited))
    }

    /// Whether this user comes whatever the room's settings are: who keeps order, and who is in the room already.
    pub(super) fn is_free_to_come(&self, user: &UserId, granted: Option<Role>) -> bool {
        let standing = Standing {
            granted,
            ..Standing::default()
        };
        self.natural_role(user, standing) >= Role::Moderator || self.heard_of(user) > 0
    }

    /// How many people may be in the room.
    pub(super) fn capacity(&self) -> u32 {
        match self.info.settings.capacity {
            0 => self.seats.room,
            own => own.min(self.seats.room),
        }
    }

    /// Whether nobody more may be in the room. A ticket that is not used yet is a seat that was promised.
    pub(super) fn is_full(&self) -> bool {
        let admitted = self.waiting.values().filter(|waiting| waiting.admitted);
        self.people.len() + admitted.count() >= self.capacity() as usize
    }

    /// Whether somebody who has a ticket would be in the room too often. Tickets are given for more.
    pub(super) fn is_once_too_often(&self, person: &Person) -> bool {
        let moves = matches!(
            person.presence,
            Presence::Expected {
                move_here: true,
                ..
            }
        );
        let comes = !person.is_in() && !moves;
        comes && self.presences_of(&person.user).count() >= self.seats.user as usize
    }

    fn has_too_many_tickets(&self, user: &UserId, now: u64) -> Result<(), NoTicket> {
        let waiting = self.waiting.values().map(|waiting| &waiting.person);
        let people = self.people.values().chain(waiting);
        let held: Vec<u64> = people
            .filter(|person| person.user == *user)
            .filter_map(|person| match person.presence {
                Presence::Expected { until, .. } => Some(until),
                _ => None,
            })
            .collect();
        match held.iter().min() {
            Some(first) if held.len() >= TICKETS.burst as usize => Err(NoTicket::TooMany {
                wait: first.saturating_sub(now),
            }),
            _ => Ok(()),
        }
    }

    /// The host asks for a password from now on, or for none any more.
    pub(super) fn sets_password(
        &mut self,
        client: &Client,
        typed: Option<String>,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::Configure)?;
        let Some(typed) = typed else {
            // One that is being hashed is not asked for, either.
            self.password_turn += 1;
            if self.info.password.is_some() {
                self.asks_for(client, None, now, out);
            }
            return Ok(());
        };
        let password = password::prepare(&typed);
        if !(1..=LONGEST_PASSWORD).contains(&password.chars().count()) {
            let message = "a room's password has 1 to 128 characters";
            return Err(Refusal::new(ErrorCode::Malformed, message));
        }
        self.may_hash(&client.participant, now)?;
        self.password_turn += 1;
        out.push(Effect::HashPassword {
            client: client.clone(),
            turn: self.password_turn,
            password,
        });
        Ok(())
    }

    /// A password is hashed, or cannot be just now. Meanwhile another may have been set, which is the one that counts.
    pub(super) fn hashed(
        &mut self,
        client: Client,
        turn: u64,
        hash: Result<String, u64>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let hash = hash.map_err(|wait| {
            Refusal::too_soon(
                "too many passwords are hashed just now: wait and send again",
                wait,
            )
        });
        let allowed = self.require(&client, Right::Configure);
        match allowed.and(hash) {
            Ok(hash) if turn == self.password_turn => self.asks_for(&client, Some(hash), now, out),
            Ok(_) => {}
            Err(Refusal {
                code,
                message,
                retry_after,
                ..
            }) => out.push(Effect::Send {
                client,
                message: ServerMessage::Error {
                    code,
                    message: message.to_owned(),
                    nonce: None,
                    of: Some("setPassword".to_owned()),
                    retry_after_ms: retry_after.map(|wait| wait as u32),
                },
            }),
        }
    }

    /// What opens the room from now on.
    fn asks_for(&mut self, client: &Client, hash: Option<String>, now: u64, out: &mut Vec<Effect>) {
        let set = hash.is_some();
        self.audit_all(client, Deed::Password { set }, now, out);
        self.info.settings.has_password = hash.is_some();
        self.info.password = hash;
        out.push(Effect::Save(Record::Info(self.info.clone())));
        let settings = self.info.settings.clone();
        if settings.listed {
            self.report(now, out);
        }
        self.happen(RoomEvent::Settings { settings }, None, now, out);
    }
}
