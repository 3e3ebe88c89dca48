//! Chat: its lines as clients are shown them.

use serde::{Deserialize, Serialize};

use crate::id::{ParticipantId, UserId};

/// Longest chat text, in bytes of UTF-8.
pub const MAX_CHAT_BYTES: usize = 4_000;

/// A line of chat, as it was written: render it as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ChatMessage {
    pub id: String,
    /// The sender's own name for it.
    #[serde(default)]
    pub nonce: String,
    pub participant: ParticipantId,
    /// Whose line it is, whichever participant they are now; absent on lines of older releases.
    #[serde(default)]
    pub user: Option<UserId>,
    pub name: String,
    pub text: String,
    /// Unix time in milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub sent_at: u64,
}
