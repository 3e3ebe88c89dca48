//! One shard of a media node: an engine, and what it has to say drained at once.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use protocol::cascade::CascadeMessage;
use protocol::id::{NodeId, Region};
use protocol::node::{NodeToRoom, Peer};
use sfu_core::{Config, Engine, Input, NodeClock, Output, PeerId, Stats, TransportAddress};

/// What nodes' clocks show at the start.
const SINCE_1970: Duration = Duration::from_secs(1_800_000_000);

/// One shard of a media node.
pub(crate) struct Node {
    pub(crate) engine: Engine,
    pub(crate) name: NodeId,
    pub(crate) region: Region,
    pub(crate) id: PeerId,
    /// Whether the room is there.
    pub(crate) hosting: bool,
    pub(crate) address: SocketAddr,
    pub(crate) next_timeout: Instant,
    /// Peers that the engine wants to be connected with.
    wanted: Vec<PeerId>,
    /// Media datagrams that arrived from peers.
    pub(crate) relayed: u64,
}

/// All that came out of an engine.
#[derive(Default)]
pub(crate) struct Drained {
    pub(crate) datagrams: Vec<(SocketAddr, Vec<u8>)>,
    /// Media for other nodes.
    pub(crate) relayed: Vec<(PeerId, Vec<u8>)>,
    pub(crate) messages: Vec<(PeerId, CascadeMessage)>,
    /// For the room.
    pub(crate) told: Vec<NodeToRoom>,
    /// Whether the node wants other peers than before.
    pub(crate) peers_changed: bool,
}

impl Node {
    /// The shard of this number, counted through, in the node of that number.
    pub(crate) fn new(now: Instant, number: usize, node: usize, region: &str) -> Self {
        let name: NodeId = format!("node-{node}").parse().expect("an id");
        let region: Region = region.parse().expect("a region");
        let address = SocketAddr::from(([10, 0, 0, 1 + number as u8], 4_000));
        Self {
            engine: Engine::new(Config {
                node: name.clone(),
                region: region.clone(),
                candidates: vec![TransportAddress::udp(address)],
                max_sessions: 100,
                clock: NodeClock::new(now, SINCE_1970),
            }),
            name,
            region,
            hosting: true,
            id: PeerId([number as u8; 32]),
            address,
            next_timeout: now,
            wanted: Vec::new(),
            relayed: 0,
        }
    }

    /// Hands an input in; returns all that comes of it.
    pub(crate) fn handle(&mut self, now: Instant, input: Input<'_>) -> Drained {
        self.engine.handle(now, input);
        let mut drained = Drained::default();
        loop {
            match self.engine.poll_output(now) {
                Output::Timeout(at) => {
                    self.next_timeout = at;
                    return drained;
                }
                Output::Transmit {
                    to,
                    contents,
                    segment,
                } => {
                    let parts = contents.chunks(segment);
                    let datagrams = parts.map(|part| (to.address, part.to_vec()));
                    drained.datagrams.extend(datagrams);
                }
                Output::Reached { .. } | Output::Step { .. } => {}
                Output::Room { message, .. } => drained.told.push(message),
                Output::Peers { peers } => {
                    self.wanted = peers.iter().map(|peer| peer.id).collect();
                    drained.peers_changed = true;
                }
                Output::PeerMessage { peer, message } => drained.messages.push((peer, message)),
                Output::PeerDatagram { peer, data } => drained.relayed.push((peer, data.to_vec())),
            }
        }
    }

    /// Its counters.
    pub(crate) fn stats(&self) -> Stats {
        self.engine.stats()
    }

    /// Whether both want to be connected with each other.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        self.wanted.contains(&other.id) && other.wanted.contains(&self.id)
    }

    /// How the room names it to others.
    pub(crate) fn as_peer(&self) -> Peer {
        Peer {
            node: self.name.clone(),
            region: self.region.clone(),
            quic: String::new(),
            fingerprint: self.id.to_string(),
        }
    }
}
