//! Connections: from whom anything still comes, what the others are told of it, and when somebody is gone.
//!
//! What people see follows the media, which its node watches. Only who never offered any is known by the WebSocket alone.

use protocol::client::{Connection, LeaveReason, RoomEvent};
use protocol::id::ParticipantId;
use protocol::node::{SILENT_AFTER_MS, SessionRef};

use super::people::{Media, Person, Presence, SessionState};
use super::{Effect, NodeLink, Ping, Room};

/// How long a disturbance lasts before it is told, in milliseconds: a node's fail-over or a deploy is over by then.
pub(super) const DOUBT: u64 = 2_000;
/// How long somebody of whom nothing is heard stays in the room, in milliseconds: neither media nor a sign of the client.
pub(super) const GRACE: u64 = 30_000;

impl Person {
    /// Since when they cannot be seen and heard.
    fn silent_since(&self) -> Option<u64> {
        match (self.media, &self.presence) {
            (Media::Heard, _) => None,
            (Media::Awaited { since } | Media::Silent { since }, _) if self.session.is_some() => {
                Some(since)
            }
            (_, Presence::Lost { until, .. }) => Some(until.saturating_sub(GRACE)),
            _ => None,
        }
    }

    /// Whether their page was left, and has said so.
    pub(super) fn has_left_page(&self) -> bool {
        matches!(self.presence, Presence::Lost { left: true, .. })
    }

    /// What the others are to know by now.
    fn shows(&self, now: u64) -> Connection {
        // There is nothing to doubt.
        if self.has_left_page() {
            return Connection::Reconnecting;
        }
        match self.silent_since() {
            Some(since) if since + DOUBT <= now => match self.media {
                Media::Awaited { .. } if self.session.is_some() => Connection::Connecting,
                _ => Connection::Reconnecting,
            },
            _ => Connection::Connected,
        }
    }
}

impl Room {
    /// The node hears nothing from this client any more.
    pub(super) fn silent(&mut self, id: &ParticipantId, now: u64, out: &mut Vec<Effect>) {
        if let Some(person) = self.people.get_mut(id)
            && person.media == Media::Heard
        {
            person.media = Media::Silent {
                since: now.saturating_sub(SILENT_AFTER_MS),
            };
            self.save_person(id, out);
        }
    }

    /// The node says of all whom it has whether it hears them.
    pub(super) fn signs(
        &mut self,
        link: &NodeLink,
        heard: &[SessionRef],
        silent: &[SessionRef],
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        for session in heard {
            if self.has_session(link, &session.participant, session.attempt) {
                self.connected(&session.participant, session.attempt, out);
            }
        }
        for session in silent {
            if self.has_session(link, &session.participant, session.attempt) {
                self.silent(&session.participant, now, out);
            }
        }
    }

    /// Notes the end of media, and tells everybody who can be seen and heard again, or cannot for a while.
    pub(super) fn tell_connections(&mut self, now: u64, out: &mut Vec<Effect>) {
        let mut changed = Vec::new();
        for person in self.people.values_mut().filter(|person| person.is_in()) {
            let state = person.session.map(|session| session.state);
            let ends = person.media == Media::Heard && state != Some(SessionState::Connected);
            if ends {
                person.media = Media::Silent { since: now };
            }
            let shown = person.shows(now);
            if ends || person.told != shown {
                let news = (person.told != shown).then_some(shown);
                person.told = shown;
                changed.push((person.id.clone(), news));
            }
        }
        for (participant, news) in changed {
            self.save_person(&participant, out);
            if let Some(connection) = news {
                let event = RoomEvent::Connection {
                    participant,
                    connection,
                };
                self.happen(event, None, now, out);
            }
        }
    }

    /// The client has said something.
    pub(super) fn heard_from(&mut self, id: &ParticipantId, now: u64) {
        self.signs.insert(id.clone(), now);
    }

    /// When something is due about this person: the others are to be told, or nothing was heard for too long.
    pub(super) fn person_due(&self, person: &Person) -> Option<u64> {
        let doubted = person.is_in() && person.told == Connection::Connected;
        let told = person.silent_since().filter(|_| doubted);
        let told = told.map(|since| since + DOUBT);
        told.into_iter().chain(self.gone_at(person)).min()
    }

    /// When this person is gone, if nothing is heard until then.
    fn gone_at(&self, person: &Person) -> Option<u64> {
        let silence = person.silent_since().unwrap_or_default() + GRACE;
        match person.presence {
            Presence::Expected { until, .. }
            | Presence::Lost {
                until, left: true, ..
            } => Some(until),
            _ if person.media == Media::Heard => None,
            Presence::Lost { until, .. } => Some(until.max(silence)),
            Presence::Here { since, .. } => {
                let sign = self.signs.get(&person.id).copied().unwrap_or_default();
                Some(silence.max(since.max(sign) + GRACE))
            }
        }
    }

    /// Sends away tickets that were not used in time, and people of whom nothing was heard for too long.
    pub(super) fn expire_people(&mut self, pings: &[Ping], now: u64, out: &mut Vec<Effect>) {
        for Ping { client, at } in pings {
            let person = self.people.get(&client.participant);
            if person.is_some_and(|person| person.connection == client.connection) {
                let sign = self.signs.entry(client.participant.clone()).or_default();
                *sign = (*sign).max(*at);
            }
        }
        let due = |person: &&Person| self.gone_at(person).is_some_and(|at| at <= now);
        let due: Vec<ParticipantId> = self
            .people
            .values()
            .filter(due)
            .map(|person| person.id.clone())
            .collect();
        for id in due {
            self.expire(&id, pings, now, out);
        }
    }

    fn expire(&mut self, id: &ParticipantId, pings: &[Ping], now: u64, out: &mut Vec<Effect>) {
        let Some(person) = self.people.get(id) else {
            return;
        };
        if person.is_here() {
            let client = person.client();
            // Who has no media and never pinged has promised no sign of life.
            if person.session.is_none() && !pings.iter().any(|ping| ping.client == client) {
                return self.heard_from(id, now);
            }
            out.push(Effect::HangUp { client });
        }
        let reason = match person.has_left_page() {
            true => LeaveReason::Left,
            false => LeaveReason::ConnectionLost,
        };
        self.remove(id, reason, now, out);
    }
}
