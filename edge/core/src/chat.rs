//! Chat: lines that are stored once, however often they are sent, and of which a room keeps so many.

use std::collections::VecDeque;

use protocol::client::{ChatMessage, ErrorCode, MAX_CHAT_BYTES};
use protocol::id::UserId;

/// How many lines a newcomer is shown. As many are held in memory.
pub const HISTORY: usize = 200;
/// Longest nonce, in bytes.
const MAX_NONCE_BYTES: usize = 64;

/// How many lines a room keeps, and how many bytes they may take as they are stored: a large event of years, and a
/// fortieth of what a Durable Object can hold (10 GB).
const MAX_LINES: u64 = 1_000_000;
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// A stored line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Counts up by one.
    pub number: u64,
    pub message: ChatMessage,
}

/// How much chat is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    pub lines: u64,
    pub bytes: u64,
}

impl Kept {
    /// Whether the oldest line has to go.
    pub fn is_too_much(self) -> bool {
        self.lines > MAX_LINES || self.bytes > MAX_BYTES
    }
}

/// The latest lines of a room, the oldest first.
#[derive(Debug, Default)]
pub struct Chat {
    lines: VecDeque<Line>,
    /// The number of the latest line, even if that one cannot be read.
    latest: u64,
}

impl Chat {
    /// Takes up the latest of the stored lines, the oldest first, and the highest number among all that are stored.
    pub fn restore(lines: Vec<Line>, latest: u64) -> Self {
        Self {
            lines: lines.into(),
            latest,
        }
    }

    /// The id of the line that this user has sent under this nonce, if it is one of the latest.
    pub fn find(&self, user: &UserId, nonce: &str) -> Option<String> {
        let mut lines = self.lines.iter().rev().map(|line| &line.message);
        lines
            .find(|message| message.nonce == nonce && message.user.as_ref() == Some(user))
            .map(|message| message.id.clone())
    }

    /// What was one user's is another's from now on.
    pub fn inherit(&mut self, from: &UserId, to: &UserId) {
        for Line { message, .. } in &mut self.lines {
            if message.user.as_ref() == Some(from) {
                message.user = Some(to.clone());
            }
        }
    }

    /// Takes a line up as the latest. It gets the next number as its id.
    pub fn add(&mut self, mut message: ChatMessage) -> Line {
        self.latest += 1;
        message.id = self.latest.to_string();
        let line = Line {
            number: self.latest,
            message,
        };
        self.lines.push_back(line.clone());
        if self.lines.len() > HISTORY {
            self.lines.pop_front();
        }
        line
    }

    /// The latest lines, the oldest first.
    pub fn history(&self) -> Vec<ChatMessage> {
        self.lines.iter().map(|line| line.message.clone()).collect()
    }
}

/// Whether a line has the form of one; else why it is refused.
pub fn check(nonce: &str, text: &str) -> Result<(), (ErrorCode, &'static str)> {
    if nonce.is_empty() || nonce.len() > MAX_NONCE_BYTES {
        return Err((ErrorCode::Malformed, "a nonce has 1 to 64 bytes"));
    }
    if text.len() > MAX_CHAT_BYTES {
        return Err((
            ErrorCode::TooLarge,
            "a line of chat has at most 4,000 bytes",
        ));
    }
    if text.trim().is_empty() {
        return Err((ErrorCode::Malformed, "a line of chat has a text"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(who: &str, nonce: &str) -> ChatMessage {
        ChatMessage {
            id: String::new(),
            nonce: nonce.into(),
            participant: who.parse().unwrap(),
            user: Some(who.parse().unwrap()),
            name: who.into(),
            text: "x".into(),
            sent_at: 7,
        }
    }

    #[test]
    fn a_line_is_known_by_its_user_and_nonce() {
        let mut chat = Chat::default();
        let mut line = message("ada", "n1");
        line.participant = "another".parse().unwrap();
        chat.add(line);
        let known = |who: &str, nonce: &str| chat.find(&who.parse().unwrap(), nonce);
        assert_eq!(known("ada", "n1").as_deref(), Some("1"));
        assert_eq!(known("ada", "n2"), None);
        assert_eq!(known("bob", "n1"), None);
    }

    #[test]
    fn the_history_keeps_its_length_and_the_numbers_go_on() {
        let mut chat = Chat::default();
        for i in 0..HISTORY + 5 {
            chat.add(message("ada", &format!("n{i}")));
        }
        let history = chat.history();
        assert_eq!(history.len(), HISTORY);
        assert_eq!(history[0].id, "6");
        // The latest two cannot be read: their numbers are not given to others.
        let mut restored = Chat::restore(Vec::from(chat.lines), 207);
        assert_eq!(restored.add(message("ada", "next")).number, 208);
    }

    #[test]
    fn a_line_has_a_nonce_and_a_text_of_bounded_size() {
        let long = "x".repeat(MAX_CHAT_BYTES + 1);
        let (nonce, longest) = ("n".repeat(MAX_NONCE_BYTES), "x".repeat(MAX_CHAT_BYTES));
        for (nonce, text, fine) in [
            ("", "x", false),
            (&format!("{nonce}n"), "x", false),
            ("n", " \n", false),
            ("n", &long, false),
            (&nonce, &longest, true),
        ] {
            assert_eq!(check(nonce, text).is_ok(), fine, "{nonce}");
        }
    }

    #[test]
    fn the_oldest_line_goes_when_there_are_too_many_or_too_many_bytes() {
        for (lines, bytes, too_much) in [
            (MAX_LINES, MAX_BYTES, false),
            (MAX_LINES + 1, 0, true),
            (1, MAX_BYTES + 1, true),
        ] {
            assert_eq!(Kept { lines, bytes }.is_too_much(), too_much);
        }
    }
}
