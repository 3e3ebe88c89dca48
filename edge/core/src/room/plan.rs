//! The plan: which of the room's nodes speak with each other.

use std::collections::BTreeMap;

use protocol::id::{NodeId, Region};
use protocol::node::{Peer, RoomToNode};

use super::nodes::{Link, Placed};
use super::{Effect, Room};

impl Room {
    /// Tells every node which others it shares the room with: all of its own region, and a region's gateway the
    /// gateways of the other regions, too. So one copy of what is wanted crosses each pair of regions.
    pub(super) fn plan(&self, out: &mut Vec<Effect>) {
        let gateways = self.gateways();
        let is_gateway = |placed: &Placed| gateways.get(&placed.region) == Some(&&placed.node);
        for placed in self
            .nodes
            .values()
            .filter(|placed| placed.state == Link::Ready)
        {
            let others = self.nodes.values().filter(|other| {
                let is_mate = other.region == placed.region && other.node != placed.node;
                let is_abroad = other.region != placed.region;
                is_mate || is_abroad && is_gateway(placed) && is_gateway(other)
            });
            let peers = others.filter_map(|other| {
                let reach = other.reach.clone()?;
                Some(Peer {
                    node: other.node.clone(),
                    region: other.region.clone(),
                    quic: reach.quic,
                    fingerprint: reach.fingerprint,
                })
            });
            out.push(Effect::Tell {
                link: placed.named(),
                message: RoomToNode::Plan {
                    epoch: self.info.epoch,
                    peers: peers.collect(),
                    breakouts: self.breakouts.ids(),
                },
            });
        }
    }

    /// Each region's gateway: of its nodes that can be reached the one with the smallest id.
    fn gateways(&self) -> BTreeMap<&Region, &NodeId> {
        let mut gateways = BTreeMap::new();
        for placed in self.nodes.values().filter(|placed| placed.reach.is_some()) {
            gateways.entry(&placed.region).or_insert(&placed.node);
        }
        gateways
    }
}
