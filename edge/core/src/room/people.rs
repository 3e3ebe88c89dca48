//! People: tickets, coming, going, and the grace of a lost connection.

use protocol::client::{CloseReason, LeaveReason, Role, RoomEvent, ServerMessage, Snapshot};
use protocol::id::{ParticipantId, Region, UserId};
use protocol::media::Publishing;

use super::record::{self, Person, Presence};
use super::{Client, Effect, NoTicket, NotAdmitted, Pass, Room, Secret};

/// How long a ticket admits, in milliseconds.
const TICKET: u64 = 60_000;
/// How many tickets a user may hold that are not used yet. More than one person opens at once, and than a page that is
/// reloaded over and over leaves behind.
const TICKETS: usize = 32;
/// How long somebody whose WebSocket is gone stays in the room, in milliseconds.
const GRACE: u64 = 20_000;

impl Room {
    #[allow(clippy::too_many_arguments)] // the fields of `Event::Admitted`
    pub(super) fn admitted(
        &mut self,
        participant: ParticipantId,
        user: UserId,
        name: String,
        ticket: String,
        regions: Vec<Region>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let role = if self.is_owner(&user) {
            Role::Owner
        } else {
            Role::Member
        };
        let caps = self.caps_of(&user);
        let person = Person {
            id: participant.clone(),
            user,
            name,
            role,
            publishing: Publishing::default(),
            caps,
            joined_at: now,
            regions,
            presence: Presence::Expected {
                ticket,
                until: now + TICKET,
            },
            connection: 0,
            node: None,
            region: None,
            session: None,
        };
        self.people.insert(participant.clone(), person);
        self.save_person(&participant, out);
    }

    /// Whether this user may be given another ticket.
    pub fn may_join(&self, user: &UserId, now: u64) -> Result<(), NoTicket> {
        if let Some(wait) = self.barred(user, now) {
            return Err(NoTicket::Removed { wait });
        }
        let held: Vec<u64> = self
            .people
            .values()
            .filter(|person| person.user == *user)
            .filter_map(|person| match person.presence {
                Presence::Expected { until, .. } => Some(until),
                _ => None,
            })
            .collect();
        match held.iter().min() {
            Some(first) if held.len() >= TICKETS => Err(NoTicket::TooMany {
                wait: first.saturating_sub(now),
            }),
            _ => Ok(()),
        }
    }

    /// Whose pass this is, and as which of their connections it admits them.
    pub fn admit(&self, pass: &Pass<'_>, now: u64) -> Result<Client, NotAdmitted> {
        let fits = |person: &&Person| match (&person.presence, pass) {
            (Presence::Expected { ticket, until }, Pass::Ticket(hash)) => {
                ticket == hash && now < *until
            }
            (Presence::Here { resume } | Presence::Lost { resume, .. }, Pass::Resume(hash)) => {
                resume == hash
            }
            _ => false,
        };
        let person = self.people.values().find(fits).ok_or(match pass {
            Pass::Ticket(_) => NotAdmitted::Ticket,
            Pass::Resume(_) => NotAdmitted::Resume,
        })?;
        Ok(Client {
            participant: person.id.clone(),
            connection: person.connection + 1,
        })
    }

    pub(super) fn client_opened(
        &mut self,
        client: Client,
        since: Option<u64>,
        resume: Secret,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let id = client.participant.clone();
        let Some(person) = self.people.get_mut(&id) else {
            return out.push(Effect::HangUp { client });
        };
        let replaced = person.is_here().then(|| Client {
            participant: id.clone(),
            connection: person.connection,
        });
        let newcomer = !person.is_in();
        person.connection = client.connection;
        person.presence = Presence::Here {
            resume: resume.hash,
        };
        if newcomer {
            person.joined_at = now;
        }
        let participant = person.view();
        self.save_person(&id, out);
        if let Some(old) = replaced {
            out.push(Effect::Send {
                client: old.clone(),
                message: ServerMessage::Closed {
                    reason: CloseReason::Replaced,
                },
            });
            out.push(Effect::HangUp { client: old });
        }
        if newcomer {
            self.happen(
                RoomEvent::Joined { participant },
                Some(id.clone()),
                now,
                out,
            );
            out.push(Effect::Report(self.view()));
        }
        self.welcome(client, since, resume.text, out);
        self.resume_media(&id, out);
    }

    fn welcome(
        &self,
        client: Client,
        since: Option<u64>,
        resume_token: String,
        out: &mut Vec<Effect>,
    ) {
        let replay = since.and_then(|seq| Some((seq, self.log.since(seq)?)));
        let (seq, events, snapshot) = match replay {
            Some((seq, events)) => (seq, events, None),
            None => (self.log.seq(), Vec::new(), Some(self.snapshot())),
        };
        let welcome = ServerMessage::Welcome {
            seq,
            you: client.participant.clone(),
            resume_token,
            redial_within_ms: 250,
            snapshot,
        };
        let events = events.into_iter().map(|logged| ServerMessage::Event {
            seq: logged.seq,
            event: logged.event,
        });
        out.extend(
            std::iter::once(welcome)
                .chain(events)
                .map(|message| Effect::Send {
                    client: client.clone(),
                    message,
                }),
        );
    }

    fn snapshot(&self) -> Snapshot {
        let mut participants: Vec<_> = self
            .people
            .values()
            .filter(|person| person.is_in())
            .map(Person::view)
            .collect();
        participants.sort_by_key(|participant| participant.joined_at);
        Snapshot {
            room: self.view(),
            participants,
            chat: self.chat.history(),
        }
    }

    pub(super) fn client_closed(&mut self, client: &Client, now: u64, out: &mut Vec<Effect>) {
        let Some(person) = self.people.get_mut(&client.participant) else {
            return;
        };
        let Presence::Here { resume } = &person.presence else {
            return;
        };
        if person.connection != client.connection {
            return;
        }
        person.presence = Presence::Lost {
            resume: resume.clone(),
            until: now + GRACE,
        };
        self.save_person(&client.participant, out);
    }

    /// After a restart: whoever was here and has no living WebSocket is lost.
    pub(super) fn miss_clients(&mut self, living: &[Client], now: u64, out: &mut Vec<Effect>) {
        let missed: Vec<Client> = self
            .people
            .values()
            .filter(|person| person.is_here())
            .map(|person| Client {
                participant: person.id.clone(),
                connection: person.connection,
            })
            .filter(|client| !living.contains(client))
            .collect();
        for client in missed {
            self.client_closed(&client, now, out);
        }
    }

    pub(super) fn publishes(
        &mut self,
        id: &ParticipantId,
        publishing: Publishing,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let Some(person) = self.people.get_mut(id) else {
            return;
        };
        if person.publishing == publishing {
            return;
        }
        person.publishing = publishing;
        self.save_person(id, out);
        let event = RoomEvent::Publishing {
            participant: id.clone(),
            publishing,
        };
        self.happen(event, None, now, out);
    }

    pub(super) fn leaves(&mut self, client: Client, now: u64, out: &mut Vec<Effect>) {
        out.push(Effect::Send {
            client: client.clone(),
            message: ServerMessage::Closed {
                reason: CloseReason::Left,
            },
        });
        let id = client.participant.clone();
        out.push(Effect::HangUp { client });
        self.remove(&id, LeaveReason::Left, now, out);
    }

    pub(super) fn expire_people(&mut self, now: u64, out: &mut Vec<Effect>) {
        let expired: Vec<ParticipantId> = self
            .people
            .values()
            .filter(|person| match person.presence {
                Presence::Expected { until, .. } | Presence::Lost { until, .. } => until <= now,
                Presence::Here { .. } => false,
            })
            .map(|person| person.id.clone())
            .collect();
        for id in expired {
            self.remove(&id, LeaveReason::ConnectionLost, now, out);
        }
    }

    pub(super) fn remove(
        &mut self,
        id: &ParticipantId,
        reason: LeaveReason,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        self.end_session(id, out);
        let Some(person) = self.people.remove(id) else {
            return;
        };
        self.forget_media(id);
        self.buckets.remove(id);
        self.qualities.forget(id);
        out.push(Effect::Erase(record::person_key(id)));
        if let Some(node) = &person.node {
            self.release_if_empty(node, now, out);
        }
        if person.is_in() {
            let event = RoomEvent::Left {
                participant: id.clone(),
                reason,
            };
            self.happen(event, None, now, out);
            out.push(Effect::Report(self.view()));
        }
    }

    pub(super) fn deleted(&mut self, out: &mut Vec<Effect>) {
        out.push(Effect::Broadcast {
            except: None,
            message: ServerMessage::Closed {
                reason: CloseReason::RoomDeleted,
            },
        });
        let here = self.people.values().filter(|person| person.is_here());
        out.extend(here.map(|person| Effect::HangUp {
            client: Client {
                participant: person.id.clone(),
                connection: person.connection,
            },
        }));
        self.people.clear();
        self.retries.clear();
        self.answers_due.clear();
        self.release_all(out);
        out.push(Effect::Vanish);
    }
}
