//! The lobby: who comes waits outside until somebody lets them in. Of the room they are told nothing, and for them nothing is
//! done: they are no people of the room, have no media, and no node is sought.

mod waiting;

use protocol::client::{ClientMessage, CloseReason, Deed, ErrorCode, Knock, Offer, ServerMessage};
use protocol::id::{Attempt, ParticipantId, UserId};

use super::connection::GRACE;
use super::moderation::meant;
use super::people::{Person, Presence, Session, SessionState};
use super::record::Record;
use super::roles::Right;
use super::{Client, Effect, NoTicket, Pass, Ping, Room, Secret, redial};
use crate::order::Ordered;
use crate::refusal::Refusal;
use waiting::waiting_key;
pub(super) use waiting::{WAITING, Waiting};

/// How many may wait at once.
const MAX_WAITING: usize = 100;
/// How long somebody may wait without a sign of life, in milliseconds. Nobody sees them, so there is no hurry.
const SILENT: u64 = 300_000;

impl Room {
    /// Whether somebody more may wait.
    pub(super) fn may_wait(&self, user: &UserId) -> Result<(), NoTicket> {
        let most = self.seats.user;
        if self.waiting_of(user).len() >= most as usize {
            return Err(NoTicket::TooOften { most });
        }
        let full = self.waiting.len() >= MAX_WAITING;
        (!full).then_some(()).ok_or(NoTicket::LobbyFull)
    }

    /// Whether somebody has to wait.
    pub(super) fn has_to_wait(&self, person: &Person) -> bool {
        self.info.settings.lobby && !self.is_free_to_come(&person.user, person.granted)
    }

    /// Whether this participant is outside: what happens in the room is not for them.
    pub fn is_outside(&self, id: &ParticipantId) -> bool {
        self.waiting.contains_key(id)
    }

    /// Somebody was given a ticket that leads to the lobby.
    pub(super) fn waits(&mut self, person: Person, offer: Option<Offer>, out: &mut Vec<Effect>) {
        let id = person.id.clone();
        let waiting = Waiting {
            person,
            admitted: false,
        };
        self.waiting.insert(id.clone(), waiting);
        match offer {
            Some(offer) => self.offered_outside(&id, offer.attempt, out),
            None => self.save_waiting(&id, out),
        }
    }

    /// An offer goes nowhere while its client waits: it is asked for anew with the welcome.
    fn offered_outside(&mut self, id: &ParticipantId, attempt: Attempt, out: &mut Vec<Effect>) {
        if let Some(Waiting { person, .. }) = self.waiting.get_mut(id) {
            person.session = Some(Session {
                attempt,
                state: SessionState::Over,
            });
            self.save_waiting(id, out);
        }
    }

    pub(super) fn waiting_with(&self, pass: &Pass, now: u64) -> Option<&Person> {
        let people = self.waiting.values().map(|waiting| &waiting.person);
        let mut people = people.filter(|person| person.presence.admits(pass, now));
        people.next()
    }

    pub(super) fn waiting_of(&self, user: &UserId) -> Vec<ParticipantId> {
        let people = self.waiting.values().map(|waiting| &waiting.person);
        let people = people.filter(|person| person.user == *user);
        people.map(|person| person.id.clone()).collect()
    }

    /// The client of somebody who waits is there, for the first time or again.
    pub(super) fn knocks(
        &mut self,
        client: Client,
        pass: Pass,
        resume: Secret,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let id = client.participant.clone();
        let Some(Waiting { person, .. }) = self.waiting.get_mut(&id) else {
            return;
        };
        let replaced = person.is_here().then(|| person.client());
        if !person.is_in() {
            person.joined_at = now;
        }
        person.connection = client.connection;
        person.presence = Presence::Here {
            passes: person.presence.passes_after(pass, resume.hash),
            since: now,
        };
        self.save_waiting(&id, out);
        if let Some(old) = replaced {
            self.hang_up_with(old, CloseReason::Replaced, out);
        }
        out.push(Effect::Send {
            message: ServerMessage::Waiting {
                you: id,
                resume_token: resume.text,
                redial_within_ms: redial::spread(self.view().people),
            },
            client,
        });
        self.tell_keepers(&self.knocking(), out);
    }

    /// What somebody says who waits: that they go, or what is of no use before they are in.
    pub(super) fn said_outside(
        &mut self,
        id: &ParticipantId,
        message: ClientMessage,
        out: &mut Vec<Effect>,
    ) {
        match message {
            // Who waits and loads the page anew knocks anew.
            ClientMessage::Leave | ClientMessage::PageGone => {
                self.sends_off(id, CloseReason::Left, out);
            }
            ClientMessage::Offer { attempt, .. } => self.offered_outside(id, attempt, out),
            _ => {}
        }
    }

    /// Somebody's client is gone, and may come back.
    pub(super) fn lost_outside(&mut self, client: &Client, now: u64, out: &mut Vec<Effect>) {
        let Some(Waiting { person, .. }) = self.waiting.get_mut(&client.participant) else {
            return;
        };
        if person.connection != client.connection {
            return;
        }
        if let Presence::Here { passes, .. } = &person.presence {
            person.presence = Presence::Lost {
                passes: passes.clone(),
                until: now + GRACE,
                left: false,
            };
            self.save_waiting(&client.participant, out);
        }
    }

    /// A moderator lets somebody in, or everybody who knocks, as far as there are seats.
    pub(super) fn admits(
        &mut self,
        client: &Client,
        target: Option<ParticipantId>,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::Moderate)?;
        for id in self.meant(target)? {
            if self.is_full() {
                let message = "the room is full: nobody more is let in";
                return Err(Refusal::new(ErrorCode::Forbidden, message));
            }
            self.audit_on(client, &id, Deed::Admitted, now, out);
            self.admits_one(&id, now, out);
        }
        Ok(())
    }

    /// The lobby is closed: who waits goes in, as far as there are seats.
    pub(super) fn lobby_opens(&mut self, now: u64, out: &mut Vec<Effect>) {
        let mut ids: Vec<ParticipantId> = self.waiting.keys().cloned().collect();
        ids.order_by_key(|id| self.waiting.get(id).map(|waiting| waiting.person.joined_at));
        for id in ids {
            if !self.is_full() {
                self.admits_one(&id, now, out);
            }
        }
    }

    fn admits_one(&mut self, id: &ParticipantId, now: u64, out: &mut Vec<Effect>) {
        let Some(waiting) = self.waiting.get_mut(id) else {
            return;
        };
        waiting.admitted = true;
        let client = waiting.person.client();
        match &mut waiting.person.presence {
            Presence::Here { .. } => out.push(Effect::LetIn { client }),
            // They have as long to come back as if they were lost just now.
            Presence::Lost { until, .. } => *until = now + GRACE,
            Presence::Expected { .. } => {}
        }
        self.save_waiting(id, out);
        self.tell_keepers(&self.knocking(), out);
    }

    /// The client of somebody who was let in has its token.
    pub(super) fn let_in(
        &mut self,
        client: Client,
        resume: Secret,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let waiting = self.waiting.get(&client.participant);
        let passes = waiting.and_then(|waiting| waiting.person.presence.passes());
        if let Some(passes) = passes {
            let pass = Pass::Resume(passes.resume.clone());
            self.client_opened(client, pass, None, resume, now, out);
        }
    }

    /// Somebody who was let in becomes one of the people in the room, as who just comes; says whether there is such a one.
    pub(super) fn goes_in(&mut self, id: &ParticipantId, now: u64, out: &mut Vec<Effect>) -> bool {
        let Some(Waiting { mut person, .. }) = self.waiting.remove(id) else {
            return false;
        };
        out.push(Effect::Erase(waiting_key(id)));
        if let Presence::Here { passes, .. } = person.presence {
            person.presence = Presence::Lost {
                passes,
                until: now + GRACE,
                left: false,
            };
        }
        (person.role, person.caps) = self.on_entering(&person.user, person.standing());
        self.people.insert(id.clone(), person);
        true
    }

    /// Whether somebody waits who was not let in yet.
    pub(super) fn is_waiting_outside(&self, id: &ParticipantId) -> bool {
        self.waiting
            .get(id)
            .is_some_and(|waiting| !waiting.admitted)
    }

    /// A moderator sends somebody away, or everybody who knocks.
    pub(super) fn refuses(
        &mut self,
        client: &Client,
        target: Option<ParticipantId>,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::Moderate)?;
        for id in self.meant(target)? {
            self.audit_on(client, &id, Deed::Refused, now, out);
            self.sends_off(&id, CloseReason::Refused, out);
        }
        Ok(())
    }

    /// Who is meant by one who keeps order, the first who came first.
    fn meant(&self, target: Option<ParticipantId>) -> Result<Vec<ParticipantId>, Refusal> {
        let knocks = self.knocks_now().into_iter();
        let ids = knocks.map(|knock| knock.participant).collect();
        let ids = meant(target.as_ref(), ids);
        if target.is_some() && ids.is_empty() {
            let message = "nobody waits under this id";
            return Err(Refusal::new(ErrorCode::UnknownParticipant, message));
        }
        Ok(ids)
    }

    /// Waiting is over for somebody, who is told why.
    pub(super) fn sends_off(
        &mut self,
        id: &ParticipantId,
        reason: CloseReason,
        out: &mut Vec<Effect>,
    ) {
        let Some(Waiting { person, .. }) = self.waiting.remove(id) else {
            return;
        };
        self.paces.remove(id);
        self.signs.remove(id);
        out.push(Effect::Erase(waiting_key(id)));
        if person.is_here() {
            self.hang_up_with(person.client(), reason, out);
        }
        self.tell_keepers(&self.knocking(), out);
    }

    /// After a restart: whoever waited and has no living WebSocket is lost.
    pub(super) fn miss_waiting(&mut self, living: &[Client], now: u64, out: &mut Vec<Effect>) {
        let people = self.waiting.values().map(|waiting| &waiting.person);
        let here = people.filter(|person| person.is_here()).map(Person::client);
        let missed: Vec<Client> = here.filter(|client| !living.contains(client)).collect();
        for client in missed {
            self.lost_outside(&client, now, out);
        }
    }

    /// When waiting is over next for somebody of whom nothing is heard.
    pub(super) fn waiting_due(&self) -> Option<u64> {
        let people = self.waiting.values().map(|waiting| &waiting.person);
        people.map(|person| self.over_at(person)).min()
    }

    fn over_at(&self, person: &Person) -> u64 {
        match person.presence {
            Presence::Expected { until, .. } | Presence::Lost { until, .. } => until,
            Presence::Here { since, .. } => {
                let sign = self.signs.get(&person.id).copied().unwrap_or_default();
                since.max(sign) + SILENT
            }
        }
    }

    pub(super) fn expire_waiting(&mut self, pings: &[Ping], now: u64, out: &mut Vec<Effect>) {
        for Ping { client, at } in pings {
            if self.waiting.contains_key(&client.participant) {
                let sign = self.signs.entry(client.participant.clone()).or_default();
                *sign = (*sign).max(*at);
            }
        }
        let people = self.waiting.values().map(|waiting| &waiting.person);
        let due = people.filter(|person| self.over_at(person) <= now);
        let due: Vec<ParticipantId> = due.map(|person| person.id.clone()).collect();
        for id in due {
            self.sends_off(&id, CloseReason::Left, out);
        }
    }

    /// Tells somebody who comes, or begins to keep order, what is at the door; and somebody who does so no more, nothing.
    pub(super) fn show_door(&self, id: &ParticipantId, was_keeper: bool, out: &mut Vec<Effect>) {
        let Some(person) = self.people.get(id).filter(|person| person.is_here()) else {
            return;
        };
        let messages = match (Right::Moderate.is_of(person.role), was_keeper) {
            (true, _) => [self.knocking(), self.banned()],
            (false, true) => [
                ServerMessage::Knocking { people: Vec::new() },
                ServerMessage::Banned { people: Vec::new() },
            ],
            (false, false) => return,
        };
        // Who comes, or keeps order from now on, knows of nobody.
        let is_news = |message: &ServerMessage| match message {
            ServerMessage::Knocking { people } => was_keeper || !people.is_empty(),
            ServerMessage::Banned { people } => was_keeper || !people.is_empty(),
            _ => false,
        };
        let client = person.client();
        let news = messages.into_iter().filter(is_news);
        out.extend(news.map(|message| Effect::Send {
            client: client.clone(),
            message,
        }));
    }

    /// Tells everybody here who keeps order.
    pub(super) fn tell_keepers(&self, message: &ServerMessage, out: &mut Vec<Effect>) {
        let people = self.people.values().filter(|person| person.is_here());
        let keepers = people.filter(|person| Right::Moderate.is_of(person.role));
        out.extend(keepers.map(|person| Effect::Send {
            client: person.client(),
            message: message.clone(),
        }));
    }

    fn knocking(&self) -> ServerMessage {
        ServerMessage::Knocking {
            people: self.knocks_now(),
        }
    }

    fn knocks_now(&self) -> Vec<Knock> {
        let waiting = self.waiting.values();
        let waiting = waiting.filter(|waiting| !waiting.admitted && waiting.person.is_in());
        let mut knocks: Vec<Knock> = waiting
            .map(|Waiting { person, .. }| Knock {
                participant: person.id.clone(),
                name: person.name.clone(),
                guest: person.guest,
                since: person.joined_at,
            })
            .collect();
        knocks.order_by(|a, b| (a.since, &a.participant).cmp(&(b.since, &b.participant)));
        knocks
    }

    fn hang_up_with(&self, client: Client, reason: CloseReason, out: &mut Vec<Effect>) {
        out.push(Effect::Send {
            client: client.clone(),
            message: ServerMessage::Closed { reason },
        });
        out.push(Effect::HangUp { client });
    }

    fn save_waiting(&self, id: &ParticipantId, out: &mut Vec<Effect>) {
        if let Some(waiting) = self.waiting.get(id) {
            out.push(Effect::Save(Record::Waiting(waiting.clone())));
        }
    }
}
