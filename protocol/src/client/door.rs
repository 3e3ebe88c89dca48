//! The door of a room, for who keeps order: who waits outside, and who stays out.

use serde::{Deserialize, Serialize};

use crate::id::{ParticipantId, UserId};

/// Somebody who waits to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Knock {
    pub participant: ParticipantId,
    pub name: String,
    /// Whether they have no account.
    pub guest: bool,
    /// Since when they wait, in Unix milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub since: u64,
}

/// Somebody who is banned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Banned {
    pub user: UserId,
    /// What they were called then.
    pub name: String,
}
