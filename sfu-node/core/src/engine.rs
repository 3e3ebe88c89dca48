//! The engine joins its parts: datagrams to sessions, sessions to rooms, rooms to peers, and all of it to time.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use protocol::cascade::CascadeMessage;
use protocol::client::ClientMediaMessage;
use protocol::id::RoomId;
use protocol::node::{NodeToRoom, RefusalReason, RoomToNode, SessionRef};

use crate::demux::{Demux, SessionKey, is_stun};
use crate::egress::batch::Batch;
use crate::egress::subscriber::Subscriber;
use crate::io::{Config, Drops, Input, Output, PeerId, PeerPlan, Stats};
use crate::relay::{Relay, RelayBatch, read_varint};
use crate::room::{Context, Effect, Room, RoomKey, Routed};
use crate::router::{MemberKey, RelayFlow};
use crate::session::{Happened, Session, Shared};
use crate::timers::{Timer, Timers};

/// The time-out of an idle engine: it has nothing to do until an input comes.
const IDLE: Duration = Duration::from_secs(3_600);

/// A session and where it belongs.
struct Seat {
    session: Session,
    room: RoomKey,
    member: MemberKey,
}

/// What waits to be handed out by [`Engine::poll_output`].
#[derive(Default)]
struct Outbox {
    /// Datagrams of ICE, DTLS and RTCP.
    datagrams: VecDeque<(SocketAddr, Vec<u8>)>,
    current: Vec<u8>,
    messages: VecDeque<Output<'static>>,
    batch: Batch,
    batch_to: Option<SocketAddr>,
    relay: RelayBatch,
}

/// One shard's media engine.
pub struct Engine {
    config: Config,
    shared: Shared,
    demux: Demux,
    seats: Vec<Option<Seat>>,
    rooms: Vec<Option<Room>>,
    room_keys: HashMap<RoomId, RoomKey>,
    /// The plan of each room, by fingerprint.
    plans: HashMap<RoomId, Vec<PeerPlan>>,
    relay: Relay,
    timers: Timers,
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
            seats: Vec::new(),
            rooms: Vec::new(),
            room_keys: HashMap::new(),
            plans: HashMap::new(),
            relay: Relay::default(),
            timers: Timers::default(),
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
            Input::Datagram { from, data } => self.datagram(now, from, data),
            Input::Room { room, message } => self.room_message(now, room, message),
            Input::PeerUp { peer } => self.peer_up(now, peer),
            Input::PeerDown { peer } => self.peer_down(now, peer),
            Input::PeerMessage { peer, message } => self.peer_message(now, peer, message),
            Input::PeerDatagram { peer, data } => self.peer_datagram(now, peer, data),
            Input::Timeout => {}
        }
        self.handle_timers(now);
        self.run_effects(now);
    }

    /// The next thing to do; [`Output::Timeout`] when there is nothing more.
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
            return Output::PeerDatagram {
                peer,
                data: &self.outbox.relay.bytes()[range],
            };
        }
        Output::Timeout(self.timers.next().unwrap_or(now + IDLE))
    }

    /// The media sessions of a room, for [`NodeToRoom::Ready`].
    pub fn sessions(&self, room: &RoomId) -> Vec<SessionRef> {
        let room = self
            .room_keys
            .get(room)
            .and_then(|key| self.rooms[*key].as_ref());
        room.map(|room| room.sessions().map(|(_, name)| name).collect())
            .unwrap_or_default()
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        let (flows_in, flows_out) = self.relay.flows();
        Stats {
            sessions: self.seats.iter().flatten().count() as u64,
            rooms: self.room_keys.len() as u64,
            relay_flows_in: flows_in as u64,
            relay_flows_out: flows_out as u64,
            ..self.stats
        }
    }

    fn drops(&mut self) -> &mut Drops {
        &mut self.stats.drops
    }

    // Datagrams and sessions

    fn datagram(&mut self, now: Instant, from: SocketAddr, data: &[u8]) {
        let Some(key) = self.demux.find(from, data) else {
            self.drops().unknown += 1;
            return;
        };
        let accepted = self.with_session(now, key, |session, happened| {
            session.receive(now, from, data, happened)
        });
        if accepted == Some(true) && is_stun(data) {
            self.demux.bind(from, key);
        }
    }

    /// Runs something on a session, and then does what has happened in it.
    fn with_session<R>(
        &mut self,
        now: Instant,
        key: SessionKey,
        run: impl FnOnce(&mut Session, &mut Happened) -> R,
    ) -> Option<R> {
        let mut happened = std::mem::take(&mut self.happened);
        let result = self.seats.get_mut(key).and_then(Option::as_mut).map(|seat| {
            let result = run(&mut seat.session, &mut happened);
            self.timers
                .set(Timer::Session(key), seat.session.next_timeout());
            result
        });
        if result.is_some() {
            self.session_happened(now, key, &mut happened);
        }
        self.happened = happened;
        result
    }

    fn session_happened(&mut self, now: Instant, key: SessionKey, happened: &mut Happened) {
        self.drops().malformed += u64::from(happened.malformed);
        self.drops().faults += u64::from(happened.panicked);
        self.outbox.datagrams.extend(happened.transmits.drain(..));
        let Some(seat) = self.seats[key].as_ref() else {
            return;
        };
        let (room_key, member) = (seat.room, seat.member);
        let clock_sources = &seat.session;
        let Some(room) = self.rooms[room_key].as_mut() else {
            return;
        };
        let mut cx = Context {
            now,
            relay: &mut self.relay,
            relay_batch: &mut self.outbox.relay,
            effects: &mut self.effects,
        };
        if let Some(sealer) = happened.connected.take() {
            room.connected(&mut cx, member, sealer);
            if let Some(name) = room.name(member) {
                self.outbox.messages.push_back(Output::Room {
                    room: room.id.clone(),
                    message: NodeToRoom::Connected {
                        participant: name.participant,
                        attempt: name.attempt,
                    },
                });
            }
        }
        if happened.channel_open {
            room.channel_open(&mut cx, member);
        }
        for text in happened.texts.drain(..) {
            match serde_json::from_slice(&text) {
                Ok(ClientMediaMessage::View { tiles }) => room.set_view(&mut cx, member, tiles),
                Err(_) => self.stats.drops.malformed += 1,
            }
        }
        for (source, packet) in happened.media.drain(..) {
            self.stats.packets_in += 1;
            self.stats.bytes_in += packet.payload.len() as u64;
            if room.publish(&mut cx, member, source, packet) == Routed::NotAllowed {
                self.stats.drops.not_allowed += 1;
            }
        }
        let mut start = 0;
        for len in happened.rtcp_lengths.drain(..) {
            let compound = &happened.rtcp[start..start + len];
            start += len;
            for (ssrc, ntp, rtp) in room.feedback(&mut cx, member, compound) {
                if let Some(source) = clock_sources.source_of(ssrc) {
                    room.clock(&mut cx, member, source, ntp, rtp);
                }
            }
        }
        self.settle(room_key);
        if happened.closed {
            self.end_session(now, key, true);
        }
    }

    /// Ends a session that is over already or is to be closed; tells the room's Durable Object if it is news to it.
    fn end_session(&mut self, now: Instant, key: SessionKey, tell: bool) {
        let Some(mut seat) = self.seats.get_mut(key).and_then(Option::take) else {
            return;
        };
        let mut farewell = Happened::default();
        seat.session.close(&mut farewell);
        self.outbox.datagrams.extend(farewell.transmits);
        self.demux.remove(key);
        self.timers.clear(Timer::Session(key));
        let gone = self.with_room(now, seat.room, |room, cx| {
            let member = room.leave(cx, seat.member)?;
            Some((room.id.clone(), member))
        });
        if let Some(Some((room, member))) = gone {
            if tell {
                self.outbox.messages.push_back(Output::Room {
                    room,
                    message: NodeToRoom::Disconnected {
                        participant: member.participant,
                        attempt: member.attempt,
                    },
                });
            }
        }
    }

    // Rooms

    /// Runs something on a room, and then sees to what it has pending.
    fn with_room<R>(
        &mut self,
        now: Instant,
        key: RoomKey,
        run: impl FnOnce(&mut Room, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let room = self.rooms.get_mut(key)?.as_mut()?;
        let mut cx = Context {
            now,
            relay: &mut self.relay,
            relay_batch: &mut self.outbox.relay,
            effects: &mut self.effects,
        };
        let result = run(room, &mut cx);
        self.settle(key);
        Some(result)
    }

    fn settle(&mut self, key: RoomKey) {
        let Some(room) = self.rooms[key].as_mut() else {
            return;
        };
        if let Some(at) = room.due {
            self.timers.lower(Timer::Room(key), at);
        }
        if room.has_pending() && self.pending.last() != Some(&key) {
            self.pending.push(key);
        }
    }

    fn room_key(&mut self, id: &RoomId) -> RoomKey {
        if let Some(key) = self.room_keys.get(id) {
            return *key;
        }
        let free = self.rooms.iter().position(Option::is_none);
        let key = free.unwrap_or_else(|| {
            self.rooms.push(None);
            self.rooms.len() - 1
        });
        self.rooms[key] = Some(Room::new(id.clone(), key));
        self.room_keys.insert(id.clone(), key);
        key
    }

    fn room_message(&mut self, now: Instant, id: RoomId, message: RoomToNode) {
        match message {
            RoomToNode::Plan { epoch, peers } => {
                let plan: Vec<_> = peers
                    .iter()
                    .filter_map(|peer| {
                        let id = peer.fingerprint.parse().ok()?;
                        Some(PeerPlan {
                            id,
                            address: peer.quic.clone(),
                            dial: self.config.node < peer.node,
                        })
                    })
                    .collect();
                let ids = plan.iter().map(|peer| peer.id).collect();
                let key = self.room_key(&id);
                let fresh = self.with_room(now, key, |room, cx| room.set_peers(cx, epoch, ids));
                if fresh == Some(true) {
                    self.plans.insert(id, plan);
                    self.publish_peers();
                }
            }
            RoomToNode::Offer {
                participant,
                attempt,
                sdp,
                sources,
                caps,
            } => {
                let name = SessionRef {
                    participant,
                    attempt,
                };
                let answer = self.offer(now, &id, &name, &sdp, &sources, caps);
                let message = match answer {
                    Ok(sdp) => NodeToRoom::Answer {
                        participant: name.participant,
                        attempt: name.attempt,
                        sdp,
                    },
                    Err((reason, message)) => NodeToRoom::Refused {
                        participant: name.participant,
                        attempt: name.attempt,
                        reason,
                        message,
                    },
                };
                self.outbox
                    .messages
                    .push_back(Output::Room { room: id, message });
            }
            RoomToNode::Close {
                participant,
                attempt,
            } => {
                let name = SessionRef {
                    participant,
                    attempt,
                };
                if let Some(session) = self.session_of(&id, &name) {
                    self.end_session(now, session, false);
                }
            }
            RoomToNode::Release => self.release(now, &id),
        }
    }

    fn offer(
        &mut self,
        now: Instant,
        id: &RoomId,
        name: &SessionRef,
        sdp: &str,
        sources: &[protocol::client::SourceMid],
        caps: protocol::node::Caps,
    ) -> Result<String, (RefusalReason, String)> {
        if self.seats.iter().flatten().count() >= self.config.max_sessions {
            return Err((
                RefusalReason::NoCapacity,
                format!("this node holds its {} sessions", self.config.max_sessions),
            ));
        }
        let (session, negotiated) = Session::accept(now, &self.shared, sdp, sources)
            .map_err(|error| (RefusalReason::BadOffer, error.to_string()))?;
        let room_key = self.room_key(id);
        let room = self.rooms[room_key].as_ref();
        let former = room.and_then(|room| room.find(&name.participant));
        if let Some(former) = former.map(|(_, member)| member.session) {
            self.end_session(now, former, false);
        }
        let free = self.seats.iter().position(Option::is_none);
        let key = free.unwrap_or_else(|| {
            self.seats.push(None);
            self.seats.len() - 1
        });
        let subscriber = Subscriber::new(
            negotiated.slots,
            negotiated.extensions,
            format!("connect-{id}"),
        );
        let Some(room) = self.rooms[room_key].as_mut() else {
            return Err((RefusalReason::NoCapacity, "the room is gone".into()));
        };
        let member = room.join(name.clone(), key, sources, caps, subscriber);
        self.timers
            .set(Timer::Session(key), session.next_timeout());
        self.demux.expect(negotiated.ufrag, key);
        self.seats[key] = Some(Seat {
            session,
            room: room_key,
            member,
        });
        Ok(negotiated.sdp)
    }

    fn session_of(&self, room: &RoomId, name: &SessionRef) -> Option<SessionKey> {
        let room = self.rooms[*self.room_keys.get(room)?].as_ref()?;
        let (_, member) = room.find(&name.participant)?;
        (member.attempt == name.attempt).then_some(member.session)
    }

    fn release(&mut self, now: Instant, id: &RoomId) {
        let Some(key) = self.room_keys.get(id).copied() else {
            return;
        };
        let sessions: Vec<_> = self.rooms[key]
            .iter()
            .flat_map(|room| room.sessions().map(|(session, _)| session))
            .collect();
        for session in sessions {
            self.end_session(now, session, false);
        }
        self.with_room(now, key, |room, cx| room.close(cx));
        self.run_effects(now);
        self.rooms[key] = None;
        self.room_keys.remove(id);
        self.timers.clear(Timer::Room(key));
        self.pending.retain(|pending| *pending != key);
        if self.plans.remove(id).is_some() {
            self.publish_peers();
        }
    }

    /// Tells the shell the peers of all rooms together.
    fn publish_peers(&mut self) {
        let mut seen = HashSet::new();
        let peers = self
            .plans
            .values()
            .flatten()
            .filter(|peer| seen.insert(peer.id))
            .cloned()
            .collect();
        self.outbox.messages.push_back(Output::Peers { peers });
    }

    // Peers

    fn rooms_with(&self, peer: PeerId) -> Vec<RoomKey> {
        let rooms = self.rooms.iter().enumerate();
        rooms
            .filter(|(_, room)| room.as_ref().is_some_and(|r| r.peers().contains(&peer)))
            .map(|(key, _)| key)
            .collect()
    }

    fn peer_up(&mut self, now: Instant, peer: PeerId) {
        self.relay.peer_mut(peer).up = true;
        for key in self.rooms_with(peer) {
            self.with_room(now, key, |room, cx| room.peer_up(cx, peer));
        }
    }

    fn peer_down(&mut self, now: Instant, peer: PeerId) {
        self.relay.down(peer);
        for key in self.rooms_with(peer) {
            self.with_room(now, key, |room, cx| room.drop_peer(cx, peer));
        }
    }

    fn peer_message(&mut self, now: Instant, peer: PeerId, message: CascadeMessage) {
        let room_of = |engine: &Self, id: &RoomId| engine.room_keys.get(id).copied();
        match message {
            CascadeMessage::Hello { .. } | CascadeMessage::Unknown => {}
            CascadeMessage::Open { room } => {
                let key = room_of(self, &room);
                self.relay.remember_open(peer, room);
                if let Some(key) = key {
                    self.with_room(now, key, |room, cx| room.announce_all(cx, peer));
                }
            }
            CascadeMessage::Close { room } => {
                self.relay.peer_mut(peer).open.remove(&room);
                if let Some(key) = room_of(self, &room) {
                    self.with_room(now, key, |room, cx| room.drop_peer(cx, peer));
                }
            }
            CascadeMessage::Announce {
                room,
                track,
                codec,
                layers,
            } => {
                if let Some(key) = room_of(self, &room) {
                    self.with_room(now, key, |room, cx| {
                        room.announced(cx, peer, track, codec, layers);
                    });
                }
            }
            CascadeMessage::Withdraw { room, track } => {
                if let Some(key) = room_of(self, &room) {
                    self.with_room(now, key, |room, cx| room.withdrawn(cx, peer, &track));
                }
            }
            CascadeMessage::Want {
                flow,
                room,
                track,
                layer,
            } => {
                if let Some(key) = room_of(self, &room) {
                    let relay = RelayFlow { peer, flow };
                    self.with_room(now, key, |room, cx| room.wanted(cx, relay, &track, layer));
                }
            }
            CascadeMessage::Unwant { flow } => {
                if let Some((key, layer)) = self.relay.close_outbound(peer, flow) {
                    let relay = RelayFlow { peer, flow };
                    self.with_room(now, key, |room, _| room.unwanted(layer, relay));
                }
            }
            CascadeMessage::Keyframe { flow } => {
                if let Some((key, layer)) = self.relay.outbound(peer, flow) {
                    self.with_room(now, key, |room, cx| room.request_keyframe(cx, layer));
                }
            }
            CascadeMessage::Nack { flow, sequences } => {
                if let Some((key, layer)) = self.relay.outbound(peer, flow) {
                    let relay = RelayFlow { peer, flow };
                    let sent = self.with_room(now, key, |room, cx| {
                        room.resend(cx, layer, relay, &sequences)
                    });
                    self.stats.relay_retransmissions += sent.unwrap_or(0) as u64;
                }
            }
            CascadeMessage::SenderClock { flow, ntp, rtp } => {
                if let Some((key, layer)) = self.relay.inbound(peer, flow) {
                    self.with_room(now, key, |room, cx| room.set_clock(cx, layer, ntp, rtp));
                }
            }
        }
    }

    fn peer_datagram(&mut self, now: Instant, peer: PeerId, data: &[u8]) {
        let target = read_varint(data)
            .and_then(|(flow, rtp)| Some((self.relay.inbound(peer, flow)?, rtp)));
        let Some(((key, layer), rtp)) = target else {
            self.drops().unknown_flow += 1;
            return;
        };
        self.stats.relay_packets_in += 1;
        if self.with_room(now, key, |room, cx| room.relayed(cx, layer, rtp)) == Some(false) {
            self.drops().malformed += 1;
        }
    }

    // Time and effects

    fn handle_timers(&mut self, now: Instant) {
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Session(key) => {
                    self.with_session(now, key, |session, happened| {
                        session.handle_timeout(now, happened);
                    });
                }
                Timer::Room(key) => {
                    self.with_room(now, key, |room, cx| room.handle_timeout(cx));
                }
            }
        }
    }

    fn run_effects(&mut self, now: Instant) {
        while let Some(effect) = self.effects.pop_front() {
            match effect {
                Effect::Keyframe { session, source } => {
                    self.stats.keyframe_requests += 1;
                    self.with_session(now, session, |session, happened| {
                        session.request_keyframe(now, source, happened);
                    });
                }
                Effect::Text { session, text } => {
                    self.with_session(now, session, |session, happened| {
                        session.send_text(now, &text, happened);
                    });
                }
                Effect::Peer { peer, message } => {
                    self.outbox
                        .messages
                        .push_back(Output::PeerMessage { peer, message });
                }
            }
        }
    }

    /// Builds the batch of the next member that has something to send. Returns false when nobody has.
    fn flush_next(&mut self, now: Instant) -> bool {
        while let Some(key) = self.pending.last().copied() {
            let Some(room) = self.rooms[key].as_mut() else {
                self.pending.pop();
                continue;
            };
            let Some(member) = room.take_pending() else {
                self.pending.pop();
                continue;
            };
            let session = room.member(member).map(|member| member.session);
            let seat = session.and_then(|session| self.seats.get(session)?.as_ref());
            let to = seat.and_then(|seat| seat.session.address());
            let Some((subscriber, router)) = room.subscriber(member) else {
                continue;
            };
            let batch = &mut self.outbox.batch;
            batch.clear();
            let before = (subscriber.packets, subscriber.bytes, subscriber.repairs);
            subscriber.flush(router, batch);
            subscriber.report(now, router, batch);
            self.stats.packets_out += subscriber.packets - before.0;
            self.stats.bytes_out += subscriber.bytes - before.1;
            self.stats.retransmissions += subscriber.repairs - before.2;
            if to.is_some() && batch.len() > 0 {
                self.outbox.batch_to = to;
                return true;
            }
        }
        false
    }
}
