//! Where the room is: nodes in regions, shards of nodes, and the plans that the edge would make for them.

use std::time::Duration;

use protocol::id::Epoch;
use protocol::media::Caps;
use protocol::node::{Peer, RoomToNode};
use sfu_core::Input;

use crate::client::Client;
use crate::encoder::Videos;
use crate::names::participant;
use crate::network::Path;
use crate::world::{Node, World};

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
            };
            self.tell(*home, message);
        }
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

    /// A client offers anew, at this node, as the same participant; its old session falls silent.
    pub fn rejoin(&mut self, client: usize, node: usize) {
        self.attempts[client] += 1;
        let mut address = self.clients[client].address;
        address.set_port(address.port() + 1);
        let number = self.clients[client].number;
        let level = self.clients[client].level;
        let (mut anew, sdp, sources) = Client::new(self.now, number, address, Videos::PLAIN);
        anew.level = level;
        self.clients[client] = anew;
        self.homes[client] = node;
        self.offer(client, sdp, sources, Caps::default());
    }

    /// The attempt of a client's session.
    pub fn attempt(&self, client: usize) -> u32 {
        self.attempts[client]
    }

    /// The room ends the session that a client had at a node under this attempt.
    pub fn close(&mut self, node: usize, client: usize, attempt: u32) {
        let message = RoomToNode::Close {
            participant: participant(client),
            attempt: protocol::id::Attempt(attempt),
        };
        self.tell(node, message);
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
                packet.kind == protocol::media::MediaKind::Video
                    && usize::from(packet.stamp.client) == other
            })
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

impl Node {
    fn as_peer(&self) -> Peer {
        Peer {
            node: self.name.clone(),
            region: self.region.clone(),
            quic: String::new(),
            fingerprint: self.id.to_string(),
        }
    }
}
