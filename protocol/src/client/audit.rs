//! The audit list: what who keeps order has done, to whom, and when. The host reads it (`GET /api/rooms/{id}/audit`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::moderation::{CapsChange, MuteAll};
use super::people::Role;
use crate::id::{BreakoutId, ParticipantId, PollId, UserId};
use crate::media::Source;

/// A page of the audit list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditPage {
    /// The latest first.
    pub entries: Vec<AuditEntry>,
    /// Where the next page begins (`?before=`); absent at the end.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub before: Option<u64>,
}

/// An entry of the audit list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Counts up.
    #[cfg_attr(test, ts(type = "number"))]
    pub number: u64,
    #[serde(flatten)]
    pub noted: Noted,
}

/// A deed, as it is noted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Noted {
    /// Unix time in milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub at: u64,
    pub by: NotedPerson,
    /// Whom it was about; absent if it was about all.
    pub on: Option<NotedPerson>,
    pub deed: Deed,
}

/// Somebody as they were then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NotedPerson {
    /// Absent where they were not in the room.
    #[serde(default)]
    pub participant: Option<ParticipantId>,
    pub user: UserId,
    pub name: String,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Deed {
    /// What somebody may send was changed.
    Caps {
        change: CapsChange,
    },
    TurnedOff {
        source: Source,
    },
    AskedToUnmute,
    MutedAll {
        mute: MuteAll,
    },
    Role {
        role: Role,
    },
    Removed,
    Banned,
    Unbanned,
    /// Let in who waited.
    Admitted,
    /// Sent away who waited.
    Refused,
    /// Did not bring on stage who asked for it.
    RefusedToSpeak,
    /// Lowered a hand, or all.
    HandLowered,
    Spotlight {
        on: bool,
    },
    PollCreated {
        poll: PollId,
    },
    PollClosed {
        poll: PollId,
    },
    PollDeleted {
        poll: PollId,
    },
    /// Deleted somebody else's line.
    ChatDeleted {
        id: String,
    },
    /// Had a password be asked for, another one, or none any more.
    Password {
        set: bool,
    },
    /// What was changed of the room's settings, and to what.
    Settings {
        changed: BTreeMap<String, String>,
    },
    BreakoutsOpened {
        rooms: u32,
    },
    BreakoutsClosed,
    /// Said anew for how long breakout rooms are open.
    BreakoutsLimited {
        seconds: Option<u32>,
    },
    MovedToBreakout {
        breakout: Option<BreakoutId>,
    },
    /// The call was ended for all.
    Ended,
}
