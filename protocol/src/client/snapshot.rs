//! The snapshot: a room's whole state, as who comes is told it.

use serde::{Deserialize, Serialize};

use super::{Breakouts, ChatMessage, Participant, Poll, Settings};
use crate::api::Room;
use crate::id::ParticipantId;

/// A room's whole state as a client needs it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    pub room: Room,
    #[serde(default)]
    pub settings: Settings,
    /// Everybody in the room, the client included.
    pub participants: Vec<Participant>,
    /// Those of the latest lines that are of where the client is, the oldest first. There may be none where others say more.
    pub chat: Vec<ChatMessage>,
    /// Ask for what is before this; absent where there is nothing before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub chat_before: Option<String>,
    /// The polls, the oldest first.
    #[serde(default)]
    pub polls: Vec<Poll>,
    /// Whose hands are up, the first first.
    #[serde(default)]
    pub hands: Vec<ParticipantId>,
    /// Who is in the spotlight, the first first.
    #[serde(default)]
    pub spotlight: Vec<ParticipantId>,
    /// Which viewers wish to be on stage, the first first.
    #[serde(default)]
    pub wishes: Vec<ParticipantId>,
    /// The breakout rooms, if any are open.
    #[serde(default)]
    pub breakouts: Option<Breakouts>,
    /// When this was told, in Unix milliseconds.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "number"))]
    pub now: u64,
}
