//! The engine's door: what goes in, what comes out. Times are given by the caller; nothing here waits or sends.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::{Duration, Instant};

use protocol::cascade::CascadeMessage;
use protocol::id::{NodeId, Region, RoomId};
use protocol::node::{NodeToRoom, RoomToNode, SessionRef};

use crate::clock::NodeClock;

/// How datagrams travel between a client and the media port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    Udp,
    /// Each datagram in a frame (RFC 4571), for networks that let no UDP through. The client dials (RFC 6544).
    Tcp,
}

/// An IP address and a port, for one transport (RFC 8445, 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransportAddress {
    pub transport: Transport,
    pub address: SocketAddr,
    /// A client's: which address of this machine it speaks to, and is to be answered from, where there may be several. Two of
    /// them are two paths, as they are two candidate pairs of ICE.
    pub local: Option<IpAddr>,
}

impl TransportAddress {
    /// This address over UDP.
    pub fn udp(address: SocketAddr) -> Self {
        Self {
            transport: Transport::Udp,
            address,
            local: None,
        }
    }

    /// This address over TCP.
    pub fn tcp(address: SocketAddr) -> Self {
        Self {
            transport: Transport::Tcp,
            address,
            local: None,
        }
    }

    /// The same, as it speaks to this address of this machine.
    pub fn reached_at(self, local: Option<IpAddr>) -> Self {
        Self { local, ..self }
    }
}

/// What a shard is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    pub node: NodeId,
    pub region: Region,
    /// The addresses of the media port as clients reach it: the host candidates of every answer.
    pub candidates: Vec<TransportAddress>,
    /// How many sessions this shard holds at most.
    pub max_sessions: usize,
    /// What clients are told of the time.
    pub clock: NodeClock,
}

/// Counters since the start, for the metrics page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Media packets from and to clients, and their bytes on the wire: header, payload and authentication tag (RFC 3711, 3.1).
    pub packets_in: u64,
    pub bytes_in: u64,
    pub packets_out: u64,
    pub bytes_out: u64,
    /// Media datagrams from and to peers, and their bytes without those of QUIC.
    pub relay_packets_in: u64,
    pub relay_bytes_in: u64,
    pub relay_packets_out: u64,
    pub relay_bytes_out: u64,
    /// Packets sent again to subscribers, and to peers, because a NACK asked for them.
    pub retransmissions: u64,
    pub relay_retransmissions: u64,
    /// Packets to subscribers that are longer than what every path carries in one piece.
    pub oversized: u64,
    pub keyframe_requests: u64,
    /// Flows to peers that were paused because the path did not carry them.
    pub relay_pauses: u64,
    /// Probe clusters sent to subscribers to find out what their paths carry, and the packets that only filled them.
    pub probes: u64,
    pub probe_packets: u64,
    /// Switches of receive slots from one layer to another.
    pub layer_switches: u64,
    /// Answers to who measured the way here.
    pub bindings: u64,
    /// Offers that could not be answered.
    pub refused_offers: u64,
    /// Sessions whose DTLS handshake failed.
    pub failed_handshakes: u64,
    pub sessions: u64,
    pub rooms: u64,
    /// Flows that this shard receives from and sends to peers now.
    pub relay_flows_in: u64,
    pub relay_flows_out: u64,
    /// What the paths to the subscribers carry now.
    pub estimates: Estimates,
    /// What all subscribers' receive slots are used for now.
    pub audio_slots: SlotUse,
    pub video_slots: SlotUse,
    pub drops: Drops,
}

/// What receive slots are used for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SlotUse {
    /// Something flows.
    pub flowing: u64,
    /// A keyframe is awaited.
    pub waiting: u64,
    /// The path cannot carry the track that was given the slot.
    pub paused: u64,
    pub free: u64,
}

impl std::ops::AddAssign for SlotUse {
    fn add_assign(&mut self, other: Self) {
        self.flowing += other.flowing;
        self.waiting += other.waiting;
        self.paused += other.paused;
        self.free += other.free;
    }
}

/// What the paths to all subscribers carry, as a distribution.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Estimates {
    /// Bits per second, all together.
    pub sum: u64,
    /// The lowest; 0 if there are none.
    pub min: u64,
    /// How many are there.
    pub count: u64,
    /// How many are at most as high as each of [`Estimates::BOUNDS`].
    pub at_most: [u64; Estimates::BOUNDS.len()],
}

impl Estimates {
    /// Bits per second: sound alone, a small picture, a few of them, a large one, several.
    pub const BOUNDS: [u64; 6] = [100_000, 300_000, 600_000, 1_200_000, 2_500_000, 5_000_000];

    /// Takes one path into account.
    pub fn add(&mut self, estimate: u64) {
        self.min = if self.count == 0 {
            estimate
        } else {
            self.min.min(estimate)
        };
        self.sum += estimate;
        self.count += 1;
        for (bound, count) in Self::BOUNDS.iter().zip(&mut self.at_most) {
            *count += u64::from(estimate <= *bound);
        }
    }
}

/// Packets that went no further, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drops {
    /// A datagram of no known protocol, or from an address of no session.
    pub unknown: u64,
    /// A packet that its session could not make sense of.
    pub malformed: u64,
    /// Media of a kind that the participant's caps do not allow.
    pub not_allowed: u64,
    /// A relay datagram of a flow that nobody asked for.
    pub unknown_flow: u64,
    /// Video that waited so long for its subscriber's path that it was of no use any more.
    pub stale: u64,
    /// A panic of ours, which ended a session or a piece of work of a room.
    pub faults: u64,
}

/// Another node's shard, named by the SHA-256 of its QUIC certificate (each shard has its own).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(pub [u8; 32]);

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PeerId({:02x}{:02x}{:02x}{:02x}…)",
            self.0[0], self.0[1], self.0[2], self.0[3]
        )
    }
}

/// A fingerprint that is not 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a certificate fingerprint is 64 lower-case hex digits")]
pub struct InvalidFingerprint;

impl FromStr for PeerId {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(InvalidFingerprint);
        }
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(InvalidFingerprint),
        };
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = value(pair[0])? << 4 | value(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

/// A peer that some room of this shard is shared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerPlan {
    pub id: PeerId,
    /// `address:port` of its QUIC endpoint, as the room's plan gave it.
    pub address: String,
    /// Whether this side dials (the other one waits).
    pub dial: bool,
}

/// What the shell tells the engine. After each input (or batch of inputs), drain [`Output`]s up to the time-out.
#[derive(Debug)]
pub enum Input<'a> {
    /// A datagram arrived on the shard's media port; over TCP, what one frame holds (RFC 4571).
    Datagram {
        from: TransportAddress,
        /// When it came to this machine, which is before its turn.
        arrived: Instant,
        data: &'a [u8],
    },
    /// A message arrived on a room's link.
    Room { room: RoomId, message: RoomToNode },
    /// The other shards of this node that host a room, whole each time.
    Siblings {
        room: RoomId,
        shards: BTreeSet<PeerId>,
    },
    /// Both QUIC connections to a peer are up and its `Hello` has arrived.
    PeerUp { peer: PeerId },
    /// A peer's connections are gone; they may come back.
    PeerDown { peer: PeerId },
    /// The round-trip time to a peer, as its connection measures it.
    PeerRoundTrip { peer: PeerId, time: Duration },
    /// What the path to a peer carries in bits per second, as far as its connection knows, and how many bytes of media
    /// wait for it. To be told every 100 ms or so while media flows.
    PeerPath {
        peer: PeerId,
        rate: u64,
        queued: usize,
    },
    /// A control message of a peer.
    PeerMessage {
        peer: PeerId,
        message: CascadeMessage,
    },
    /// A media datagram of a peer.
    PeerDatagram { peer: PeerId, data: &'a [u8] },
    /// Nothing but the passing of time.
    Timeout,
}

/// A step of a session that is followed: its offer came with a trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The client has chosen a path (ICE).
    Nominated,
    /// The handshake is over (DTLS).
    Connected,
    /// The first packet of media was sent to the client.
    FirstPacket,
}

/// What the engine wants done.
#[derive(Debug)]
pub enum Output<'a> {
    /// Send datagrams to one address: `contents`, cut after every `segment` bytes (the last one may be shorter).
    Transmit {
        to: TransportAddress,
        contents: &'a [u8],
        segment: usize,
    },
    /// A session has reached its client over TCP at this address, or hears of it there again: the connection is its own.
    Reached { client: TransportAddress },
    /// Send a message over a room's link.
    Room { room: RoomId, message: NodeToRoom },
    /// A session that is followed has come so far; told once each.
    Step {
        room: RoomId,
        session: SessionRef,
        step: Step,
        at: Instant,
    },
    /// The peers to be connected with, whole each time. Accept no other certificate; hang up on whoever is not listed.
    Peers { peers: Vec<PeerPlan> },
    /// Send a control message to a peer.
    PeerMessage {
        peer: PeerId,
        message: CascadeMessage,
    },
    /// Send a media datagram to a peer: a flow id and an RTP packet.
    PeerDatagram { peer: PeerId, data: &'a [u8] },
    /// Nothing more to do until this time, unless an input comes first.
    Timeout(Instant),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_counted_by_their_bounds() {
        let mut estimates = Estimates::default();
        for estimate in [600_000, 50_000, 9_000_000] {
            estimates.add(estimate);
        }
        assert_eq!(estimates.at_most, [1, 1, 2, 2, 2, 2]);
        assert_eq!((estimates.min, estimates.count), (50_000, 3));
    }

    #[test]
    fn a_fingerprint_reads_back_as_it_is_written() {
        let id = PeerId(std::array::from_fn(|i| i as u8 * 7));
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "00", &"g".repeat(64), &"A".repeat(64)] {
            assert_eq!(bad.parse::<PeerId>(), Err(InvalidFingerprint));
        }
    }
}
