//! What a bot and the room say to each other.

use std::time::Instant;

use protocol::client::{ClientMessage, RoomEvent, ServerMessage};
use protocol::id::Attempt;

use super::{Bot, BotError};
use crate::peer::Peer;
use crate::plan::Plan;
use crate::socket::Socket;

impl Bot {
    /// A lost way to the room is noted where its messages end.
    pub(super) fn tell(&self, message: ClientMessage) {
        let _ = self.to_room.try_send(message);
    }

    pub(super) fn hear(&mut self, message: ServerMessage) -> Result<(), BotError> {
        match message {
            ServerMessage::Welcome {
                snapshot: Some(snapshot),
                ..
            } => {
                for other in snapshot.participants {
                    self.view.note(other.id, other.publishing.camera);
                }
                self.show()?;
            }
            ServerMessage::Event { event, .. } => self.hear_event(event)?,
            ServerMessage::Answer { attempt, sdp, .. } if attempt == self.attempt => {
                self.peer.accept(&sdp)?;
                let times = &mut self.outcome.times;
                times.answered.get_or_insert(self.started.elapsed());
                self.next_timeout = Instant::now();
            }
            ServerMessage::Renegotiate { attempt, .. } if attempt >= self.attempt => {
                self.renegotiate(Attempt(attempt.0 + 1))?;
            }
            ServerMessage::Error { message, .. } => return Err(BotError::Refused(message)),
            ServerMessage::Closed { reason } => {
                return Err(BotError::Refused(format!("closed: {reason:?}")));
            }
            _ => {}
        }
        Ok(())
    }

    fn hear_event(&mut self, event: RoomEvent) -> Result<(), BotError> {
        let (other, films) = match event {
            RoomEvent::Joined { participant } => (participant.id, participant.publishing.camera),
            RoomEvent::Publishing {
                participant,
                publishing,
            } => (participant, publishing.camera),
            RoomEvent::Left { participant, .. } => (participant, false),
            RoomEvent::Placed { .. }
            | RoomEvent::Role { .. }
            | RoomEvent::Settings { .. }
            | RoomEvent::Account { .. }
            | RoomEvent::Caps { .. }
            | RoomEvent::TurnedOff { .. }
            | RoomEvent::Connection { .. }
            | RoomEvent::Chat { .. }
            | RoomEvent::ChatEdited { .. }
            | RoomEvent::ChatDeleted { .. }
            | RoomEvent::ChatReacted { .. }
            | RoomEvent::Unseen
            | RoomEvent::Poll { .. }
            | RoomEvent::PollResults { .. }
            | RoomEvent::PollDeleted { .. }
            | RoomEvent::Hand { .. }
            | RoomEvent::Breakouts { .. }
            | RoomEvent::BreakoutPlace { .. }
            | RoomEvent::HandsLowered
            | RoomEvent::Spotlight { .. }
            | RoomEvent::Stage { .. } => {
                return Ok(());
            }
        };
        self.view.note(other, films);
        self.show()
    }

    /// Says what is shown, if that has changed.
    pub(super) fn show(&mut self) -> Result<(), BotError> {
        let Plan {
            watch,
            slots,
            tiles,
            ..
        } = &self.plan;
        if let Some(tiles) = self.view.change(&self.you, watch, slots.video, *tiles) {
            self.peer.show(tiles)?;
            self.next_timeout = Instant::now();
        }
        Ok(())
    }

    fn renegotiate(&mut self, attempt: Attempt) -> Result<(), BotError> {
        let now = Instant::now();
        self.attempt = attempt;
        self.outcome.renegotiations += 1;
        self.tally.restart();
        self.publisher = None;
        self.view.forget();
        self.demand = None;
        self.socket = Socket::bind(self.plan.ip)?;
        let (address, camera) = (self.socket.address, self.plan.sends.camera());
        let slots = self.plan.slots;
        let (peer, offer) = Peer::offer(now, address, slots, camera, attempt)?;
        (self.peer, self.next_timeout) = (peer, now);
        self.tell(ClientMessage::Offer {
            attempt,
            sdp: offer.sdp,
            sources: offer.sources,
        });
        Ok(())
    }
}
