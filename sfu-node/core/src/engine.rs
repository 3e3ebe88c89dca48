//! The engine joins its parts: datagrams to [`sessions`], their absence to [`silence`], messages to [`rooms`] and once more to [`retelling`],
//! breakout rooms to [`breakouts`], the cascade to [`peers`], what members are sent to [`flush`], joins to [`following`], and all of it to time.

mod breakouts;
#[cfg(any(test, feature = "fuzz"))]
mod call;
mod flush;
mod following;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod peers;
mod retelling;
mod rooms;
mod sessions;
mod silence;
#[cfg(test)]
mod tests;

pub use retelling::Retelling;

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use protocol::id::RoomId;
use protocol::media::MediaKind;
use slotmap::SlotMap;

use crate::bindings::Bindings;
use crate::demux::Demux;
use crate::egress::batch::Batch;
use crate::io::{Config, Drops, Input, Output, PeerPlan, Stats, TransportAddress};
use crate::key::{MemberKey, RoomKey, SessionKey};
use crate::relay::{Relay, RelayBatch};
use crate::room::{Effect, Room};
use crate::session::{Happened, Session, Shared};
use crate::timers::Timers;

/// The time-out of an idle engine: it has nothing to do until an input comes.
const IDLE: Duration = Duration::from_secs(3_600);

/// What a shard's timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Timer {
    /// A session's ICE, DTLS, SCTP and feedback.
    Session(SessionKey),
    /// Perhaps nothing comes of a client any more.
    Silence(SessionKey),
    /// The next of a room's deadlines.
    Room(RoomKey),
    /// The rest of what a subscriber's pacing holds back.
    Subscriber(RoomKey, MemberKey),
}

/// A session and where it belongs.
struct Seat {
    session: Session,
    room: RoomKey,
    member: MemberKey,
    /// The answer to its offer, until the client has used it.
    answer: Option<String>,
}

/// What waits to be handed out by [`Engine::poll_output`].
#[derive(Default)]
struct Outbox {
    /// Datagrams of ICE, DTLS and RTCP.
    datagrams: VecDeque<(TransportAddress, Vec<u8>)>,
    current: Vec<u8>,
    messages: VecDeque<Output<'static>>,
    batch: Batch,
    batch_to: Option<TransportAddress>,
    relay: RelayBatch,
}

/// One shard's media engine.
pub struct Engine {
    config: Config,
    shared: Shared,
    demux: Demux,
    bindings: Bindings,
    seats: SlotMap<SessionKey, Seat>,
    rooms: SlotMap<RoomKey, Room>,
    room_keys: HashMap<RoomId, RoomKey>,
    /// The names of each room's breakout rooms that are here.
    breakouts: HashMap<RoomId, Vec<RoomId>>,
    /// The plan of each room, by fingerprint.
    plans: HashMap<RoomId, Vec<PeerPlan>>,
    relay: Relay,
    timers: Timers<Timer>,
    /// Sessions of joins that are followed, until media is sent to them.
    followed: Vec<SessionKey>,
    /// Rooms with members that have something to send.
    pending: Vec<RoomKey>,
    outbox: Outbox,
    happened: Happened,
    effects: VecDeque<Effect>,
    stats: Stats,
}

impl Engine {
    /// An engine without rooms.
    pub fn new(config: Config) -> Self {
        Self {
            shared: Shared::new(config.candidates.clone()),
            config,
            demux: Demux::default(),
            bindings: Bindings::default(),
            seats: SlotMap::default(),
            rooms: SlotMap::default(),
            room_keys: HashMap::new(),
            breakouts: HashMap::new(),
            plans: HashMap::new(),
            relay: Relay::default(),
            timers: Timers::default(),
            followed: Vec::new(),
            pending: Vec::new(),
            outbox: Outbox::default(),
            happened: Happened::default(),
            effects: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Datagram {
                from,
                arrived,
                data,
            } => self.datagram(now, from, arrived, data),
            Input::Room { room, message } => self.room_message(now, room, message),
            Input::Siblings { room, shards } => self.set_siblings(now, room, shards),
            Input::PeerUp { peer } => self.peer_up(now, peer),
            Input::PeerDown { peer } => self.peer_down(now, peer),
            Input::PeerRoundTrip { peer, time } => self.relay.set_round_trip(peer, time),
            Input::PeerPath { peer, rate, queued } => self.peer_path(now, peer, rate, queued),
            Input::PeerMessage { peer, message } => self.peer_message(now, peer, message),
            Input::PeerDatagram { peer, data } => self.peer_datagram(now, peer, data),
            Input::Timeout => {}
        }
        self.handle_timers(now);
        self.run_effects(now);
    }

    /// The next thing to do; [`Output::Timeout`] when there is nothing more. `now` is when it is going to be done: datagrams
    /// leave one subscriber after the other, and each one's path is told its own time.
    pub fn poll_output(&mut self, now: Instant) -> Output<'_> {
        if let Some((to, contents)) = self.outbox.datagrams.pop_front() {
            self.outbox.current = contents;
            let segment = self.outbox.current.len();
            return Output::Transmit {
                to,
                contents: &self.outbox.current,
                segment,
            };
        }
        if let Some(message) = self.outbox.messages.pop_front() {
            return message;
        }
        while self.outbox.batch_to.is_some() || self.flush_next(now) {
            if let (Some(to), Some((range, segment))) =
                (self.outbox.batch_to, self.outbox.batch.next_run())
            {
                return Output::Transmit {
                    to,
                    contents: &self.outbox.batch.bytes[range],
                    segment,
                };
            }
            self.outbox.batch_to = None;
        }
        if let Some((peer, range)) = self.outbox.relay.next() {
            self.stats.relay_packets_out += 1;
            self.stats.relay_bytes_out += range.len() as u64;
            self.relay
                .count(peer, &self.outbox.relay.bytes()[range.clone()]);
            return Output::PeerDatagram {
                peer,
                data: &self.outbox.relay.bytes()[range],
            };
        }
        Output::Timeout(self.timers.next().unwrap_or(now + IDLE))
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        let (flows_in, flows_out) = self.relay.flows();
        let mut stats = Stats {
            sessions: self.seats.len() as u64,
            rooms: (self.room_keys.len() - self.breakouts.values().map(Vec::len).sum::<usize>())
                as u64,
            relay_flows_in: flows_in as u64,
            relay_flows_out: flows_out as u64,
            ..self.stats
        };
        self.survey(&mut stats);
        stats
    }

    /// Adds what is to be seen of all subscribers now.
    fn survey(&self, stats: &mut Stats) {
        for subscriber in self.rooms.iter().flat_map(|(_, room)| room.subscribers()) {
            stats.estimates.add(subscriber.estimate());
            stats.audio_slots += subscriber.slot_use(MediaKind::Audio);
            stats.video_slots += subscriber.slot_use(MediaKind::Video);
        }
    }

    fn drops(&mut self) -> &mut Drops {
        &mut self.stats.drops
    }

    fn handle_timers(&mut self, now: Instant) {
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Session(key) => {
                    self.with_session(now, key, |session, happened| {
                        session.handle_timeout(now, happened);
                    });
                }
                Timer::Silence(key) => self.look_for_silence(now, key),
                Timer::Room(key) => {
                    self.with_room(now, key, |room, cx| room.handle_timeout(cx));
                }
                Timer::Subscriber(key, member) => {
                    self.with_room(now, key, |room, _| room.wake(member));
                }
            }
        }
    }

    fn run_effects(&mut self, now: Instant) {
        while let Some(effect) = self.effects.pop_front() {
            match effect {
                Effect::Keyframe {
                    session,
                    source,
                    layer,
                } => {
                    self.stats.keyframe_requests += 1;
                    self.with_session(now, session, |session, happened| {
                        session.request_keyframe(now, source, layer, happened);
                    });
                }
                Effect::Text { session, text } => self.send_text(now, session, &text),
                Effect::Connected { session } => self.followed_is_connected(now, session),
                Effect::Room { room, message } => {
                    self.outbox
                        .messages
                        .push_back(Output::Room { room, message });
                }
                Effect::Peer { peer, message } => {
                    self.outbox
                        .messages
                        .push_back(Output::PeerMessage { peer, message });
                }
            }
        }
    }
}
