//! Errors: why a message of a client was refused.

use serde::{Deserialize, Serialize};

/// Why a message of the client was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum ErrorCode {
    /// Not JSON, or not a message of this protocol.
    Malformed,
    /// Larger than allowed.
    TooLarge,
    /// Sent too often; wait and send again.
    RateLimited,
    /// The SDP cannot be answered.
    BadOffer,
    /// No media node is available; the room keeps trying.
    NoNode,
    /// The sender's role, or the room's settings, do not allow it.
    Forbidden,
    /// Nobody in the room has this id.
    UnknownParticipant,
    /// No poll of the room has this id, or not any more.
    UnknownPoll,
    /// Nobody votes any more.
    PollClosed,
    /// There are as many as a room may have.
    TooMany,
    /// There is no such line of chat, or not any more.
    UnknownLine,
    /// The shared notes take no more text.
    NotesFull,
    /// There is no such breakout room, or not any more.
    UnknownBreakout,
    /// It was written in a breakout room in which its writer is no more.
    Elsewhere,
}
