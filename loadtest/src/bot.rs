//! One bot: enters a room, sends, watches, and keeps account.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use protocol::client::{ClientMessage, RoomEvent, ServerMessage};
use protocol::id::{Attempt, ParticipantId};
use protocol::media::{MediaKind, Publishing, Source, TrackId};
use tokio::sync::{mpsc, watch};

use crate::media::{Publisher, Video};
use crate::peer::{Happened, Peer, PeerError, Slots};
use crate::signaling::{Door, EnterError, Seat};
use crate::socket::Socket;
use crate::tally::{Received, Tally};

/// Batches of datagrams taken before other bots of the thread get their turn.
const BATCHES_PER_TURN: usize = 16;

/// What all bots do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// They come in; what they receive does not count yet.
    Joining,
    /// What is received counts.
    Measuring,
    /// They leave.
    Over,
}

/// What a bot sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sends {
    Nothing,
    Audio,
    AudioAndVideo(Video),
}

/// Whose cameras a bot shows.
#[derive(Debug, Clone)]
pub enum Watch {
    /// As many as it has slots, of those that the room says are on: the ones that come next after itself.
    Everybody,
    /// These, as nobody says who is in the room.
    These(Vec<ParticipantId>),
}

/// How a bot looks at what it receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// As a browser: decrypts, repairs, gives feedback.
    Decrypts,
    /// Reads the clear headers only, and gives no feedback: for more packets than one core can decrypt.
    Counts,
}

/// What a bot is to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its number, which its packets carry.
    pub number: u32,
    pub sends: Sends,
    pub slots: Slots,
    pub watch: Watch,
    pub looks: Looks,
    /// The local address of its media.
    pub ip: IpAddr,
    /// The zero of the process's clock.
    pub epoch: Instant,
}

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
    pub keyframes_sent: u64,
    pub keyframes_asked: u64,
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
    others: BTreeSet<ParticipantId>,
    shown: Vec<TrackId>,
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
        door: impl Door,
        connected: Arc<AtomicUsize>,
    ) -> Result<(Self, mpsc::Receiver<ServerMessage>), BotError> {
        let started = Instant::now();
        let attempt = Attempt(1);
        let socket = Socket::bind(plan.ip)?;
        let (peer, offer) = Peer::offer(started, socket.address, plan.slots, attempt)?;
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
            others: BTreeSet::new(),
            shown: Vec::new(),
            happened: Vec::new(),
            tally: Tally::default(),
            outcome,
            connected,
            plan,
        };
        if bot.plan.sends != Sends::Nothing {
            bot.tell(ClientMessage::Publishing {
                publishing: Publishing {
                    microphone: true,
                    camera: matches!(bot.plan.sends, Sends::AudioAndVideo(_)),
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
                    self.tally = Tally::default();
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
                let filming = snapshot.participants.into_iter();
                let filming = filming.filter(|other| other.publishing.camera);
                self.others.extend(filming.map(|other| other.id));
                self.others.remove(&self.you);
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
        if other == self.you {
            return Ok(());
        }
        let changed = if films {
            self.others.insert(other)
        } else {
            self.others.remove(&other)
        };
        if changed { self.show() } else { Ok(()) }
    }

    /// Says what is shown, if that has changed.
    fn show(&mut self) -> Result<(), BotError> {
        let chosen = match &self.plan.watch {
            Watch::These(these) => these.clone(),
            Watch::Everybody => choose(&self.you, &self.others, self.plan.slots.video),
        };
        let tracks: Vec<TrackId> = chosen
            .into_iter()
            .map(|participant| TrackId {
                participant,
                source: Source::Camera,
            })
            .collect();
        if tracks != self.shown {
            self.peer.show(&tracks)?;
            self.shown = tracks;
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
        self.shown.clear();
        self.socket = Socket::bind(self.plan.ip)?;
        let (peer, offer) = Peer::offer(now, self.socket.address, self.plan.slots, attempt)?;
        (self.peer, self.next_timeout) = (peer, now);
        self.tell(ClientMessage::Offer {
            attempt,
            sdp: offer.sdp,
            sources: offer.sources,
        });
        Ok(())
    }

    fn receive(&mut self, now: Instant) -> Result<(), BotError> {
        let counts = self.plan.looks == Looks::Counts;
        let (peer, happened, next) = (&mut self.peer, &mut self.happened, &mut self.next_timeout);
        for _ in 0..BATCHES_PER_TURN {
            let mut outcome = Ok(());
            let more = self.socket.receive(|from, data| {
                if counts && let Some(media) = peer.peek(data) {
                    return happened.push(Happened::Media(media));
                }
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
                    self.shown.clear();
                    self.show()?;
                }
                Happened::KeyframeAsked => {
                    self.outcome.keyframes_asked += 1;
                    if let Some(publisher) = &mut self.publisher {
                        publisher.request_keyframe();
                    }
                }
                Happened::Media(media) => {
                    let times = &mut self.outcome.times;
                    let first = match media.kind {
                        MediaKind::Audio => &mut times.audio,
                        MediaKind::Video => &mut times.video,
                    };
                    first.get_or_insert(now.saturating_duration_since(self.started));
                    self.tally.note(now, self.plan.epoch, &media);
                }
                Happened::Closed => self.tell(ClientMessage::MediaFailed {
                    attempt: self.attempt,
                }),
            }
        }
        self.happened = happened;
        Ok(())
    }

    fn on_connected(&mut self, now: Instant) {
        let times = &mut self.outcome.times;
        if times.connected.is_none() {
            times.connected = Some(now.saturating_duration_since(self.started));
            self.connected.fetch_add(1, Ordering::Relaxed);
        }
        let video = match self.plan.sends {
            Sends::Nothing => return,
            Sends::Audio => None,
            Sends::AudioAndVideo(video) => Some(video),
        };
        self.publisher = Some(Publisher::new(
            now,
            self.plan.epoch,
            self.plan.number,
            video,
        ));
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
        self.outcome.wanted = self.shown.len();
        self.outcome.keyframes_sent = self.publisher.map_or(0, |publisher| publisher.keyframes);
        self.outcome.received = self.tally.finish();
        self.outcome
    }
}

/// The next so many after oneself, around the circle of all: so that everybody is watched equally often.
fn choose(
    you: &ParticipantId,
    others: &BTreeSet<ParticipantId>,
    most: usize,
) -> Vec<ParticipantId> {
    let after = others.range::<ParticipantId, _>(you..);
    let before = others.range::<ParticipantId, _>(..you);
    after.chain(before).take(most).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_watched_equally_often() {
        let id = |n: u32| format!("p{n}").parse::<ParticipantId>().unwrap();
        let all: BTreeSet<_> = (0..6).map(id).collect();
        let mut watched = std::collections::HashMap::new();
        for you in &all {
            let mut others = all.clone();
            others.remove(you);
            let chosen = choose(you, &others, 2);
            assert!(!chosen.contains(you));
            chosen
                .into_iter()
                .for_each(|id| *watched.entry(id).or_insert(0) += 1);
        }
        assert!(watched.len() == 6 && watched.values().all(|times| *times == 2));
        assert_eq!(choose(&id(0), &BTreeSet::new(), 2), []);
    }
}
