//! Media sessions: offers on their way to a node, answers on their way back, and their ends.

use protocol::client::{ErrorCode, ServerMessage, SourceMid};
use protocol::id::{Attempt, ParticipantId};
use protocol::node::{Caps, RefusalReason, RoomToNode};

use super::media::RETRY;
use super::record::{Link, Session, SessionState};
use super::{Client, Effect, Negotiation, NodeLink, Room};

impl Room {
    pub(super) fn offered(
        &mut self,
        participant: &ParticipantId,
        attempt: Attempt,
        sdp: String,
        sources: Vec<SourceMid>,
        out: &mut Vec<Effect>,
    ) {
        let Some(person) = self.people.get_mut(participant) else {
            return;
        };
        // Only a higher attempt is news; a repeated one is answered as the first was (`resume_media`).
        if person
            .session
            .is_some_and(|session| attempt <= session.attempt)
        {
            return;
        }
        self.end_session(participant, out);
        if let Some(person) = self.people.get_mut(participant) {
            person.session = Some(Session {
                attempt,
                state: SessionState::Offered,
            });
        }
        self.save_person(participant, out);
        let negotiation = Negotiation {
            attempt,
            sdp,
            sources,
            answer: None,
        };
        self.negotiations.insert(participant.clone(), negotiation);
        self.forward(participant, out);
    }

    /// Hands a waiting offer to the person's node, if there is one and it is ready.
    pub(super) fn forward(&self, participant: &ParticipantId, out: &mut Vec<Effect>) {
        let node = self
            .people
            .get(participant)
            .and_then(|person| person.node.as_ref());
        let host = node.and_then(|node| self.hosts.get(node));
        let Some(host) = host.filter(|host| host.state == Link::Ready) else {
            return;
        };
        let Some(negotiation) = self.negotiations.get(participant) else {
            return;
        };
        out.push(Effect::Tell {
            link: host.named(),
            message: RoomToNode::Offer {
                participant: participant.clone(),
                attempt: negotiation.attempt,
                sdp: negotiation.sdp.clone(),
                sources: negotiation.sources.clone(),
                caps: Caps::default(),
            },
        });
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
        let Some(region) = self.hosts.get(&link.node).map(|host| host.region.clone()) else {
            return;
        };
        if let Some(person) = self.people.get_mut(participant) {
            person.session = Some(Session {
                attempt,
                state: SessionState::Answered,
            });
        }
        self.save_person(participant, out);
        let answer = ServerMessage::Answer {
            attempt,
            sdp,
            node: link.node.clone(),
            region,
        };
        if let Some(negotiation) = self.negotiations.get_mut(participant) {
            negotiation.answer = Some(answer.clone());
        }
        self.send(participant, answer, out);
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
                self.over(participant, out);
                let error = ServerMessage::Error {
                    code: ErrorCode::BadOffer,
                    message: format!("offer {}: {message}", attempt.0),
                    nonce: None,
                };
                self.send(participant, error, out);
            }
            // The offer goes to another node as it is.
            RefusalReason::NoCapacity if self.negotiations.contains_key(participant) => {
                let node = self
                    .people
                    .get(participant)
                    .and_then(|person| person.node.clone());
                self.displace(participant, out);
                if let Some(node) = node {
                    self.release_if_empty(&node, now, out);
                }
                self.retries.insert(participant.clone(), now + RETRY / 4);
            }
            RefusalReason::NoCapacity => {
                self.displace(participant, out);
                self.renegotiate(participant, "the media node is full", out);
            }
        }
    }

    pub(super) fn media_failed(
        &mut self,
        participant: &ParticipantId,
        attempt: Attempt,
        out: &mut Vec<Effect>,
    ) {
        let person = self.people.get(participant);
        if person.and_then(|person| person.live_attempt()) == Some(attempt) {
            self.end_session(participant, out);
            self.renegotiate(participant, "the media connection failed", out);
        }
    }

    /// Tells a person's node that the session is over, if there is one.
    pub(super) fn end_session(&self, participant: &ParticipantId, out: &mut Vec<Effect>) {
        let Some(person) = self.people.get(participant) else {
            return;
        };
        let host = person.node.as_ref().and_then(|node| self.hosts.get(node));
        if let (Some(attempt), Some(host)) = (person.live_attempt(), host) {
            out.push(Effect::Tell {
                link: host.named(),
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
        let person = self.people.get_mut(participant)?;
        let attempt = person.live_attempt()?;
        person.session = Some(Session {
            attempt,
            state: SessionState::Over,
        });
        self.save_person(participant, out);
        Some(attempt)
    }

    /// Tells somebody who is back what they may have missed of their own media: that is not in the log.
    pub(super) fn resume_media(&mut self, participant: &ParticipantId, out: &mut Vec<Effect>) {
        let Some(session) = self
            .people
            .get(participant)
            .and_then(|person| person.session)
        else {
            return;
        };
        let answer = self
            .negotiations
            .get(participant)
            .and_then(|negotiation| negotiation.answer.clone());
        if session.state == SessionState::Over {
            let message = ServerMessage::Renegotiate {
                attempt: session.attempt,
                reason: "the media session ended while you were away".to_owned(),
            };
            self.send(participant, message, out);
        } else if let Some(answer) = answer {
            self.send(participant, answer, out);
        }
    }

    pub(super) fn forget_media(&mut self, participant: &ParticipantId) {
        self.negotiations.remove(participant);
        self.retries.remove(participant);
        self.told.remove(participant);
        self.avoid.remove(participant);
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
            let client = Client {
                participant: participant.clone(),
                connection: person.connection,
            };
            out.push(Effect::Send { client, message });
        }
    }
}
