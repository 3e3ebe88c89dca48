//! Where the room is: nodes in regions, shards of nodes, and the plans that the edge would make for them.

use protocol::id::{BreakoutId, Epoch};
use protocol::node::RoomToNode;
use sfu_core::Input;

use crate::names::participant;
use crate::network::Path;
use crate::node::Node;
use crate::world::World;

impl World {
    /// Tells all that host the room who shares it with them, as the Room Durable Object does: a region's nodes know each
    /// other, and their gateways (the first of them) know the gateways of the other regions. Only a node's first shard
    /// speaks with other nodes; the shards of a node know each other.
    pub fn plan(&mut self) {
        self.epoch += 1;
        let hosts: Vec<usize> = (0..self.nodes.len())
            .filter(|shard| self.nodes[*shard].hosting)
            .collect();
        for shard in &hosts {
            let siblings = hosts.iter().filter(|other| {
                *other != shard && self.nodes[**other].name == self.nodes[*shard].name
            });
            let shards = siblings.map(|other| self.nodes[*other].id).collect();
            let room = self.room.clone();
            self.input(*shard, Input::Siblings { room, shards });
        }
        let homes = self.first_of(&hosts, |node| node.name.to_string());
        let gateways = self.first_of(&homes, |node| node.region.to_string());
        for home in &homes {
            let here = &self.nodes[*home].region;
            let peers = homes.iter().filter(|other| {
                let is_mate = self.nodes[**other].region == *here;
                *other != home && (is_mate || gateways.contains(home) && gateways.contains(other))
            });
            let message = RoomToNode::Plan {
                epoch: Epoch(self.epoch),
                peers: peers.map(|other| self.nodes[*other].as_peer()).collect(),
                breakouts: self.breakouts.clone(),
            };
            self.tell(*home, message);
        }
        for shard in hosts.iter().filter(|shard| !homes.contains(shard)) {
            let message = RoomToNode::Plan {
                epoch: Epoch(self.epoch),
                peers: Vec::new(),
                breakouts: self.breakouts.clone(),
            };
            self.tell(*shard, message);
        }
    }

    /// These breakout rooms are open from now on, and no others.
    pub fn open_breakouts(&mut self, numbers: &[u32]) {
        self.breakouts = numbers.iter().copied().map(BreakoutId).collect();
        self.plan();
    }

    /// A client goes to a breakout room, or back to the main room.
    pub fn go_to(&mut self, client: usize, breakout: Option<u32>) {
        let message = RoomToNode::Breakout {
            participant: participant(client),
            breakout: breakout.map(BreakoutId),
        };
        self.tell(self.homes[client], message);
    }

    /// The first of those that are alike.
    fn first_of(&self, shards: &[usize], kind: impl Fn(&Node) -> String) -> Vec<usize> {
        let mut seen = Vec::new();
        let mut first = Vec::new();
        for shard in shards {
            let kind = kind(&self.nodes[*shard]);
            if !seen.contains(&kind) {
                seen.push(kind);
                first.push(*shard);
            }
        }
        first
    }

    /// The room leaves a node, and whoever has media there with it.
    pub fn release(&mut self, node: usize) {
        self.tell(node, RoomToNode::Release);
        self.nodes[node].hosting = false;
        self.plan();
    }

    /// The room comes to a node.
    pub fn host(&mut self, node: usize) {
        self.nodes[node].hosting = true;
        self.plan();
    }
}

/// The ways between nodes.
impl World {
    /// The connections between two nodes break, or come back.
    pub fn link(&mut self, a: usize, b: usize, up: bool) {
        let pair = (a.min(b), a.max(b));
        if up {
            self.severed.remove(&pair);
        } else {
            self.severed.insert(pair);
        }
        self.set_link(a, b, up);
    }

    /// A node's wishes have changed: it is connected with those who agree, other than the shards beside it.
    pub(crate) fn connect_agreed(&mut self, node: usize) {
        let own = &self.nodes[node];
        let others = self.nodes.iter().enumerate();
        let strangers = others.filter(|(_, other)| other.name != own.name);
        let links: Vec<(usize, bool)> = strangers
            .map(|(number, other)| (number, own.agrees_with(other)))
            .collect();
        for (other, up) in links {
            self.set_link(node, other, up);
        }
    }

    pub(crate) fn set_link(&mut self, a: usize, b: usize, up: bool) {
        let pair = (a.min(b), a.max(b));
        let changed = if up {
            !self.severed.contains(&pair) && self.links.insert(pair)
        } else {
            self.links.remove(&pair)
        };
        if !changed {
            return;
        }
        for (node, peer) in [(a, b), (b, a)] {
            let peer = self.nodes[peer].id;
            let input = if up {
                Input::PeerUp { peer }
            } else {
                Input::PeerDown { peer }
            };
            self.input(node, input);
            if up {
                let time = 2 * self.between(a, b).delay;
                self.input(node, Input::PeerRoundTrip { peer, time });
            }
        }
    }

    /// The way between two nodes, or within one: nothing is lost between shards, and it takes no time.
    pub(crate) fn between(&self, a: usize, b: usize) -> Path {
        if self.nodes[a].name == self.nodes[b].name {
            Path::clean(0)
        } else {
            self.backbone
        }
    }
}
