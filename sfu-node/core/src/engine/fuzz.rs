//! A room with two people in it and two peers, for the fuzz targets alone (feature `fuzz`).

use std::time::{Duration, Instant};

use protocol::cascade::CascadeMessage;
use protocol::client::SourceMid;
use protocol::id::{Attempt, Epoch, RoomId};
use protocol::media::{Caps, Codec, Layer, Source};
use protocol::node::{Peer, RoomToNode, SessionRef};

use super::Engine;
use crate::egress::seal::Sealer;
use crate::io::{Config, Input, Output, PeerId, TransportAddress};
use crate::key::SessionKey;
use crate::packet::Packet;
use crate::session::Media;

const FRAME: Duration = Duration::from_millis(20);
const PEERS: [PeerId; 2] = [PeerId([1; 32]), PeerId([2; 32])];

/// The room, on a clock of its own.
pub struct Call {
    engine: Engine,
    now: Instant,
    room: RoomId,
    people: Vec<SessionKey>,
    sent: u64,
}

impl Call {
    /// Two people who have offered the same, with a microphone on the m-line 0 and a camera on 1.
    ///
    /// # Panics
    /// The offer cannot be answered.
    pub fn new(now: Instant, offer: &str) -> Self {
        let config = Config {
            node: "node-1".parse().expect("an id"),
            region: "eu-west".parse().expect("an id"),
            candidates: vec![TransportAddress::udp(([192, 0, 2, 1], 5_000).into())],
            max_sessions: 8,
        };
        let room: RoomId = "bako-tuvi-remo-dasu".parse().expect("an id");
        let mut call = Self {
            engine: Engine::new(config),
            now,
            room,
            people: Vec::new(),
            sent: 0,
        };
        for name in ["ada", "bob"] {
            call.join(name, offer);
        }
        let peers = ["node-0", "node-2"]
            .into_iter()
            .zip(PEERS)
            .zip(["eu-west", "us-east"]);
        let peers = peers.map(|((node, id), region)| Peer {
            node: node.parse().expect("an id"),
            region: region.parse().expect("an id"),
            quic: "192.0.2.2:6000".into(),
            fingerprint: id.to_string(),
        });
        let plan = RoomToNode::Plan {
            epoch: Epoch(1),
            peers: peers.collect(),
        };
        call.told(plan);
        for peer in PEERS {
            call.handle(Input::PeerUp { peer });
        }
        call
    }

    fn join(&mut self, name: &str, offer: &str) {
        let name = SessionRef {
            participant: name.parse().expect("an id"),
            attempt: Attempt(1),
        };
        let sources = [(Source::Microphone, "0"), (Source::Camera, "1")];
        let sources = sources.map(|(source, mid)| SourceMid {
            source,
            mid: mid.into(),
        });
        self.told(RoomToNode::Offer {
            participant: name.participant.clone(),
            attempt: name.attempt,
            sdp: offer.into(),
            sources: sources.into(),
            caps: Caps::default(),
        });
        let session = self
            .engine
            .session_of(&self.room, &name)
            .expect("an answer");
        let (room, member) = (
            self.engine.seats[session].room,
            self.engine.seats[session].member,
        );
        self.engine.with_room(self.now, room, |room, cx| {
            room.connected(cx, member, Sealer::of_test_keys());
        });
        self.people.push(session);
    }

    /// A message of the room's Durable Object.
    pub fn told(&mut self, message: RoomToNode) {
        let room = self.room.clone();
        self.handle(Input::Room { room, message });
    }

    /// A message of one of the two peers.
    pub fn peer_says(&mut self, which: u8, message: CascadeMessage) {
        let peer = PEERS[usize::from(which % 2)];
        self.handle(Input::PeerMessage { peer, message });
    }

    /// A media datagram of one of the two peers.
    pub fn peer_sends(&mut self, which: u8, data: &[u8]) {
        let peer = PEERS[usize::from(which % 2)];
        self.handle(Input::PeerDatagram { peer, data });
    }

    /// A text on the first one's data channel.
    pub fn client_says(&mut self, text: &[u8]) {
        let (now, text) = (self.now, text.to_vec());
        self.engine
            .with_session(now, self.people[0], |session, happened| {
                session.handle_timeout(now, happened);
                happened.texts.push(text);
            });
        self.pass();
    }

    /// The second one sends a packet of sound and one of a picture; time passes.
    pub fn media(&mut self) {
        self.sent += 1;
        let now = self.now;
        for (source, codec) in [
            (Source::Microphone, Codec::Opus),
            (Source::Camera, Codec::Vp8),
        ] {
            let timestamp = self.sent as u32 * 3_000;
            let payload = [
                0x90, 0xE0, 0x80, 0, 0, 0, 0, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0x68, 0x01,
            ];
            let packet = Packet::new(self.sent, timestamp, true, codec, None, payload.into());
            self.engine
                .with_session(now, self.people[1], |session, happened| {
                    session.handle_timeout(now, happened);
                    happened.media.push(Media {
                        source,
                        layer: Layer(0),
                        arrived: now,
                        packet,
                    });
                });
        }
        self.pass();
    }

    fn handle(&mut self, input: Input<'_>) {
        self.engine.handle(self.now, input);
        self.drain();
    }

    fn pass(&mut self) {
        self.now += FRAME;
        self.handle(Input::Timeout);
    }

    fn drain(&mut self) {
        while !matches!(self.engine.poll_output(self.now), Output::Timeout(_)) {}
        assert_eq!(self.engine.stats.drops.faults, 0, "a panic of ours");
    }
}
