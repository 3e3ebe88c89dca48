//! The shared notes of a room: one text that several write at once. What is sent of it are updates of Yjs (its format 1), in
//! base64, which the room checks, numbers and keeps; the text itself is made by the clients and is named `notes`.

use serde::{Deserialize, Serialize};

use crate::id::ParticipantId;

/// How many bytes the notes of a room take at most, as Yjs writes them: some 200,000 characters.
pub const MAX_NOTES_BYTES: usize = 256 * 1024;
/// The longest update, in bytes before base64. What is pasted goes in several.
pub const MAX_NOTES_UPDATE_BYTES: usize = 32 * 1024;
/// The longest place in the notes, in bytes.
pub const MAX_NOTES_PLACE_BYTES: usize = 64;

/// The notes as they are opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct NotesPage {
    /// Whom the client's updates come from (Yjs' `clientID`): what was asked for, or a new one that nobody else has. A client
    /// that has written as another begins anew with it.
    pub author: u32,
    /// Which edition of the notes this is, 0 the first. When they are full of what was deleted they are written anew: who has
    /// another edition begins anew with this page, which then has all of it.
    #[serde(default)]
    pub edition: u32,
    /// The number of the latest update, 0 before the first.
    #[cfg_attr(test, ts(type = "number"))]
    pub number: u64,
    /// What came after the number that was asked for, in order; some of it may be known.
    pub updates: Vec<String>,
}

/// An update that somebody else has written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct NotesUpdate {
    /// Counts up by one, over everybody's updates.
    #[cfg_attr(test, ts(type = "number"))]
    pub number: u64,
    pub update: String,
}

/// Where somebody is in the notes just now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct NotesPointer {
    pub participant: ParticipantId,
    /// A relative position of Yjs in base64; absent when they are not in them any more.
    pub at: Option<String>,
}
