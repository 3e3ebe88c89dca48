//! Settings of a room: what kind of room it is, and who may do what in it.

use serde::{Deserialize, Serialize};

/// For how many days lines of chat may be kept.
pub const MAX_CHAT_DAYS: u32 = 3_650;
/// How many lines of chat a room keeps at most: a large event of years.
pub const MAX_CHAT_LINES: u32 = 1_000_000;

/// How a room is meant to be used. What is not said is as it is by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    pub kind: RoomKind,
    /// Who may write in the chat.
    pub chat: Audience,
    /// Who may write in the shared notes; the others read them.
    pub notes: Audience,
    /// Who may feed captions.
    pub captions: Audience,
    /// Who may share a screen.
    pub share: Audience,
    /// Who may be heard; the others stay muted.
    pub speak: Audience,
    /// Whether people without an account may come.
    pub guests: bool,
    /// For how many days lines of chat are kept, at least 1 and at most [`MAX_CHAT_DAYS`].
    pub chat_days: u32,
    /// How many lines of chat are kept, at least 1 and at most [`MAX_CHAT_LINES`].
    pub chat_lines: u32,
    /// Whether who comes waits until the host or a moderator lets them in.
    pub lobby: bool,
    /// Whether nobody comes any more.
    pub locked: bool,
    /// How many people may be in it; 0 for as many as the server allows.
    pub capacity: u32,
    /// From when on one may come, in Unix milliseconds; 0 if from the beginning.
    #[cfg_attr(test, ts(type = "number"))]
    pub opens_at: u64,
    /// Whether everybody with an account finds the room in the directory. Otherwise its link leads to it, and nothing else.
    pub listed: bool,
    /// Whether it stays although nobody uses it.
    pub permanent: bool,
    /// Whether a password is asked for ([`super::ClientMessage::SetPassword`]).
    pub has_password: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kind: RoomKind::default(),
            chat: Audience::default(),
            notes: Audience::default(),
            captions: Audience::default(),
            share: Audience::default(),
            speak: Audience::default(),
            guests: true,
            chat_days: 365,
            chat_lines: MAX_CHAT_LINES,
            lobby: false,
            locked: false,
            capacity: 0,
            opens_at: 0,
            listed: false,
            permanent: false,
            has_password: false,
        }
    }
}

/// What is to be changed of a room's settings: what is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(test, ts(optional_fields))]
#[serde(rename_all = "camelCase", default)]
pub struct SettingsChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<RoomKind>,
    /// Who may write in the chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat: Option<Audience>,
    /// Who may write in the shared notes; the others read them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<Audience>,
    /// Who may feed captions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub captions: Option<Audience>,
    /// Who may share a screen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Audience>,
    /// Who may be heard; the others stay muted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speak: Option<Audience>,
    /// Whether people without an account may come; at first they may. Who is inside stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guests: Option<bool>,
    /// For how many days lines of chat are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(range(min = 1, max = MAX_CHAT_DAYS)))]
    pub chat_days: Option<u32>,
    /// How many lines of chat are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(range(min = 1, max = MAX_CHAT_LINES)))]
    pub chat_lines: Option<u32>,
    /// Whether who comes waits until the host or a moderator lets them in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lobby: Option<bool>,
    /// Whether nobody comes any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    /// How many people may be in it; 0 for as many as the server allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// From when on one may come, in Unix milliseconds; 0 if from the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub opens_at: Option<u64>,
    /// Whether everybody with an account finds the room in the directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listed: Option<bool>,
    /// Whether it stays although nobody uses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permanent: Option<bool>,
}

/// What kind of room it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum RoomKind {
    /// Who comes is a speaker, or a guest.
    #[default]
    Meeting,
    /// Who comes is a viewer, until they are brought on stage.
    Webinar,
}

/// Whom something is allowed to, among those whose role allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Audience {
    #[default]
    Everybody,
    /// Who keeps order, alone.
    Moderators,
}
