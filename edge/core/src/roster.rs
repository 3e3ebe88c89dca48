//! The roster of a region: which nodes are there, how busy they are, and who takes the next session.

use std::collections::BTreeMap;

use protocol::id::NodeId;
use protocol::node::Load;
use serde::{Deserialize, Serialize};

/// A node with less than this share of its busiest core free takes no new session.
const MAX_CPU: f32 = 0.9;

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

/// A node that could take a session.
#[derive(Debug, Clone, PartialEq)]
struct Candidate {
    node: NodeId,
    load: Load,
    /// Whether it hosts the room already.
    hosts: bool,
    /// Whether something just went wrong there: only if there is no other.
    avoid: bool,
}

impl Candidate {
    fn has_headroom(&self) -> bool {
        self.load.sessions < self.load.max_sessions && self.load.cpu < MAX_CPU
    }

    /// Its busier side: processor or sessions.
    fn burden(&self) -> f32 {
        let sessions = self.load.sessions as f32 / self.load.max_sessions.max(1) as f32;
        self.load.cpu.max(sessions)
    }
}

/// The node for a session: one that hosts the room if it has headroom, else the better of two random ones (which spreads
/// almost as well as the best of all and does not stampede). `random` are two uniform numbers.
fn choose(candidates: &[Candidate], random: [u32; 2]) -> Option<&NodeId> {
    let fit = |avoid: bool| -> Vec<&Candidate> {
        candidates
            .iter()
            .filter(|c| c.has_headroom() && c.avoid == avoid)
            .collect()
    };
    let mut pool = fit(false);
    if pool.is_empty() {
        pool = fit(true);
    }
    let lightest = |a: &&Candidate, b: &&Candidate| a.burden().total_cmp(&b.burden());
    if let Some(host) = pool.iter().copied().filter(|c| c.hosts).min_by(lightest) {
        return Some(&host.node);
    }
    if pool.is_empty() {
        return None;
    }
    let first = pool.swap_remove(random[0] as usize % pool.len());
    let second = pool.get(random[1] as usize % pool.len().max(1)).copied();
    [Some(first), second]
        .into_iter()
        .flatten()
        .min_by(lightest)
        .map(|best| &best.node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn candidate(name: &str, cpu: f32, sessions: u32) -> Candidate {
        Candidate {
            node: name.parse().unwrap(),
            load: Load {
                cpu,
                sessions,
                rooms: 0,
                max_sessions: 10,
            },
            hosts: false,
            avoid: false,
        }
    }

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

    #[test]
    fn the_room_stays_together_while_there_is_headroom() {
        let mut all = [candidate("a", 0.1, 0), candidate("b", 0.8, 9)];
        all[1].hosts = true;
        assert_eq!(choose(&all, [0, 0]).unwrap().as_str(), "b");
        all[1].load.sessions = 10;
        assert_eq!(choose(&all, [1, 1]).unwrap().as_str(), "a");
    }

    #[test]
    fn an_avoided_node_is_the_last_resort() {
        let mut all = [candidate("a", 0.1, 0), candidate("b", 0.8, 9)];
        all[0].avoid = true;
        assert_eq!(choose(&all, [0, 0]).unwrap().as_str(), "b");
        assert_eq!(choose(&all[..1], [0, 0]).unwrap().as_str(), "a");
        assert_eq!(choose(&[], [0, 0]), None);
    }

    proptest! {
        #[test]
        fn the_worst_of_three_is_never_taken(random: [u32; 2]) {
            let all = [candidate("a", 0.1, 0), candidate("b", 0.2, 0), candidate("c", 0.3, 0)];
            prop_assert_ne!(choose(&all, random).unwrap().as_str(), "c");
        }
    }
}
