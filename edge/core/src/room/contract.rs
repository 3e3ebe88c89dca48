//! What goes into a room and what comes out: events, effects, and the names in them.

use protocol::client::{ChatReaction, Mention, Noted, Offer, Role, ServerMessage};
use protocol::developer::EventKind;
use protocol::id::{BreakoutId, Epoch, NodeId, ParticipantId, Region, UserId};
use protocol::media::Codec;
use protocol::node::RoomToNode;
use protocol::trace::Trail;
use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::Room;
use super::commands::Command;
use super::record::Record;
use super::report::Report;
use crate::chat::{Keep, Line, Reader};
use crate::developer::webhooks::Happened;
use crate::refusal::Refusal;
use crate::table::Key;

/// Names a client's WebSocket: the participant and how many it had before.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Client {
    pub participant: ParticipantId,
    pub connection: u32,
}

/// Names a node's room link: the node, its placement, and how many links it had before under it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NodeLink {
    pub node: NodeId,
    pub epoch: Epoch,
    pub link: u32,
}

/// A fresh token and its SHA-256.
pub struct Secret {
    pub text: String,
    pub hash: String,
}

/// A line of chat on its way to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub nonce: String,
    pub text: String,
    pub reply_to: Option<String>,
    pub mentions: Vec<Mention>,
    pub to: Option<Mention>,
    /// Whether it is for everybody, wherever they are.
    pub broadcast: bool,
    /// In which breakout room or in none it was written, if that is known.
    pub breakout: Option<Option<BreakoutId>>,
}

/// What somebody does in the chat that needs a line which may be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Says something. The line is the one that they have said under this nonce.
    Say(Draft),
    Edit {
        number: u64,
        text: String,
    },
    Delete {
        number: u64,
    },
    React {
        number: u64,
        reaction: ChatReaction,
        on: bool,
    },
}

/// How an update of the notes is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub number: u64,
    /// Whether it says anything new.
    pub is_news: bool,
}

/// How a line is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought<'a> {
    Nonce(&'a str),
    Number(u64),
}

impl Deed {
    /// The line that it needs.
    pub fn sought(&self) -> Sought<'_> {
        match self {
            Self::Say(draft) => Sought::Nonce(&draft.nonce),
            Self::Edit { number, .. } | Self::Delete { number } | Self::React { number, .. } => {
                Sought::Number(*number)
            }
        }
    }
}

/// What happens to a room.
pub enum Event {
    /// Somebody was given a ticket.
    Admitted(Admission),
    /// A client's WebSocket was opened by this pass ([`Room::admit`]); `since` comes with a resume token.
    ClientOpened {
        client: Client,
        pass: Pass,
        since: Option<u64>,
        resume: Secret,
    },
    ClientSaid {
        client: Client,
        text: String,
    },
    ClientClosed {
        client: Client,
    },
    /// A node opened its room link ([`Room::expect_node`]).
    NodeOpened {
        link: NodeLink,
        region: Region,
    },
    NodeSaid {
        link: NodeLink,
        text: String,
    },
    NodeClosed {
        link: NodeLink,
    },
    /// The answer to [`Effect::Seek`].
    Found {
        participant: ParticipantId,
        epoch: Epoch,
        node: Option<(NodeId, Region)>,
    },
    /// The other answer to [`Effect::Seek`], if that is patient: a region does not know yet whether it has a node.
    NotKnownYet {
        participant: ParticipantId,
        epoch: Epoch,
    },
    /// The answer to [`Effect::Recall`]: the number of the line, if it is stored, and what it is, if that can be read.
    Recalled {
        client: Client,
        deed: Deed,
        known: Option<u64>,
        line: Option<Box<Line>>,
    },
    /// The answer to [`Effect::WriteNotes`]: the number under which it is stored.
    NotesWritten {
        client: Client,
        nonce: String,
        update: String,
        written: Result<Written, Refusal>,
    },
    /// The answer to [`Effect::Verify`]: whose the token is, if it is an account's and good.
    Verified {
        client: Client,
        account: Option<Identity>,
    },
    /// The answer to [`Effect::LetIn`].
    LetIn {
        client: Client,
        resume: Secret,
    },
    /// The answer to [`Effect::HashPassword`]: a PHC string, or after how many milliseconds to ask again.
    Hashed {
        client: Client,
        turn: u64,
        hash: Result<String, u64>,
    },
    /// The answer to [`Effect::Report`]: what the directory has taken, if anything.
    Reported {
        taken: Option<Report>,
    },
    /// The answer to [`Effect::TellDeveloper`]: what is to be told from now on, if it was taken.
    ToldDeveloper {
        wanted: Option<Vec<EventKind>>,
    },
    /// The owner has something done, by a key of this name ([`Room::may_be_commanded`]).
    Commanded {
        by: String,
        command: Command,
    },
    /// The owner deletes the room.
    Deleted,
    /// An account is no more. What is left of it here is from now on of one whom nobody is.
    AccountGone {
        user: UserId,
        stand_in: UserId,
    },
    /// A deadline has come. The pings are of those clients' WebSockets that are open and ever pinged.
    Alarm {
        pings: Vec<Ping>,
    },
}

/// Who comes with a ticket, and what their client wishes.
#[derive(Serialize, Deserialize)]
pub struct Admission {
    pub participant: ParticipantId,
    pub user: UserId,
    /// The display name.
    pub name: String,
    /// Whether they have no account.
    #[serde(default)]
    pub guest: bool,
    /// The role that the owner's token gives them, if they come by one.
    #[serde(default)]
    pub granted: Option<Role>,
    /// SHA-256 of the ticket.
    pub ticket: String,
    /// Regions for the media, the one to try first first.
    pub regions: Vec<Region>,
    /// The first offer, if it came with the join. The person is not announced before the WebSocket opens.
    pub offer: Option<Offer>,
    /// The codecs that the client decodes.
    pub decodes: Vec<Codec>,
    /// Once the WebSocket opens, whatever else the user has in the room ends.
    pub move_here: bool,
    /// By what the join is followed.
    #[serde(default)]
    pub trail: Option<Trail>,
}

/// An account as the room knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub user: UserId,
    /// The display name.
    pub name: String,
}

/// When a client pinged last, in Unix milliseconds.
pub struct Ping {
    pub client: Client,
    pub at: u64,
}

/// What a room wants done.
pub enum Effect {
    Save(Record),
    Erase(Key),
    /// Note a deed of those who keep order. If that is more than a room keeps ([`super::audit::KEPT`]), the oldest goes.
    Note(Noted),
    /// Store a line of chat, or how it is now. If that is more than a room keeps ([`crate::chat::Kept`]), the oldest go.
    SaveLine(Line),
    /// Look for the line that this user's deed needs. Answer with [`Event::Recalled`], before anything else happens.
    Recall {
        client: Client,
        user: UserId,
        deed: Deed,
    },
    /// Forget stored lines that are not kept, the oldest first and not too many at a time.
    ForgetLines(Keep),
    /// Show this reader so many stored lines before the one with this number ([`crate::chat::page`]).
    ShowLines {
        client: Client,
        reader: Reader,
        before: u64,
        limit: u32,
        keep: Keep,
    },
    /// Show the shared notes to this client of this user from now on, and what came after this number, as this author if that
    /// is the user's. Who may not write yet need not be remembered as an author.
    OpenNotes {
        client: Client,
        user: UserId,
        after: u64,
        author: Option<u32>,
        writes: bool,
    },
    /// Show them the notes no more.
    CloseNotes(Client),
    /// Store what this client of this user has written in the notes, if [`crate::notes::judge`] takes it. Answer with
    /// [`Event::NotesWritten`], before anything else happens.
    WriteNotes {
        client: Client,
        user: UserId,
        nonce: String,
        update: String,
    },
    /// Send to every client to whom the notes are shown, but for this one.
    TellNotesReaders {
        except: Client,
        message: ServerMessage,
    },
    /// Look whose access token this is, and whether it still speaks for them. Answer with [`Event::Verified`].
    Verify {
        client: Client,
        token: String,
    },
    /// Draw a resume token for this client, who waited and goes in. Answer with [`Event::LetIn`], before anything else happens.
    LetIn {
        client: Client,
    },
    /// Hash the password that this client wants asked for. Answer with [`Event::Hashed`]; nobody waits for it.
    HashPassword {
        client: Client,
        turn: u64,
        password: String,
    },
    /// All lines of chat and authors of notes that are stored as one user's are another's from now on.
    Inherit {
        from: UserId,
        to: UserId,
    },
    /// All lines of chat that are stored as this user's are under this name from now on.
    Rename {
        user: UserId,
        name: String,
    },
    /// Send to one client.
    Send {
        client: Client,
        message: ServerMessage,
    },
    /// Send to every client that is here, but for this one.
    Broadcast {
        except: Option<ParticipantId>,
        message: ServerMessage,
    },
    /// Close a client's WebSocket.
    HangUp {
        client: Client,
    },
    /// Close the WebSocket of a client that says far too much, with a code that tells so.
    SendAway {
        client: Client,
        excess: Excess,
    },
    /// Send to a node.
    Tell {
        link: NodeLink,
        message: RoomToNode,
    },
    /// Close a node's link.
    HangUpNode {
        link: NodeLink,
    },
    /// Close the link of a node that says far too much, with a code that tells so.
    SendNodeAway {
        link: NodeLink,
    },
    /// Find a node for this participant's media, region by region, and tell it to open the room under this epoch unless
    /// it has it already. Answer with [`Event::Found`] or [`Event::NotKnownYet`], always.
    Seek {
        participant: ParticipantId,
        epoch: Epoch,
        regions: Vec<Region>,
        placed: Vec<NodeId>,
        avoid: Vec<NodeId>,
        /// Those of them that are not to be waited for, and not to be chosen unless no region has another.
        given_up: Vec<NodeId>,
        /// Whether to stop at a region that does not know, rather than to go on to the next.
        patient: bool,
        /// By what the join is followed that it is for.
        trail: Option<Trail>,
    },
    /// Tell the directory how the room is now. Of several that wait, the last is enough. Answer with [`Event::Reported`].
    Report(Report),
    /// Have the owner's object for developers take what has happened. Answer with [`Event::ToldDeveloper`].
    TellDeveloper {
        owner: UserId,
        happened: Vec<Happened>,
    },
    /// So many things that happened were given up: the owner's object for developers has not taken them for too long.
    GaveUpTelling {
        count: u64,
    },
    /// Forget everything stored so far.
    Forget,
    /// The room is no more: forget it, and everything stored.
    Vanish,
}

/// What somebody has said far too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// Messages, or their bytes.
    Messages,
    /// What is no message at all.
    Nonsense,
}

/// Why a WebSocket is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    #[error("the ticket is unknown, expired or superseded: join again")]
    Ticket,
    #[error("the resume token is unknown or superseded: join again")]
    Resume,
    #[error("far too many messages: come back in {} s", wait.div_ceil(1_000))]
    SentAway { wait: u64 },
    #[error("you are in this room too often already: leave it elsewhere")]
    TooOften,
    #[error("the room is not placed on this node under this epoch")]
    StaleEpoch,
}

/// Why somebody is not given a ticket. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoTicket {
    #[error("too many tickets are not used yet: one expires in {} s", wait.div_ceil(1_000))]
    TooMany { wait: u64 },
    #[error("you were removed from this room: you may join it again in {} min", wait.div_ceil(60_000))]
    Removed { wait: u64 },
    #[error("this room is for people with an account: sign in, or ask its host to let guests come")]
    NoGuests,
    #[error("you were banned from this room: only its host or a moderator can lift that")]
    Banned,
    #[error("the room is locked: ask somebody inside to unlock it")]
    Locked,
    #[error("the room opens in {}", in_words(*wait))]
    NotOpenYet { wait: u64 },
    #[error(
        "the room is full: at most {most} people may be in it; try again when somebody has left"
    )]
    Full { most: u32 },
    #[error("you are in this room {most} times already: leave it elsewhere, or move the call here")]
    TooOften { most: u32 },
    #[error("too many people wait to be let in: try again in a minute")]
    LobbyFull,
}

fn in_words(wait: u64) -> String {
    match wait.div_ceil(60_000) {
        minutes @ 0..=90 => format!("{minutes} min"),
        minutes => format!("{} h", minutes.div_ceil(60)),
    }
}

/// How many people may be in a room, and how often one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seats {
    pub room: u32,
    pub user: u32,
}

impl Default for Seats {
    fn default() -> Self {
        Self { room: 500, user: 5 }
    }
}

/// What a client shows to be admitted, as its SHA-256.
pub enum Pass {
    Ticket(String),
    Resume(String),
}
