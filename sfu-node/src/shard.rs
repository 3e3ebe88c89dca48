//! A shard: one thread with its own sockets, peers, rooms and engine. No packet leaves its thread but to the network, and to
//! another shard that shares the packet's room.

use std::collections::BTreeSet;
use std::io;
use std::net::UdpSocket;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use protocol::id::{NodeId, Region, RoomId};
use protocol::node::{NodeToRoom, RoomToNode, SessionRef};
use rustix::thread::{NanosleepRelativeResult, nanosleep};
use rustix::time::{ClockId, Timespec, clock_gettime};
use sfu_core::{
    Config as EngineConfig, Engine, Input, NodeClock, Output, PeerId, Retelling, Stats, Step,
    TransportAddress,
};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{mpsc, oneshot};

use crate::gather::Gather;
use crate::media::{self, Media};
use crate::neighbors::Neighbors;
use crate::quic::{self, Identity, IdentityError, Path, Quic, QuicError};
use crate::sibling::Siblings;
use crate::task;
use crate::tcp;
use crate::udp;

/// Events of peers taken per turn.
const EVENTS_PER_TURN: usize = 512;
/// Messages of links taken per turn.
const MESSAGES_PER_TURN: usize = 64;
/// Messages of links waiting for the shard: several for each of the sessions that a shard is made for. Whoever lets so many wait
/// reads no more.
const MAX_WAITING: usize = 8_192;
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// What a shard is told, besides datagrams.
#[derive(Debug)]
pub enum ToShard {
    /// A message arrived on a room's link.
    Room { room: RoomId, message: RoomToNode },
    /// The other shards that host a room, whole each time.
    Siblings {
        room: RoomId,
        shards: BTreeSet<PeerId>,
    },
    /// How is it in this room? Its link is dialed anew.
    Retell {
        room: RoomId,
        reply: oneshot::Sender<Retelling>,
    },
    /// Say goodbye to peers and end.
    Stop,
}

/// What a shard says, besides datagrams.
#[derive(Debug)]
pub enum FromShard {
    /// A message for a room's link.
    Room { room: RoomId, message: NodeToRoom },
    /// A session of a join that is followed has come so far.
    Step {
        room: RoomId,
        session: SessionRef,
        step: Step,
        at: Instant,
    },
    /// How it goes, once a second.
    Report(Box<Report>),
    /// The shard's thread has ended: after [`ToShard::Stop`], else by a fault.
    Ended(Result<(), ShardError>),
}

/// A shard's counters since its start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Report {
    pub stats: Stats,
    pub udp: udp::Counters,
    pub tcp: tcp::Counters,
    pub quic: quic::Counters,
    /// Media datagrams that other shards had no room for.
    pub sibling_drops: u64,
    /// CPU time of the shard's thread.
    pub cpu: Duration,
    /// Share of one core since the report before, 0 to 1.
    pub load: f32,
    /// Messages to rooms that were lost because the links' queue was full.
    pub lost_messages: u64,
}

/// Why a shard ended.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    #[error("panicked")]
    Panic,
    #[error("shards are lost, and nobody is left whom a new start would disturb")]
    Lost,
    #[error("no thread or runtime: {0}")]
    Runtime(io::Error),
    #[error("the media socket broke: {0}")]
    Media(io::Error),
    #[error(transparent)]
    Quic(#[from] QuicError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// What a shard is made of.
pub struct Parts {
    pub index: u16,
    pub node: NodeId,
    pub region: Region,
    /// The media port as clients reach it.
    pub candidates: Vec<TransportAddress>,
    pub max_sessions: usize,
    pub media: Vec<media::Sockets>,
    pub quic: UdpSocket,
    pub identity: Identity,
    pub siblings: Siblings,
}

/// The handle of a running shard.
pub struct Shard {
    /// What peers pin.
    pub id: PeerId,
    pub inbox: mpsc::Sender<ToShard>,
}

/// Starts a shard's thread. What it says goes to `outbox` with its index; nothing there blocks the shard.
pub fn start(parts: Parts, outbox: mpsc::Sender<(u16, FromShard)>) -> Result<Shard, ShardError> {
    let id = parts.identity.id;
    let (inbox, messages) = mpsc::channel(MAX_WAITING);
    let index = parts.index;
    thread::Builder::new()
        .name(format!("shard-{index}"))
        .spawn(move || {
            let run = || run(parts, messages, outbox.clone());
            let ended = catch_unwind(AssertUnwindSafe(run)).unwrap_or(Err(ShardError::Panic));
            // Nobody listens any more only when the whole node ends.
            let _ = outbox.blocking_send((index, FromShard::Ended(ended)));
        })
        .map_err(ShardError::Runtime)?;
    Ok(Shard { id, inbox })
}

fn run(
    parts: Parts,
    inbox: mpsc::Receiver<ToShard>,
    outbox: mpsc::Sender<(u16, FromShard)>,
) -> Result<(), ShardError> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())
        .map_err(ShardError::Runtime)?;
    runtime.block_on(async {
        let now = Instant::now();
        // A machine whose clock is set to before 1970 has none.
        let since_1970 = UNIX_EPOCH.elapsed().unwrap_or_default();
        let state = State {
            index: parts.index,
            media: Media::new(parts.media).map_err(ShardError::Media)?,
            neighbors: Neighbors::new(
                Quic::new(parts.quic, parts.identity, parts.node.clone())?,
                parts.siblings,
            ),
            engine: Engine::new(EngineConfig {
                node: parts.node,
                region: parts.region,
                candidates: parts.candidates,
                max_sessions: parts.max_sessions,
                clock: NodeClock::new(now, since_1970),
            }),
            outbox,
            gather: Gather::new(now),
            measured: (now, cpu_time()),
            lost_messages: 0,
        };
        state.run(inbox).await
    })
}

struct State {
    index: u16,
    media: Media,
    neighbors: Neighbors,
    engine: Engine,
    outbox: mpsc::Sender<(u16, FromShard)>,
    gather: Gather,
    /// When the CPU time was last read, and what it was.
    measured: (Instant, Duration),
    lost_messages: u64,
}

impl State {
    /// The loop: wait for anything, take everything there is, let the engine say what to do.
    async fn run(mut self, mut inbox: mpsc::Receiver<ToShard>) -> Result<(), ShardError> {
        let start = Instant::now();
        self.report(start);
        let mut deadline = self.drain();
        let mut busy = false;
        loop {
            let mut message = None;
            if busy {
                task::let_run().await;
            } else if self.gather.pause(Instant::now()).is_some() {
                // What this turn gave to QUIC and TCP leaves before the pause, and what came meanwhile is taken in this turn: their
                // tasks live in this thread, too.
                task::let_run().await;
                block(self.gather.pause(Instant::now()).unwrap_or_default());
                task::let_take(self.neighbors.tasks() + self.media.tasks()).await;
            } else {
                let wake = deadline.min(self.measured.0 + REPORT_INTERVAL);
                tokio::select! {
                    ready = self.media.readable() => ready.map_err(ShardError::Media)?,
                    () = self.neighbors.readable() => {}
                    received = inbox.recv() => message = Some(received.unwrap_or(ToShard::Stop)),
                    () = tokio::time::sleep_until(wake.into()) => {}
                }
            }
            let now = Instant::now();
            let (udp, tcp) = self.media.counters();
            let received = udp.datagrams_in + tcp.datagrams_in;
            let sent = udp.datagrams_out + tcp.datagrams_out;
            self.gather
                .turn(now, received, sent, self.neighbors.nodes());
            busy = self.take_datagrams(now).map_err(ShardError::Media)?;
            busy |= self.take_peer_events(now);
            for _ in 0..MESSAGES_PER_TURN {
                match message.take().or_else(|| inbox.try_recv().ok()) {
                    Some(ToShard::Room { room, message }) => {
                        self.engine.handle(now, Input::Room { room, message });
                    }
                    Some(ToShard::Siblings { room, shards }) => {
                        self.engine.handle(now, Input::Siblings { room, shards });
                    }
                    Some(ToShard::Retell { room, reply }) => {
                        // The link that asked may be gone by now.
                        let _ = reply.send(self.engine.retell(&room));
                    }
                    Some(ToShard::Stop) => {
                        self.neighbors.close().await;
                        return Ok(());
                    }
                    None => break,
                }
            }
            if now >= deadline {
                self.engine.handle(now, Input::Timeout);
            }
            if now >= self.measured.0 + REPORT_INTERVAL {
                self.report(now);
            }
            deadline = self.drain();
        }
    }

    /// Hands in what the media socket has, up to a limit; returns whether there may be more.
    fn take_datagrams(&mut self, now: Instant) -> io::Result<bool> {
        let engine = &mut self.engine;
        self.media.receive(|from, arrived, data| {
            let input = Input::Datagram {
                from,
                arrived,
                data,
            };
            engine.handle(now, input);
        })
    }

    /// Hands in what peers did, up to a limit; returns whether there may be more.
    fn take_peer_events(&mut self, now: Instant) -> bool {
        for (peer, Path { rate, queued }) in self.neighbors.paths(now) {
            let input = Input::PeerPath { peer, rate, queued };
            self.engine.handle(now, input);
        }
        for _ in 0..EVENTS_PER_TURN {
            let Some(event) = self.neighbors.next() else {
                return false;
            };
            let input = match event {
                quic::Event::Datagram(peer, ref data) => Input::PeerDatagram { peer, data },
                quic::Event::Message(peer, message) => Input::PeerMessage { peer, message },
                quic::Event::Up(peer) => Input::PeerUp { peer },
                quic::Event::Down(peer) => Input::PeerDown { peer },
            };
            self.engine.handle(now, input);
        }
        true
    }

    /// Does what the engine wants done; returns when it wants to be woken.
    fn drain(&mut self) -> Instant {
        loop {
            // Of each batch its own time: what is late in a turn has left later than what was first.
            match self.engine.poll_output(Instant::now()) {
                Output::Transmit {
                    to,
                    contents,
                    segment,
                } => self.media.send(to, contents, segment),
                Output::Reached { client } => self.media.reached(client),
                Output::PeerDatagram { peer, data } => self.neighbors.send_datagram(peer, data),
                Output::PeerMessage { peer, message } => {
                    self.neighbors.send_message(peer, message);
                }
                Output::Peers { peers } => self.neighbors.set_peers(peers),
                Output::Room { room, message } => {
                    let message = FromShard::Room { room, message };
                    if self.outbox.try_send((self.index, message)).is_err() {
                        self.lost_messages += 1;
                        tracing::error!("a message to a room was lost: the links do not keep up");
                    }
                }
                Output::Step {
                    room,
                    session,
                    step,
                    at,
                } => {
                    let step = FromShard::Step {
                        room,
                        session,
                        step,
                        at,
                    };
                    // Without room for it a span is lost, and nothing else.
                    let _ = self.outbox.try_send((self.index, step));
                }
                Output::Timeout(at) => {
                    self.media.flush();
                    self.neighbors.flush();
                    return at;
                }
            }
        }
    }

    fn report(&mut self, now: Instant) {
        for (peer, time) in self.neighbors.round_trips() {
            let input = Input::PeerRoundTrip { peer, time };
            self.engine.handle(now, input);
        }
        let ((udp, tcp), cpu) = (self.media.counters(), cpu_time());
        let (then, cpu_then) = std::mem::replace(&mut self.measured, (now, cpu));
        // The first report comes before anything could be measured.
        let passed = now.saturating_duration_since(then).max(REPORT_INTERVAL / 2);
        let (quic, sibling_drops) = self.neighbors.counters();
        let report = Report {
            stats: self.engine.stats(),
            udp,
            tcp,
            quic,
            sibling_drops,
            cpu,
            load: (cpu.saturating_sub(cpu_then).as_secs_f32() / passed.as_secs_f32()).min(1.0),
            lost_messages: self.lost_messages,
        };
        // A report that finds no room is made good by the next one.
        let _ = self
            .outbox
            .try_send((self.index, FromShard::Report(Box::new(report))));
    }
}

/// Waits whatever happens: a wake-up for each datagram is what a busy shard has to be spared. The runtime's timers count in
/// whole milliseconds, and its sockets end its waits.
fn block(pause: Duration) {
    let mut rest = Timespec::try_from(pause).unwrap_or_default();
    while let NanosleepRelativeResult::Interrupted(left) = nanosleep(&rest) {
        rest = left;
    }
}

/// CPU time of the calling thread.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap_or_default(),
        time.tv_nsec.try_into().unwrap_or_default(),
    )
}
