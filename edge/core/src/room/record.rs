//! What a room stores: one record for each thing that changes by itself.

use protocol::client::{Connection, Participant, Role, RoomEvent, ServerMessage, Settings};
use protocol::id::{Attempt, Epoch, NodeId, ParticipantId, PollId, Region, UserId};
use protocol::media::{Caps, Codec, Publishing};
use serde::{Deserialize, Serialize};

use super::Client;
use super::report::Owed;
use crate::breakouts::{Breakouts, Place};
use crate::chat::{Line, Reader};
use crate::poll::{Ballot, Poll};

/// Everything that a room has stored.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// In the order of their keys.
    pub records: Vec<Record>,
    /// Kind and name of the records that cannot be read: they are of another release, or broken.
    pub unreadable: Vec<(String, String)>,
    /// The latest lines of chat, the oldest first.
    pub lines: Vec<Line>,
    /// The number of the latest line, 0 before the first.
    pub latest_line: u64,
}

impl Stored {
    /// The numbers of the events that cannot be read.
    pub(super) fn unreadable_events(&self) -> Vec<u64> {
        self.unreadable_numbers(EVENT).collect()
    }

    /// The polls that cannot be read.
    pub(super) fn unreadable_polls(&self) -> Vec<PollId> {
        let numbers = self.unreadable_numbers(POLL);
        let ids = numbers.filter_map(|number| number.try_into().ok());
        ids.map(PollId).collect()
    }

    fn unreadable_numbers(&self, of: &'static str) -> impl Iterator<Item = u64> {
        let unreadable = self.unreadable.iter();
        let names = unreadable.filter(move |(kind, _)| kind == of);
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

/// Names a record: its kind, and its name within the kind. Numbers are padded, so that names sort as they count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub kind: &'static str,
    pub name: String,
}

/// The kinds of the log's records and of the polls'.
const EVENT: &str = "event";
const POLL: &str = "poll";

impl Record {
    /// The record's name.
    pub fn key(&self) -> Key {
        match self {
            Record::Info(_) => Key {
                kind: "info",
                name: String::new(),
            },
            Record::Person(person) => person_key(&person.id),
            Record::Placed(placed) => placed_key(&placed.node),
            Record::Ruling(ruling) => ruling_key(&ruling.user),
            Record::Moved(moved) => moved_key(&moved.client.participant),
            Record::Waiting(waiting) => waiting_key(&waiting.person.id),
            Record::Event(event) => event_key(event.seq),
            Record::Owed(_) => owed_key(),
            Record::Poll(poll) => poll_key(poll.id),
            Record::Read(read) => read_key(&read.user),
            Record::Ballot(ballot) => ballot_key(ballot.poll, &ballot.user),
            Record::Breakouts(_) => Key {
                kind: "breakouts",
                name: String::new(),
            },
        }
    }
}

pub(super) fn person_key(id: &ParticipantId) -> Key {
    Key {
        kind: "person",
        name: id.to_string(),
    }
}

pub(super) fn placed_key(node: &NodeId) -> Key {
    Key {
        kind: "host",
        name: node.to_string(),
    }
}

pub(super) fn ruling_key(user: &UserId) -> Key {
    Key {
        kind: "ruling",
        name: user.to_string(),
    }
}

pub(super) fn moved_key(id: &ParticipantId) -> Key {
    Key {
        kind: "moved",
        name: id.to_string(),
    }
}

pub(super) fn waiting_key(id: &ParticipantId) -> Key {
    Key {
        kind: "waiting",
        name: id.to_string(),
    }
}

pub(super) fn event_key(seq: u64) -> Key {
    Key {
        kind: EVENT,
        name: format!("{seq:016}"),
    }
}

pub(super) fn owed_key() -> Key {
    Key {
        kind: "owed",
        name: String::new(),
    }
}

pub(super) fn poll_key(id: PollId) -> Key {
    Key {
        kind: POLL,
        name: format!("{:010}", id.0),
    }
}

pub(super) fn read_key(user: &UserId) -> Key {
    Key {
        kind: "read",
        name: user.to_string(),
    }
}

pub(super) fn ballot_key(poll: PollId, user: &UserId) -> Key {
    Key {
        kind: "ballot",
        name: format!("{:010} {user}", poll.0),
    }
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

/// Somebody who joined: expected, here, or lost for a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    pub id: ParticipantId,
    pub user: UserId,
    pub name: String,
    pub role: Role,
    /// Whether they have no account.
    #[serde(default)]
    pub guest: bool,
    pub publishing: Publishing,
    /// What they may send, as follows from their role, the settings and what was ruled.
    #[serde(default)]
    pub caps: Caps,
    /// The video codecs that their client decodes; none if it did not say.
    #[serde(default)]
    pub decodes: Vec<Codec>,
    pub joined_at: u64,
    /// Regions for the media, the one to try first first.
    pub regions: Vec<Region>,
    pub presence: Presence,
    /// How many WebSockets this participant has had.
    pub connection: u32,
    /// The node that has the media, once there is one.
    pub node: Option<NodeId>,
    /// Where the media is or was last.
    pub region: Option<Region>,
    /// Their place among the raised hands, and in the spotlight: numbers that only rise while there are others.
    #[serde(default)]
    pub hand: Option<u64>,
    #[serde(default)]
    pub spotlight: Option<u64>,
    /// Their place among the viewers who wish to be on stage.
    #[serde(default)]
    pub wish: Option<u64>,
    /// The latest media session.
    pub session: Option<Session>,
    #[serde(default)]
    pub media: Media,
    /// What the others were told of it.
    #[serde(default)]
    pub told: Connection,
}

/// Whether somebody is there. Tokens are kept as their SHA-256.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Presence {
    /// Has a ticket and has not come yet.
    Expected {
        ticket: String,
        until: u64,
        /// Whatever else the user has in the room ends then.
        #[serde(default)]
        move_here: bool,
    },
    /// Has an open WebSocket.
    Here {
        #[serde(flatten)]
        passes: Passes,
        /// When it was opened.
        #[serde(default)]
        since: u64,
    },
    /// The WebSocket is gone and may come back. `until` counts while no media comes, either.
    Lost {
        #[serde(flatten)]
        passes: Passes,
        until: u64,
    },
}

/// What admits the next WebSocket: the token of the last welcome, and until it is known to have arrived, what was shown
/// for that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Passes {
    pub resume: String,
    #[serde(default)]
    pub former: Option<Former>,
}

/// What admitted the latest WebSocket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Former {
    Ticket { hash: String, until: u64 },
    Resume { hash: String },
}

/// Whether media comes from somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Media {
    /// None has come yet; it was due from then on.
    Awaited { since: u64 },
    /// It comes, or did so last.
    #[default]
    Heard,
    /// None comes any more.
    Silent { since: u64 },
}

/// A media session as the room knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub attempt: Attempt,
    pub state: SessionState,
}

/// How far a media session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionState {
    /// Offered, not answered.
    Offered,
    /// Answered.
    Answered,
    /// Media flows, or did so last.
    Connected,
    /// Over; a new offer is due.
    Over,
}

impl Person {
    /// Whether this person is in the room for the others to see.
    pub fn is_in(&self) -> bool {
        !matches!(self.presence, Presence::Expected { .. })
    }

    pub fn is_here(&self) -> bool {
        matches!(self.presence, Presence::Here { .. })
    }

    /// The latest WebSocket.
    pub fn client(&self) -> Client {
        Client {
            participant: self.id.clone(),
            connection: self.connection,
        }
    }

    /// The attempt of the session that a node holds or is asked to hold.
    pub fn live_attempt(&self) -> Option<Attempt> {
        self.session
            .filter(|session| session.state != SessionState::Over)
            .map(|session| session.attempt)
    }

    /// This person as the others see them.
    pub fn view(&self) -> Participant {
        Participant {
            id: self.id.clone(),
            user: self.user.clone(),
            name: self.name.clone(),
            role: self.role,
            guest: self.guest,
            publishing: self.publishing,
            caps: self.caps,
            region: self.region.clone(),
            connection: self.told,
            decodes: self.decodes.clone(),
            joined_at: self.joined_at,
        }
    }
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

/// Up to where an account has read the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    pub user: UserId,
    /// The number of the line.
    pub line: u64,
    /// When that was told.
    pub at: u64,
}

/// Somebody at the door: as they will be in the room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    pub person: Person,
    /// Whether they were let in while they had no WebSocket: they go in with the next.
    pub admitted: bool,
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

/// An event that can be replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoggedEvent {
    pub seq: u64,
    pub at: u64,
    pub event: RoomEvent,
    /// The two users whom it is told; absent where it is told everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<[UserId; 2]>,
    /// Where one has to be to be told it; absent where it is told everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Whom an event is told. The others are told that something was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hearers {
    All,
    Both([UserId; 2]),
    /// Those who are there now, and when it is replayed those who are there then.
    In(Place),
}

impl LoggedEvent {
    /// What is told of it to who is there.
    pub fn seen_by(&self, reader: &Reader) -> ServerMessage {
        let between = self.between.as_ref();
        let hidden = between.is_some_and(|both| !both.contains(&reader.user))
            || self.place.is_some_and(|place| place != reader.place);
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
