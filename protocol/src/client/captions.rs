//! Captions: what is said, as text. Whoever may feeds them, to whom they are shown they are told at once, and nobody keeps them.

use serde::{Deserialize, Serialize};

use crate::id::ParticipantId;

/// The longest text of a caption, in bytes: a long sentence.
pub const MAX_CAPTION_BYTES: usize = 600;
/// The longest tag of a language that registries have, and more than browsers say.
pub const MAX_LANGUAGE_BYTES: usize = 35;

/// What somebody says, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CaptionLine {
    /// Counts up by one for whoever feeds. What comes under the same number takes the place of what came before.
    pub id: u32,
    /// Who says it; whoever feeds, if absent.
    #[serde(default)]
    pub speaker: Option<ParticipantId>,
    /// The language that it is in (BCP 47), such as `en` or `pt-BR`.
    pub language: String,
    pub text: String,
    /// Whether it is said to its end: nothing takes its place any more.
    #[serde(rename = "final")]
    pub is_final: bool,
}

/// Why a node does not pass on what was fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum CaptionRefusal {
    /// Whoever feeds may not.
    NotAllowed,
    /// It is too much at once, of this one or of all in the room.
    TooMuch,
    /// It is too long, or its language is none.
    Malformed,
}

/// A caption as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Caption {
    /// Who feeds it, as their node knows.
    pub by: ParticipantId,
    #[serde(flatten)]
    pub line: CaptionLine,
}

impl CaptionLine {
    /// Whether it has the form and the size of one.
    pub fn is_sound(&self) -> bool {
        self.text.len() <= MAX_CAPTION_BYTES && is_language(&self.language)
    }
}

/// Whether this has the shape of a language's tag (BCP 47, 2.1): letters first, and then parts of letters and digits.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    tag.len() <= MAX_LANGUAGE_BYTES
        && (2..=8).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(is_part)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The SDK's rule is held to the same (`web/sdk/tests/language.test.ts`).
    #[test]
    fn a_language_looks_like_one() {
        let examples: BTreeMap<String, Vec<String>> =
            serde_json::from_str(include_str!("captions/languages.json")).expect("lists of tags");
        for tag in &examples["languages"] {
            assert!(is_language(tag), "{tag}");
        }
        for tag in &examples["others"] {
            assert!(!is_language(tag), "{tag}");
        }
    }

    #[test]
    fn a_caption_is_short() {
        let line = |text: String| CaptionLine {
            id: 1,
            speaker: None,
            language: "en".into(),
            text,
            is_final: true,
        };
        assert!(line("x".repeat(MAX_CAPTION_BYTES)).is_sound());
        assert!(!line("ä".repeat(MAX_CAPTION_BYTES)).is_sound());
    }
}
