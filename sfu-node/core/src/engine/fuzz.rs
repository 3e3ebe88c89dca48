//! A room with two people in it and two peers, for the fuzz targets alone (feature `fuzz`).

use std::time::{Duration, Instant};

use protocol::cascade::CascadeMessage;
use protocol::id::Epoch;
use protocol::media::{Codec, Layer, Source};
use protocol::node::{Peer, RoomToNode};

use super::call::{Call, KEYFRAME};
use crate::io::{Input, Output, PeerId};
use crate::packet::Packet;
use crate::session::Media;

const FRAME: Duration = Duration::from_millis(20);
const PEERS: [PeerId; 2] = [PeerId([1; 32]), PeerId([2; 32])];

/// The call, and the peers beside it.
pub struct Peered(Call);

impl Peered {
    /// Two people who have offered the same, with a microphone on the m-line 0 and a camera on 1.
    ///
    /// # Panics
    /// The offer cannot be answered.
    pub fn new(now: Instant, offer: &str) -> Self {
        let mut call = Call::new(now);
        for name in ["ada", "bob"] {
            let sources = [(Source::Microphone, "0"), (Source::Camera, "1")];
            call.join(name, offer, &sources);
        }
        let mut peered = Self(call);
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
            breakouts: Vec::new(),
        };
        peered.told(plan);
        for peer in PEERS {
            peered.handle(Input::PeerUp { peer });
        }
        peered
    }

    /// A message of the room's Durable Object.
    pub fn told(&mut self, message: RoomToNode) {
        let room = self.0.id.clone();
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
        let (now, text) = (self.0.now, text.to_vec());
        let (session, _) = self.0.people[0];
        self.0
            .engine
            .with_session(now, session, |session, happened| {
                session.handle_timeout(now, happened);
                happened.texts.push(text);
            });
        self.pass();
    }

    /// The second one sends a packet of sound and one of a picture; time passes.
    pub fn media(&mut self) {
        self.0.sent += 1;
        let (now, (session, _)) = (self.0.now, self.0.people[1]);
        for (source, codec) in [
            (Source::Microphone, Codec::Opus),
            (Source::Camera, Codec::Vp8),
        ] {
            let timestamp = self.0.sent as u32 * 3_000;
            let packet = Packet::new(self.0.sent, timestamp, true, codec, None, KEYFRAME.into());
            self.0
                .engine
                .with_session(now, session, |session, happened| {
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
        self.0.engine.handle(self.0.now, input);
        self.drain();
    }

    fn pass(&mut self) {
        self.0.now += FRAME;
        self.handle(Input::Timeout);
    }

    /// Bytes that the first one was sent so far, sealed.
    pub fn seen(&mut self) -> u64 {
        self.0.seen_by(0)
    }

    fn drain(&mut self) {
        let Call { engine, now, .. } = &mut self.0;
        while !matches!(engine.poll_output(*now), Output::Timeout(_)) {}
        assert_eq!(engine.stats.drops.faults, 0, "a panic of ours");
    }
}
