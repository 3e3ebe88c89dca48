//! Media sessions: offers on their way to a node, answers on their way back, and their ends.

use protocol::client::{ErrorCode, Offer, ServerMessage};
use protocol::id::{Attempt, ParticipantId};
use protocol::node::{RefusalReason, RoomToNode};
use protocol::trace::Trail;

use super::nodes::{Link, Placed};
use super::people::{Media, Person, Presence, Session, SessionState};
use super::placement::RETRY;
use super::{Effect, Negotiation, NodeLink, Room};

/// How many media sessions a user may have at once for tickets that are not used yet. Nodes hold them for nobody, so who
/// joins over and over offers anew for the oldest.
const EARLY: usize = 8;

impl Room {
    /// Takes an offer from somebody who has a ticket and no WebSocket yet.
    pub(super) fn offered_early(
        &mut self,
        participant: &ParticipantId,
        offer: Offer,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        self.offered(participant, offer, now, out);
        let Some(user) = self.people.get(participant).map(|person| &person.user) else {
            return;
        };
        let early = |person: &&Person| {
            person.user == *user
                && person.live_attempt().is_some()
                && matches!(person.presence, Presence::Expected { .. })
        };
        if self.people.values().filter(early).count() > EARLY
            && let Some(oldest) = self
                .people
                .values()
                .filter(early)
                .filter(|person| person.id != *participant)
                .min_by_key(|person| person.joined_at)
        {
            let oldest = oldest.id.clone();
            self.end_session(&oldest, out);
            self.over(&oldest, out);
        }
    }

    pub(super) fn offered(
        &mut self,
        participant: &ParticipantId,
        offer: Offer,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let attempt = offer.attempt;
        let Some(person) = self.people.get_mut(participant) else {
            return;
        };
        // Only a higher attempt is news; a repeated one is answered as the first was (`resume_media`). If the room
        // restarted meanwhile, what became of the first is lost, and the repeated one is taken in its place.
        let lost = !self.negotiations.contains_key(participant);
        let is_old = |session: Session| match session.state {
            SessionState::Offered | SessionState::Answered if lost => attempt < session.attempt,
            _ => attempt <= session.attempt,
        };
        if person.session.is_some_and(is_old) {
            return;
        }
        self.end_session(participant, out);
        self.bring_home(participant, now, out);
        if let Some(person) = self.people.get_mut(participant) {
            if person.session.is_none() {
                person.media = Media::Awaited { since: now };
            }
            person.session = Some(Session {
                attempt,
                state: SessionState::Offered,
            });
        }
        self.save_person(participant, out);
        let negotiation = Negotiation { offer, reply: None };
        self.negotiations.insert(participant.clone(), negotiation);
        self.questions.close(participant);
        self.forward(participant, now, out);
    }

    /// Hands a waiting offer to the person's node, if there is one and it is ready.
    pub(super) fn forward(&mut self, participant: &ParticipantId, now: u64, out: &mut Vec<Effect>) {
        let Some(person) = self.people.get(participant) else {
            return;
        };
        let caps = person.caps;
        let placed = person.node.as_ref().and_then(|node| self.nodes.get(node));
        let Some(placed) = placed.filter(|placed| placed.state == Link::Ready) else {
            return;
        };
        let Some(Negotiation { offer, reply: None }) = self.negotiations.get(participant) else {
            return;
        };
        let link = placed.named();
        let message = RoomToNode::Offer {
            participant: participant.clone(),
            attempt: offer.attempt,
            sdp: offer.sdp.clone(),
            sources: offer.sources.clone(),
            caps,
            breakout: self.subroom_of(&person.user).breakout(),
            trail: self.trails.get(participant).cloned(),
        };
        self.asks(participant, &link.node, now);
        out.push(Effect::Tell { link, message });
    }

    /// After a restart: an answer that was on its way may have been lost.
    pub(super) fn miss_answers(&mut self, now: u64) {
        let offered = |person: &&Person| {
            let session = person.session;
            session.is_some_and(|session| session.state == SessionState::Offered)
        };
        for person in self.people.values().filter(offered) {
            if let Some(node) = &person.node {
                self.questions.have_asked(&person.id, node, now);
            }
        }
    }

    /// Gives up nodes that do not answer: what they were asked, another one is.
    pub(super) fn expire_answers(&mut self, now: u64, out: &mut Vec<Effect>) {
        for participant in self.questions.overdue(now) {
            self.questions.give_up(&participant, now);
            self.end_session(&participant, out);
            self.vacate(&participant, now, out);
            // An offer without an answer is as good for the next node.
            if !self.is_waiting(&participant) {
                self.renegotiate(&participant, "the media node did not answer", out);
            }
        }
    }

    pub(super) fn answered(
        &mut self,
        link: &NodeLink,
        participant: &ParticipantId,
        attempt: Attempt,
        sdp: String,
        out: &mut Vec<Effect>,
    ) {
        if !self.has_session(link, participant, attempt) {
            return;
        }
        // A node says it again when it has dialed anew: it does not know what has arrived.
        let session = self
            .people
            .get(participant)
            .and_then(|person| person.session);
        if session.is_none_or(|session| session.state != SessionState::Offered) {
            return;
        }
        let Some(region) = self
            .nodes
            .get(&link.node)
            .map(|placed| placed.region.clone())
        else {
            return;
        };
        self.questions.close(participant);
        self.told.remove(participant);
        self.advance(participant, attempt, SessionState::Answered, out);
        let answer = ServerMessage::Answer {
            attempt,
            sdp,
            node: link.node.clone(),
            region,
        };
        if let Some(negotiation) = self.negotiations.get_mut(participant) {
            negotiation.reply = Some(answer.clone());
        }
        self.send(participant, answer, out);
    }

    /// Hands the ICE restart of a living session to its node. Without one the client is asked for a new offer.
    pub(super) fn restarts_ice(
        &mut self,
        participant: &ParticipantId,
        attempt: Attempt,
        sdp: String,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let Some(person) = self.people.get(participant) else {
            return;
        };
        if person.live_attempt() != Some(attempt) {
            return;
        }
        let placed = person.node.as_ref().and_then(|node| self.nodes.get(node));
        let ready = placed.filter(|placed| placed.state == Link::Ready);
        match ready.map(Placed::named) {
            Some(link) => {
                self.asks(participant, &link.node, now);
                out.push(Effect::Tell {
                    link,
                    message: RoomToNode::RestartIce {
                        participant: participant.clone(),
                        attempt,
                        sdp,
                    },
                });
            }
            None => self.renegotiate(participant, "the media node is away", out),
        }
    }

    /// ICE and DTLS are up, and media comes: the answer has arrived.
    pub(super) fn connected(
        &mut self,
        participant: &ParticipantId,
        attempt: Attempt,
        out: &mut Vec<Effect>,
    ) {
        // Somebody without a WebSocket can know no answer; theirs is kept whatever the node says.
        let is_news = |person: &Person| person.is_in() && person.media != Media::Heard;
        if self.people.get(participant).is_some_and(is_news) {
            self.negotiations.remove(participant);
            self.questions.close(participant);
            self.failed.remove(participant);
            self.trails.remove(participant);
            if let Some(person) = self.people.get_mut(participant) {
                person.media = Media::Heard;
            }
            self.advance(participant, attempt, SessionState::Connected, out);
        }
    }

    fn advance(
        &mut self,
        participant: &ParticipantId,
        attempt: Attempt,
        state: SessionState,
        out: &mut Vec<Effect>,
    ) {
        if let Some(person) = self.people.get_mut(participant) {
            person.session = Some(Session { attempt, state });
        }
        self.save_person(participant, out);
    }

    pub(super) fn refused(
        &mut self,
        participant: &ParticipantId,
        attempt: Attempt,
        reason: RefusalReason,
        message: String,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        match reason {
            RefusalReason::BadOffer => {
                let negotiation = self.negotiations.remove(participant);
                self.over(participant, out);
                let error = ServerMessage::Error {
                    code: ErrorCode::BadOffer,
                    message: format!("offer {}: {message}", attempt.0),
                    nonce: None,
                    of: Some("offer".to_owned()),
                    retry_after_ms: None,
                };
                let here = self.people.get(participant).is_some_and(Person::is_here);
                if let (false, Some(mut negotiation)) = (here, negotiation) {
                    negotiation.reply = Some(error);
                    self.negotiations.insert(participant.clone(), negotiation);
                } else {
                    self.send(participant, error, out);
                }
            }
            // The offer goes to another node as it is.
            RefusalReason::NoCapacity if self.is_waiting(participant) => {
                self.vacate(participant, now, out);
                self.retries.insert(participant.clone(), now + RETRY / 4);
            }
            RefusalReason::NoCapacity => {
                self.vacate(participant, now, out);
                self.renegotiate(participant, "the media node is full", out);
            }
        }
    }

    /// Whether this person's offer waits for its answer.
    pub(super) fn is_waiting(&self, participant: &ParticipantId) -> bool {
        let negotiation = self.negotiations.get(participant);
        negotiation.is_some_and(|negotiation| negotiation.reply.is_none())
    }

    pub(super) fn media_failed(
        &mut self,
        participant: &ParticipantId,
        attempt: Attempt,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let person = self.people.get(participant);
        if person.and_then(|person| person.live_attempt()) == Some(attempt) {
            self.end_session(participant, out);
            // Once may be the client's network. Twice in a row, the way to the node is no good.
            if !self.failed.insert(participant.clone()) {
                self.failed.remove(participant);
                self.vacate(participant, now, out);
            }
            self.renegotiate(participant, "the media connection failed", out);
        }
    }

    /// Tells a person's node that the session is over, if there is one.
    pub(super) fn end_session(&self, participant: &ParticipantId, out: &mut Vec<Effect>) {
        let Some(person) = self.people.get(participant) else {
            return;
        };
        let placed = person.node.as_ref().and_then(|node| self.nodes.get(node));
        if let (Some(attempt), Some(placed)) = (person.live_attempt(), placed) {
            out.push(Effect::Tell {
                link: placed.named(),
                message: RoomToNode::Close {
                    participant: participant.clone(),
                    attempt,
                },
            });
        }
    }

    /// The session is over: asks for a new offer.
    pub(super) fn renegotiate(
        &mut self,
        participant: &ParticipantId,
        reason: &str,
        out: &mut Vec<Effect>,
    ) {
        if let Some(attempt) = self.over(participant, out) {
            let message = ServerMessage::Renegotiate {
                attempt,
                reason: reason.to_owned(),
            };
            self.send(participant, message, out);
        }
    }

    /// Notes that a session is over; returns its attempt if it was alive.
    pub(super) fn over(
        &mut self,
        participant: &ParticipantId,
        out: &mut Vec<Effect>,
    ) -> Option<Attempt> {
        self.negotiations.remove(participant);
        self.questions.close(participant);
        let person = self.people.get_mut(participant)?;
        let attempt = person.live_attempt()?;
        person.session = Some(Session {
            attempt,
            state: SessionState::Over,
        });
        self.save_person(participant, out);
        Some(attempt)
    }

    /// Tells somebody who comes or is back what they may have missed of their own media: that is not in the log.
    pub(super) fn resume_media(&mut self, participant: &ParticipantId, out: &mut Vec<Effect>) {
        let Some(session) = self
            .people
            .get(participant)
            .and_then(|person| person.session)
        else {
            return;
        };
        let negotiation = self.negotiations.get(participant);
        let reply = negotiation.and_then(|negotiation| negotiation.reply.clone());
        match (session.state, reply) {
            (SessionState::Over, None) => {
                let message = ServerMessage::Renegotiate {
                    attempt: session.attempt,
                    reason: "the media session ended while you were away".to_owned(),
                };
                self.send(participant, message, out);
            }
            // A refusal is told once; after that, an offer is due.
            (SessionState::Over, Some(refusal)) => {
                self.negotiations.remove(participant);
                self.send(participant, refusal, out);
            }
            (_, Some(answer)) => self.send(participant, answer, out),
            // The room restarted, and what was said about this offer is lost.
            (SessionState::Offered | SessionState::Answered, None) if negotiation.is_none() => {
                self.end_session(participant, out);
                self.renegotiate(participant, "the answer to your offer was lost", out);
            }
            _ => {}
        }
    }

    /// A join is followed until media flows. Who is not in the room any more, nor at its door, is not.
    pub(super) fn follow(&mut self, participant: &ParticipantId, trail: Option<Trail>) {
        let Self {
            trails,
            people,
            waiting,
            ..
        } = self;
        trails.retain(|id, _| people.contains_key(id) || waiting.contains_key(id));
        trails.extend(trail.map(|trail| (participant.clone(), trail)));
    }

    pub(super) fn forget_media(&mut self, participant: &ParticipantId) {
        self.negotiations.remove(participant);
        self.trails.remove(participant);
        self.retries.remove(participant);
        self.unsure.remove(participant);
        self.astray.remove(participant);
        self.told.remove(participant);
        self.avoid.remove(participant);
        self.questions.close(participant);
        self.failed.remove(participant);
    }

    pub(super) fn send(
        &self,
        participant: &ParticipantId,
        message: ServerMessage,
        out: &mut Vec<Effect>,
    ) {
        if let Some(person) = self.people.get(participant)
            && person.is_here()
        {
            let client = person.client();
            out.push(Effect::Send { client, message });
        }
    }
}
