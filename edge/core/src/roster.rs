//! The roster of a region: which nodes are there, how busy they are, which may come back, and who takes the next session.

mod fleet;

pub use fleet::Fleet;

use protocol::id::NodeId;
use protocol::node::Load;
use serde::{Deserialize, Serialize};

use crate::table::{Table, integer, text};

/// Seconds between heartbeats.
pub const HEARTBEAT_SECONDS: u32 = 1;
/// A node silent for this long, in milliseconds, counts as gone.
pub const LEASE: u64 = 3 * HEARTBEAT_SECONDS as u64 * 1000;

/// For how long a node whose link broke is awaited, in milliseconds: for as long as somebody waits for a region
/// (`PATIENCE` in `room/placement.rs`). Rooms that know better say so when they seek another, and do not wait.
const LINK_GRACE: u64 = 2_000;
/// For how long nodes are awaited after a restart of the region's own, in milliseconds, when their links are gone without a
/// word. A node dials again within 100 ms, and at the latest every five seconds if the edge was away for longer.
const RESTART_GRACE: u64 = 10_000;

/// How many addresses of a node clients measure the way to, and the longest of them: one of each family, scope included.
const MAX_PROBES: usize = 2;
const MAX_PROBE: usize = 64;

/// What is known of a node. It is kept with the node's control link, and gone with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub load: Load,
    pub draining: bool,
    /// When it was heard last, Unix time in milliseconds.
    pub heard: u64,
    /// Where it answers whoever measures the way to it: `address:port`.
    #[serde(default)]
    pub probes: Vec<String>,
}

impl Member {
    /// A node that has just registered.
    pub fn new(load: Load, now: u64) -> Self {
        Self {
            load,
            draining: false,
            heard: now,
            probes: Vec::new(),
        }
    }

    /// The same, which is reached there by whoever measures the way.
    pub fn reached_at(self, probes: Vec<String>) -> Self {
        let written = |byte: u8| byte.is_ascii_alphanumeric() || b".:[]".contains(&byte);
        let fits = |at: &String| at.len() <= MAX_PROBE && at.bytes().all(written);
        let probes = probes.into_iter().filter(fits).take(MAX_PROBES).collect();
        Self { probes, ..self }
    }

    /// Whether its lease has run out.
    pub fn is_silent(&self, now: u64) -> bool {
        now >= self.heard + LEASE
    }
}

/// What a room asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// Nodes that have the room already. Asked for as `hosting`, from when that was its name.
    #[serde(rename = "hosting")]
    pub placed: Vec<NodeId>,
    /// Nodes where something just went wrong.
    pub avoid: Vec<NodeId>,
    /// Those of them that are gone, as far as anybody can tell: they are neither chosen nor waited for.
    #[serde(default)]
    pub given_up: Vec<NodeId>,
}

impl Request {
    /// What to ask all regions for, one after the other. A node that was given up serves only if no region has another: its
    /// own region may take it for living a while longer.
    pub fn rounds(self) -> impl Iterator<Item = Self> {
        let last = (!self.given_up.is_empty()).then(|| Self {
            given_up: Vec::new(),
            ..self.clone()
        });
        [Some(self), last].into_iter().flatten()
    }
}

/// The nodes of a region.
pub const NODES: Table = Table {
    name: "nodes",
    tag: "",
    since: 1,
    columns: &[text("node").key(), integer("awaited_until").optional()],
    indexes: &[],
};

/// A node that has registered. It is stored: that outlives a restart of the region's own, as links do not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    pub node: NodeId,
    /// Until when it is awaited, once it was missed.
    pub awaited_until: Option<u64>,
}

impl Remembered {
    /// A node that is there.
    pub fn present(node: NodeId) -> Self {
        Self {
            node,
            awaited_until: None,
        }
    }

    /// A node whose link has just broken.
    pub fn broken(node: NodeId, now: u64) -> Self {
        Self {
            node,
            awaited_until: Some(now + LINK_GRACE),
        }
    }

    /// Whether it may be forgotten: it had its time to come back.
    pub fn is_over(&self, now: u64) -> bool {
        self.awaited_until.is_some_and(|until| until <= now)
    }
}

/// Those that are remembered as present and are not: the region has restarted. They are awaited from now on.
pub fn missed(
    remembered: &[Remembered],
    is_present: impl Fn(&NodeId) -> bool,
    now: u64,
) -> Vec<Remembered> {
    let missing = |known: &&Remembered| known.awaited_until.is_none() && !is_present(&known.node);
    let missing = remembered.iter().filter(missing);
    let awaited = |known: &Remembered| Remembered {
        node: known.node.clone(),
        awaited_until: Some(now + RESTART_GRACE),
    };
    missing.map(awaited).collect()
}

/// What a region answers a room that wishes for a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Choice {
    Node(NodeId),
    /// No node can take a session, and none is awaited.
    Nobody,
    /// No node can take a session, but some that were here may come back any moment.
    NotKnown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_missed_is_awaited_for_a_while_and_once() {
        let id = |name: &str| name.parse::<NodeId>().unwrap();
        let stored = [
            Remembered::present(id("a")),
            Remembered::present(id("b")),
            Remembered::broken(id("c"), 0),
        ];
        let missing = missed(&stored, |node| *node == id("b"), 5_000);
        let [a] = missing.as_slice() else {
            panic!("only a is missed: {missing:?}");
        };
        assert_eq!((&a.node, a.awaited_until), (&id("a"), Some(15_000)));
        assert!(!a.is_over(14_999) && a.is_over(15_000));
        assert!(missed(&missing, |_| false, 6_000).is_empty());
    }

    #[test]
    fn of_what_a_node_is_reached_at_two_addresses_are_taken() {
        let told = ["192.0.2.1:4000", "[2001:db8::1]:4000", "192.0.2.2:4000"];
        let reached = |told: &[&str]| {
            let told = told.iter().map(|at| (*at).to_owned()).collect();
            Member::new(Load::default(), 0).reached_at(told).probes
        };
        assert_eq!(reached(&told), told[..2]);
        let long = "1".repeat(65);
        assert!(reached(&["a b:1", "a?b", &long]).is_empty());
    }
}
