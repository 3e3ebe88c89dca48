//! Reactions: a few signs that everybody sees for a moment.

use serde::{Deserialize, Serialize};

/// What somebody shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Reaction {
    ThumbsUp,
    ThumbsDown,
    Clap,
    Heart,
    Laugh,
    Surprise,
    Party,
}
