//! A room: who is there, what was said, and which nodes carry its media.
//!
//! The contract: [`Room::handle`] takes an [`Event`] and returns [`Effect`]s, to be carried out in order;
//! [`Room::deadline`] says when an [`Event::Alarm`] is due. Every acknowledgment comes after the [`Effect::Save`] it
//! stands for. [`Room::restore`] builds the room anew from what was saved.

pub mod audit;
mod bans;
mod breakouts;
mod chat;
mod commands;
mod connection;
mod contract;
mod door;
mod doubt;
mod farewell;
mod guests;
mod hands;
mod info;
mod lobby;
mod log;
mod messages;
mod moderation;
mod moving;
mod nodes;
mod notes;
mod pace;
mod passes;
mod people;
mod placement;
mod plan;
mod polls;
mod questions;
mod reactions;
mod reading;
pub mod record;
mod redial;
mod reload;
mod report;
mod residency;
mod retirement;
mod roles;
mod rulings;
mod session;
mod settings;
mod spotlight;
mod stage;
#[cfg(test)]
mod tests;
mod webhooks;

use std::collections::{BTreeMap, HashMap, HashSet};

use protocol::client::{Offer, Role, RoomEvent, ServerMessage, Settings, SettingsChange};
use protocol::id::{Epoch, NodeId, ParticipantId, RoomId, UserId};
use protocol::trace::Trail;

use crate::breakouts::Breakouts;
use crate::chat::Chat;
use crate::conduct::Conduct;
use crate::poll::Polls;
pub use chat::NoExport;
pub use commands::{Command, NoCommand};
pub use contract::{
    Admission, Client, Deed, Draft, Effect, Event, Excess, Identity, NoTicket, NodeLink,
    NotAdmitted, Pass, Ping, Seats, Secret, Sought, Written,
};
pub use door::TICKETS;
use doubt::Doubts;
use info::Info;
use lobby::Waiting;
use log::{Hearers, Log, LoggedEvent};
use moving::Moved;
use nodes::{Link, Placed};
pub use pace::{DATA, MESSAGES, PAGES};
use pace::{Pace, Writing};
use people::Person;
use questions::Questions;
use reading::Read;
use record::{Record, Stored};
use report::Owed;
pub use report::Report;
use rulings::Ruling;
pub use settings::check_settings;
use webhooks::Outbox;

/// An offer on its way to a node, and the answer or refusal on its way back. Kept in memory only: after a loss the client
/// is asked to offer anew.
struct Negotiation {
    offer: Offer,
    reply: Option<ServerMessage>,
}

/// A search for a node.
#[derive(Clone)]
struct Search {
    participant: ParticipantId,
    epoch: Epoch,
    /// The nodes that were named as having the room: if one of them is found, it is not told to open it.
    placed: Vec<NodeId>,
}

/// One room.
pub struct Room {
    info: Info,
    people: BTreeMap<ParticipantId, Person>,
    nodes: BTreeMap<NodeId, Placed>,
    rulings: BTreeMap<UserId, Ruling>,
    /// Who is at the door.
    waiting: BTreeMap<ParticipantId, Waiting>,
    /// Whose calls have moved, the oldest first.
    moved: Vec<Moved>,
    log: Log,
    chat: Chat,
    polls: Polls,
    /// Up to where accounts have read.
    read: BTreeMap<UserId, Read>,
    breakouts: Breakouts,
    owed: Option<Owed>,
    outbox: Outbox,
    /// As the server is configured.
    seats: Seats,
    /// After how many milliseconds with nobody in it the room goes.
    retires_after: Option<u64>,
    // What follows is not stored; losing it costs a retry.
    /// By what joins are followed whose media does not flow yet.
    trails: HashMap<ParticipantId, Trail>,
    negotiations: HashMap<ParticipantId, Negotiation>,
    paces: HashMap<ParticipantId, Pace>,
    conducts: HashMap<NodeId, Conduct>,
    writing: Writing,
    /// The search for a node that is under way; one at a time, so that people who join together share a node.
    seeking: Option<Search>,
    /// When somebody's client was last known to say something or to ping.
    signs: HashMap<ParticipantId, u64>,
    /// When to search again for whom no node was found.
    retries: HashMap<ParticipantId, u64>,
    /// How many nodes in a row were of a release that this room cannot be at.
    turned_down: u32,
    /// Since when a region that should have whose media does not know its nodes.
    unsure: HashMap<ParticipantId, u64>,
    /// Whose media had to go elsewhere meanwhile.
    astray: HashSet<ParticipantId>,
    /// Who was told that there is no node, and has had no answer of one since.
    told: HashSet<ParticipantId>,
    questions: Questions,
    doubts: Doubts,
    /// Whose media failed and was not connected since.
    failed: HashSet<ParticipantId>,
    /// How many passwords were set since the room was loaded: the last counts, whichever is hashed first.
    password_turn: u64,
    /// Where the media of a person just failed.
    avoid: HashMap<ParticipantId, NodeId>,
    /// Nodes that were left because they were not back in time. Nobody has said that they are gone.
    missed: HashSet<NodeId>,
}

impl Room {
    /// A new room.
    pub fn create(
        id: RoomId,
        name: String,
        owner: UserId,
        settings: SettingsChange,
        now: u64,
    ) -> (Self, Vec<Effect>) {
        let info = Info {
            id,
            name,
            owner,
            created_at: now,
            epoch: Epoch(0),
            settings: settings::after(&Settings::default(), settings),
            password: None,
            hosted: false,
            used_at: Some(now),
            gone: false,
            retired: false,
            regions: Vec::new(),
        };
        let mut room = Self::new(info.clone());
        let mut effects = vec![Effect::Save(Record::Info(info))];
        room.report(now, &mut effects);
        (room, effects)
    }

    fn new(info: Info) -> Self {
        Self {
            info,
            people: BTreeMap::new(),
            nodes: BTreeMap::new(),
            rulings: BTreeMap::new(),
            waiting: BTreeMap::new(),
            seats: Seats::default(),
            retires_after: None,
            moved: Vec::new(),
            log: Log::default(),
            chat: Chat::default(),
            polls: Polls::default(),
            read: BTreeMap::new(),
            breakouts: Breakouts::default(),
            owed: None,
            trails: HashMap::new(),
            outbox: Outbox::default(),
            negotiations: HashMap::new(),
            paces: HashMap::new(),
            conducts: HashMap::new(),
            writing: Writing::default(),
            signs: HashMap::new(),
            seeking: None,
            retries: HashMap::new(),
            turned_down: 0,
            unsure: HashMap::new(),
            astray: HashSet::new(),
            told: HashSet::new(),
            questions: Questions::default(),
            doubts: Doubts::default(),
            failed: HashSet::new(),
            password_turn: 0,
            avoid: HashMap::new(),
            missed: HashSet::new(),
        }
    }

    /// The room that was stored, or `None` if none was. Whoever is recorded as connected and has no WebSocket among the
    /// living ones counts as lost from now on.
    pub fn restore(
        stored: Stored,
        clients: &[Client],
        links: &[NodeLink],
        now: u64,
    ) -> Option<(Self, Vec<Effect>)> {
        let mut info = None;
        let (mut people, mut nodes) = (BTreeMap::new(), BTreeMap::new());
        let (mut rulings, mut waiting) = (BTreeMap::new(), BTreeMap::new());
        let (mut moved, mut events, mut owed) = (Vec::new(), Vec::new(), None);
        let mut read = BTreeMap::new();
        let (mut polls, mut ballots) = (Vec::new(), Vec::new());
        let mut breakouts = Breakouts::default();
        let (mut untold, mut wanted) = (Vec::new(), None);
        let unreadable_events = stored.unreadable_events();
        let unreadable_polls = stored.unreadable_polls();
        for record in stored.records {
            match record {
                Record::Info(stored) => info = Some(stored),
                Record::Person(person) => {
                    people.insert(person.id.clone(), person);
                }
                Record::Placed(placed) => {
                    nodes.insert(placed.node.clone(), placed);
                }
                Record::Ruling(ruling) => {
                    rulings.insert(ruling.user.clone(), ruling);
                }
                Record::Waiting(stored) => {
                    waiting.insert(stored.person.id.clone(), stored);
                }
                Record::Moved(person) => moved.push(person),
                Record::Event(event) => events.push(event),
                Record::Owed(stored) => owed = Some(stored),
                Record::Read(mark) => {
                    read.insert(mark.user.clone(), mark);
                }
                Record::Poll(poll) => polls.push(poll),
                Record::Ballot(ballot) => ballots.push(ballot),
                Record::Breakouts(stored) => breakouts = stored,
                Record::Untold(stored) => untold.push(stored),
                Record::Wanted(stored) => wanted = Some(stored),
            }
        }
        let mut room = Self::new(info?);
        room.people = people;
        room.nodes = nodes;
        room.rulings = rulings;
        room.waiting = waiting;
        moved.sort_by_key(|moved: &Moved| moved.until);
        room.moved = moved;
        room.log = Log::restore(events, &unreadable_events);
        room.chat = Chat::restore(stored.lines, stored.latest_line);
        room.polls = Polls::restore(polls, ballots, &unreadable_polls);
        room.read = read;
        room.breakouts = breakouts;
        room.owed = owed;
        room.outbox = Outbox::restore(untold, wanted);
        room.chat.forget(room.keep_lines(now));
        let mut effects = Vec::new();
        room.miss_clients(clients, now, &mut effects);
        room.miss_waiting(clients, now, &mut effects);
        room.miss_links(links, now, &mut effects);
        room.miss_answers(now);
        Some((room, effects))
    }

    /// Takes one event.
    pub fn handle(&mut self, now: u64, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        let out = &mut effects;
        match event {
            Event::Admitted(admission) => self.admitted(admission, now, out),
            Event::ClientOpened {
                client,
                pass,
                since,
                resume,
            } => self.client_opened(client, pass, since, resume, now, out),
            Event::ClientSaid { client, text } => self.client_said(client, &text, now, out),
            Event::ClientClosed { client } => self.client_closed(&client, now, out),
            Event::NodeOpened { link, region } => self.node_opened(link, region, now, out),
            Event::NodeSaid { link, text } => self.node_heard(&link, &text, now, out),
            Event::NodeClosed { link } => self.node_closed(&link, now, out),
            Event::Found {
                participant,
                epoch,
                node,
            } => self.found(participant, epoch, node, now, out),
            Event::NotKnownYet { participant, epoch } => {
                self.not_known_yet(participant, epoch, now);
            }
            Event::Recalled {
                client,
                deed,
                known,
                line,
            } => self.recalled(client, deed, known, line, now, out),
            Event::NotesWritten {
                client,
                nonce,
                update,
                written,
            } => self.notes_written(client, nonce, update, written, out),
            Event::Verified { client, account } => self.verified(client, account, now, out),
            Event::LetIn { client, resume } => self.let_in(client, resume, now, out),
            Event::Hashed { client, turn, hash } => self.hashed(client, turn, hash, now, out),
            Event::ToldDeveloper { wanted } => self.told_developer(wanted, now, out),
            Event::Reported { taken } => self.reported(taken, out),
            Event::Commanded { by, command } => self.commanded(by, command, now, out),
            Event::Deleted => self.deleted(now, out),
            Event::AccountGone { user, stand_in } => self.account_gone(&user, &stand_in, now, out),
            Event::Alarm { pings } => {
                self.expire_people(&pings, now, out);
                self.expire_waiting(&pings, now, out);
                self.expire_answers(now, out);
                self.expire_breakouts(now, out);
                self.expire_nodes(now, out);
                self.retire_if_due(now, out);
                self.repeat_report(now, out);
            }
        }
        self.settle_roles(now, out);
        self.tell_connections(now, out);
        self.seek(now, out);
        self.tell_developer(now, out);
        effects
    }

    /// When the next [`Event::Alarm`] is due.
    pub fn deadline(&self) -> Option<u64> {
        let people = self.people.values();
        let people = people.filter_map(|person| self.person_due(person));
        let links = self.nodes.values().filter_map(|placed| match placed.state {
            Link::Awaited { until } | Link::Broken { until } => Some(until),
            Link::Ready => None,
        });
        let releases = self.nodes.values().filter_map(|placed| placed.release_at);
        // The end of the search that is under way begins the next.
        let retries = self.retries.values().copied();
        let retries = retries.filter(|_| self.seeking.is_none());
        people
            .chain(links)
            .chain(releases)
            .chain(retries)
            .chain(self.questions.next_due())
            .chain(self.waiting_due())
            .chain(self.breakouts.ends_at())
            .chain(self.owed.map(|owed| owed.at))
            .chain(self.outbox.due())
            .chain(self.retires_at())
            .min()
    }

    /// The room as the HTTP API shows it.
    pub fn view(&self) -> protocol::api::Room {
        protocol::api::Room {
            id: self.info.id.clone(),
            name: self.info.name.clone(),
            owner: self.info.owner.clone(),
            created_at: self.info.created_at,
            people: self.people.values().filter(|person| person.is_in()).count() as u32,
        }
    }

    /// The room as this user is shown it.
    pub fn details(&self, user: &UserId, granted: Option<Role>) -> protocol::api::RoomDetails {
        protocol::api::RoomDetails {
            room: self.view(),
            yours: self.heard_of(user) as u32,
            watches: self.watches(user, granted),
        }
    }

    /// Whether the room was deleted, and only the directory has still to know.
    pub fn is_gone(&self) -> bool {
        self.info.gone
    }

    /// Whether this user may delete the room.
    pub fn is_owner(&self, user: &UserId) -> bool {
        self.info.owner == *user
    }

    /// Logs an event and tells everybody here but one.
    fn happen(
        &mut self,
        event: RoomEvent,
        except: Option<ParticipantId>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let LoggedEvent { seq, event, .. } = self.note(event, Hearers::All, now, out);
        let message = ServerMessage::Event { seq, event };
        out.push(Effect::Broadcast { except, message });
    }

    /// Logs an event and tells it to these alone; the others, that something was.
    fn happen_among(
        &mut self,
        hearers: Hearers,
        event: RoomEvent,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let logged = self.note(event, hearers, now, out);
        let here = self.people.values().filter(|person| person.is_here());
        out.extend(here.map(|person| Effect::Send {
            client: person.client(),
            message: logged.seen_by(&self.reader(&person.user)),
        }));
    }

    fn note(
        &mut self,
        event: RoomEvent,
        hearers: Hearers,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> LoggedEvent {
        let (logged, forgotten) = self.log.push(event, hearers, now);
        out.push(Effect::Save(Record::Event(logged.clone())));
        out.extend(
            forgotten
                .into_iter()
                .map(|seq| Effect::Erase(log::event_key(seq))),
        );
        logged
    }

    fn save_person(&self, id: &ParticipantId, out: &mut Vec<Effect>) {
        if let Some(person) = self.people.get(id) {
            out.push(Effect::Save(Record::Person(person.clone())));
        }
    }

    fn save_placed(&self, node: &NodeId, out: &mut Vec<Effect>) {
        if let Some(placed) = self.nodes.get(node) {
            out.push(Effect::Save(Record::Placed(placed.clone())));
        }
    }
}
