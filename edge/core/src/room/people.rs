//! People: coming, changing and going.

mod person;

use protocol::client::{
    CloseReason, Connection, ErrorCode, LeaveReason, RoomEvent, ServerMessage, Snapshot,
};
use protocol::id::ParticipantId;
use protocol::media::{Codec, MediaKind, Publishing};

use super::connection::GRACE;
use super::log::{Log, LoggedEvent};
use super::passes::TICKET;
use super::questions::Questions;
use super::record::Record;
use super::roles::Standing;
use super::{Admission, Client, Effect, Pass, Room, Secret, redial};
use crate::breakouts::Breakouts;
use crate::chat::{Chat, Reader};
use crate::order::Ordered;
use crate::poll::Polls;
use crate::refusal::Refusal;
use person::person_key;
pub(super) use person::{
    COLUMNS, Former, Media, PEOPLE, Passes, Person, Presence, Session, SessionState, columns,
};

impl Room {
    /// Somebody who is in the room for the others to see.
    pub(super) fn present(&self, id: &ParticipantId) -> Result<&Person, Refusal> {
        let person = self.people.get(id).filter(|person| person.is_in());
        let message = "nobody in the room has this id";
        person.ok_or(Refusal::new(ErrorCode::UnknownParticipant, message))
    }

    pub(super) fn admitted(&mut self, admission: Admission, now: u64, out: &mut Vec<Effect>) {
        let Admission {
            participant,
            user,
            name,
            guest,
            granted,
            ticket,
            regions,
            offer,
            decodes,
            move_here,
            trail,
        } = admission;
        self.follow(&participant, trail);
        let (role, caps) = self.on_entering(&user, Standing { guest, granted });
        let is_known = |codec: &Codec| codec.kind() == MediaKind::Video && decodes.contains(codec);
        let person = Person {
            id: participant.clone(),
            user,
            name,
            role,
            guest,
            publishing: Publishing::default(),
            caps,
            decodes: Codec::ALL.into_iter().filter(is_known).collect(),
            joined_at: now,
            regions: self.within(regions),
            presence: Presence::Expected {
                ticket,
                until: now + TICKET,
                move_here,
            },
            connection: 0,
            node: None,
            region: None,
            hand: None,
            spotlight: None,
            wish: None,
            session: None,
            media: Media::Awaited { since: now },
            told: Connection::Connected,
            granted,
        };
        if self.has_to_wait(&person) {
            return self.waits(person, offer, out);
        }
        self.people.insert(participant.clone(), person);
        self.save_person(&participant, out);
        if let Some(offer) = offer {
            self.offered_early(&participant, offer, now, out);
        }
    }

    pub(super) fn client_opened(
        &mut self,
        client: Client,
        pass: Pass,
        since: Option<u64>,
        resume: Secret,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let id = client.participant.clone();
        if self.is_waiting_outside(&id) {
            return self.knocks(client, pass, resume, now, out);
        }
        let is_first = !self.people.values().any(Person::is_in);
        let waited = self.goes_in(&id, now, out);
        let Some(person) = self.people.get_mut(&id) else {
            return self.turns_away(client, out);
        };
        let replaced = person.is_here().then(|| person.client());
        let newcomer = waited || !person.is_in();
        let moves = matches!(
            person.presence,
            Presence::Expected {
                move_here: true,
                ..
            }
        );
        person.connection = client.connection;
        person.presence = Presence::Here {
            passes: person.presence.passes_after(pass, resume.hash),
            since: now,
        };
        if newcomer {
            person.joined_at = now;
            person.media = Media::Awaited { since: now };
        }
        let (user, participant) = (person.user.clone(), person.view());
        self.signs.remove(&id);
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
        if moves {
            self.moves_here(&id, now, out);
        }
        if newcomer {
            self.happen(
                RoomEvent::Joined { participant },
                Some(id.clone()),
                now,
                out,
            );
            self.tell_of_coming(&id, is_first, now, out);
            self.assign_newcomer(&id, now, out);
            self.report(now, out);
        }
        // Who waited has seen nothing of the room yet, whatever they show.
        let since = since.filter(|_| !waited);
        self.welcome(client.clone(), since, resume.text, now, out);
        self.tell_votes(&user, Some(&client), out);
        self.tell_read(&user, &client, out);
        self.resume_media(&id, out);
        self.show_door(&id, false, out);
    }

    fn welcome(
        &self,
        client: Client,
        since: Option<u64>,
        resume_token: String,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let replay = since.and_then(|seq| Some((seq, self.log.since(seq)?)));
        let Some(user) = self.people.get(&client.participant) else {
            return;
        };
        let reader = self.reader(&user.user);
        let (seq, events, snapshot) = match replay {
            Some((seq, events)) => (seq, events, None),
            None => (
                self.log.seq(),
                Vec::new(),
                Some(self.snapshot(&reader, now)),
            ),
        };
        let welcome = ServerMessage::Welcome {
            seq,
            you: client.participant.clone(),
            resume_token,
            redial_within_ms: redial::spread(self.view().people),
            snapshot,
        };
        let is_of_breakouts = |logged: &LoggedEvent| {
            let event = &logged.event;
            matches!(
                event,
                RoomEvent::Breakouts { .. } | RoomEvent::BreakoutPlace { .. }
            )
        };
        let has_moved = events.iter().any(is_of_breakouts);
        let events = events.iter().map(|logged| logged.seen_by(&reader));
        out.extend(
            std::iter::once(welcome)
                .chain(events)
                .map(|message| Effect::Send {
                    client: client.clone(),
                    message,
                }),
        );
        // What was told where they were may not be what is told where they are.
        if has_moved {
            self.show_chat(&client.participant, out);
        }
    }

    /// The room as it is shown to who comes.
    fn snapshot(&self, reader: &Reader, now: u64) -> Snapshot {
        let mut participants: Vec<_> = self
            .people
            .values()
            .filter(|person| person.is_in())
            .map(Person::view)
            .collect();
        participants.order_by_key(|participant| participant.joined_at);
        let chat = self.chat.history(reader);
        Snapshot {
            room: self.view(),
            settings: self.info.settings.clone(),
            participants,
            chat_before: self.chat.before(&chat),
            chat,
            polls: self.polls.views(),
            hands: self.hands(),
            spotlight: self.spotlit(),
            wishes: self.wishes(),
            breakouts: self.breakouts_view(),
            now,
        }
    }

    pub(super) fn client_closed(&mut self, client: &Client, now: u64, out: &mut Vec<Effect>) {
        self.lost_outside(client, now, out);
        let Some(person) = self.people.get_mut(&client.participant) else {
            return;
        };
        let Presence::Here { passes, .. } = &person.presence else {
            return;
        };
        if person.connection != client.connection {
            return;
        }
        person.presence = Presence::Lost {
            passes: passes.clone(),
            until: now + GRACE,
            left: false,
        };
        self.save_person(&client.participant, out);
    }

    /// After a restart: whoever was here and has no living WebSocket is lost.
    pub(super) fn miss_clients(&mut self, living: &[Client], now: u64, out: &mut Vec<Effect>) {
        let missed: Vec<Client> = self
            .people
            .values()
            .filter(|person| person.is_here())
            .map(Person::client)
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

    /// The call ends for somebody who did not ask for it: their client is told not to come back.
    pub(super) fn ends_for(
        &mut self,
        id: &ParticipantId,
        close: CloseReason,
        leave: LeaveReason,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        if let Some(person) = self.people.get(id).filter(|person| person.is_here()) {
            let client = person.client();
            out.push(Effect::Send {
                client: client.clone(),
                message: ServerMessage::Closed { reason: close },
            });
            out.push(Effect::HangUp { client });
        }
        self.remove(id, leave, now, out);
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
        self.paces.remove(id);
        self.signs.remove(id);
        out.push(Effect::Erase(person_key(id)));
        if let Some(node) = &person.node {
            self.release_if_empty(node, now, out);
        }
        if person.is_in() {
            let event = RoomEvent::Left {
                participant: id.clone(),
                reason,
            };
            self.happen(event, None, now, out);
            self.tell_of_leaving(&person, reason, now, out);
            if !self.people.values().any(Person::is_in) {
                self.is_left(now, out);
            }
            self.report(now, out);
        }
        self.abandon_breakouts(now, out);
    }

    /// Everything ends and is forgotten, but that the room is no more: that, the directory has still to know.
    pub(super) fn deleted(&mut self, now: u64, out: &mut Vec<Effect>) {
        self.tell_of_end(now, out);
        out.push(Effect::Broadcast {
            except: None,
            message: ServerMessage::Closed {
                reason: CloseReason::RoomDeleted,
            },
        });
        let here = self.people.values().filter(|person| person.is_here());
        out.extend(here.map(|person| Effect::HangUp {
            client: person.client(),
        }));
        let waiting = self.waiting.values().map(|waiting| &waiting.person);
        let waiting = waiting.filter(|person| person.is_here());
        out.extend(waiting.map(|person| Effect::HangUp {
            client: person.client(),
        }));
        self.waiting.clear();
        self.people.clear();
        self.retries.clear();
        self.questions = Questions::default();
        self.release_all(out);
        self.rulings.clear();
        self.log = Log::default();
        self.chat = Chat::default();
        self.polls = Polls::default();
        self.read.clear();
        self.breakouts = Breakouts::default();
        self.owed = None;
        self.info.gone = true;
        self.info.hosted = false;
        out.push(Effect::Forget);
        out.push(Effect::Save(Record::Info(self.info.clone())));
        self.keep_untold(out);
        self.report(now, out);
    }
}
