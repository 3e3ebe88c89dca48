//! The world: nodes, clients and the network between them, driven from event to event in the place of the edge.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use protocol::cascade::CascadeMessage;
use protocol::client::SourceMid;
use protocol::id::{Attempt, NodeId, Region, RoomId};
use protocol::media::Caps;
use protocol::node::{NodeToRoom, RoomToNode};
use sfu_core::{Config, Engine, Input, Output, PeerId, TransportAddress};

use crate::client::Client;
use crate::dialect::Dialect;
use crate::encoder::Videos;
use crate::names::participant;
use crate::narrow::Narrow;
use crate::network::{Bottleneck, Path};

/// One shard of a media node: an engine.
pub(crate) struct Node {
    engine: Engine,
    pub(crate) name: NodeId,
    pub(crate) region: Region,
    pub(crate) id: PeerId,
    /// Whether the room is there.
    pub(crate) hosting: bool,
    address: SocketAddr,
    next_timeout: Instant,
    /// Peers that the engine wants to be connected with.
    wanted: Vec<PeerId>,
    /// Media datagrams that arrived from peers.
    relayed: u64,
}

#[derive(Debug)]
enum Delivery {
    ToNode {
        node: usize,
        from: SocketAddr,
        data: Vec<u8>,
    },
    ToClient {
        client: usize,
        from: SocketAddr,
        data: Vec<u8>,
    },
    PeerDatagram {
        from: usize,
        to: usize,
        data: Vec<u8>,
    },
    PeerMessage {
        from: usize,
        to: usize,
        message: CascadeMessage,
    },
}

/// A delivery at its time; the order breaks ties, so that a run repeats.
struct Event {
    at: Instant,
    order: u64,
    delivery: Delivery,
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Event {}
impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Event {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// Nodes, clients and the network between them, in one room.
pub struct World {
    pub now: Instant,
    pub(crate) room: RoomId,
    pub(crate) nodes: Vec<Node>,
    pub(crate) epoch: u32,
    pub clients: Vec<Client>,
    pub(crate) homes: Vec<usize>,
    /// The attempt of each client's session.
    pub(crate) attempts: Vec<u32>,
    rng: fastrand::Rng,
    /// Between a client and its node, but for those that have a path of their own.
    pub access: Path,
    pub access_of: HashMap<usize, Path>,
    /// Narrow places on the way to clients.
    pub bottlenecks: HashMap<usize, Bottleneck>,
    /// Between two nodes.
    pub backbone: Path,
    events: BinaryHeap<Reverse<Event>>,
    order: u64,
    /// When the last reliable message between two nodes arrives: they keep their order.
    reliable: HashMap<(usize, usize), Instant>,
    /// Pairs of nodes that are connected, the smaller number first; and those that cannot be.
    pub(crate) links: BTreeSet<(usize, usize)>,
    pub(crate) severed: BTreeSet<(usize, usize)>,
    /// Nodes that are of another release.
    pub(crate) dialects: BTreeMap<usize, Dialect>,
    /// Paths that carry so much only.
    pub(crate) narrow: BTreeMap<(usize, usize), Narrow>,
    /// Media datagrams that were sent from one to another.
    pub(crate) crossed: HashMap<(usize, usize), u64>,
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
        let mut shards = Vec::new();
        for (node, (region, count)) in nodes.iter().enumerate() {
            for _ in 0..*count {
                shards.push(Node::new(now, shards.len(), node, region));
            }
        }
        let mut world = Self {
            now,
            room: "bako-tuvi-remo-dasu".parse().expect("an id"),
            nodes: shards,
            epoch: 0,
            clients: Vec::new(),
            homes: Vec::new(),
            attempts: Vec::new(),
            rng: fastrand::Rng::with_seed(seed),
            access,
            access_of: HashMap::new(),
            bottlenecks: HashMap::new(),
            backbone,
            events: BinaryHeap::new(),
            order: 0,
            reliable: HashMap::new(),
            links: BTreeSet::new(),
            severed: BTreeSet::new(),
            dialects: BTreeMap::new(),
            narrow: BTreeMap::new(),
            crossed: HashMap::new(),
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

    pub(crate) fn tell(&mut self, node: usize, message: RoomToNode) {
        let room = self.room.clone();
        self.input(node, Input::Room { room, message });
    }

    /// A client joins at a node and sends audio and video once it is connected; returns its number.
    pub fn join(&mut self, node: usize) -> usize {
        self.join_with(node, Videos::PLAIN)
    }

    /// The same, with this video.
    pub fn join_with(&mut self, node: usize, videos: Videos) -> usize {
        let number = self.clients.len();
        let address = SocketAddr::from(([10, 1, number as u8, 2], 5_000));
        let (client, sdp, sources) = Client::new(self.now, number as u8, address, videos);
        self.clients.push(client);
        self.homes.push(node);
        self.attempts.push(1);
        self.offer(number, sdp, sources, Caps::default());
        number
    }

    /// Hands a client's offer to its node, takes the answer back, and lets the client send.
    pub(crate) fn offer(
        &mut self,
        number: usize,
        sdp: String,
        sources: Vec<SourceMid>,
        caps: Caps,
    ) {
        let told = self.told.len();
        self.tell(
            self.homes[number],
            RoomToNode::Offer {
                participant: participant(number),
                attempt: Attempt(self.attempts[number]),
                sdp,
                sources,
                caps,
            },
        );
        let answer = self.told[told..].iter().find_map(|(_, m)| match m {
            NodeToRoom::Answer { sdp, .. } => Some(sdp.clone()),
            _ => None,
        });
        self.clients[number].accept(&answer.expect("the offer is answered"));
        self.clients[number].publish(self.now);
    }

    /// A client has another address from now on, and restarts ICE by way of the room, which takes so long.
    pub fn change_network(&mut self, client: usize, signaling: Duration) {
        let address = SocketAddr::from(([10, 2, client as u8, 2], 6_000));
        let sdp = self.clients[client].restart_ice(address);
        self.run(signaling);
        let told = self.told.len();
        let message = RoomToNode::RestartIce {
            participant: participant(client),
            attempt: Attempt(1),
            sdp,
        };
        self.tell(self.homes[client], message);
        let credentials = self.told[told..].iter().find_map(|(_, m)| match m {
            NodeToRoom::IceRestarted { credentials, .. } => Some(credentials.clone()),
            _ => None,
        });
        self.run(signaling);
        self.clients[client].ice_restarted(&credentials.expect("the restart is answered"));
    }

    /// The room ends a client's session.
    pub fn kick(&mut self, client: usize) {
        let message = RoomToNode::Close {
            participant: participant(client),
            attempt: Attempt(self.attempts[client]),
        };
        self.tell(self.homes[client], message);
    }

    /// The room says what a client may send from now on.
    pub fn set_caps(&mut self, client: usize, caps: Caps) {
        let message = RoomToNode::Caps {
            participant: participant(client),
            caps,
        };
        self.tell(self.homes[client], message);
    }

    /// A random datagram at a node's media port.
    pub fn noise(&mut self, node: usize) {
        let mut data = vec![0; self.rng.usize(..1_300)];
        self.rng.fill(&mut data);
        let from = SocketAddr::from(([10, 9, 9, 9], self.rng.u16(1..)));
        self.input(
            node,
            Input::Datagram {
                from: TransportAddress::udp(from),
                data: &data,
            },
        );
    }

    /// A node's counters.
    pub fn stats(&self, node: usize) -> sfu_core::Stats {
        self.nodes[node].engine.stats()
    }

    /// Media datagrams that a node received from other nodes.
    pub fn relayed(&self, node: usize) -> u64 {
        self.nodes[node].relayed
    }

    /// Lets so much time pass.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.next_event().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.step();
        }
        self.now = end;
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
        true
    }

    fn next_event(&self) -> Option<Instant> {
        let wire = self.events.peek().map(|Reverse(event)| event.at);
        let nodes = self.nodes.iter().map(|node| node.next_timeout);
        let clients = self.clients.iter().map(Client::next_event);
        let paths = self.next_telling();
        wire.into_iter()
            .chain(nodes)
            .chain(clients)
            .chain(paths)
            .min()
    }

    fn step(&mut self) {
        let now = self.now;
        while self.events.peek().is_some_and(|Reverse(e)| e.at <= now) {
            if let Some(Reverse(event)) = self.events.pop() {
                self.deliver(event.delivery);
            }
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
            Delivery::ToNode { node, from, data } => {
                self.input(
                    node,
                    Input::Datagram {
                        from: TransportAddress::udp(from),
                        data: &data,
                    },
                );
            }
            Delivery::ToClient { client, from, data } => {
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
        let sent = self.clients[client].poll(self.now);
        let from = self.clients[client].address;
        for (to, data) in sent {
            let node = self.nodes.iter().position(|node| node.address == to);
            if let (Some(node), Some(time)) = (node, self.path_of(client).carry(&mut self.rng)) {
                self.schedule(self.now + time, Delivery::ToNode { node, from, data });
            }
        }
    }

    fn path_of(&self, client: usize) -> Path {
        self.access_of.get(&client).copied().unwrap_or(self.access)
    }

    fn schedule(&mut self, at: Instant, delivery: Delivery) {
        self.order += 1;
        let order = self.order;
        self.events.push(Reverse(Event {
            at,
            order,
            delivery,
        }));
    }

    pub(crate) fn input(&mut self, node: usize, input: Input<'_>) {
        self.nodes[node].engine.handle(self.now, input);
        self.drain(node);
    }

    fn drain(&mut self, node: usize) {
        let mut datagrams = Vec::new();
        let mut relayed = Vec::new();
        let mut messages = Vec::new();
        let mut wanted = None;
        loop {
            match self.nodes[node].engine.poll_output(self.now) {
                Output::Timeout(at) => {
                    self.nodes[node].next_timeout = at;
                    break;
                }
                Output::Transmit {
                    to,
                    contents,
                    segment,
                } => datagrams.extend(
                    contents
                        .chunks(segment)
                        .map(|part| (to.address, part.to_vec())),
                ),
                Output::Room { message, .. } => self.told.push((node, message)),
                Output::Peers { peers } => wanted = Some(peers),
                Output::PeerMessage { peer, message } => messages.push((peer, message)),
                Output::PeerDatagram { peer, data } => relayed.push((peer, data.to_vec())),
            }
        }
        let from = self.nodes[node].address;
        for (to, data) in datagrams {
            let client = self.clients.iter().position(|client| client.address == to);
            let Some(client) = client else { continue };
            let bottleneck = self.bottlenecks.get_mut(&client);
            let passed =
                bottleneck.map_or(Some(self.now), |narrow| narrow.pass(self.now, data.len()));
            let Some(passed) = passed else { continue };
            if let Some(time) = self.path_of(client).carry(&mut self.rng) {
                self.schedule(passed + time, Delivery::ToClient { client, from, data });
            }
        }
        for (peer, data) in relayed {
            let (from, to) = (node, self.by_id(peer));
            *self.crossed.entry((from, to)).or_default() += 1;
            let wait = match self.narrow.get_mut(&(from, to)) {
                Some(narrow) => narrow.pass(self.now, data.len()),
                None => Some(Duration::ZERO),
            };
            let time = self.between(from, to).carry(&mut self.rng);
            if let (Some(wait), Some(time)) = (wait, time) {
                let time = wait + time;
                self.schedule(self.now + time, Delivery::PeerDatagram { from, to, data });
            }
        }
        for (peer, message) in messages {
            let to = self.by_id(peer);
            let time = self.between(node, to).carry_reliably(&mut self.rng);
            let last = self.reliable.entry((node, to)).or_insert(self.now);
            let at = (self.now + time).max(*last);
            *last = at;
            let from = node;
            self.schedule(at, Delivery::PeerMessage { from, to, message });
        }
        if let Some(peers) = wanted {
            self.nodes[node].wanted = peers.iter().map(|peer| peer.id).collect();
            let own = &self.nodes[node];
            let agreed =
                |other: &Node| own.wanted.contains(&other.id) && other.wanted.contains(&own.id);
            let others = self.nodes.iter().enumerate();
            let strangers = others.filter(|(_, other)| other.name != own.name);
            let links: Vec<(usize, bool)> = strangers
                .map(|(number, other)| (number, agreed(other)))
                .collect();
            for (other, up) in links {
                self.set_link(node, other, up);
            }
        }
    }

    fn by_id(&self, id: PeerId) -> usize {
        let found = self.nodes.iter().position(|node| node.id == id);
        found.expect("peers are nodes of this world")
    }
}

impl Node {
    fn new(now: Instant, number: usize, node: usize, region: &str) -> Self {
        let name: NodeId = format!("node-{node}").parse().expect("an id");
        let region: Region = region.parse().expect("a region");
        let address = SocketAddr::from(([10, 0, 0, 1 + number as u8], 4_000));
        Self {
            engine: Engine::new(Config {
                node: name.clone(),
                region: region.clone(),
                candidates: vec![TransportAddress::udp(address)],
                max_sessions: 100,
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
}
