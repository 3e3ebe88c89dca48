//! Polls: a question with options, and how often each was chosen.

use serde::{Deserialize, Serialize};

use crate::id::{PollId, UserId};

/// Longest question and longest option, in bytes of UTF-8.
pub const MAX_QUESTION_BYTES: usize = 1_000;
pub const MAX_OPTION_BYTES: usize = 300;
/// How many options a poll has.
pub const MIN_POLL_OPTIONS: usize = 2;
pub const MAX_POLL_OPTIONS: usize = 20;

/// What is asked, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PollDraft {
    /// As it was written: render it as text. The options, too.
    pub question: String,
    pub options: Vec<String>,
    /// Whether one may choose several options.
    #[serde(default)]
    pub multiple: bool,
    /// Whether nobody is ever told who voted for what. While fewer than three have voted, nobody is told the counts either:
    /// who has voted would know from them what another has.
    #[serde(default)]
    pub anonymous: bool,
    #[serde(default)]
    pub shows: PollShows,
}

/// When results are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum PollShows {
    /// While people vote.
    #[default]
    Live,
    /// Once the poll is closed.
    AtClosing,
}

/// A poll as everybody is shown it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Poll {
    pub id: PollId,
    /// The creator's own name for it.
    pub nonce: String,
    /// Who has made it.
    pub user: UserId,
    pub name: String,
    #[serde(flatten)]
    pub draft: PollDraft,
    /// Unix time in milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub created_at: u64,
    /// Since when nobody votes any more; absent while the poll is open.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub closed_at: Option<u64>,
    pub results: PollResults,
}

/// How a poll stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PollResults {
    /// How many have voted.
    pub voters: u32,
    /// How many of them chose each option; absent while that is not told.
    pub counts: Option<Vec<u32>>,
}

/// What a user has chosen in a poll: the numbers of the options, counted from 0, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct OwnVote {
    pub poll: PollId,
    pub choices: Vec<u8>,
}

/// What somebody has chosen in a poll that is not anonymous.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct NamedVote {
    pub user: UserId,
    pub name: String,
    pub choices: Vec<u8>,
}
