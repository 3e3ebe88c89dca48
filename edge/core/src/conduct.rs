//! Conduct: what a media node may say on one of its links before the link is closed.

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::limits::{Limit, Turns};

/// How many messages: a burst for a room that everybody joins at once, and 200 a second in the long run.
const MESSAGES: Limit = Limit {
    burst: 2_000,
    window: 10_000,
};
/// How many bytes: 16 MB at once, 1 MB a second in the long run.
const BYTES: Limit = Limit {
    burst: 16_000_000,
    window: 16_000,
};
/// How much that is no message at all, nor one of a later version. Nodes send nothing of the kind.
pub const NONSENSE: Limit = Limit {
    burst: 10,
    window: 60_000,
};
/// What a room may be told beyond that for each thing that it asks: the answer to an offer, and what becomes of its session.
/// The longest answer has 64 m-lines, each with all candidates; most have a tenth of it.
const PER_QUESTION: Due = Due {
    messages: 4,
    bytes: 128 * 1024,
};
/// Of how many questions the rest is kept: as many as people move to a node at once.
const MAX_QUESTIONS: u32 = 1_000;
/// Longest message of a node, in bytes: an answer and its wrapping.
const MAX_MESSAGE_BYTES: usize = 2 * protocol::client::MAX_MESSAGE_BYTES;

/// What was asked for and has not come.
#[derive(Default)]
struct Due {
    messages: u32,
    bytes: u32,
}

impl Due {
    /// Takes a message of so many bytes; returns what is beyond.
    fn take(&mut self, bytes: u32) -> (u32, u32) {
        let message = u32::from(self.messages == 0);
        self.messages = self.messages.saturating_sub(1);
        let beyond = bytes.saturating_sub(self.bytes);
        self.bytes = self.bytes.saturating_sub(bytes);
        (message, beyond)
    }
}

/// What a node has left to say on a link. It is in memory only.
pub struct Conduct {
    due: Due,
    messages: Turns,
    bytes: Turns,
    nonsense: Turns,
}

/// The node has said more than it may: its link is to be closed.
#[derive(Debug, PartialEq, Eq)]
pub struct Misbehaves;

impl Conduct {
    /// Nothing was said yet.
    pub fn new(now: u64) -> Self {
        Self {
            due: Due::default(),
            messages: Turns::full(MESSAGES, now),
            bytes: Turns::full(BYTES, now),
            nonsense: Turns::full(NONSENSE, now),
        }
    }

    /// The node is asked something: what it is asked for is not its own doing, nor that of everybody else whose media it has.
    pub fn asked(&mut self) {
        let Due { messages, bytes } = &mut self.due;
        *messages = (*messages + PER_QUESTION.messages).min(MAX_QUESTIONS * PER_QUESTION.messages);
        *bytes = (*bytes + PER_QUESTION.bytes).min(MAX_QUESTIONS * PER_QUESTION.bytes);
    }

    /// What a node says. A message of a later version is `None`, and so are the first few that are none at all.
    pub fn hear<T: DeserializeOwned>(
        &mut self,
        text: &str,
        now: u64,
    ) -> Result<Option<T>, Misbehaves> {
        let too_much = |_| Misbehaves;
        let bytes = u32::try_from(text.len()).map_err(|_| Misbehaves)?;
        let (messages, bytes) = self.due.take(bytes);
        let taken = self.messages.take(messages, now);
        taken.map_err(too_much)?;
        self.bytes.take(bytes, now).map_err(too_much)?;
        let message = if text.len() > MAX_MESSAGE_BYTES {
            Err(Category::Syntax)
        } else {
            serde_json::from_str(text).map_err(|error| error.classify())
        };
        match message {
            Ok(message) => Ok(Some(message)),
            // JSON, and no message that we know (`protocol::node`).
            Err(Category::Data) => Ok(None),
            Err(_) => {
                self.nonsense.take(1, now).map_err(too_much)?;
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::node::NodeToRegion;

    use super::*;

    fn hear(conduct: &mut Conduct, text: &str, now: u64) -> Result<bool, Misbehaves> {
        let heard: Option<NodeToRegion> = conduct.hear(text, now)?;
        Ok(heard.is_some())
    }

    #[test]
    fn what_is_of_a_later_version_is_passed_over_and_nonsense_is_borne_a_few_times() {
        let mut conduct = Conduct::new(0);
        assert_eq!(hear(&mut conduct, r#"{"type":"draining"}"#, 0), Ok(true));
        for _ in 0..100 {
            assert_eq!(hear(&mut conduct, r#"{"type":"fly"}"#, 0), Ok(false));
        }
        let long = " ".repeat(MAX_MESSAGE_BYTES + 1);
        for nonsense in [
            "{",
            "",
            r#"{"type":"draining"} x"#,
            &long,
            "{",
            "{",
            "{",
            "{",
            "{",
            "{",
        ] {
            assert_eq!(hear(&mut conduct, nonsense, 0), Ok(false));
        }
        assert_eq!(hear(&mut conduct, "{", 0), Err(Misbehaves));
        assert_eq!(hear(&mut conduct, r#"{"type":"draining"}"#, 0), Ok(true));
    }

    #[test]
    fn a_node_says_so_much_and_so_often() {
        let draining = r#"{"type":"draining"}"#;
        let mut conduct = Conduct::new(0);
        for _ in 0..MESSAGES.burst {
            assert_eq!(hear(&mut conduct, draining, 0), Ok(true));
        }
        assert_eq!(hear(&mut conduct, draining, 0), Err(Misbehaves));
        assert_eq!(hear(&mut conduct, draining, 1_000), Ok(true));

        let mut conduct = Conduct::new(0);
        let later = format!(r#"{{"type":"{}"}}"#, "x".repeat(500_000));
        let heard = (0..100).take_while(|_| hear(&mut conduct, &later, 0).is_ok());
        assert_eq!(heard.count(), 31);
    }

    #[test]
    fn as_many_answers_are_borne_as_were_asked_for() {
        let answer = format!(r#"{{"type":"{}"}}"#, "x".repeat(100_000));
        let mut conduct = Conduct::new(0);
        for _ in 0..700 {
            conduct.asked();
        }
        for _ in 0..700 {
            assert_eq!(hear(&mut conduct, &answer, 0), Ok(false));
            for _ in 0..3 {
                assert_eq!(hear(&mut conduct, r#"{"type":"draining"}"#, 0), Ok(true));
            }
        }
        let more = (0..1_000).take_while(|_| hear(&mut conduct, &answer, 0).is_ok());
        assert!(more.count() < 400);
    }
}
