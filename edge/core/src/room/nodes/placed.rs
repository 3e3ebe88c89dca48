//! A node that the room is placed on, as is stored of it.

use protocol::id::{Epoch, NodeId, Region};
use serde::{Deserialize, Serialize};

use super::{OPENING, RELEASE};
use crate::room::NodeLink;
use crate::table::{Key, Table, integer, json, text};

pub(in crate::room) const NODES: Table = Table {
    name: "nodes",
    tag: "Host",
    since: 1,
    columns: &[
        text("node").key(),
        text("region"),
        integer("epoch"),
        integer("link"),
        json("state"),
        json("reach").optional(),
        integer("release_at").optional(),
    ],
    indexes: &[],
};

pub(super) fn placed_key(node: &NodeId) -> Key {
    NODES.key([node.as_str().into()])
}

/// A node that the room is placed on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    pub node: NodeId,
    pub region: Region,
    /// The placement under which it holds the room.
    pub epoch: Epoch,
    /// How many links it has opened under this epoch.
    pub link: u32,
    pub state: Link,
    /// Where other nodes reach it, once it has said so.
    pub reach: Option<Reach>,
    /// When to release it, if nobody is there any more.
    pub release_at: Option<u64>,
}

/// The room link of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Link {
    /// Due to be opened, or open and not yet ready.
    Awaited {
        until: u64,
    },
    Ready,
    /// Closed, and may come back.
    Broken {
        until: u64,
    },
}

/// A node's QUIC endpoint, and what the node knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reach {
    pub quic: String,
    pub fingerprint: String,
    /// Whether it has breakout rooms.
    #[serde(default)]
    pub breakouts: bool,
}

impl Placed {
    pub(in crate::room) fn named(&self) -> NodeLink {
        NodeLink {
            node: self.node.clone(),
            epoch: self.epoch,
            link: self.link,
        }
    }

    /// A node that was chosen, and has still to open its room link.
    pub(in crate::room) fn awaited(node: NodeId, region: Region, epoch: Epoch, now: u64) -> Self {
        Self {
            node,
            region,
            epoch,
            link: 0,
            state: Link::Awaited {
                until: now + OPENING,
            },
            reach: None,
            // Until somebody is placed there.
            release_at: Some(now + RELEASE),
        }
    }
}
