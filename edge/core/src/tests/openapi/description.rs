//! What is said of an operation: what it takes, answers and refuses.

use protocol::api::Problem;
use protocol::id::{Region, RoomId};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::problem::Kind;

/// A type of the wire.
pub type Typed = fn(&mut SchemaGenerator) -> Schema;

/// Who asks, and how that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    Anybody,
    /// By an access token that is no guest's.
    Account,
    /// By an access token, a guest's as well.
    AccountOrGuest,
    /// By a key of an account, or by an access token that is no guest's.
    Key,
    /// By the refresh cookie, if there is one.
    Cookie,
    /// By a node's token.
    Node,
}

/// A parameter of the address.
pub struct Parameter {
    pub name: &'static str,
    pub about: &'static str,
    pub of: Typed,
}

/// The body of a request.
pub struct Body {
    pub of: Typed,
    /// Whether there may be none.
    pub optional: bool,
}

/// An answer that is no refusal.
pub struct Answer {
    pub status: u16,
    pub about: &'static str,
    /// The type of its content, and what that is.
    pub content: Option<(&'static str, Typed)>,
    /// Headers beside those of every answer, and what they say.
    pub headers: Vec<(&'static str, &'static str)>,
}

/// What is said of an operation.
pub struct Description {
    pub tag: &'static str,
    pub summary: &'static str,
    pub details: &'static str,
    pub caller: Caller,
    pub parameters: Vec<Parameter>,
    pub query: Option<Typed>,
    pub body: Option<Body>,
    pub answers: Vec<Answer>,
    pub refusals: Vec<Kind>,
    /// Whether an `Idempotency-Key` may name it.
    pub is_done_once: bool,
}

impl Description {
    /// An operation. Everybody is refused who asks too often.
    pub fn new(tag: &'static str, caller: Caller, summary: &'static str) -> Self {
        let by_caller: &[Kind] = match caller {
            Caller::Anybody => &[],
            Caller::Account => &[Kind::Unauthenticated, Kind::Guest],
            Caller::AccountOrGuest => &[Kind::Unauthenticated],
            Caller::Key => &[Kind::Unauthenticated, Kind::Guest, Kind::OutOfScope],
            Caller::Cookie => &[Kind::Forbidden],
            Caller::Node => &[Kind::Unauthenticated, Kind::UpgradeRequired],
        };
        Self {
            tag,
            summary,
            details: "",
            caller,
            parameters: Vec::new(),
            query: None,
            body: None,
            answers: Vec::new(),
            refusals: [by_caller, &[Kind::TooManyAttempts]].concat(),
            is_done_once: false,
        }
    }

    /// What is to be known besides.
    pub fn details(mut self, details: &'static str) -> Self {
        self.details = details;
        self
    }

    /// Its address has this parameter.
    pub fn parameter<T: JsonSchema>(mut self, name: &'static str, about: &'static str) -> Self {
        let of = of::<T>;
        self.parameters.push(Parameter { name, about, of });
        self
    }

    /// It is about a room, which there may not be.
    pub fn of_room(self) -> Self {
        self.of_room_by_name().refuses(&[Kind::RoomRetired])
    }

    /// It names a room, which is not asked whether it was retired.
    pub fn of_room_by_name(self) -> Self {
        let about = self.parameter::<RoomId>("id", "The room.");
        about.refuses(&[Kind::NotFound])
    }

    /// It is about a region.
    pub fn of_region(self) -> Self {
        let about = self.parameter::<Region>("region", "The region.");
        about.refuses(&[Kind::NotFound])
    }

    /// It is about one of several.
    pub fn of_id(mut self, name: &'static str, about: &'static str) -> Self {
        self.parameters.push(Parameter {
            name,
            about,
            of: of::<String>,
        });
        self.refuses(&[Kind::NotFound])
    }

    /// It is done once for each `Idempotency-Key`.
    pub fn once(mut self) -> Self {
        self.is_done_once = true;
        self.refuses(&[
            Kind::UnderWay,
            Kind::KeyReused,
            Kind::Malformed,
            Kind::Forbidden,
        ])
    }

    /// It takes a query: each field of the type is a parameter.
    pub fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(of::<T>);
        self
    }

    /// It takes a body.
    pub fn body<T: JsonSchema>(self) -> Self {
        self.with_body::<T>(false)
    }

    /// It takes a body of which everything may be left out, and so the body.
    pub fn optional_body<T: JsonSchema>(self) -> Self {
        self.with_body::<T>(true)
    }

    fn with_body<T: JsonSchema>(mut self, optional: bool) -> Self {
        self.body = Some(Body {
            of: of::<T>,
            optional,
        });
        self.refuses(&[
            Kind::Malformed,
            Kind::TooLarge,
            Kind::NotJson,
            Kind::Invalid,
        ])
    }

    /// It answers JSON.
    pub fn answers<T: JsonSchema>(self, status: u16, about: &'static str) -> Self {
        self.with_answer(status, about, Some(("application/json", of::<T>)))
    }

    /// It answers plain text.
    pub fn answers_text(self, about: &'static str) -> Self {
        self.with_answer(200, about, Some(("text/plain", of::<String>)))
    }

    /// It answers nothing.
    pub fn answers_nothing(self, about: &'static str) -> Self {
        self.with_answer(204, about, None)
    }

    /// It sends a browser elsewhere.
    pub fn redirects(self, about: &'static str) -> Self {
        let about = self.with_answer(303, about, None);
        about.header("Location", "Where.")
    }

    /// It answers with a WebSocket.
    pub fn answers_websocket(self, about: &'static str) -> Self {
        let about = self.with_answer(101, about, None);
        about.refuses(&[Kind::UpgradeRequired])
    }

    fn with_answer(
        mut self,
        status: u16,
        about: &'static str,
        content: Option<(&'static str, Typed)>,
    ) -> Self {
        self.answers.push(Answer {
            status,
            about,
            content,
            headers: Vec::new(),
        });
        self
    }

    /// The last answer has this header.
    pub fn header(mut self, name: &'static str, about: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.push((name, about));
        }
        self
    }

    /// It refuses for these reasons, too.
    pub fn refuses(mut self, kinds: &[Kind]) -> Self {
        self.refusals.extend(kinds);
        self
    }
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// What every refusal is.
pub fn problem(generator: &mut SchemaGenerator) -> Schema {
    of::<Problem>(generator)
}
