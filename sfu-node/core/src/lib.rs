//! The media engine of a shard: datagrams, room messages and relay traffic in; datagrams, messages and a time-out out.
//!
//! It owns no socket, no thread and no clock. The contract: hand in an [`Input`], then call [`Engine::poll_output`]
//! until it yields [`Output::Timeout`]; a batch of inputs may share one drain, and should.

pub mod io;

use std::net::SocketAddr;
use std::time::Instant;

pub use io::{Input, Output, PeerId, PeerPlan};
use protocol::id::{NodeId, RoomId};
use protocol::node::SessionRef;

/// What a shard is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    pub node: NodeId,
    /// The addresses of the media port as clients reach it: the host candidates of every answer.
    pub candidates: Vec<SocketAddr>,
    /// How many sessions this shard holds at most.
    pub max_sessions: usize,
}

/// Counters since the start, for the metrics page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    pub packets_in: u64,
    pub bytes_in: u64,
    pub packets_out: u64,
    pub bytes_out: u64,
    pub relay_packets_in: u64,
    pub relay_packets_out: u64,
    /// Packets sent again because a NACK asked for them.
    pub retransmissions: u64,
    pub keyframe_requests: u64,
    pub sessions: u64,
    pub rooms: u64,
    /// Flows that this shard receives from and sends to peers now.
    pub relay_flows_in: u64,
    pub relay_flows_out: u64,
    pub drops: Drops,
}

/// Packets that went no further, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drops {
    /// A datagram of no known protocol, or from an address of no session.
    pub unknown: u64,
    /// A packet that its session could not make sense of.
    pub malformed: u64,
    /// Media of a kind that the participant's role does not allow.
    pub not_allowed: u64,
    /// A relay datagram of a flow that nobody asked for.
    pub unknown_flow: u64,
    /// A session that ended by a fault of our own.
    pub faults: u64,
}

/// One shard's media engine.
pub struct Engine {
    config: Config,
    stats: Stats,
}

impl Engine {
    /// An engine without rooms.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            stats: Stats::default(),
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, _now: Instant, _input: Input<'_>) {}

    /// The next thing to do; [`Output::Timeout`] when there is nothing more.
    pub fn poll_output(&mut self, now: Instant) -> Output<'_> {
        let _ = &self.config;
        Output::Timeout(now)
    }

    /// The media sessions of a room, for [`protocol::node::NodeToRoom::Ready`].
    pub fn sessions(&self, _room: &RoomId) -> Vec<SessionRef> {
        Vec::new()
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        self.stats
    }
}
