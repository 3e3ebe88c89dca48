//! Chat: lines that are stored once, however often they are sent.

use std::collections::VecDeque;

use protocol::client::{ChatMessage, ErrorCode, MAX_CHAT_BYTES};
use protocol::id::{ParticipantId, UserId};
use serde::{Deserialize, Serialize};

/// How many lines a newcomer is shown; within as many a repeated nonce is recognized.
pub const HISTORY: usize = 200;
/// Longest nonce, in bytes.
const MAX_NONCE_BYTES: usize = 64;

/// A stored line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Counts up by one.
    pub number: u64,
    pub nonce: String,
    pub message: ChatMessage,
}

/// The latest lines of a room, the oldest first.
#[derive(Debug, Default)]
pub struct Chat {
    lines: VecDeque<Line>,
}

/// What comes of a line that was sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// It is new: store it and tell everybody.
    New(Line),
    /// It is stored already, under this id.
    Known { id: String },
    /// It cannot be stored.
    Refused { code: ErrorCode, message: String },
}

impl Chat {
    /// Takes up stored lines, the oldest first.
    pub fn restore(lines: Vec<Line>) -> Self {
        Self {
            lines: lines.into(),
        }
    }

    /// Somebody says something.
    pub fn say(
        &mut self,
        participant: &ParticipantId,
        user: &UserId,
        name: &str,
        nonce: String,
        text: String,
        now: u64,
    ) -> Said {
        let refused = |code, message: &str| Said::Refused {
            code,
            message: message.into(),
        };
        if nonce.is_empty() || nonce.len() > MAX_NONCE_BYTES {
            return refused(ErrorCode::Malformed, "a nonce has 1 to 64 bytes");
        }
        if text.len() > MAX_CHAT_BYTES {
            return refused(
                ErrorCode::TooLarge,
                "a line of chat has at most 4,000 bytes",
            );
        }
        if text.trim().is_empty() {
            return refused(ErrorCode::Malformed, "a line of chat has a text");
        }
        let known = self
            .lines
            .iter()
            .rev()
            .find(|line| line.nonce == nonce && line.message.user.as_ref() == Some(user));
        if let Some(line) = known {
            return Said::Known {
                id: line.message.id.clone(),
            };
        }
        let number = self.lines.back().map_or(1, |line| line.number + 1);
        let line = Line {
            number,
            nonce: nonce.clone(),
            message: ChatMessage {
                id: number.to_string(),
                nonce,
                participant: participant.clone(),
                user: Some(user.clone()),
                name: name.to_owned(),
                text,
                sent_at: now,
            },
        };
        self.lines.push_back(line.clone());
        if self.lines.len() > HISTORY {
            self.lines.pop_front();
        }
        Said::New(line)
    }

    /// The latest lines, the oldest first.
    pub fn history(&self) -> Vec<ChatMessage> {
        self.lines.iter().map(|line| line.message.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(chat: &mut Chat, who: &str, nonce: &str, text: &str) -> Said {
        let (participant, user) = (who.parse().unwrap(), who.parse().unwrap());
        chat.say(&participant, &user, who, nonce.into(), text.into(), 7)
    }

    #[test]
    fn a_nonce_is_stored_once_per_participant() {
        let mut chat = Chat::default();
        let Said::New(line) = say(&mut chat, "ada", "n1", "hello") else {
            panic!("it is new");
        };
        assert_eq!(
            say(&mut chat, "ada", "n1", "hello"),
            Said::Known {
                id: line.message.id
            }
        );
        assert!(matches!(say(&mut chat, "bob", "n1", "hello"), Said::New(_)));
        assert_eq!(chat.history().len(), 2);
    }

    #[test]
    fn the_history_keeps_its_length_and_the_numbers_go_on() {
        let mut chat = Chat::default();
        for i in 0..HISTORY + 5 {
            assert!(matches!(
                say(&mut chat, "ada", &format!("n{i}"), "x"),
                Said::New(_)
            ));
        }
        let history = chat.history();
        assert_eq!(history.len(), HISTORY);
        assert_eq!(history[0].id, "6");
    }

    #[test]
    fn a_line_has_a_text_of_bounded_size() {
        let mut chat = Chat::default();
        for (nonce, text) in [
            ("", "x"),
            ("n", " \n"),
            ("n", "x".repeat(MAX_CHAT_BYTES + 1).as_str()),
        ] {
            assert!(matches!(
                say(&mut chat, "ada", nonce, text),
                Said::Refused { .. }
            ));
        }
    }
}
