//! Breakout rooms: parts of a room whose people see, hear and read each other alone, for a while.

use serde::{Deserialize, Serialize};

use crate::id::{BreakoutId, ParticipantId};

/// How many may be open at once.
pub const MAX_BREAKOUTS: usize = 50;
/// Longest name, in bytes of UTF-8.
pub const MAX_BREAKOUT_NAME_BYTES: usize = 100;
/// For how long they may be open, in seconds, if there is a limit.
pub const MIN_BREAKOUT_SECONDS: u32 = 10;
pub const MAX_BREAKOUT_SECONDS: u32 = 86_400;

/// Who comes into which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum BreakoutAssignment {
    /// Everybody who does not keep order is in one, as many in each; who comes late, too.
    #[default]
    Automatic,
    /// As those who keep order say. Who comes late is in the main room.
    ByHand,
    /// As everybody likes.
    Free,
}

/// What breakout rooms there are to be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct BreakoutDraft {
    /// As they were written: render them as text.
    pub names: Vec<String>,
    pub assignment: BreakoutAssignment,
    /// Who is in which from the beginning, whatever the assignment is. Who is not in the room any more is left out.
    #[serde(default)]
    pub assigned: Vec<BreakoutAssigned>,
    /// After how many seconds they are over; never by themselves if absent.
    #[serde(default)]
    pub seconds: Option<u32>,
}

/// That somebody is to be in the nth of the rooms, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BreakoutAssigned {
    pub participant: ParticipantId,
    pub nth: u32,
}

/// The breakout rooms that are open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Breakouts {
    pub rooms: Vec<Breakout>,
    pub assignment: BreakoutAssignment,
    /// When they are over, in Unix milliseconds of the server.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub ends_at: Option<u64>,
    /// Who belongs to which; whoever does not stand here is in the main room.
    pub places: Vec<BreakoutPlace>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Breakout {
    pub id: BreakoutId,
    pub name: String,
}

/// To which somebody belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BreakoutPlace {
    pub participant: ParticipantId,
    pub breakout: BreakoutId,
    /// Whether they are in the main room for now.
    pub away: bool,
}
