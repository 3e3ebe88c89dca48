//! The wire: what is under way between nodes and clients, in which order it arrives, and what of it is lost.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use protocol::cascade::CascadeMessage;
use sfu_core::{Input, PeerId, TransportAddress};

use crate::network::Path;
use crate::world::World;

/// What arrives, and where; nodes and clients by their numbers.
#[derive(Debug)]
pub(crate) enum Delivery {
    ToNode {
        client: usize,
        node: usize,
        /// The client's address as it sent this.
        from: SocketAddr,
        data: Vec<u8>,
        /// When it arrived at the node, where it waits for its turn.
        arrived: Option<Instant>,
    },
    ToClient {
        node: usize,
        client: usize,
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

/// One direction of one link, by the numbers of its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Direction {
    Up { client: usize, node: usize },
    Down { node: usize, client: usize },
    Datagrams { from: usize, to: usize },
    Messages { from: usize, to: usize },
}

impl Delivery {
    fn direction(&self) -> Direction {
        match *self {
            Self::ToNode { client, node, .. } => Direction::Up { client, node },
            Self::ToClient { node, client, .. } => Direction::Down { node, client },
            Self::PeerDatagram { from, to, .. } => Direction::Datagrams { from, to },
            Self::PeerMessage { from, to, .. } => Direction::Messages { from, to },
        }
    }
}

impl Direction {
    /// What decides the fate of packets in this direction, in the world of this seed.
    fn randomness(self, seed: u64) -> fastrand::Rng {
        let (kind, from, to) = match self {
            Self::Up { client, node } => (1, client, node),
            Self::Down { node, client } => (2, node, client),
            Self::Datagrams { from, to } => (3, from, to),
            Self::Messages { from, to } => (4, from, to),
        };
        let mix = |seed: u64, part| fastrand::Rng::with_seed(seed ^ part).u64(..);
        let parts = [kind, from as u64, to as u64];
        fastrand::Rng::with_seed(parts.into_iter().fold(seed, mix))
    }
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
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// All that is under way.
pub(crate) struct Wire {
    seed: u64,
    events: BinaryHeap<Reverse<Event>>,
    order: u64,
    /// Each direction has its own, so that what a link loses does not depend on when others send.
    randomness: HashMap<Direction, fastrand::Rng>,
    /// When the last reliable message of a direction arrives: they keep their order.
    reliable: HashMap<Direction, Instant>,
}

impl Wire {
    /// A wire whose losses and delays all come from this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            events: BinaryHeap::new(),
            order: 0,
            randomness: HashMap::new(),
            reliable: HashMap::new(),
        }
    }

    /// When the next delivery arrives.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.events.peek().map(|Reverse(event)| event.at)
    }

    /// The next delivery that has arrived by now.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Delivery> {
        self.next().filter(|at| *at <= now)?;
        self.events.pop().map(|Reverse(event)| event.delivery)
    }

    /// Sends at this time what a path may lose, and what may be overtaken on it.
    pub(crate) fn send(&mut self, path: Path, at: Instant, delivery: Delivery) {
        let rng = self.randomness_of(delivery.direction());
        if let Some(time) = path.carry(rng) {
            self.schedule(at + time, delivery);
        }
    }

    /// Sends at this time what is repeated until it arrives, and in order.
    pub(crate) fn send_reliably(&mut self, path: Path, at: Instant, delivery: Delivery) {
        let direction = delivery.direction();
        let time = path.carry_reliably(self.randomness_of(direction));
        let last = self.reliable.entry(direction).or_insert(at);
        let arrives = (at + time).max(*last);
        *last = arrives;
        self.schedule(arrives, delivery);
    }

    fn randomness_of(&mut self, direction: Direction) -> &mut fastrand::Rng {
        let seed = self.seed;
        self.randomness
            .entry(direction)
            .or_insert_with(|| direction.randomness(seed))
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
}

/// What nodes and clients put on the wire.
impl World {
    /// A client sends to an address; nothing comes of it if no node is there.
    pub(crate) fn send_up(&mut self, client: usize, to: SocketAddr, data: Vec<u8>) {
        let node = self.nodes.iter().position(|node| node.address == to);
        let Some(node) = node else { return };
        let from = self.clients[client].address;
        if is_nomination(&data) {
            self.nominations.insert(client, data.clone());
        }
        let delivery = Delivery::ToNode {
            client,
            node,
            from,
            data,
            arrived: None,
        };
        let path = self.uplink_of.get(&client).copied();
        let path = path.unwrap_or_else(|| self.path_of(client));
        self.wire.send(path, self.now, delivery);
    }

    /// What has arrived at a node is taken at its next turn.
    pub(crate) fn wait_for_turn(&mut self, mut delivery: Delivery) {
        let now = self.now;
        if let Delivery::ToNode { arrived, .. } = &mut delivery {
            *arrived = Some(now);
        }
        let passed = now.saturating_duration_since(self.start).as_nanos();
        let wait = self
            .pace
            .map_or(0, |pace| passed.next_multiple_of(pace.as_nanos()) - passed);
        self.wire
            .schedule(now + Duration::from_nanos(wait as u64), delivery);
    }

    /// A client's last nomination comes to its node once more, as if from this address.
    pub fn forge_nomination(&mut self, client: usize, from: SocketAddr) {
        let nomination = self.nominations.get(&client).cloned();
        let data = nomination.expect("clients nominate before anything else");
        let from = TransportAddress::udp(from);
        let input = Input::Datagram {
            from,
            arrived: self.now,
            data: &data,
        };
        self.input(self.homes[client], input);
    }

    /// A node sends to an address; nothing comes of it if no client is there, or if the way to it is full.
    pub(crate) fn send_down(&mut self, node: usize, to: SocketAddr, data: Vec<u8>) {
        let client = self.clients.iter().position(|client| client.address == to);
        let Some(client) = client else {
            self.strayed += data.len();
            return;
        };
        let passed = match self.bottlenecks.get_mut(&client) {
            Some(narrow) => narrow.pass(self.now, data.len()),
            None => Some(self.now),
        };
        let Some(passed) = passed else { return };
        let delivery = Delivery::ToClient { node, client, data };
        self.wire.send(self.path_of(client), passed, delivery);
    }

    /// A node sends media to another.
    pub(crate) fn relay(&mut self, from: usize, peer: PeerId, data: Vec<u8>) {
        let to = self.by_id(peer);
        *self.crossed.entry((from, to)).or_default() += 1;
        let wait = match self.narrow.get_mut(&(from, to)) {
            Some(narrow) => narrow.pass(self.now, data.len()),
            None => Some(Duration::ZERO),
        };
        let Some(wait) = wait else { return };
        let path = self.between(from, to);
        let delivery = Delivery::PeerDatagram { from, to, data };
        self.wire.send(path, self.now + wait, delivery);
    }

    /// A node says something to another.
    pub(crate) fn say(&mut self, from: usize, peer: PeerId, message: CascadeMessage) {
        let to = self.by_id(peer);
        let path = self.between(from, to);
        let delivery = Delivery::PeerMessage { from, to, message };
        self.wire.send_reliably(path, self.now, delivery);
    }

    fn path_of(&self, client: usize) -> Path {
        self.access_of.get(&client).copied().unwrap_or(self.access)
    }

    fn by_id(&self, id: PeerId) -> usize {
        let found = self.nodes.iter().position(|node| node.id == id);
        found.expect("peers are nodes of this world")
    }
}

/// Whether a datagram is a STUN binding request with USE-CANDIDATE, which has no value (RFC 8445, 7.1.2).
fn is_nomination(data: &[u8]) -> bool {
    data.starts_with(&[0, 1])
        && data
            .windows(4)
            .any(|attribute| attribute == [0, 0x25, 0, 0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(client: usize, number: u8) -> Delivery {
        Delivery::ToClient {
            node: 0,
            client,
            data: vec![number],
        }
    }

    /// Which of 200 packets to a client arrive and when, while others get so many between each two of them.
    fn fates(seed: u64, client: usize, others: usize) -> Vec<(Duration, u8)> {
        let start = Instant::now();
        let path = Path::clean(20).jittery(30).lossy(0.3);
        let mut wire = Wire::new(seed);
        for number in 0..200 {
            let at = start + Duration::from_millis(number.into());
            wire.send(path, at, datagram(client, number));
            (0..others).for_each(|other| wire.send(path, at, datagram(100 + other, number)));
        }
        let mut arrived = Vec::new();
        while let Some(at) = wire.next() {
            match wire.take(at) {
                Some(Delivery::ToClient {
                    client: to, data, ..
                }) if to == client => {
                    arrived.push((at - start, data[0]));
                }
                _ => {}
            }
        }
        arrived
    }

    #[test]
    fn the_fate_of_packets_does_not_depend_on_other_links() {
        let alone = fates(7, 1, 0);
        assert!((100..180).contains(&alone.len()), "{} of 200", alone.len());
        assert_eq!(alone, fates(7, 1, 3));
    }

    #[test]
    fn each_link_and_each_world_has_fates_of_its_own() {
        let one = fates(7, 1, 0);
        assert_ne!(one, fates(7, 2, 0));
        assert_ne!(one, fates(8, 1, 0));
    }

    #[test]
    fn reliable_messages_all_arrive_in_order() {
        let now = Instant::now();
        let mut wire = Wire::new(1);
        for flow in 0..100 {
            let (from, to) = (0, 1);
            let message = CascadeMessage::Keyframe { flow };
            let delivery = Delivery::PeerMessage { from, to, message };
            wire.send_reliably(Path::clean(10).lossy(0.5), now, delivery);
        }
        let mut arrived = Vec::new();
        while let Some(delivery) = wire.next().and_then(|at| wire.take(at)) {
            if let Delivery::PeerMessage { message, .. } = delivery {
                arrived.push(message);
            }
        }
        let sent = (0..100).map(|flow| CascadeMessage::Keyframe { flow });
        assert_eq!(arrived, sent.collect::<Vec<_>>());
    }
}
