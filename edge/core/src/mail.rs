//! Mail to the holder of an account: what it says, how long its link is good, and when it is tried again.
//!
//! Nothing that anybody wrote stands in a mail, a name neither: who signs up with somebody else's address could have us send
//! them whatever they like.

use protocol::id::UserId;
use serde::{Deserialize, Serialize};

use crate::table::{Table, integer, text};

/// How long the link to a new password is good, in milliseconds: longer than it takes until another may be asked for.
const RESET: u64 = 30 * 60 * 1000;
/// How long the link that confirms an address is good.
const VERIFICATION: u64 = 24 * 3_600 * 1000;
/// How long it is tried to tell of something.
const NOTICE: u64 = 3_600 * 1000;
/// How often a mail is tried.
const MAX_ATTEMPTS: u32 = 8;
/// The first pause between two attempts, and the longest, in milliseconds.
const PAUSE: u64 = 2_000;
const MAX_PAUSE: u64 = 3_600_000;

/// What a mail is for. An account has one of each at most: the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Leads to a new password.
    Reset,
    /// Confirms the address.
    Verify,
    /// Tells that there is a new password.
    Changed,
}

impl Kind {
    /// The name that it is stored under.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Verify => "verify",
            Self::Changed => "changed",
        }
    }

    fn lasts(self) -> u64 {
        match self {
            Self::Reset => RESET,
            Self::Verify => VERIFICATION,
            Self::Changed => NOTICE,
        }
    }

    /// The subject, and the text before and after the link.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Reset => (
                "Choose a new password",
                "Somebody, probably you, asked for a new password for your account at Connect. To choose one, open this within half \
                 an hour:",
                "If it was not you, do nothing: your password stays as it is.",
            ),
            Self::Verify => (
                "Confirm your e-mail address",
                "This address was given for an account at Connect. If that was you, open this within a day:",
                "If it was not you, do nothing.",
            ),
            Self::Changed => (
                "Your password was changed",
                "The password of your account at Connect was changed just now, and all other sessions were ended. If it was not you, \
                 choose a new one here:",
                "",
            ),
        }
    }

    /// Where its link leads, of which what is behind the # is not told any server.
    fn link(self, origin: &str, token: &str) -> String {
        match self {
            Self::Reset => format!("{origin}/reset#{token}"),
            Self::Verify => format!("{origin}/verify#{token}"),
            Self::Changed => format!("{origin}/reset"),
        }
    }

    /// The mail, as plain text.
    pub fn letter(self, origin: &str, token: &str) -> Letter {
        let (subject, before, after) = self.words();
        let link = self.link(origin, token);
        let text = format!("{before}\n\n{link}\n\n{after}");
        Letter {
            subject,
            text: text.trim_end().to_owned() + "\n",
        }
    }
}

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub subject: &'static str,
    pub text: String,
}

/// Mails that are to be sent, or whose links are good.
pub const MAILS: Table = Table {
    name: "mails",
    tag: "",
    since: 2,
    columns: &[
        text("kind").key(),
        text("nonce"),
        integer("expires"),
        integer("due").optional(),
        integer("attempts"),
    ],
    indexes: &[],
};

/// A mail. What is stored of it gives no link away: the token in that is signed, and neither it nor the key is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    pub kind: Kind,
    /// Random, and another for each mail; the same however often it is sent.
    pub nonce: String,
    /// Until when its link is good, in Unix milliseconds. It is gone as soon as the link was used.
    pub expires: u64,
    /// When it is tried next; absent once it is sent, or given up.
    pub due: Option<u64>,
    pub attempts: u32,
}

impl Mail {
    /// A mail to be sent now.
    pub fn new(kind: Kind, nonce: String, now: u64) -> Self {
        Self {
            kind,
            nonce,
            expires: now + kind.lasts(),
            due: Some(now),
            attempts: 0,
        }
    }

    /// What the signature in its link signs.
    pub fn claim(&self, user: &UserId) -> String {
        format!("mail {} {user} {}", self.kind.name(), self.nonce)
    }

    /// Whether its link is good.
    pub fn is_good(&self, now: u64) -> bool {
        now < self.expires
    }

    /// It was sent.
    pub fn sent(self) -> Self {
        Self { due: None, ..self }
    }

    /// It could not be sent this time. It is given up when it will never be, was tried often enough, or its link is no good by
    /// then.
    pub fn failed(self, for_good: bool, now: u64) -> Self {
        let attempts = self.attempts + 1;
        let due = now + pause(attempts);
        let again = !for_good && attempts < MAX_ATTEMPTS && due < self.expires;
        Self {
            attempts,
            due: again.then_some(due),
            ..self
        }
    }
}

/// How long to wait after so many attempts in vain, in milliseconds.
pub fn pause(attempts: u32) -> u64 {
    let tripled = 3_u64.saturating_pow(attempts.saturating_sub(1));
    PAUSE.saturating_mul(tripled).min(MAX_PAUSE)
}

/// The token in a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub user: UserId,
    pub signature: String,
}

impl Token {
    /// Reads one, of which nothing is verified.
    pub fn parse(text: &str) -> Option<Self> {
        let (user, signature) = text.trim().split_once('.')?;
        Some(Self {
            user: user.parse().ok()?,
            signature: signature.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 3] = [Kind::Reset, Kind::Verify, Kind::Changed];

    #[test]
    fn a_link_tells_its_secret_no_server_and_its_mail_nothing_that_somebody_wrote() {
        for kind in KINDS {
            let letter = kind.letter("https://connect.example", "ada.signed");
            let link = letter.text.lines().find(|line| line.starts_with("https"));
            let (path, fragment) = link.unwrap().split_once('#').unwrap_or((link.unwrap(), ""));
            assert!(!path.contains("signed"), "{path}");
            assert_eq!(fragment == "ada.signed", kind != Kind::Changed);
            assert!(
                letter.text.is_ascii() && letter.text.ends_with(".\n") || kind == Kind::Changed
            );
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        let token = Token::parse(" ada.signed\n").unwrap();
        assert_eq!(
            (token.user.as_str(), token.signature.as_str()),
            ("ada", "signed")
        );
        for bad in ["", "ada", ".signed", "a b.signed"] {
            assert_eq!(Token::parse(bad), None, "{bad:?} passed");
        }
    }

    #[test]
    fn what_a_link_is_for_whom_is_signed() {
        let ada: UserId = "ada".parse().unwrap();
        let mail = |kind, nonce: &str| Mail::new(kind, nonce.into(), 0).claim(&ada);
        let eve = Mail::new(Kind::Reset, "n".into(), 0).claim(&"eve".parse().unwrap());
        let claims = [
            mail(Kind::Reset, "n"),
            mail(Kind::Reset, "m"),
            mail(Kind::Verify, "n"),
            eve,
        ];
        for (at, claim) in claims.iter().enumerate() {
            assert!(!claims[..at].contains(claim), "{claim}");
        }
    }

    #[test]
    fn a_mail_is_tried_again_less_and_less_often_and_not_for_ever() {
        for kind in KINDS {
            let mut mail = Mail::new(kind, "n".into(), 1_000);
            let mut pauses = Vec::new();
            while let Some(at) = mail.due {
                assert!(mail.is_good(at));
                mail = mail.failed(false, at);
                pauses.extend(mail.due.map(|due| due - at));
            }
            assert!(pauses.is_sorted() && pauses[0] == PAUSE, "{pauses:?}");
            assert!(mail.attempts <= MAX_ATTEMPTS);
            assert!(
                (5..MAX_ATTEMPTS as usize).contains(&pauses.len()),
                "{pauses:?}"
            );
        }
        let mail = Mail::new(Kind::Verify, "n".into(), 0);
        assert_eq!(mail.clone().failed(true, 0).due, None);
        let sent = mail.sent();
        assert_eq!(sent.due, None);
        assert!(sent.is_good(VERIFICATION - 1) && !sent.is_good(VERIFICATION));
        assert_eq!(pause(u32::MAX), MAX_PAUSE);
    }
}
