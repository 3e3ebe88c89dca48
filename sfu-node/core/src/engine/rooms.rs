//! Messages of room links to rooms, and the sessions that they open and close.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use protocol::client::Offer;
use protocol::id::{BreakoutId, Epoch, RoomId};
use protocol::media::Caps;
use protocol::node::{NodeToRoom, Peer, RefusalReason, RoomToNode, SessionRef};

use super::{Engine, Seat, Timer};
use crate::egress::subscriber::Subscriber;
use crate::io::{Output, PeerId, PeerPlan};
use crate::key::{MemberKey, RoomKey, SessionKey};
use crate::room::{Context, Ring, Room};
use crate::session::Session;

impl Engine {
    /// Runs something on a room, and then sees to what it has pending. A panic ends that piece of work and nothing else: other
    /// rooms do not notice, and this one goes on with what it has.
    pub(super) fn with_room<R>(
        &mut self,
        now: Instant,
        key: RoomKey,
        run: impl FnOnce(&mut Room, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let room = self.rooms.get_mut(key)?;
        let mut cx = Context {
            now,
            relay: &mut self.relay,
            relay_batch: &mut self.outbox.relay,
            effects: &mut self.effects,
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let result = run(room, &mut cx);
            room.tell_demand(&mut cx);
            result
        }));
        if outcome.is_err() {
            tracing::error!("a room's work ended by a panic");
            self.stats.drops.faults += 1;
        }
        self.settle(key);
        outcome.ok()
    }

    pub(super) fn settle(&mut self, key: RoomKey) {
        let Some(room) = self.rooms.get_mut(key) else {
            return;
        };
        if let Some(at) = room.next_deadline() {
            self.timers.lower(Timer::Room(key), at);
        }
        if room.has_pending() && self.pending.last() != Some(&key) {
            self.pending.push(key);
        }
    }

    pub(super) fn room_key(&mut self, id: &RoomId) -> RoomKey {
        if let Some(key) = self.room_keys.get(id) {
            return *key;
        }
        self.open(id.clone(), id.clone())
    }

    /// A room that is called so by peers, on the link of this one.
    pub(super) fn open(&mut self, id: RoomId, link: RoomId) -> RoomKey {
        let clock = self.config.clock;
        let key = self
            .rooms
            .insert_with_key(|key| Room::new(id.clone(), link, key, clock));
        self.room_keys.insert(id, key);
        key
    }

    pub(super) fn room_message(&mut self, now: Instant, id: RoomId, message: RoomToNode) {
        match message {
            RoomToNode::Plan {
                epoch,
                peers,
                breakouts,
            } => {
                self.plan(now, id, epoch, &peers, &breakouts);
            }
            RoomToNode::Offer {
                participant,
                attempt,
                sdp,
                sources,
                caps,
                breakout,
                trail,
            } => {
                let name = SessionRef {
                    participant,
                    attempt,
                };
                let offer = Offer {
                    attempt,
                    sdp,
                    sources,
                };
                let answer = self.offer(now, (&id, breakout), &name, &offer, caps);
                if trail.is_some()
                    && let Some(session) = self.session_of(&id, &name)
                {
                    self.follow(session);
                }
                let message = match answer {
                    Ok(sdp) => NodeToRoom::Answer {
                        participant: name.participant,
                        attempt: name.attempt,
                        sdp,
                    },
                    Err((reason, message)) => {
                        self.stats.refused_offers += 1;
                        NodeToRoom::Refused {
                            participant: name.participant,
                            attempt: name.attempt,
                            reason,
                            message,
                        }
                    }
                };
                self.outbox
                    .messages
                    .push_back(Output::Room { room: id, message });
            }
            RoomToNode::Caps { participant, caps } => {
                if let Some((room, _)) = self.find_member(&id, &participant) {
                    self.with_room(now, room, |room, cx| room.set_caps(cx, &participant, caps));
                }
            }
            RoomToNode::Breakout {
                participant,
                breakout,
            } => self.set_breakout(now, &id, &participant, breakout),
            RoomToNode::RestartIce {
                participant,
                attempt,
                sdp,
            } => {
                let name = SessionRef {
                    participant,
                    attempt,
                };
                let message = self.restart_ice(now, &id, name, &sdp);
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
                    self.end_session(now, session);
                }
            }
            RoomToNode::Release => self.release(now, &id),
        }
    }

    /// The other nodes that host the room.
    fn plan(
        &mut self,
        now: Instant,
        id: RoomId,
        epoch: Epoch,
        peers: &[Peer],
        breakouts: &[BreakoutId],
    ) {
        let mut plan = Vec::new();
        let mut rings = BTreeMap::new();
        for peer in peers {
            let Ok(id) = peer.fingerprint.parse() else {
                continue;
            };
            let ring = if peer.region == self.config.region {
                Ring::Region
            } else {
                Ring::Abroad
            };
            rings.insert(id, ring);
            plan.push(PeerPlan {
                id,
                address: peer.quic.clone(),
                dial: self.config.node < peer.node,
            });
        }
        let key = self.room_key(&id);
        let fresh = self.with_room(now, key, |room, cx| room.set_peers(cx, epoch, rings));
        if fresh == Some(true) {
            self.share_breakouts(now, &id);
            self.set_breakouts(now, &id, breakouts);
            self.plans.insert(id, plan);
            self.publish_peers();
        }
    }

    /// The other shards of this node that host the room.
    pub(super) fn set_siblings(&mut self, now: Instant, id: RoomId, siblings: BTreeSet<PeerId>) {
        let key = self.room_key(&id);
        self.with_room(now, key, |room, cx| room.set_siblings(cx, siblings));
        self.share_breakouts(now, &id);
    }

    pub(super) fn offer(
        &mut self,
        now: Instant,
        (id, breakout): (&RoomId, Option<BreakoutId>),
        name: &SessionRef,
        offer: &Offer,
        caps: Caps,
    ) -> Result<String, (RefusalReason, String)> {
        let former = self.find_member(id, &name.participant);
        let former = former.and_then(|(key, member)| {
            let member = self.rooms.get(key)?.member(member)?;
            Some(member.session)
        });
        let others = self.seats.len() - usize::from(former.is_some());
        if others >= self.config.max_sessions {
            return Err((
                RefusalReason::NoCapacity,
                format!("this node holds its {} sessions", self.config.max_sessions),
            ));
        }
        let (session, negotiated) = Session::accept(now, &self.shared, &offer.sdp, &offer.sources)
            .map_err(|error| {
                tracing::debug!(?error, "an offer was refused");
                (RefusalReason::BadOffer, error.to_string())
            })?;
        if let Some(former) = former {
            self.end_session(now, former);
        }
        let subscriber = Subscriber::new(now, negotiated.slots);
        let room_key = self.place(now, id, breakout);
        let Some(room) = self.rooms.get_mut(room_key) else {
            return Err((RefusalReason::NoCapacity, "the room is gone".into()));
        };
        let next_timeout = session.next_timeout();
        let tag = session.tag();
        let mut joined = MemberKey::default();
        let key = self.seats.insert_with_key(|key| {
            joined = room.join(name.clone(), key, negotiated.published, caps, subscriber);
            Seat {
                session,
                room: room_key,
                member: joined,
                answer: Some(negotiated.sdp.clone()),
            }
        });
        self.with_room(now, room_key, |room, cx| room.assign(cx, joined));
        self.timers.set(Timer::Session(key), next_timeout);
        self.demux
            .expect(key, [negotiated.credentials.ufrag.as_str()]);
        self.demux.expect_answers(key, tag);
        Ok(negotiated.sdp)
    }

    /// Seeks the path of a session anew. One that is not there, or cannot, is over.
    fn restart_ice(
        &mut self,
        now: Instant,
        id: &RoomId,
        name: SessionRef,
        sdp: &str,
    ) -> NodeToRoom {
        let session = self.session_of(id, &name);
        let restarted = session.and_then(|key| {
            let seat = self.seats.get_mut(key)?;
            let credentials = seat.session.restart_ice(sdp);
            match &credentials {
                Some(_) => self.demux.expect(key, seat.session.ufrags()),
                None => {
                    self.end_session(now, key);
                }
            }
            credentials
        });
        let (participant, attempt) = (name.participant, name.attempt);
        match restarted {
            Some(credentials) => NodeToRoom::IceRestarted {
                participant,
                attempt,
                credentials,
            },
            None => NodeToRoom::Disconnected {
                participant,
                attempt,
            },
        }
    }

    pub(super) fn session_of(&self, room: &RoomId, name: &SessionRef) -> Option<SessionKey> {
        let (room, member) = self.find_member(room, &name.participant)?;
        let member = self.rooms.get(room)?.member(member)?;
        (member.attempt == name.attempt).then_some(member.session)
    }

    pub(super) fn release(&mut self, now: Instant, id: &RoomId) {
        let places = self.places(id).into_iter();
        let rooms = places.filter_map(|key| self.rooms.get(key));
        let sessions: Vec<_> = rooms
            .flat_map(|room| room.sessions().map(|(session, _)| session))
            .collect();
        for session in sessions {
            self.end_session(now, session);
        }
        for name in self.breakouts.remove(id).into_iter().flatten() {
            self.close(now, &name);
        }
        self.close(now, id);
        if self.plans.remove(id).is_some() {
            self.publish_peers();
        }
    }

    /// A room without members is no more.
    pub(super) fn close(&mut self, now: Instant, id: &RoomId) {
        let Some(key) = self.room_keys.get(id).copied() else {
            return;
        };
        self.with_room(now, key, |room, cx| room.close(cx));
        self.run_effects(now);
        self.rooms.remove(key);
        self.room_keys.remove(id);
        self.timers.clear(Timer::Room(key));
        self.pending.retain(|pending| *pending != key);
    }

    /// Tells the shell the peers of all rooms together.
    pub(super) fn publish_peers(&mut self) {
        let mut seen = HashSet::new();
        let peers = self
            .plans
            .values()
            .flatten()
            .filter(|peer| seen.insert(peer.id))
            .cloned()
            .collect();
        self.relay.retain_peers(|peer| seen.contains(&peer));
        self.outbox.messages.push_back(Output::Peers { peers });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::NodeClock;
    use crate::io::{Config, Input};

    #[test]
    fn a_panic_in_a_room_s_work_ends_no_other_work() {
        let now = Instant::now();
        let mut engine = Engine::new(Config {
            node: "node-1".parse().unwrap(),
            region: "eu-west".parse().unwrap(),
            candidates: Vec::new(),
            max_sessions: 1,
            clock: NodeClock::new(now, Duration::ZERO),
        });
        let id: RoomId = "bako-tuvi-remo-dasu".parse().unwrap();
        let key = engine.room_key(&id);
        let outcome: Option<()> = engine.with_room(now, key, |_, _| panic!("on purpose"));
        assert_eq!((outcome, engine.stats().drops.faults), (None, 1));
        assert_eq!(
            engine.with_room(now, key, |room, _| room.id.clone()),
            Some(id)
        );
        engine.handle(now, Input::Timeout);
        assert!(matches!(engine.poll_output(now), Output::Timeout(_)));
    }
}
