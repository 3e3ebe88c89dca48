//! The roster of a region: which nodes are there, how busy they are, and who takes the next session.

use std::collections::BTreeMap;

use protocol::id::NodeId;
use protocol::node::Load;
use serde::{Deserialize, Serialize};

use crate::assign::{Candidate, choose};

/// Seconds between heartbeats.
pub const HEARTBEAT_SECONDS: u32 = 1;
/// A node silent for this long, in milliseconds, counts as gone.
pub const LEASE: u64 = 3 * HEARTBEAT_SECONDS as u64 * 1000;

/// What is known of a node. It is kept with the node's control link, and gone with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub load: Load,
    pub draining: bool,
    /// When it was heard last, Unix time in milliseconds.
    pub heard: u64,
}

impl Member {
    /// A node that has just registered.
    pub fn new(load: Load, now: u64) -> Self {
        Self {
            load,
            draining: false,
            heard: now,
        }
    }

    /// Whether its lease has run out.
    pub fn is_silent(&self, now: u64) -> bool {
        now >= self.heard + LEASE
    }
}

/// What a room asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// Nodes that host the room already.
    pub hosting: Vec<NodeId>,
    /// Nodes where something just went wrong.
    pub avoid: Vec<NodeId>,
}

/// The node for a session of a room. `random` are two uniform numbers.
pub fn assign(
    members: &BTreeMap<NodeId, Member>,
    request: &Request,
    now: u64,
    random: [u32; 2],
) -> Option<NodeId> {
    let candidates: Vec<Candidate> = members
        .iter()
        .filter(|(_, member)| !member.draining && !member.is_silent(now))
        .map(|(node, member)| Candidate {
            node: node.clone(),
            load: member.load,
            hosts: request.hosting.contains(node),
            avoid: request.avoid.contains(node),
        })
        .collect();
    choose(&candidates, random).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_drains_or_is_silent_gets_nothing() {
        let load = Load {
            max_sessions: 5,
            ..Load::default()
        };
        let node = |name: &str| name.parse::<NodeId>().unwrap();
        let mut members = BTreeMap::from([
            (node("a"), Member::new(load, 1000)),
            (
                node("b"),
                Member {
                    draining: true,
                    ..Member::new(load, 1000)
                },
            ),
        ]);
        let request = Request {
            hosting: vec![node("b")],
            avoid: vec![],
        };
        assert_eq!(assign(&members, &request, 1000, [0, 0]), Some(node("a")));
        assert_eq!(assign(&members, &request, 1000 + LEASE, [0, 0]), None);
        members.clear();
        assert_eq!(assign(&members, &request, 1000, [0, 0]), None);
    }
}
