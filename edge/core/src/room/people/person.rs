//! Somebody who joined, as is stored of them.

use protocol::client::{Connection, Participant, Role};
use protocol::id::{Attempt, NodeId, ParticipantId, Region, UserId};
use protocol::media::{Caps, Codec, Publishing};
use serde::{Deserialize, Serialize};

use crate::room::Client;
use crate::table::{Column, Key, Table, flag, integer, json, text};

pub(in crate::room) const PEOPLE: Table = Table {
    name: "people",
    tag: "Person",
    since: 1,
    columns: &columns(""),
    indexes: &[],
};

pub(in crate::room) const COLUMNS: usize = 21;

/// The columns of a person who is in this field of the record.
pub(in crate::room) const fn columns(inside: &'static str) -> [Column; COLUMNS] {
    [
        text("id").inside(inside).key(),
        text("user").inside(inside),
        text("name").inside(inside),
        text("role").inside(inside),
        flag("guest").inside(inside),
        json("publishing").inside(inside),
        json("caps").inside(inside),
        json("decodes").inside(inside),
        integer("joined_at").inside(inside),
        json("regions").inside(inside),
        json("presence").inside(inside),
        integer("connection").inside(inside),
        text("node").inside(inside).optional(),
        text("region").inside(inside).optional(),
        integer("hand").inside(inside).optional(),
        integer("spotlight").inside(inside).optional(),
        integer("wish").inside(inside).optional(),
        json("session").inside(inside).optional(),
        json("media").inside(inside),
        text("told").inside(inside),
        text("granted").inside(inside).optional().since(2, "NULL"),
    ]
}

pub(super) fn person_key(id: &ParticipantId) -> Key {
    PEOPLE.key([id.as_str().into()])
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
    /// The role that the owner's token gives them.
    #[serde(default)]
    pub granted: Option<Role>,
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
        /// The page was left, and has said so: then `until` counts whatever comes.
        #[serde(default)]
        left: bool,
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
