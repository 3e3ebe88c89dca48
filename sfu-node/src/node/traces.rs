//! Joins that are followed: each step at this node becomes a span of the join's trace. Ids only.

use std::collections::HashMap;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use protocol::id::{Epoch, ParticipantId, RoomId};
use protocol::node::{NodeToRoom, RoomToNode, SessionRef};
use protocol::otlp::Span;
use protocol::trace::{SpanId, TraceParent, Trail};
use sfu_core::Step;

use crate::export::Exporter;
use crate::metrics;

/// Most joins that are followed at once.
const MAX_FOLLOWED: usize = 4_096;

/// The joins on their way at this node.
pub(super) struct Traces {
    exporter: Exporter,
    joins: HashMap<(RoomId, ParticipantId), Join>,
    /// Rooms that are opened for a join, whose links are not up yet.
    opening: HashMap<RoomId, (TraceParent, Instant)>,
}

struct Join {
    session: SessionRef,
    cause: TraceParent,
    /// When the step before was done, and the step that is awaited.
    since: Instant,
    awaits: Awaits,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaits {
    Answer,
    Ice,
    Dtls,
    FirstPacket,
}

impl Awaits {
    fn span(self) -> &'static str {
        match self {
            Self::Answer => "node.answer",
            Self::Ice => "node.ice",
            Self::Dtls => "node.dtls",
            Self::FirstPacket => "node.first-packet",
        }
    }
}

impl Traces {
    pub(super) fn new(exporter: Exporter) -> Self {
        Self {
            exporter,
            joins: HashMap::new(),
            opening: HashMap::new(),
        }
    }

    /// The room is opened for this join.
    pub(super) fn opens(&mut self, room: &RoomId, epoch: Epoch, trail: Option<&Trail>) {
        let Some(trail) = trail else {
            return;
        };
        tracing::info!(%room, epoch = epoch.0, request = %trail.request, "room opens for a join");
        if let Some(cause) = self.cause(trail)
            && self.opening.len() < MAX_FOLLOWED
        {
            self.opening.insert(room.clone(), (cause, Instant::now()));
        }
    }

    /// The room's link is up, or the room is here no more.
    pub(super) fn opened(&mut self, room: &RoomId, is_up: bool) {
        if let Some((cause, since)) = self.opening.remove(room) {
            let span = span(cause, "node.room-link", since, Instant::now());
            self.keep(
                cause,
                span.with("connect.room", room.as_str()).failed(!is_up),
            );
        }
    }

    /// A message of the room comes.
    pub(super) fn heard(&mut self, room: &RoomId, message: &RoomToNode) {
        match message {
            RoomToNode::Offer {
                participant,
                attempt,
                trail: Some(trail),
                ..
            } => {
                let session = SessionRef {
                    participant: participant.clone(),
                    attempt: *attempt,
                };
                self.offered(room, session, trail);
            }
            // It is over before it came to anything, and somebody wants it so.
            RoomToNode::Offer { participant, .. } | RoomToNode::Close { participant, .. } => {
                self.joins.remove(&(room.clone(), participant.clone()));
            }
            RoomToNode::Release => self.joins.retain(|(of, _), _| of != room),
            _ => {}
        }
    }

    fn offered(&mut self, room: &RoomId, session: SessionRef, trail: &Trail) {
        tracing::info!(
            %room,
            participant = %session.participant,
            attempt = session.attempt.0,
            request = %trail.request,
            "offer of a join"
        );
        let Some(cause) = self.cause(trail) else {
            return;
        };
        if self.joins.len() >= MAX_FOLLOWED {
            return metrics::spans_dropped(1);
        }
        let key = (room.clone(), session.participant.clone());
        let join = Join {
            session,
            cause,
            since: Instant::now(),
            awaits: Awaits::Answer,
        };
        self.joins.insert(key, join);
    }

    /// A message goes to the room.
    pub(super) fn told(&mut self, room: &RoomId, message: &NodeToRoom) {
        match message {
            NodeToRoom::Answer {
                participant,
                attempt,
                ..
            } => {
                let session = SessionRef {
                    participant: participant.clone(),
                    attempt: *attempt,
                };
                self.comes_to(
                    room,
                    &session,
                    Awaits::Answer,
                    Some(Awaits::Ice),
                    Instant::now(),
                );
            }
            NodeToRoom::Refused { participant, .. }
            | NodeToRoom::Disconnected { participant, .. } => self.fails(room, participant),
            _ => {}
        }
    }

    /// A session has come so far.
    pub(super) fn stepped(&mut self, room: &RoomId, session: &SessionRef, step: Step, at: Instant) {
        let (done, next) = match step {
            Step::Nominated => (Awaits::Ice, Some(Awaits::Dtls)),
            Step::Connected => (Awaits::Dtls, Some(Awaits::FirstPacket)),
            Step::FirstPacket => (Awaits::FirstPacket, None),
        };
        self.comes_to(room, session, done, next, at);
    }

    fn comes_to(
        &mut self,
        room: &RoomId,
        session: &SessionRef,
        done: Awaits,
        next: Option<Awaits>,
        at: Instant,
    ) {
        let key = (room.clone(), session.participant.clone());
        let Some(join) = self.joins.get_mut(&key) else {
            return;
        };
        if join.session != *session || join.awaits != done {
            return;
        }
        let cause = join.cause;
        // The client may have chosen its path before the answer was on its way to the room.
        let span = named(span(cause, done.span(), join.since, at), &key);
        match next {
            Some(next) => (join.since, join.awaits) = (at.max(join.since), next),
            None => {
                self.joins.remove(&key);
            }
        }
        self.keep(cause, span);
    }

    fn fails(&mut self, room: &RoomId, participant: &ParticipantId) {
        let key = (room.clone(), participant.clone());
        if let Some(join) = self.joins.remove(&key)
            // Who is connected and was sent nothing yet has lost no join.
            && join.awaits != Awaits::FirstPacket
        {
            let span = span(join.cause, join.awaits.span(), join.since, Instant::now());
            self.keep(join.cause, named(span, &key).failed(true));
        }
    }

    fn cause(&self, trail: &Trail) -> Option<TraceParent> {
        trail.traceparent.filter(|_| self.exporter.is_on())
    }

    /// What is not sampled is exported all the same where it failed.
    fn keep(&self, cause: TraceParent, span: Span) {
        if cause.sampled || span.failed {
            self.exporter.export(span);
        }
    }
}

fn span(cause: TraceParent, name: &'static str, since: Instant, until: Instant) -> Span {
    let id = SpanId(rand::random());
    Span::of(cause, id, name, (unix(since), unix(until)))
}

fn named(span: Span, (room, participant): &(RoomId, ParticipantId)) -> Span {
    span.with("connect.room", room.as_str())
        .with("connect.participant", participant.as_str())
}

/// Unix time in nanoseconds.
fn unix(at: Instant) -> u64 {
    let then = SystemTime::now() - at.elapsed();
    then.duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_nanos() as u64)
}
