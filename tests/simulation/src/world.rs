//! The world: nodes, clients and the network between them, driven from event to event in the place of the edge.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use protocol::id::{BreakoutId, RoomId};
use protocol::media::MediaKind;
use protocol::node::{NodeToRoom, RoomToNode};
use sfu_core::{Input, TransportAddress};
use str0m::crypto::dtls::DtlsVersion;

use crate::client::Client;
use crate::dialect::Dialect;
use crate::narrow::Narrow;
use crate::network::{Bottleneck, Path};
use crate::node::Node;
use crate::wire::{Delivery, Wire};

/// Nodes, clients and the network between them, in one room.
pub struct World {
    pub now: Instant,
    pub(crate) start: Instant,
    pub(crate) room: RoomId,
    pub(crate) nodes: Vec<Node>,
    pub(crate) epoch: u32,
    pub clients: Vec<Client>,
    pub(crate) homes: Vec<usize>,
    /// The attempt of each client's session.
    pub(crate) attempts: Vec<u32>,
    /// The breakout rooms that are open.
    pub(crate) breakouts: Vec<BreakoutId>,
    /// Where the room has those who offer from now on.
    pub breakout_of_newcomers: Option<u32>,
    /// What noise is made of.
    noise: fastrand::Rng,
    /// Between a client and its node, but for those that have a path of their own.
    pub access: Path,
    pub access_of: HashMap<usize, Path>,
    /// From a client to its node, where that is not as the way back.
    pub uplink_of: HashMap<usize, Path>,
    /// Narrow places on the way to clients.
    pub bottlenecks: HashMap<usize, Bottleneck>,
    /// What clients that join from now on offer of DTLS.
    pub dtls: DtlsVersion,
    /// Between two nodes.
    pub backbone: Path,
    /// Nodes are busy: what has arrived from clients they take so often only.
    pub pace: Option<Duration>,
    pub(crate) wire: Wire,
    /// Pairs of nodes that are connected, the smaller number first; and those that cannot be.
    pub(crate) links: BTreeSet<(usize, usize)>,
    pub(crate) severed: BTreeSet<(usize, usize)>,
    /// Nodes that are of another release.
    pub(crate) dialects: BTreeMap<usize, Dialect>,
    /// Paths that carry so much only.
    pub(crate) narrow: BTreeMap<(usize, usize), Narrow>,
    /// Media datagrams that were sent from one to another.
    pub(crate) crossed: HashMap<(usize, usize), u64>,
    /// The last nomination of each client.
    pub(crate) nominations: HashMap<usize, Vec<u8>>,
    /// Bytes that nodes sent to where nobody is.
    pub strayed: usize,
    /// What the nodes told the room.
    pub told: Vec<(usize, NodeToRoom)>,
}

impl World {
    /// A room that is shared by so many nodes of one region, without anybody in it.
    pub fn new(seed: u64, nodes: usize, access: Path, backbone: Path) -> Self {
        Self::laid_out(seed, &vec![("here", 1); nodes], access, backbone)
    }

    /// A room that is shared by nodes, of each its region and number of shards. Shards are counted through.
    pub fn laid_out(seed: u64, nodes: &[(&str, usize)], access: Path, backbone: Path) -> Self {
        let now = Instant::now();
        // SSRCs and where streams begin: str0m takes them from this thread's generator.
        fastrand::seed(seed);
        let mut shards = Vec::new();
        for (node, (region, count)) in nodes.iter().enumerate() {
            for _ in 0..*count {
                shards.push(Node::new(now, shards.len(), node, region));
            }
        }
        let mut world = Self {
            now,
            start: now,
            room: "bako-tuvi-remo-dasu".parse().expect("an id"),
            nodes: shards,
            epoch: 0,
            clients: Vec::new(),
            homes: Vec::new(),
            attempts: Vec::new(),
            breakouts: Vec::new(),
            breakout_of_newcomers: None,
            noise: fastrand::Rng::with_seed(seed),
            access,
            access_of: HashMap::new(),
            uplink_of: HashMap::new(),
            bottlenecks: HashMap::new(),
            dtls: DtlsVersion::Dtls12,
            backbone,
            pace: None,
            wire: Wire::new(seed),
            links: BTreeSet::new(),
            severed: BTreeSet::new(),
            dialects: BTreeMap::new(),
            narrow: BTreeMap::new(),
            crossed: HashMap::new(),
            nominations: HashMap::new(),
            strayed: 0,
            told: Vec::new(),
        };
        for a in 0..world.nodes.len() {
            for b in 0..a {
                if world.nodes[a].name == world.nodes[b].name {
                    world.set_link(b, a, true);
                }
            }
        }
        world.plan();
        world
    }

    /// The room tells a node something.
    pub(crate) fn tell(&mut self, node: usize, message: RoomToNode) {
        let room = self.room.clone();
        self.input(node, Input::Room { room, message });
    }

    /// A random datagram at a node's media port.
    pub fn noise(&mut self, node: usize) {
        let mut data = vec![0; self.noise.usize(..1_300)];
        self.noise.fill(&mut data);
        let from = SocketAddr::from(([10, 9, 9, 9], self.noise.u16(1..)));
        self.input(
            node,
            Input::Datagram {
                from: TransportAddress::udp(from),
                arrived: self.now,
                data: &data,
            },
        );
    }

    /// A node's counters.
    pub fn stats(&self, node: usize) -> sfu_core::Stats {
        self.nodes[node].stats()
    }

    /// Media datagrams that a node received from other nodes.
    pub fn relayed(&self, node: usize) -> u64 {
        self.nodes[node].relayed
    }

    /// Media datagrams that went from one node or shard to another.
    pub fn crossed(&self, from: usize, to: usize) -> u64 {
        self.crossed.get(&(from, to)).copied().unwrap_or(0)
    }

    /// Whether a client received video of another in the last so much time.
    pub fn sees(&self, client: usize, other: usize, lately: Duration) -> bool {
        let since = self.now - lately;
        let mut latest = self.clients[client].received.iter().rev();
        latest
            .by_ref()
            .take_while(|packet| packet.at >= since)
            .any(|packet| {
                packet.kind == MediaKind::Video && usize::from(packet.stamp.client) == other
            })
    }

    /// Lets so much time pass.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.next_event().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.step();
        }
        self.now = end;
        self.expect_no_fault();
    }

    /// Lets time pass until something holds, at most so long; returns whether it does.
    pub fn run_until(&mut self, time: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + time;
        while !holds(self) {
            let Some(at) = self.next_event().filter(|at| *at <= end) else {
                return false;
            };
            self.now = self.now.max(at);
            self.step();
        }
        self.expect_no_fault();
        true
    }

    /// A panic in an engine ends one session there, and would not be seen here: the checker of outgoing streams panics.
    fn expect_no_fault(&self) {
        for node in &self.nodes {
            let faults = node.stats().drops.faults;
            assert_eq!(faults, 0, "see what a session panicked with, above");
        }
    }

    fn next_event(&self) -> Option<Instant> {
        let nodes = self.nodes.iter().map(|node| node.next_timeout);
        let clients = self.clients.iter().map(Client::next_event);
        let paths = self.next_telling();
        let wire = self.wire.next();
        wire.into_iter()
            .chain(nodes)
            .chain(clients)
            .chain(paths)
            .min()
    }

    fn step(&mut self) {
        let now = self.now;
        while let Some(delivery) = self.wire.take(now) {
            self.deliver(delivery);
        }
        self.tell_paths();
        for node in 0..self.nodes.len() {
            if self.nodes[node].next_timeout <= now {
                self.input(node, Input::Timeout);
            }
        }
        for client in 0..self.clients.len() {
            if self.clients[client].next_event() <= now {
                self.poll_client(client);
            }
        }
    }

    fn deliver(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::ToNode { arrived: None, .. } => self.wait_for_turn(delivery),
            Delivery::ToNode {
                node,
                from,
                data,
                arrived: Some(arrived),
                ..
            } => {
                self.input(
                    node,
                    Input::Datagram {
                        from: TransportAddress::udp(from),
                        arrived,
                        data: &data,
                    },
                );
            }
            Delivery::ToClient { node, client, data } => {
                let from = self.nodes[node].address;
                self.clients[client].receive(self.now, from, &data);
                self.poll_client(client);
            }
            // Nothing arrives over a connection that is gone.
            Delivery::PeerDatagram { from, to, .. } | Delivery::PeerMessage { from, to, .. }
                if !self.links.contains(&(from.min(to), from.max(to))) => {}
            Delivery::PeerDatagram { from, to, data } => {
                self.nodes[to].relayed += 1;
                let peer = self.nodes[from].id;
                self.input(to, Input::PeerDatagram { peer, data: &data });
            }
            Delivery::PeerMessage { from, to, message } => {
                // As JSON over the wire, like the real thing.
                let message = serde_json::to_value(&message).expect("messages can be written");
                let peer = self.nodes[from].id;
                let said = match self.dialects.get(&from) {
                    Some(dialect) => dialect.translate(message),
                    None => vec![message],
                };
                for message in said {
                    let message = serde_json::from_value(message).expect("and read back");
                    self.input(to, Input::PeerMessage { peer, message });
                }
            }
        }
    }

    fn poll_client(&mut self, client: usize) {
        for (to, data) in self.clients[client].poll(self.now) {
            self.send_up(client, to, data);
        }
    }

    /// Hands an input to a node, and puts all that comes of it on its way.
    pub(crate) fn input(&mut self, node: usize, input: Input<'_>) {
        let drained = self.nodes[node].handle(self.now, input);
        let told = drained.told.into_iter().map(|message| (node, message));
        self.told.extend(told);
        for (to, data) in drained.datagrams {
            self.send_down(node, to, data);
        }
        for (peer, data) in drained.relayed {
            self.relay(node, peer, data);
        }
        for (peer, message) in drained.messages {
            self.say(node, peer, message);
        }
        if drained.peers_changed {
            self.connect_agreed(node);
        }
    }
}
