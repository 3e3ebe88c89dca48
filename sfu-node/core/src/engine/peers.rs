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
        if self.with_room(now, key, |room, cx| room.relayed(cx, layer, rtp)) == Some(false) {
            self.drops().malformed += 1;
        }
    }
}
