//! What a room stores: one record for each thing that changes by itself, each kind in a table of its own.

mod person;

use protocol::client::{Role, RoomEvent, ServerMessage, Settings};
use protocol::id::{Epoch, NodeId, ParticipantId, PollId, Region, UserId};
use protocol::media::Caps;
use serde::{Deserialize, Serialize};

use super::Client;
use super::breakouts::BREAKOUTS;
use super::polls::{BALLOTS, POLLS};
use super::report::{OWED, Owed};
use crate::breakouts::{Breakouts, Subroom};
use crate::chat::{Line, Reader};
use crate::poll::{Ballot, Poll};
use crate::table::{Column, Key, Table, flag, integer, json, text};
use person::PEOPLE;
pub(super) use person::person_key;
pub use person::{Former, Media, Passes, Person, Presence, Session, SessionState};

/// Everything that a room has stored.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// In the order of their keys.
    pub records: Vec<Record>,
    /// The table and the key of what cannot be read: it is of another release, or broken.
    pub unreadable: Vec<(String, String)>,
    /// The latest lines of chat, the oldest first.
    pub lines: Vec<Line>,
    /// The number of the latest line, 0 before the first.
    pub latest_line: u64,
}

impl Stored {
    /// The numbers of the events that cannot be read.
    pub(super) fn unreadable_events(&self) -> Vec<u64> {
        self.unreadable_numbers(&EVENTS).collect()
    }

    /// The polls that cannot be read.
    pub(super) fn unreadable_polls(&self) -> Vec<PollId> {
        let numbers = self.unreadable_numbers(&POLLS);
        let ids = numbers.filter_map(|number| number.try_into().ok());
        ids.map(PollId).collect()
    }

    fn unreadable_numbers(&self, of: &'static Table) -> impl Iterator<Item = u64> {
        let unreadable = self.unreadable.iter();
        let names = unreadable.filter(move |(table, _)| table == of.name);
        names.filter_map(|(_, name)| name.parse().ok())
    }
}

/// A stored record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Record {
    Info(Info),
    Person(Person),
    /// Stored as `Host`, from when that was its name.
    #[serde(rename = "Host")]
    Placed(Placed),
    Ruling(Ruling),
    Moved(Moved),
    Waiting(Waiting),
    Event(LoggedEvent),
    Owed(Owed),
    Poll(Poll),
    Ballot(Ballot),
    Read(Read),
    Breakouts(Breakouts),
}

/// The tables of the records.
pub const TABLES: &[&Table] = &[
    &INFO, &PEOPLE, &NODES, &RULINGS, &MOVED, &WAITING, &EVENTS, &OWED, &POLLS, &BALLOTS, &READS,
    &BREAKOUTS,
];

impl Record {
    /// Where it is stored.
    pub fn table(&self) -> &'static Table {
        match self {
            Record::Info(_) => &INFO,
            Record::Person(_) => &PEOPLE,
            Record::Placed(_) => &NODES,
            Record::Ruling(_) => &RULINGS,
            Record::Moved(_) => &MOVED,
            Record::Waiting(_) => &WAITING,
            Record::Event(_) => &EVENTS,
            Record::Owed(_) => &OWED,
            Record::Poll(_) => &POLLS,
            Record::Ballot(_) => &BALLOTS,
            Record::Read(_) => &READS,
            Record::Breakouts(_) => &BREAKOUTS,
        }
    }
}

const INFO: Table = Table {
    name: "room",
    tag: "Info",
    since: 1,
    columns: &[
        text("id").key(),
        text("name"),
        text("owner"),
        integer("created_at"),
        integer("epoch"),
        setting(text("kind")),
        setting(text("chat")),
        setting(text("notes")),
        setting(text("captions")),
        setting(text("share")),
        setting(text("speak")),
        setting(flag("guests")),
        setting(integer("chat_days")).field("chatDays"),
        setting(integer("chat_lines")).field("chatLines"),
        setting(flag("lobby")),
        setting(flag("locked")),
        setting(integer("capacity")),
        setting(integer("opens_at")).field("opensAt"),
        setting(flag("listed")),
        setting(flag("permanent")),
        setting(flag("has_password")).field("hasPassword"),
        text("password").optional(),
        flag("hosted"),
        flag("gone"),
        integer("used_at").optional(),
        flag("retired"),
    ],
    indexes: &[],
};

/// The column of a setting.
const fn setting(column: Column) -> Column {
    column.inside("settings")
}

/// The room itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Info {
    pub id: protocol::id::RoomId,
    pub name: String,
    pub owner: UserId,
    pub created_at: u64,
    /// The number of the latest placement.
    pub epoch: Epoch,
    #[serde(default)]
    pub settings: Settings,
    /// The hash of the password that is asked for, as a PHC string.
    #[serde(default)]
    pub password: Option<String>,
    /// Whether somebody in it is its host.
    #[serde(default)]
    pub hosted: bool,
    /// Whether the room was deleted. It is kept until the directory knows.
    #[serde(default)]
    pub gone: bool,
    /// When somebody was last in it, unless somebody is; or when it was made. Former releases did not say.
    #[serde(default)]
    pub used_at: Option<u64>,
    /// Whether it is gone because nobody used it. That is remembered for good.
    #[serde(default)]
    pub retired: bool,
}

const RULINGS: Table = Table {
    name: "rulings",
    tag: "Ruling",
    since: 1,
    columns: &[
        text("user").key(),
        json("caps"),
        integer("barred_until"),
        text("role").optional(),
        text("banned").optional(),
        integer("at"),
    ],
    indexes: &[],
};

pub(super) fn ruling_key(user: &UserId) -> Key {
    RULINGS.key([user.as_str().into()])
}

/// What moderators decided about a user, in the room or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ruling {
    pub user: UserId,
    /// What they may send.
    pub caps: Caps,
    /// Until when they may not join; 0 if that was never said.
    pub barred_until: u64,
    /// What they are here, if that was decided.
    #[serde(default)]
    pub role: Option<Role>,
    /// What they were called when they were banned; absent while they are not.
    #[serde(default)]
    pub banned: Option<String>,
    /// When it was decided last.
    pub at: u64,
}

const READS: Table = Table {
    name: "reads",
    tag: "Read",
    since: 1,
    columns: &[text("user").key(), integer("line"), integer("at")],
    indexes: &[],
};

pub(super) fn read_key(user: &UserId) -> Key {
    READS.key([user.as_str().into()])
}

/// Up to where an account has read the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    pub user: UserId,
    /// The number of the line.
    pub line: u64,
    /// When that was told.
    pub at: u64,
}

const WAITING: Table = Table {
    name: "waiting",
    tag: "Waiting",
    since: 1,
    columns: &waiting_columns(),
    indexes: &[],
};

const fn waiting_columns() -> [Column; person::COLUMNS + 1] {
    let person = person::columns("person");
    let mut all = [flag("admitted"); person::COLUMNS + 1];
    let mut at = 0;
    while at < person.len() {
        all[at] = person[at];
        at += 1;
    }
    all
}

pub(super) fn waiting_key(id: &ParticipantId) -> Key {
    WAITING.key([id.as_str().into()])
}

/// Somebody at the door: as they will be in the room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    pub person: Person,
    /// Whether they were let in while they had no WebSocket: they go in with the next.
    pub admitted: bool,
}

const MOVED: Table = Table {
    name: "moved",
    tag: "Moved",
    since: 1,
    columns: &[
        text("participant").inside("client").key(),
        integer("connection").inside("client"),
        json("passes"),
        integer("until"),
    ],
    indexes: &[],
};

pub(super) fn moved_key(id: &ParticipantId) -> Key {
    MOVED.key([id.as_str().into()])
}

/// Somebody whose call goes on elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// Their latest WebSocket.
    pub client: Client,
    /// What they may show when they come back.
    pub passes: Passes,
    /// Until when they are remembered.
    pub until: u64,
}

const NODES: Table = Table {
    name: "nodes",
    tag: "Host",
    since: 1,
    columns: &[
        text("node").key(),
        text("region"),
        integer("epoch"),
        integer("link"),
        json("state"),
        json("reach").optional(),
        integer("release_at").optional(),
    ],
    indexes: &[],
};

pub(super) fn placed_key(node: &NodeId) -> Key {
    NODES.key([node.as_str().into()])
}

/// A node that the room is placed on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    pub node: NodeId,
    pub region: Region,
    /// The placement under which it holds the room.
    pub epoch: Epoch,
    /// How many links it has opened under this epoch.
    pub link: u32,
    pub state: Link,
    /// Where other nodes reach it, once it has said so.
    pub reach: Option<Reach>,
    /// When to release it, if nobody is there any more.
    pub release_at: Option<u64>,
}

/// The room link of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Link {
    /// Due to be opened, or open and not yet ready.
    Awaited {
        until: u64,
    },
    Ready,
    /// Closed, and may come back.
    Broken {
        until: u64,
    },
}

/// A node's QUIC endpoint, and what the node knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reach {
    pub quic: String,
    pub fingerprint: String,
    /// Whether it has breakout rooms.
    #[serde(default)]
    pub breakouts: bool,
}

const EVENTS: Table = Table {
    name: "events",
    tag: "Event",
    since: 1,
    columns: &[
        integer("seq").key(),
        integer("at"),
        json("event"),
        json("between").optional(),
        json("place").optional(),
    ],
    indexes: &[],
};

pub(super) fn event_key(seq: u64) -> Key {
    EVENTS.key([seq.into()])
}

/// An event that can be replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoggedEvent {
    pub seq: u64,
    pub at: u64,
    pub event: RoomEvent,
    /// The two users whom it is told; absent where it is told everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<[UserId; 2]>,
    /// Where one has to be to be told it; absent where it is told everywhere. Stored as `place`, from when that was its name.
    #[serde(rename = "place", default, skip_serializing_if = "Option::is_none")]
    pub subroom: Option<Subroom>,
}

/// Whom an event is told. The others are told that something was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hearers {
    All,
    Both([UserId; 2]),
    /// Those who are there now, and when it is replayed those who are there then.
    In(Subroom),
}

impl LoggedEvent {
    /// What is told of it to who is there.
    pub fn seen_by(&self, reader: &Reader) -> ServerMessage {
        let between = self.between.as_ref();
        let hidden = between.is_some_and(|both| !both.contains(&reader.user))
            || self
                .subroom
                .is_some_and(|subroom| subroom != reader.subroom);
        let event = match hidden {
            true => RoomEvent::Unseen,
            false => self.event.clone(),
        };
        ServerMessage::Event {
            seq: self.seq,
            event,
        }
    }
}
