//! Chat: its lines as clients are shown them, and what is written, changed and paged.

use serde::{Deserialize, Serialize};

use crate::id::{BreakoutId, ParticipantId, UserId};

/// Longest chat text, in bytes of UTF-8.
pub const MAX_CHAT_BYTES: usize = 4_000;
/// Most lines of a page of the history.
pub const MAX_CHAT_PAGE: u32 = 100;
/// Most people that a line mentions.
pub const MAX_MENTIONS: usize = 20;

/// A line of chat, as it was written: render it as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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
    /// Empty once it is deleted.
    pub text: String,
    /// Unix time in milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub sent_at: u64,
    /// When its text was changed last, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub edited_at: Option<u64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub deleted: bool,
    /// The line that it answers. It may be gone, and may be one that not everybody sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub reply_to: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<Mention>>"))]
    pub mentions: Vec<Mention>,
    /// The one other user who sees it; absent where everybody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub to: Option<Mention>,
    /// The breakout room in which it was said, and is seen; absent where that is the main room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub breakout: Option<BreakoutId>,
    /// Whether it is seen in all of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub broadcast: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<ReactionCount>>"))]
    pub reactions: Vec<ReactionCount>,
}

/// Somebody whom a line names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Mention {
    pub user: UserId,
    /// Their name at that time: `@` and this stand in the text.
    pub name: String,
}

/// What one feels about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum ChatReaction {
    ThumbsUp,
    Heart,
    Laugh,
    Wow,
    Sad,
    Party,
}

/// How many feel so about a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ReactionCount {
    pub reaction: ChatReaction,
    pub count: u32,
    /// Whether the user who is shown the line is one of them.
    pub mine: bool,
}

/// A part of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChatPage {
    /// What was asked for: lines before this one.
    pub before: String,
    /// The oldest first. There may be none, where only others see what is there.
    pub lines: Vec<ChatMessage>,
    /// Ask for what is before this; absent when there is nothing before.
    pub next: Option<String>,
    /// Whether lines stood before that the room does not keep any more.
    pub gone: bool,
}
