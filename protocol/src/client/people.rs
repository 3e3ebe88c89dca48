//! People: who is in a room, as what, and why they go.

use serde::{Deserialize, Serialize};

use crate::id::{ParticipantId, Region, UserId};
use crate::media::{Caps, Codec, Publishing};

/// Somebody in the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    pub id: ParticipantId,
    pub user: UserId,
    pub name: String,
    pub role: Role,
    /// Whether they have no account.
    #[serde(default)]
    pub guest: bool,
    pub publishing: Publishing,
    /// What they may send.
    #[serde(default)]
    pub caps: Caps,
    /// Region of the media node; absent until media is assigned.
    pub region: Option<Region>,
    #[serde(default)]
    pub connection: Connection,
    /// The video codecs that their client decodes; empty if it did not say.
    #[serde(default)]
    pub decodes: Vec<Codec>,
    /// Unix time in milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub joined_at: u64,
}

/// Whether somebody can be seen and heard. A disturbance shorter than some two seconds is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Connection {
    /// Came, and has had no media yet.
    Connecting,
    #[default]
    Connected,
    /// Nothing comes from them any more.
    Reconnecting,
}

/// What somebody is in the room: what follows from it stands in `docs/roles.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Receives alone.
    Viewer,
    /// Has no account.
    Guest,
    /// Sends and receives.
    #[serde(alias = "member")]
    Speaker,
    /// Keeps order.
    Moderator,
    /// Decides about everything: the room's owner, or while they are away whom it has fallen to.
    #[serde(alias = "owner")]
    Host,
}

/// Why somebody left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum LeaveReason {
    Left,
    ConnectionLost,
    RoomClosed,
    /// A moderator sent them out.
    Removed,
    /// They go on as another participant, elsewhere.
    Moved,
}

/// Why a room ended for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum CloseReason {
    /// The client asked to leave.
    Left,
    /// The room was deleted.
    RoomDeleted,
    /// Another WebSocket resumed this participant.
    Replaced,
    /// A moderator sent the participant out.
    Removed,
    /// A moderator did not let them in.
    Refused,
    /// The user has moved the call to another page or device.
    Moved,
    /// The room's owner has ended the call for everybody.
    Ended,
}
