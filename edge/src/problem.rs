//! Errors of the HTTP API: problem documents (RFC 9457).

use edge_core::limits::{Policy, seconds};
use edge_core::problem::Kind;
use edge_core::room::{MESSAGES, NoTicket, NotAdmitted, TICKETS};
use protocol::api::{FieldError, Problem};
use protocol::developer::KeyScope;
use serde_json::json;
use worker::{Response, ResponseBuilder};

use crate::log;

/// What a request comes to, if it is not refused.
pub type Outcome<T> = Result<T, Refusal>;

/// Why a request is not answered as it wished.
#[derive(Debug)]
pub struct Refusal {
    pub problem: Box<Problem>,
    /// Headers beside those that every problem has.
    pub headers: Vec<(&'static str, String)>,
}

/// The headers that the refusal of a Durable Object has, and so the Worker's.
pub const PASSED_ON: [&str; 3] = [RETRY_AFTER, "ratelimit-policy", "ratelimit"];
const RETRY_AFTER: &str = "retry-after";

impl Refusal {
    fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            problem: Box::new(Problem {
                kind: format!("/problems/{}", kind.name()),
                title: kind.title().into(),
                status: kind.status(),
                detail: detail.into(),
                errors: Vec::new(),
            }),
            headers: Vec::new(),
        }
    }

    /// 400: the request is not of the form that it must have.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, detail)
    }

    /// 422: these fields are at fault.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = errors
            .iter()
            .map(|error| format!("{}: {}", error.field, error.message))
            .collect::<Vec<_>>()
            .join("; ");
        let mut refusal = Self::new(Kind::Invalid, detail);
        refusal.problem.errors = errors;
        refusal
    }

    /// 422: this field is at fault.
    pub fn invalid_field(field: &str, message: &str) -> Self {
        Self::invalid(vec![FieldError {
            field: field.into(),
            message: message.into(),
        }])
    }

    /// 401: the same for a wrong password and an unknown address.
    pub fn wrong_credentials() -> Self {
        let detail = "no account has this e-mail address and password";
        Self::new(Kind::WrongCredentials, detail)
    }

    /// 403: the password that is asked for beside a session. No 401, as the session is good.
    pub fn wrong_password() -> Self {
        let detail = "this is not the account's password";
        let mut refusal = Self::new(Kind::WrongPassword, detail);
        refusal.problem.errors = vec![FieldError {
            field: "password".into(),
            message: detail.into(),
        }];
        refusal
    }

    /// 403: the account has no password to ask for.
    pub fn not_fresh() -> Self {
        let detail = "this takes a sign-in of the last ten minutes: sign in again";
        Self::new(Kind::NotFresh, detail)
    }

    /// 403: the installation asks for it.
    pub fn unverified() -> Self {
        let detail = "confirm your e-mail address first: a mail with a link is sent from your account's page";
        Self::new(Kind::Unverified, detail)
    }

    /// 403: the same for whatever is wrong with it.
    pub fn bad_link() -> Self {
        let detail =
            "this link was used, is too old, or another one was asked for since: ask for a new one";
        Self::new(Kind::BadLink, detail)
    }

    /// 503: the same for everybody.
    pub fn no_mail() -> Self {
        let detail = "no mail can be sent from here: ask whoever runs this server";
        Self::new(Kind::NoMail, detail)
    }

    /// 401: a token is missing or not good.
    pub fn unauthenticated(detail: &str) -> Self {
        Self::new(Kind::Unauthenticated, detail)
    }

    /// 403: known, and not allowed.
    pub fn forbidden(detail: &str) -> Self {
        Self::new(Kind::Forbidden, detail)
    }

    /// 403: a guest's token, where an account is needed or another room is meant.
    pub fn guest() -> Self {
        let detail = "this is the token of a guest, and good for one room alone: sign in or create an account";
        Self::new(Kind::Guest, detail)
    }

    /// 403: the room has a password, and none was shown.
    pub fn password_needed() -> Self {
        let detail = "this room has a password: ask whoever invited you";
        Self::new(Kind::RoomPasswordNeeded, detail)
    }

    /// 403.
    pub fn wrong_room_password() -> Self {
        let detail = "this is not the room's password: ask whoever invited you";
        Self::new(Kind::WrongRoomPassword, detail)
    }

    /// 403: the key is good, and not for this.
    pub fn out_of_scope(scope: KeyScope) -> Self {
        let scope = serde_json::to_string(&scope).unwrap_or_default();
        let detail = format!("this key was made without the scope {scope}: make another one");
        Self::new(Kind::OutOfScope, detail)
    }

    /// 409: there are as many of this kind as there may be.
    pub fn enough(detail: &str) -> Self {
        Self::new(Kind::Enough, detail)
    }

    /// 409: the first request with this key has no answer yet.
    pub fn under_way() -> Self {
        let detail =
            "the first request with this Idempotency-Key is under way: send it again in a moment";
        let mut refusal = Self::new(Kind::UnderWay, detail);
        refusal.headers.push((RETRY_AFTER, "1".into()));
        refusal
    }

    /// 409: nothing is sent there.
    pub fn disabled() -> Self {
        let detail = "this webhook is disabled: enable it first";
        Self::new(Kind::Disabled, detail)
    }

    /// 409: they have no connection just now.
    pub fn away(detail: &str) -> Self {
        Self::new(Kind::Away, detail)
    }

    /// 422: an `Idempotency-Key` names one request.
    pub fn reused_key() -> Self {
        let detail = "another request was sent with this Idempotency-Key: each has one of its own";
        Self::new(Kind::KeyReused, detail)
    }

    /// 404.
    pub fn not_found(detail: &str) -> Self {
        Self::new(Kind::NotFound, detail)
    }

    /// 404: nothing has this address.
    pub fn no_address() -> Self {
        Self::not_found("the API has no such address")
    }

    /// 404: the same for every id that is not a room.
    pub fn no_room() -> Self {
        Self::not_found("there is no room with this id")
    }

    /// 410: there was a room with this id.
    pub fn retired() -> Self {
        let detail = "nobody had used this room for long, so it was retired, with all that was in it: ask its host for a new one";
        Self::new(Kind::RoomRetired, detail)
    }

    /// 405, with the methods that the address takes.
    pub fn method_not_allowed(methods: String) -> Self {
        let detail = format!("this address takes {methods}");
        let mut refusal = Self::new(Kind::MethodNotAllowed, detail);
        refusal.headers.push(("allow", methods));
        refusal
    }

    /// 409: there is an account with this address.
    pub fn taken() -> Self {
        let mut refusal = Self::new(
            Kind::AddressTaken,
            "there is an account with this e-mail address: sign in",
        );
        refusal.problem.errors = vec![FieldError {
            field: "email".into(),
            message: "there is an account with this e-mail address".into(),
        }];
        refusal
    }

    /// 409: the cookie is of another account than the page takes it for.
    pub fn other_account() -> Self {
        Self::new(
            Kind::OtherAccount,
            "this browser is signed in to another account now: sign in again, or go on with that one",
        )
    }

    /// 413: the body is longer than [`crate::http`] reads.
    pub fn too_large() -> Self {
        Self::new(Kind::TooLarge, "a body has at most 64 KiB")
    }

    /// 415: a form of a foreign page sends what is not JSON, and no page may send JSON elsewhere unasked.
    pub fn not_json() -> Self {
        Self::new(
            Kind::NotJson,
            "send JSON, and say so: Content-Type: application/json",
        )
    }

    /// 426 (RFC 9110, 15.5.22): here is a WebSocket only.
    pub fn upgrade_required() -> Self {
        Self::new(Kind::UpgradeRequired, "connect by WebSocket")
    }

    /// 429 (RFC 6585, 4), with the limit as draft-ietf-httpapi-ratelimit-headers-11 tells it; `wait` in milliseconds.
    pub fn too_many(policy: &Policy, wait: u64) -> Self {
        let seconds = seconds(wait);
        let detail = format!("too many attempts: try again in {seconds} s");
        let mut refusal = Self::new(Kind::TooManyAttempts, detail);
        refusal.headers = vec![
            (RETRY_AFTER, seconds.to_string()),
            ("ratelimit-policy", policy.announced()),
            ("ratelimit", policy.spent(wait)),
        ];
        refusal
    }

    /// 503: more passwords are to be hashed than can be, or nobody is there to do it; `wait` in milliseconds.
    pub fn busy(wait: u64) -> Self {
        let seconds = seconds(wait);
        let detail = format!("too many passwords are looked at just now: try again in {seconds} s");
        let mut refusal = Self::new(Kind::Busy, detail);
        refusal.headers = vec![(RETRY_AFTER, seconds.to_string())];
        refusal
    }

    /// Whether it is [`Self::busy`]: no password was looked at.
    pub fn is_busy(&self) -> bool {
        self.kind() == Kind::Busy.name()
    }

    /// 500. What happened is in the log, not in the answer.
    pub fn internal() -> Self {
        Self::new(Kind::Internal, "a fault of ours: try again")
    }

    /// The last part of the problem's type: what it is counted by.
    pub fn kind(&self) -> &str {
        let kind = &self.problem.kind;
        kind.rsplit('/').next().unwrap_or(kind)
    }

    /// The problem document as a response.
    pub fn into_response(self) -> worker::Result<Response> {
        let mut builder = ResponseBuilder::new()
            .with_status(self.problem.status)
            .with_header("content-type", "application/problem+json")?;
        for (name, value) in &self.headers {
            builder = builder.with_header(name, value)?;
        }
        if self.problem.status == 401 {
            builder = builder.with_header("www-authenticate", "Bearer")?;
        }
        Ok(builder.fixed(serde_json::to_vec(&self.problem)?))
    }
}

impl From<NoTicket> for Refusal {
    fn from(reason: NoTicket) -> Self {
        let kind = match reason {
            NoTicket::TooMany { wait } => {
                return Self::too_many(&Policy::new("tickets", TICKETS), wait);
            }
            NoTicket::Removed { .. } => Kind::Removed,
            NoTicket::NoGuests => Kind::NoGuests,
            NoTicket::Banned => Kind::Banned,
            NoTicket::Locked => Kind::RoomLocked,
            NoTicket::NotOpenYet { .. } => Kind::NotOpenYet,
            NoTicket::Full { .. } => Kind::RoomFull,
            NoTicket::TooOften { .. } => Kind::TooOftenHere,
            NoTicket::LobbyFull => Kind::LobbyFull,
        };
        let mut refusal = Self::new(kind, reason.to_string());
        if let NoTicket::Removed { wait } | NoTicket::NotOpenYet { wait } = reason {
            refusal
                .headers
                .push((RETRY_AFTER, seconds(wait).to_string()));
        }
        refusal
    }
}

impl From<NotAdmitted> for Refusal {
    fn from(reason: NotAdmitted) -> Self {
        let detail = reason.to_string();
        match reason {
            NotAdmitted::Ticket => Self::new(Kind::BadTicket, detail),
            NotAdmitted::Resume => Self::new(Kind::BadResumeToken, detail),
            NotAdmitted::TooOften => Self::new(Kind::TooOftenHere, detail),
            NotAdmitted::SentAway { wait } => {
                Self::too_many(&Policy::new("messages", MESSAGES), wait)
            }
            NotAdmitted::StaleEpoch => Self::new(Kind::StaleEpoch, detail),
        }
    }
}

/// Faults of the platform or of ours. What happened is logged, and nobody else's business.
impl From<worker::Error> for Refusal {
    fn from(error: worker::Error) -> Self {
        log::fault(&error.to_string(), json!({}));
        Self::internal()
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        worker::Error::from(error).into()
    }
}
