//! The cascade's table: which flows run between this shard and its peers, and how a media datagram is written.

pub mod fragment;
pub mod shedding;

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use protocol::cascade::FRAGMENT;
use protocol::id::RoomId;

use crate::io::PeerId;
use crate::key::RoomKey;
use crate::packet::Packet;
use crate::router::LayerKey;
use shedding::{Importance, Load, Path, Verdict};

/// Most rooms that a peer may claim to share with us; far more than a shard holds.
const MAX_OPEN_ROOMS: usize = 65_536;

/// What a flow carries.
pub type FlowTarget = (RoomKey, LayerKey);

/// How often the rates of flows are measured.
const MEASURE: Duration = Duration::from_millis(500);

/// A flow to a peer.
#[derive(Debug, Clone, Copy)]
struct Outbound {
    target: FlowTarget,
    paused: bool,
    /// Sent since the last measurement.
    bytes: u64,
    /// Bits per second, while it flowed last.
    rate: Option<f64>,
}

/// What is known of one peer.
#[derive(Debug, Default)]
pub struct RelayPeer {
    /// Both connections are up.
    pub up: bool,
    /// The rooms that the peer has said it shares with us.
    pub open: HashSet<RoomId>,
    /// Flows that we asked the peer for, by the id we gave.
    inbound: HashMap<u64, FlowTarget>,
    /// Flows that the peer asked us for, by the id it gave.
    outbound: HashMap<u64, Outbound>,
    path: Path,
    /// When the rates of the flows were measured last.
    measured: Option<Instant>,
    /// How many ids were given.
    flows: u64,
    pub round_trip: Option<Duration>,
}

impl RelayPeer {
    fn measure(&mut self, now: Instant) {
        let Some(since) = self.measured else {
            // What was sent before has no time that it could be divided by.
            self.measured = Some(now);
            self.outbound.values_mut().for_each(|flow| flow.bytes = 0);
            return;
        };
        let passed = now.saturating_duration_since(since);
        if passed < MEASURE {
            return;
        }
        self.measured = Some(now);
        for outbound in self.outbound.values_mut().filter(|flow| !flow.paused) {
            let rate = outbound.bytes as f64 * 8.0 / passed.as_secs_f64();
            outbound.rate = Some(rate);
            outbound.bytes = 0;
        }
    }
}

/// The flows of a shard.
#[derive(Debug, Default)]
pub struct Relay {
    peers: HashMap<PeerId, RelayPeer>,
}

impl Relay {
    /// The peer, if it has ever been heard of.
    pub fn peer(&self, peer: PeerId) -> Option<&RelayPeer> {
        self.peers.get(&peer)
    }

    /// The peer, made on first mention.
    pub fn peer_mut(&mut self, peer: PeerId) -> &mut RelayPeer {
        self.peers.entry(peer).or_default()
    }

    /// The peer says that it hosts this room.
    pub fn remember_open(&mut self, peer: PeerId, room: RoomId) {
        let open = &mut self.peer_mut(peer).open;
        if open.len() < MAX_OPEN_ROOMS {
            open.insert(room);
        }
    }

    /// Whether the peer is up and has said that it hosts this room.
    pub fn shares(&self, peer: PeerId, room: &RoomId) -> bool {
        self.peer(peer)
            .is_some_and(|peer| peer.up && peer.open.contains(room))
    }

    /// Forgets peers that are neither up nor in any plan.
    pub fn retain_peers(&mut self, planned: impl Fn(PeerId) -> bool) {
        self.peers.retain(|id, peer| peer.up || planned(*id));
    }

    /// Measured anew: the round-trip time to a peer.
    pub fn set_round_trip(&mut self, peer: PeerId, round_trip: Duration) {
        self.peer_mut(peer).round_trip = Some(round_trip);
    }

    /// Whether both connections to a peer are up.
    pub fn is_up(&self, peer: PeerId) -> bool {
        self.peer(peer).is_some_and(|peer| peer.up)
    }

    /// The peer is gone: forgets all flows with it.
    pub fn down(&mut self, peer: PeerId) {
        // Flow ids go on counting, so that a datagram of the old connection cannot meet a new flow.
        let flows = self.peer(peer).map_or(0, |peer| peer.flows);
        self.peers.insert(
            peer,
            RelayPeer {
                flows,
                ..RelayPeer::default()
            },
        );
    }

    /// Opens a flow from a peer to us and returns its id.
    pub fn open_inbound(&mut self, peer: PeerId, target: FlowTarget) -> u64 {
        let peer = self.peer_mut(peer);
        peer.flows += 1;
        let flow = FRAGMENT + peer.flows;
        peer.inbound.insert(flow, target);
        flow
    }

    pub fn close_inbound(&mut self, peer: PeerId, flow: u64) {
        self.peer_mut(peer).inbound.remove(&flow);
    }

    pub fn inbound(&self, peer: PeerId, flow: u64) -> Option<FlowTarget> {
        self.peer(peer)?.inbound.get(&flow).copied()
    }

    /// A peer asked for a flow. None of this number may be open.
    pub fn open_outbound(&mut self, peer: PeerId, flow: u64, target: FlowTarget) {
        let outbound = Outbound {
            target,
            paused: false,
            bytes: 0,
            rate: None,
        };
        self.peer_mut(peer).outbound.insert(flow, outbound);
    }

    pub fn close_outbound(&mut self, peer: PeerId, flow: u64) -> Option<FlowTarget> {
        let closed = self.peer_mut(peer).outbound.remove(&flow);
        closed.map(|outbound| outbound.target)
    }

    pub fn outbound(&self, peer: PeerId, flow: u64) -> Option<FlowTarget> {
        let outbound = self.peer(peer)?.outbound.get(&flow);
        outbound.map(|outbound| outbound.target)
    }

    /// A datagram goes to a peer.
    pub fn count(&mut self, peer: PeerId, datagram: &[u8]) {
        if let Some((flow, _)) = read_varint(datagram)
            && let Some(peer) = self.peers.get_mut(&peer)
            && let Some(outbound) = peer.outbound.get_mut(&flow)
        {
            outbound.bytes += datagram.len() as u64;
        }
    }

    /// The path to a peer carries so much (bits per second), and so many bytes wait for it. Returns its flows when it is
    /// time to decide anew which of them may use it; `importance` knows what they are.
    pub fn survey(
        &mut self,
        now: Instant,
        peer: PeerId,
        rate: f64,
        queued: usize,
        importance: impl Fn(FlowTarget) -> Importance,
    ) -> Vec<Verdict> {
        let Some(peer) = self.peers.get_mut(&peer) else {
            return Vec::new();
        };
        peer.measure(now);
        if !peer.path.is_due(now, rate, queued) {
            return Vec::new();
        }
        let load = |(flow, outbound): (&u64, &Outbound)| Load {
            flow: *flow,
            importance: importance(outbound.target),
            rate: outbound.rate,
            paused: outbound.paused,
        };
        let mut loads: Vec<Load> = peer.outbound.iter().map(load).collect();
        peer.path.decide(now, rate, &mut loads)
    }

    /// Notes that a flow is paused or not, and returns what it carries.
    pub fn set_paused(&mut self, peer: PeerId, flow: u64, paused: bool) -> Option<FlowTarget> {
        let outbound = self.peer_mut(peer).outbound.get_mut(&flow)?;
        outbound.paused = paused;
        outbound.bytes = 0;
        Some(outbound.target)
    }

    /// Whether a flow to a peer is paused.
    pub fn is_paused(&self, peer: PeerId, flow: u64) -> bool {
        let outbound = self.peer(peer).and_then(|peer| peer.outbound.get(&flow));
        outbound.is_some_and(|outbound| outbound.paused)
    }

    /// How many flows come in and go out now.
    pub fn flows(&self) -> (usize, usize) {
        self.peers.values().fold((0, 0), |(inward, outward), peer| {
            (inward + peer.inbound.len(), outward + peer.outbound.len())
        })
    }
}

/// Media datagrams for peers, laid out back to back.
#[derive(Debug, Default)]
pub struct RelayBatch {
    bytes: Vec<u8>,
    /// Peer and end of each datagram.
    datagrams: Vec<(PeerId, usize)>,
    taken: usize,
}

impl RelayBatch {
    /// Appends a packet as a datagram of this flow.
    pub fn push(&mut self, peer: PeerId, flow: u64, packet: &Packet) {
        write_varint(&mut self.bytes, flow);
        packet.write_relay(&mut self.bytes);
        self.datagrams.push((peer, self.bytes.len()));
    }

    /// The next datagram; after the last one the batch is empty again.
    pub fn next(&mut self) -> Option<(PeerId, std::ops::Range<usize>)> {
        let Some((peer, end)) = self.datagrams.get(self.taken).copied() else {
            self.bytes.clear();
            self.datagrams.clear();
            self.taken = 0;
            return None;
        };
        let start = match self.taken {
            0 => 0,
            taken => self.datagrams[taken - 1].1,
        };
        self.taken += 1;
        Some((peer, start..end))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Appends a QUIC variable-length integer (RFC 9000, 16); larger values than 2^62 - 1 do not occur.
fn write_varint(out: &mut Vec<u8>, value: u64) {
    match value {
        0..0x40 => out.push(value as u8),
        0x40..0x4000 => out.extend((value as u16 | 0x4000).to_be_bytes()),
        0x4000..0x4000_0000 => out.extend((value as u32 | 0x8000_0000).to_be_bytes()),
        _ => out.extend((value | 0xc000_0000_0000_0000).to_be_bytes()),
    }
}

/// Reads a QUIC variable-length integer; returns it and what follows.
pub fn read_varint(data: &[u8]) -> Option<(u64, &[u8])> {
    let first = *data.first()?;
    let len = 1 << (first >> 6);
    let (head, rest) = data.split_at_checked(len)?;
    let value = head[1..]
        .iter()
        .fold(u64::from(first & 0x3f), |value, byte| {
            value << 8 | u64::from(*byte)
        });
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_id_reads_back_at_each_length() {
        for value in [
            0,
            63,
            64,
            16_383,
            16_384,
            (1 << 30) - 1,
            1 << 30,
            (1 << 62) - 1,
        ] {
            let mut out = Vec::new();
            write_varint(&mut out, value);
            out.push(9);
            assert_eq!(read_varint(&out), Some((value, &[9][..])));
            assert!(out.len() == 2 || read_varint(&out[..out.len() - 2]).is_none());
        }
        assert_eq!(read_varint(&[]), None);
    }
}
