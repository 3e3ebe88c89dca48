//! Requests that are sent again: who names one by an `Idempotency-Key` has it done once, and gets the same answer for a day.

use serde::{Deserialize, Serialize};

use crate::limits::Limit;
use crate::table::{Table, integer, text};

/// How long an answer is remembered, in milliseconds.
pub const KEPT: u64 = 24 * 3_600_000;
/// How long a request may be under way, in milliseconds. One that has not ended by then has lost its Worker: it is done again.
const UNDER_WAY: u64 = 60_000;
/// How many requests of an account are remembered.
pub const REMEMBERED: Limit = Limit {
    burst: 10_000,
    window: KEPT,
};
/// Longest key, in bytes.
const LONGEST: usize = 128;

/// What is remembered of an account's requests.
pub const REQUESTS: Table = Table {
    name: "requests",
    tag: "",
    since: 1,
    columns: &[
        text("who").key(),
        text("key").key(),
        text("fingerprint"),
        integer("seed"),
        integer("at"),
        integer("status").optional(),
        text("body").optional(),
    ],
    indexes: &[(1, "(at)")],
};

/// A request that was sent under a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// By which key to the API it came.
    pub who: String,
    pub key: String,
    /// SHA-256 of what it was.
    pub fingerprint: String,
    /// What is made for it is made out of this: made again, it is the same.
    pub seed: u64,
    /// When it came, in Unix milliseconds.
    pub at: u64,
    /// How it was answered, once it was.
    #[serde(default)]
    pub status: Option<u16>,
    #[serde(default)]
    pub body: Option<String>,
}

/// What is to be done about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// What it asks for, out of this seed.
    Do { seed: u64 },
    /// The answer that it had.
    Answer { status: u16, body: String },
    /// Nothing yet: the first one is under way.
    Wait,
    /// Nothing: it is another one than the first.
    Refuse,
}

/// Whether this may be a key: visible ASCII, and not too long.
pub fn is_key(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What is due about a request with this fingerprint, if the former under its key was this.
pub fn due(former: Option<&Remembered>, fingerprint: &str, fresh: u64, now: u64) -> Due {
    let Some(former) = former.filter(|former| now < former.at + KEPT) else {
        return Due::Do { seed: fresh };
    };
    if former.fingerprint != fingerprint {
        return Due::Refuse;
    }
    match (former.status, &former.body) {
        (Some(status), Some(body)) => Due::Answer {
            status,
            body: body.clone(),
        },
        _ if now < former.at + UNDER_WAY => Due::Wait,
        _ => Due::Do { seed: former.seed },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_done_once_and_answered_again() {
        let under_way = Remembered {
            who: "7c".into(),
            key: "k".into(),
            fingerprint: "print".into(),
            seed: 7,
            at: 1_000,
            status: None,
            body: None,
        };
        let answered = Remembered {
            status: Some(201),
            body: Some("{}".into()),
            ..under_way.clone()
        };
        let answer = || Due::Answer {
            status: 201,
            body: "{}".into(),
        };
        let (fresh, again) = (Due::Do { seed: 9 }, Due::Do { seed: 7 });
        let day = 1_000 + KEPT;
        for (former, fingerprint, now, expected) in [
            (None, "print", 1_000, fresh.clone()),
            (Some(&under_way), "print", 1_001, Due::Wait),
            (Some(&under_way), "print", 60_999, Due::Wait),
            (Some(&under_way), "print", 61_000, again),
            (Some(&under_way), "other", 1_001, Due::Refuse),
            (Some(&answered), "print", 1_001, answer()),
            (Some(&answered), "print", day - 1, answer()),
            (Some(&answered), "other", day - 1, Due::Refuse),
            (Some(&answered), "other", day, fresh.clone()),
            (Some(&under_way), "print", day, fresh),
        ] {
            assert_eq!(
                due(former, fingerprint, 9, now),
                expected,
                "{former:?} {fingerprint} at {now}"
            );
        }
    }

    #[test]
    fn a_key_is_short_and_visible() {
        for (text, good) in [
            ("a", true),
            ("8e03978e-40d5-43e8-bc93-6894a57f9324", true),
            ("", false),
            ("a b", false),
            ("é", false),
            ("a\n", false),
        ] {
            assert_eq!(is_key(text), good, "{text:?}");
        }
        assert!(is_key(&"k".repeat(128)) && !is_key(&"k".repeat(129)));
    }
}
