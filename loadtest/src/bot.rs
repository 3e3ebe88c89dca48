//! One bot: enters a room, sends, watches, and keeps account.

mod node;
mod room;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use protocol::client::{ClientMessage, ServerMessage};
use protocol::id::{Attempt, ParticipantId};
use protocol::media::Publishing;
use tokio::sync::{mpsc, watch};

use crate::outcome::Outcome;
use crate::peer::{Happened, Peer, PeerError};
use crate::plan::{Phase, Plan, Sends};
use crate::publisher::Publisher;
use crate::signaling::{Door, EnterError, Seat};
use crate::socket::Socket;
use crate::tally::Tally;
use crate::view::View;

/// Batches of datagrams taken before other bots of the thread get their turn.
const BATCHES_PER_TURN: usize = 16;

#[derive(Debug, thiserror::Error)]
enum BotError {
    #[error(transparent)]
    Enter(#[from] EnterError),
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error("the socket failed: {0}")]
    Socket(#[from] std::io::Error),
    #[error("the room refused: {0}")]
    Refused(String),
    #[error("no media connection within the time of the ramp and the patience after it")]
    NotConnected,
}

struct Bot {
    plan: Plan,
    started: Instant,
    you: ParticipantId,
    to_room: mpsc::Sender<ClientMessage>,
    socket: Socket,
    peer: Peer,
    attempt: Attempt,
    next_timeout: Instant,
    publisher: Option<Publisher>,
    view: View,
    /// Camera layers that somebody watches; `None` until the node says so.
    demand: Option<Vec<bool>>,
    happened: Vec<Happened>,
    tally: Tally,
    outcome: Outcome,
    connected: Arc<AtomicUsize>,
}

/// Runs a bot until the phase is over; `connected` counts the bots that have got that far.
pub async fn run(
    plan: Plan,
    door: impl Door,
    mut phases: watch::Receiver<Phase>,
    connected: Arc<AtomicUsize>,
) -> Outcome {
    let entered = tokio::select! {
        entered = Bot::enter(plan, door, connected) => entered,
        _ = phases.wait_for(|phase| *phase == Phase::Over) => Err(BotError::NotConnected),
    };
    let (mut bot, from_room) = match entered {
        Ok(entered) => entered,
        Err(error) => {
            return Outcome {
                failure: Some(error.to_string()),
                ..Outcome::default()
            };
        }
    };
    let lived = bot.live(from_room, &mut phases).await;
    bot.finish(lived.err())
}

impl Bot {
    async fn enter(
        plan: Plan,
        mut door: impl Door,
        connected: Arc<AtomicUsize>,
    ) -> Result<(Self, mpsc::Receiver<ServerMessage>), BotError> {
        let started = Instant::now();
        let attempt = Attempt(1);
        let socket = Socket::bind(plan.ip)?;
        let camera = plan.sends.camera();
        let (peer, offer) = match door.remote_offer().await? {
            Some(sdp) => Peer::answer(started, socket.address, &sdp, attempt)?,
            None => Peer::offer(started, socket.address, plan.slots, camera, attempt)?,
        };
        let Seat {
            you,
            to_room,
            from_room,
            asked,
            opened,
        } = door.enter(offer).await?;
        let mut outcome = Outcome::default();
        outcome.times.asked = Some(asked);
        outcome.times.opened = Some(asked + opened);
        let bot = Self {
            started,
            you,
            to_room,
            socket,
            peer,
            attempt,
            next_timeout: started,
            publisher: None,
            view: View::default(),
            demand: None,
            happened: Vec::new(),
            tally: Tally::default(),
            outcome,
            connected,
            plan,
        };
        let camera = camera.is_some();
        if bot.plan.sends != Sends::Nothing {
            bot.tell(ClientMessage::Publishing {
                publishing: Publishing {
                    microphone: true,
                    camera,
                    screen: false,
                    codec: None,
                },
            });
        }
        Ok((bot, from_room))
    }

    async fn live(
        &mut self,
        mut from_room: mpsc::Receiver<ServerMessage>,
        phases: &mut watch::Receiver<Phase>,
    ) -> Result<(), BotError> {
        loop {
            let sending = self.publisher.as_ref().map(Publisher::next);
            let due = sending.map_or(self.next_timeout, |next| next.min(self.next_timeout));
            tokio::select! {
                ready = self.socket.readable() => ready?,
                message = from_room.recv(), if !self.outcome.link_lost => match message {
                    Some(message) => self.hear(message)?,
                    None => self.outcome.link_lost = true,
                },
                changed = phases.changed() => {
                    let phase = *phases.borrow_and_update();
                    if changed.is_err() || phase == Phase::Over {
                        return Ok(());
                    }
                    self.tally.begin();
                }
                () = tokio::time::sleep_until(due.into()) => {}
            }
            let now = Instant::now();
            self.receive(now)?;
            self.send(now)?;
            self.settle(now)?;
        }
    }

    fn receive(&mut self, now: Instant) -> Result<(), BotError> {
        let (peer, happened, next) = (&mut self.peer, &mut self.happened, &mut self.next_timeout);
        for _ in 0..BATCHES_PER_TURN {
            let mut outcome = Ok(());
            let more = self.socket.receive(|from, data| {
                let taken = peer
                    .receive(now, from, data)
                    .and_then(|()| peer.drain(|h| happened.push(h)));
                match taken {
                    Ok(at) => *next = at,
                    Err(error) => outcome = Err(error),
                }
            })?;
            outcome?;
            if !more {
                break;
            }
        }
        self.understand(now)
    }

    fn send(&mut self, now: Instant) -> Result<(), BotError> {
        while let Some(outgoing) = self.publisher.as_mut().and_then(|p| p.poll(now)) {
            self.peer.send(now, outgoing)?;
            // What was written leaves when time passes.
            self.peer.pass(now)?;
            self.next_timeout = self.peer.drain(|h| self.happened.push(h))?;
        }
        Ok(())
    }

    /// Does what is left to do at this time.
    fn settle(&mut self, now: Instant) -> Result<(), BotError> {
        if self.next_timeout <= now {
            self.peer.pass(now)?;
            self.next_timeout = self.peer.drain(|h| self.happened.push(h))?;
        }
        self.understand(now)
    }

    fn finish(mut self, error: Option<BotError>) -> Outcome {
        self.tell(ClientMessage::Leave);
        let late = self
            .outcome
            .times
            .connected
            .is_none()
            .then_some(BotError::NotConnected);
        self.outcome.failure = error.or(late).map(|error| error.to_string());
        self.outcome.wanted = self.view.len();
        if let Some(publisher) = &self.publisher {
            self.outcome.keyframes_sent = publisher.keyframes;
            (self.outcome.layers_encoded, self.outcome.layers) = publisher.layers();
        }
        self.outcome.received = self.tally.finish();
        self.outcome
    }
}
