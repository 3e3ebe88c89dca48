//! The audit list: what who keeps order has done, to whom, and when. The host reads it (`GET /api/rooms/{id}/audit`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::moderation::{CapsChange, MuteAll};
use super::people::Role;
use crate::id::{ParticipantId, UserId};
use crate::media::Source;

/// A page of the audit list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
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
#[serde(rename_all = "camelCase")]
pub struct NotedPerson {
    pub participant: ParticipantId,
    pub user: UserId,
    pub name: String,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
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
    /// What was changed of the room's settings, and to what.
    Settings {
        changed: BTreeMap<String, String>,
    },
}
