//! A call within an engine, without a network: people who are connected and somewhere. For tests and fuzz targets alone.

use std::time::{Duration, Instant};

use protocol::client::SourceMid;
use protocol::id::{Attempt, RoomId};
use protocol::media::{Caps, Source};
use protocol::node::{RoomToNode, SessionRef};

use super::Engine;
use crate::clock::NodeClock;
use crate::egress::seal::Sealer;
use crate::io::{Config, TransportAddress};
use crate::key::{MemberKey, RoomKey, SessionKey};

/// A keyframe's payload: VP8's descriptor and the head of a picture of 640 by 360.
pub const KEYFRAME: [u8; 16] = [
    0x90, 0xE0, 0x80, 0, 0, 0, 0, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0x68, 0x01,
];

/// One room, on a clock of its own.
pub struct Call {
    pub now: Instant,
    pub engine: Engine,
    pub id: RoomId,
    pub room: RoomKey,
    pub people: Vec<(SessionKey, MemberKey)>,
    /// Packets of each source that were sent so far.
    pub sent: u64,
}

impl Call {
    /// Nobody is in it yet.
    pub fn new(now: Instant) -> Self {
        let mut engine = Engine::new(Config {
            node: "node-1".parse().expect("an id"),
            region: "eu-west".parse().expect("an id"),
            candidates: vec![TransportAddress::udp(([192, 0, 2, 1], 5_000).into())],
            max_sessions: 8,
            clock: NodeClock::new(now, Duration::ZERO),
        });
        let id: RoomId = "bako-tuvi-remo-dasu".parse().expect("an id");
        let room = engine.room_key(&id);
        Self {
            now,
            engine,
            id,
            room,
            people: Vec::new(),
            sent: 0,
        }
    }

    /// Somebody offers these sources, each on its m-line, and is connected and reached at once.
    pub fn join(&mut self, name: &str, offer: &str, sources: &[(Source, &str)]) {
        let name = SessionRef {
            participant: name.parse().expect("an id"),
            attempt: Attempt(1),
        };
        let sources = sources.iter().map(|&(source, mid)| SourceMid {
            source,
            mid: mid.into(),
        });
        let offer = RoomToNode::Offer {
            participant: name.participant.clone(),
            attempt: name.attempt,
            sdp: offer.into(),
            sources: sources.collect(),
            caps: Caps::default(),
            breakout: None,
            trail: None,
        };
        self.engine.room_message(self.now, self.id.clone(), offer);
        let session = self.engine.session_of(&self.id, &name).expect("answered");
        let seat = &mut self.engine.seats[session];
        let at = ([10, 1, 0, self.people.len() as u8], 5_000).into();
        seat.session.reach(TransportAddress::udp(at));
        let member = seat.member;
        self.engine.with_room(self.now, self.room, |room, cx| {
            room.connected(cx, member, Sealer::of_test_keys());
        });
        self.people.push((session, member));
    }

    /// Bytes that were sent to somebody.
    pub fn seen_by(&mut self, person: usize) -> u64 {
        let (_, member) = self.people[person];
        let room = self.engine.rooms.get_mut(self.room).expect("it is there");
        let subscriber = room.subscriber(member);
        subscriber.map_or(0, |(subscriber, _)| subscriber.sent_bytes())
    }
}
