//! One bot: enters a room, sends, watches, and keeps account.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use protocol::client::{
    ClientMessage, NodeMediaMessage, Quality, RoomEvent, ServerMessage, SlotAssignment,
    SourceDemand,
};
use protocol::id::{Attempt, ParticipantId};
use protocol::media::{MediaKind, Publishing, Source};
use tokio::sync::{mpsc, watch};

use crate::peer::{Happened, Media, Peer, PeerError};
use crate::plan::{Phase, Plan, Sends};
use crate::publisher::Publisher;
use crate::signaling::{Door, EnterError, Seat};
use crate::socket::Socket;
use crate::tally::{Received, Tally};
use crate::view::View;

/// Batches of datagrams taken before other bots of the thread get their turn.
const BATCHES_PER_TURN: usize = 16;

/// When a join reached what, since its start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// The API's answer.
    pub asked: Option<Duration>,
    /// The WebSocket.
    pub opened: Option<Duration>,
    /// The node's answer to the offer.
    pub answered: Option<Duration>,
    /// ICE and DTLS.
    pub connected: Option<Duration>,
    /// The first packet of somebody's audio, and of somebody's video.
    pub audio: Option<Duration>,
    pub video: Option<Duration>,
}

/// How a bot fared.
#[derive(Debug, Default)]
pub struct Outcome {
    pub times: Times,
    /// Why it could not join, or could not stay.
    pub failure: Option<String>,
    pub received: Received,
    /// Whose video it wanted at the end.
    pub wanted: usize,
    /// Keyframes of its camera, sent and asked for.
    pub keyframes_sent: u64,
    pub keyframes_asked: u64,
    /// Camera layers that it encoded at the end, of those it has.
    pub layers_encoded: usize,
    pub layers: usize,
    /// Slots that the node had paused at the end, because the path could not carry them.
    pub paused: usize,
    /// The latest word of the node on how its media travels.
    pub quality: Option<Quality>,
    /// How often its media session had to be made anew.
    pub renegotiations: u64,
    /// Whether the way to the room was lost.
    pub link_lost: bool,
    /// Packets that its own machine would not send.
    pub unsent: u64,
}

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
        let camera = plan.sends.video();
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
                },
            });
        }
        Ok((bot, from_room))
    }

    /// A lost way to the room is noted where its messages end.
    fn tell(&self, message: ClientMessage) {
        let _ = self.to_room.try_send(message);
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

    fn hear(&mut self, message: ServerMessage) -> Result<(), BotError> {
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
            RoomEvent::Placed { .. } | RoomEvent::Caps { .. } | RoomEvent::Chat { .. } => {
                return Ok(());
            }
        };
        self.view.note(other, films);
        self.show()
    }

    /// Says what is shown, if that has changed.
    fn show(&mut self) -> Result<(), BotError> {
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
        let (address, camera) = (self.socket.address, self.plan.sends.video());
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

    fn understand(&mut self, now: Instant) -> Result<(), BotError> {
        let mut happened = std::mem::take(&mut self.happened);
        for one in happened.drain(..) {
            match one {
                Happened::Transmit(to, datagram) => {
                    self.outcome.unsent += u64::from(!self.socket.send(to, &datagram));
                }
                Happened::Connected => self.on_connected(now),
                Happened::ChannelOpen => {
                    // What was said before went nowhere.
                    self.view.forget();
                    self.show()?;
                }
                Happened::KeyframeAsked(layer) => {
                    self.outcome.keyframes_asked += 1;
                    if let Some(publisher) = &mut self.publisher {
                        publisher.request_keyframe(layer);
                    }
                }
                Happened::Told(message) => self.on_told(message),
                Happened::Media(media) => self.on_media(now, &media),
                Happened::Closed => self.tell(ClientMessage::MediaFailed {
                    attempt: self.attempt,
                }),
            }
        }
        self.happened = happened;
        Ok(())
    }

    fn on_media(&mut self, now: Instant, media: &Media) {
        let times = &mut self.outcome.times;
        let first = match media.kind {
            MediaKind::Audio => &mut times.audio,
            MediaKind::Video => &mut times.video,
        };
        first.get_or_insert(now.saturating_duration_since(self.started));
        if self.tally.note(now, self.plan.epoch, media) {
            self.peer.ask_keyframe(media.slot);
            self.next_timeout = now;
        }
    }

    fn on_told(&mut self, message: NodeMediaMessage) {
        match message {
            NodeMediaMessage::Slots { slots } => self.on_slots(&slots),
            NodeMediaMessage::Demand { demand } => self.on_demand(demand),
            NodeMediaMessage::Quality { quality } => self.outcome.quality = Some(quality),
            NodeMediaMessage::Speakers { .. } => {}
        }
    }

    fn on_slots(&mut self, slots: &[SlotAssignment]) {
        self.outcome.paused = slots.iter().filter(|slot| slot.paused).count();
        for slot in slots {
            if let Some(number) = self.peer.slot(&slot.mid) {
                let resting = slot.paused || slot.track.is_none();
                self.tally.rest(number, resting);
            }
        }
    }

    fn on_demand(&mut self, demand: Vec<SourceDemand>) {
        let own = demand
            .into_iter()
            .find(|demand| demand.source == Source::Camera);
        self.demand = own.map(|demand| demand.layers);
        self.obey();
    }

    /// Encodes what is watched.
    fn obey(&mut self) {
        if let (Some(publisher), Some(layers)) = (&mut self.publisher, &self.demand) {
            publisher.want(layers);
        }
    }

    fn on_connected(&mut self, now: Instant) {
        let times = &mut self.outcome.times;
        if times.connected.is_none() {
            times.connected = Some(now.saturating_duration_since(self.started));
            self.connected.fetch_add(1, Ordering::Relaxed);
        }
        let Plan {
            sends,
            epoch,
            number,
            ..
        } = self.plan;
        if sends != Sends::Nothing {
            self.publisher = Some(Publisher::new(now, epoch, number, sends.video()));
            self.obey();
        }
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
