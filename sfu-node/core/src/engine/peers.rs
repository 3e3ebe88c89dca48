//! Messages and datagrams of peers to the rooms that they are about.

use std::time::Instant;

use protocol::cascade::CascadeMessage;
use protocol::id::RoomId;

use super::Engine;
use crate::io::PeerId;
use crate::key::RoomKey;
use crate::relay::shedding::{Importance, Verdict};
use crate::relay::{FlowTarget, read_varint};
use crate::room::Announcement;
use crate::router::RelayFlow;

impl Engine {
    pub(super) fn rooms_with(&self, peer: PeerId) -> Vec<RoomKey> {
        self.rooms
            .iter()
            .filter(|(_, room)| room.is_shared_with(peer))
            .map(|(key, _)| key)
            .collect()
    }

    pub(super) fn peer_up(&mut self, now: Instant, peer: PeerId) {
        self.relay.peer_mut(peer).up = true;
        for key in self.rooms_with(peer) {
            self.with_room(now, key, |room, cx| room.peer_up(cx, peer));
        }
    }

    pub(super) fn peer_down(&mut self, now: Instant, peer: PeerId) {
        self.relay.down(peer);
        for key in self.rooms_with(peer) {
            self.with_room(now, key, |room, cx| room.drop_peer(cx, peer));
        }
    }

    pub(super) fn peer_message(&mut self, now: Instant, peer: PeerId, message: CascadeMessage) {
        let room_of = |engine: &Self, id: &RoomId| engine.room_keys.get(id).copied();
        match message {
            CascadeMessage::Hello { .. } | CascadeMessage::Unknown => {}
            CascadeMessage::Pause { flow } => self.flow_paused(now, peer, flow, true),
            CascadeMessage::Resume { flow } => self.flow_paused(now, peer, flow, false),
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
                attempt,
                hops,
            } => {
                if let Some(key) = room_of(self, &room) {
                    let announcement = Announcement {
                        track,
                        codec,
                        layers,
                        attempt,
                        hops,
                    };
                    self.with_room(now, key, |room, cx| room.announced(cx, peer, announcement));
                }
            }
            CascadeMessage::Qualities {
                room,
                participants,
                hops,
            } => {
                if let Some(key) = room_of(self, &room) {
                    self.with_room(now, key, |room, cx| {
                        room.heard_qualities(cx, peer, participants, hops);
                    });
                }
            }
            CascadeMessage::Caption {
                room,
                caption,
                hops,
            } => {
                if let Some(key) = room_of(self, &room) {
                    self.with_room(now, key, |room, cx| {
                        room.heard_caption(cx, peer, caption, hops);
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
                // What had this number before is over.
                self.end_outbound(now, peer, flow);
                if let Some(key) = room_of(self, &room) {
                    let relay = RelayFlow { peer, flow };
                    self.with_room(now, key, |room, cx| room.wanted(cx, relay, &track, layer));
                }
            }
            CascadeMessage::Unwant { flow } => self.end_outbound(now, peer, flow),
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

    fn end_outbound(&mut self, now: Instant, peer: PeerId, flow: u64) {
        if let Some((key, layer)) = self.relay.close_outbound(peer, flow) {
            let relay = RelayFlow { peer, flow };
            self.with_room(now, key, |room, cx| room.unwanted(cx, layer, relay));
        }
    }

    fn flow_paused(&mut self, now: Instant, peer: PeerId, flow: u64, paused: bool) {
        if let Some((key, layer)) = self.relay.inbound(peer, flow) {
            self.with_room(now, key, |room, cx| room.flow_paused(cx, layer, paused));
        }
    }

    /// How the path to a peer is now: pauses and resumes what is sent there.
    pub(super) fn peer_path(&mut self, now: Instant, peer: PeerId, rate: u64, queued: usize) {
        let rooms = &self.rooms;
        let importance = |(key, layer): FlowTarget| {
            let room = rooms.get(key);
            room.map_or(Importance::Detail(0), |room| room.importance(now, layer))
        };
        let verdicts = self
            .relay
            .survey(now, peer, rate as f64, queued, importance);
        for verdict in verdicts {
            let (flow, paused) = match verdict {
                Verdict::Pause(flow) => (flow, true),
                Verdict::Resume(flow) => (flow, false),
            };
            let Some((key, layer)) = self.relay.set_paused(peer, flow, paused) else {
                continue;
            };
            self.stats.relay_pauses += u64::from(paused);
            let relay = RelayFlow { peer, flow };
            self.with_room(now, key, |room, cx| {
                if paused {
                    room.pause_flow(cx, layer, relay);
                } else {
                    room.resume_flow(cx, layer, relay);
                }
            });
        }
    }

    pub(super) fn peer_datagram(&mut self, now: Instant, peer: PeerId, data: &[u8]) {
        let target =
            read_varint(data).and_then(|(flow, rtp)| Some((self.relay.inbound(peer, flow)?, rtp)));
        let Some(((key, layer), rtp)) = target else {
            self.drops().unknown_flow += 1;
            return;
        };
        self.stats.relay_packets_in += 1;
        self.stats.relay_bytes_in += data.len() as u64;
        if self.with_room(now, key, |room, cx| room.relayed(cx, layer, rtp)) == Some(false) {
            self.drops().malformed += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use protocol::id::Epoch;
    use protocol::media::{Codec, Layer, Source, TrackId};
    use protocol::node::{Peer, RoomToNode};

    use super::*;
    use crate::clock::NodeClock;
    use crate::io::{Config, Input, Output};

    const ROOM: &str = "bako-tuvi-remo-dasu";

    /// A gateway between a peer that publishes and one that wants, each in a region of its own.
    struct Between {
        now: Instant,
        engine: Engine,
        from: PeerId,
        to: PeerId,
    }

    /// What an engine put out for its peers.
    #[derive(Default)]
    struct Out {
        messages: Vec<(PeerId, CascadeMessage)>,
        datagrams: Vec<(PeerId, Vec<u8>)>,
    }

    fn camera(of: &str) -> TrackId {
        TrackId {
            participant: of.parse().unwrap(),
            source: Source::Camera,
        }
    }

    impl Between {
        fn new() -> Self {
            let [from, to] = [1, 2].map(|n: u8| format!("{n:02x}").repeat(32));
            let mut between = Self {
                now: Instant::now(),
                engine: Engine::new(Config {
                    node: "node-1".parse().unwrap(),
                    region: "eu-west".parse().unwrap(),
                    candidates: Vec::new(),
                    max_sessions: 1,
                    clock: NodeClock::new(Instant::now(), Duration::ZERO),
                }),
                from: from.parse().unwrap(),
                to: to.parse().unwrap(),
            };
            let peer = |node: &str, region: &str, fingerprint| Peer {
                node: node.parse().unwrap(),
                region: region.parse().unwrap(),
                quic: "192.0.2.1:1".into(),
                fingerprint,
            };
            between.input(Input::Room {
                room: ROOM.parse().unwrap(),
                message: RoomToNode::Plan {
                    epoch: Epoch(1),
                    peers: vec![
                        peer("node-2", "eu-west", from),
                        peer("node-3", "us-east", to),
                    ],
                    breakouts: Vec::new(),
                },
            });
            for peer in [between.from, between.to] {
                between.input(Input::PeerUp { peer });
                let room = ROOM.parse().unwrap();
                between.hear(peer, CascadeMessage::Open { room });
            }
            between
        }

        fn input(&mut self, input: Input<'_>) -> Out {
            self.engine.handle(self.now, input);
            let mut out = Out::default();
            loop {
                match self.engine.poll_output(self.now) {
                    Output::Timeout(_) => return out,
                    Output::PeerMessage { peer, message } => out.messages.push((peer, message)),
                    Output::PeerDatagram { peer, data } => {
                        out.datagrams.push((peer, data.to_vec()));
                    }
                    _ => {}
                }
            }
        }

        fn hear(&mut self, peer: PeerId, message: CascadeMessage) -> Out {
            self.input(Input::PeerMessage { peer, message })
        }

        /// The publishing peer has a track.
        fn announce(&mut self, track: TrackId) {
            let message = CascadeMessage::Announce {
                room: ROOM.parse().unwrap(),
                track,
                codec: Codec::Vp8,
                layers: 1,
                attempt: None,
                hops: 0,
            };
            self.hear(self.from, message);
        }

        /// The other peer wants it as this flow; returns the flow that it is asked for by.
        fn want(&mut self, flow: u64, track: TrackId) -> u64 {
            let message = CascadeMessage::Want {
                flow,
                room: ROOM.parse().unwrap(),
                track,
                layer: Layer(0),
            };
            let messages = self.hear(self.to, message).messages;
            let asked = messages.iter().find_map(|(peer, message)| match message {
                CascadeMessage::Want { flow, .. } if *peer == self.from => Some(*flow),
                _ => None,
            });
            asked.expect("it is asked for in turn")
        }

        /// The first byte of each datagram, its flow, that goes on when one comes in this flow.
        fn relay(&mut self, flow: u64, sequence: u16) -> Vec<(PeerId, u8)> {
            let mut data = vec![flow as u8];
            let keyframe = [0x10, 0, 0, 0, 0x9d, 0x01, 0x2a, 0, 1, 0, 1];
            let packet = crate::packet::Packet::new(
                sequence.into(),
                0,
                true,
                Codec::Vp8,
                None,
                keyframe[..].into(),
            );
            packet.write_relay(&mut data);
            let peer = self.from;
            let out = self.input(Input::PeerDatagram { peer, data: &data });
            let flows = out.datagrams.iter();
            flows.map(|(peer, data)| (*peer, data[0])).collect()
        }
    }

    #[test]
    fn a_flow_number_that_is_used_again_ends_what_had_it_before() {
        let mut between = Between::new();
        let to = between.to;
        between.announce(camera("ada"));
        between.announce(camera("ben"));
        let ada = between.want(7, camera("ada"));
        assert_eq!(between.relay(ada, 1), [(to, 7)]);
        let ben = between.want(7, camera("ben"));
        assert_eq!(between.relay(ada, 2), []);
        assert_eq!(between.relay(ben, 1), [(to, 7)]);
        assert_eq!(between.engine.stats().relay_flows_out, 1);
        // And one that ends, ends what it is now.
        between.hear(to, CascadeMessage::Unwant { flow: 7 });
        assert_eq!(between.relay(ben, 2), []);
    }

    #[test]
    fn a_flood_of_a_publisher_s_clocks_goes_on_as_a_few() {
        let mut between = Between::new();
        let (from, to) = (between.from, between.to);
        between.announce(camera("ada"));
        let flow = between.want(7, camera("ada"));
        let mut told = Vec::new();
        for ms in 0..1_000 {
            let clock = CascadeMessage::SenderClock {
                flow,
                ntp: ms << 32,
                rtp: 1,
            };
            told.extend(between.hear(from, clock).messages);
            between.now += Duration::from_millis(1);
        }
        let clocks = told.iter().filter_map(|(peer, message)| match message {
            CascadeMessage::SenderClock { flow: 7, ntp, .. } if *peer == to => Some(ntp >> 32),
            _ => None,
        });
        assert_eq!(clocks.collect::<Vec<_>>(), [0, 200, 400, 600, 800]);
    }
}
