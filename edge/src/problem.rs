//! Errors of the HTTP API: problem documents (RFC 9457).

use edge_core::limits::{Policy, seconds};
use edge_core::room::{MESSAGES, NoTicket, NotAdmitted, TICKETS};
use protocol::api::{FieldError, Problem};
use worker::{Response, ResponseBuilder, console_error};

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
    fn new(status: u16, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            problem: Box::new(Problem {
                kind: format!("/problems/{kind}"),
                title: title.into(),
                status,
                detail: detail.into(),
                errors: Vec::new(),
            }),
            headers: Vec::new(),
        }
    }

    /// 400: the request is not of the form that it must have.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(400, "malformed", "The request cannot be read", detail)
    }

    /// 422: these fields are at fault.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = errors
            .iter()
            .map(|error| format!("{}: {}", error.field, error.message))
            .collect::<Vec<_>>()
            .join("; ");
        let mut refusal = Self::new(422, "invalid", "A field is not acceptable", detail);
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
        Self::new(
            401,
            "wrong-credentials",
            "Wrong e-mail address or password",
            detail,
        )
    }

    /// 401: a token is missing or not good.
    pub fn unauthenticated(detail: &str) -> Self {
        Self::new(401, "unauthenticated", "Not signed in", detail)
    }

    /// 403: known, and not allowed.
    pub fn forbidden(detail: &str) -> Self {
        Self::new(403, "forbidden", "Not allowed", detail)
    }

    /// 403: a guest's token, where an account is needed or another room is meant.
    pub fn guest() -> Self {
        let detail = "this is the token of a guest, and good for one room alone: sign in or create an account";
        Self::new(403, "guest", "Not for guests", detail)
    }

    /// 403: the room has a password, and none was shown.
    pub fn password_needed() -> Self {
        let detail = "this room has a password: ask whoever invited you";
        Self::new(403, "room-password-needed", "A password is needed", detail)
    }

    /// 403.
    pub fn wrong_room_password() -> Self {
        let detail = "this is not the room's password: ask whoever invited you";
        Self::new(403, "wrong-room-password", "Wrong password", detail)
    }

    /// 404.
    pub fn not_found(detail: &str) -> Self {
        Self::new(404, "not-found", "There is no such thing", detail)
    }

    /// 404: the same for every id that is not a room.
    pub fn no_room() -> Self {
        Self::not_found("there is no room with this id")
    }

    /// 410: there was a room with this id.
    pub fn retired() -> Self {
        let detail = "nobody had used this room for long, so it was retired, with all that was in it: ask its host for a new one";
        Self::new(410, "room-retired", "The room was retired", detail)
    }

    /// 405, with the methods that the address takes.
    pub fn method_not_allowed(methods: &'static str) -> Self {
        let detail = format!("this address takes {methods}");
        let mut refusal = Self::new(405, "method-not-allowed", "Not possible here", detail);
        refusal.headers.push(("allow", methods.into()));
        refusal
    }

    /// 409: there is an account with this address.
    pub fn taken() -> Self {
        let mut refusal = Self::new(
            409,
            "address-taken",
            "The e-mail address is taken",
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
            409,
            "other-account",
            "Another account is signed in",
            "this browser is signed in to another account now: sign in again, or go on with that one",
        )
    }

    /// 413: the body is longer than [`crate::http`] reads.
    pub fn too_large() -> Self {
        Self::new(
            413,
            "too-large",
            "The body is too large",
            "a body has at most 64 KiB",
        )
    }

    /// 415: a form of a foreign page sends what is not JSON, and no page may send JSON elsewhere unasked.
    pub fn not_json() -> Self {
        Self::new(
            415,
            "not-json",
            "The body is not JSON",
            "send JSON, and say so: Content-Type: application/json",
        )
    }

    /// 426 (RFC 9110, 15.5.22): here is a WebSocket only.
    pub fn upgrade_required() -> Self {
        Self::new(
            426,
            "upgrade-required",
            "A WebSocket is needed",
            "connect by WebSocket",
        )
    }

    /// 429 (RFC 6585, 4), with the limit as draft-ietf-httpapi-ratelimit-headers-11 tells it; `wait` in milliseconds.
    pub fn too_many(policy: &Policy, wait: u64) -> Self {
        let seconds = seconds(wait);
        let detail = format!("too many attempts: try again in {seconds} s");
        let mut refusal = Self::new(429, "too-many-attempts", "Too many attempts", detail);
        refusal.headers = vec![
            (RETRY_AFTER, seconds.to_string()),
            ("ratelimit-policy", policy.announced()),
            ("ratelimit", policy.spent(wait)),
        ];
        refusal
    }

    /// 500. What happened is in the log, not in the answer.
    pub fn internal() -> Self {
        Self::new(
            500,
            "internal",
            "Something went wrong",
            "a fault of ours: try again",
        )
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
        let (kind, title) = match reason {
            NoTicket::TooMany { wait } => {
                return Self::too_many(&Policy::new("tickets", TICKETS), wait);
            }
            NoTicket::Removed { .. } => ("removed", "You were removed from this room"),
            NoTicket::NoGuests => ("no-guests", "An account is needed here"),
            NoTicket::Banned => ("banned", "You were banned from this room"),
            NoTicket::Locked => ("room-locked", "The room is locked"),
            NoTicket::NotOpenYet { .. } => ("not-open-yet", "The room is not open yet"),
            NoTicket::Full { .. } => ("room-full", "The room is full"),
            NoTicket::TooOften { .. } => ("too-often-here", "You are in this room already"),
            NoTicket::LobbyFull => ("lobby-full", "Too many people wait"),
        };
        let mut refusal = Self::new(403, kind, title, reason.to_string());
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
            NotAdmitted::Ticket => {
                Self::new(403, "bad-ticket", "The ticket does not admit", detail)
            }
            NotAdmitted::Resume => {
                Self::new(403, "bad-resume-token", "The token does not admit", detail)
            }
            NotAdmitted::TooOften => Self::new(
                403,
                "too-often-here",
                "You are in this room already",
                detail,
            ),
            NotAdmitted::SentAway { wait } => {
                Self::too_many(&Policy::new("messages", MESSAGES), wait)
            }
            NotAdmitted::StaleEpoch => {
                Self::new(409, "stale-epoch", "The placement is over", detail)
            }
        }
    }
}

/// Faults of the platform or of ours. What happened is logged, and nobody else's business.
impl From<worker::Error> for Refusal {
    fn from(error: worker::Error) -> Self {
        console_error!("{}", serde_json::json!({ "fault": error.to_string() }));
        Self::internal()
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        worker::Error::from(error).into()
    }
}
