//! The request at hand: by its id every line of the log is found that is about it, by its trace every span. Both go with each
//! call to an object and with each message to a node.
//!
//! An isolate does many things at once, so what is at hand is told anew whenever one of them goes on ([`within`]).

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;

use protocol::otlp::Span;
use protocol::trace::{RequestId, SpanId, TraceId, TraceParent, Trail};
use worker::{Date, Env, Headers, Request, Result};

use crate::{config, crypto};

/// The headers in which both go from the Worker to its objects, and the first back to whoever has asked.
pub const REQUEST_ID: &str = "x-request-id";
pub const TRACEPARENT: &str = "traceparent";

/// A request, or what is done for one in an object.
pub struct Following {
    pub request: RequestId,
    /// The span of what is done here.
    here: Cell<TraceParent>,
    /// The span that has caused it.
    cause: Cell<Option<SpanId>>,
    spans: RefCell<Vec<Span>>,
}

thread_local! {
    static AT_HAND: RefCell<Option<Rc<Following>>> = const { RefCell::new(None) };
}

/// What is at hand, if anything is.
pub fn at_hand() -> Option<Rc<Following>> {
    AT_HAND.with_borrow(Clone::clone)
}

/// Does this for what is followed here.
pub async fn within<T>(following: Rc<Following>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        let before = AT_HAND.replace(Some(following.clone()));
        let polled = work.as_mut().poll(context);
        AT_HAND.set(before);
        polled
    })
    .await
}

/// Unix time in nanoseconds.
pub fn now() -> u64 {
    Date::now().as_millis() * 1_000_000
}

/// A new span's id.
pub fn fresh() -> Result<SpanId> {
    Ok(SpanId(crypto::random()?))
}

impl Following {
    /// A request from outside. The id of a proxy is taken over if one is configured, and a trace from anybody; whether that is
    /// exported is for us to say.
    pub fn of(request: &Request, env: &Env) -> Result<Rc<Self>> {
        let headers = request.headers();
        let told = match config::request_id_header(env) {
            Some(name) => headers.get(&name)?.and_then(|id| id.try_into().ok()),
            None => None,
        };
        let id = match told {
            Some(id) => id,
            None => RequestId::new(crypto::random()?),
        };
        let here = TraceParent {
            trace: TraceId(crypto::random()?),
            span: fresh()?,
            sampled: false,
        };
        let following = Self::new(id, here, None);
        following.judge(env);
        if let Some(cause) = headers.get(TRACEPARENT)? {
            following.belongs_to(&cause, env);
        }
        Ok(following)
    }

    /// What the Worker, or another object, has asked an object for.
    pub fn asked(headers: &Headers) -> Result<Option<Rc<Self>>> {
        let id = headers.get(REQUEST_ID)?.and_then(|id| id.try_into().ok());
        let traceparent = headers.get(TRACEPARENT)?.and_then(|text| text.parse().ok());
        id.map(|request| {
            let trail = Trail {
                request,
                traceparent,
            };
            Self::along(&trail)
        })
        .transpose()
    }

    /// What is done later for a request.
    pub fn along(trail: &Trail) -> Result<Rc<Self>> {
        let cause = trail.traceparent;
        let here = TraceParent {
            trace: cause.map_or(TraceId([0; 16]), |cause| cause.trace),
            span: fresh()?,
            sampled: cause.is_some_and(|cause| cause.sampled),
        };
        let request = trail.request.clone();
        Ok(Self::new(request, here, cause.map(|cause| cause.span)))
    }

    fn new(request: RequestId, here: TraceParent, cause: Option<SpanId>) -> Rc<Self> {
        Rc::new(Self {
            request,
            here: Cell::new(here),
            cause: Cell::new(cause),
            spans: RefCell::default(),
        })
    }

    /// The request belongs to this trace, if it is one.
    pub fn belongs_to(&self, traceparent: &str, env: &Env) {
        if let Ok(cause) = traceparent.parse::<TraceParent>() {
            self.here.set(cause.child(self.here.get().span));
            self.cause.set(Some(cause.span));
            self.judge(env);
        }
    }

    /// Whether its trace is one of those that are exported.
    fn judge(&self, env: &Env) {
        let here = self.here.get();
        let sampled = here.trace.is_among(config::trace_share(env));
        self.here.set(TraceParent { sampled, ..here });
    }

    /// What is done next, here or elsewhere, is caused by this.
    pub fn here(&self) -> TraceParent {
        self.here.get()
    }

    /// What a message carries that is sent for it.
    pub fn trail(&self) -> Trail {
        Trail {
            request: self.request.clone(),
            traceparent: Some(self.here()),
        }
    }

    /// The span of what was done here since then.
    pub fn span(&self, name: &'static str, start: u64) -> Span {
        let here = self.here();
        Span {
            parent: self.cause.get(),
            ..Span::of(here, here.span, name, (start, now()))
        }
    }

    /// Has this exported with the rest: if its trace is among those that are, or if it is remarkable.
    pub fn keep(&self, span: Span, remarkable: bool) {
        if self.here().sampled || remarkable {
            self.spans.borrow_mut().push(span);
        }
    }

    /// What is to be exported.
    pub fn take(&self) -> Vec<Span> {
        self.spans.take()
    }
}
