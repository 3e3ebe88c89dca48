//! The roster of a region: which nodes are there, how busy they are, which may come back, and who takes the next session.

use std::collections::BTreeMap;

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

/// The node for a session of a room, if one can take it. `remembered` are all that ever registered and were not given up;
/// `random` are two uniform numbers.
pub fn assign(
    members: &BTreeMap<NodeId, Member>,
    remembered: &[Remembered],
    request: &Request,
    now: u64,
    random: [u32; 2],
) -> Choice {
    let candidates: Vec<Candidate> = members
        .iter()
        .filter(|(node, member)| {
            !member.draining && !member.is_silent(now) && !request.given_up.contains(node)
        })
        .map(|(node, member)| Candidate {
            node: node.clone(),
            load: member.load,
            has_room: request.placed.contains(node),
            avoid: request.avoid.contains(node),
        })
        .collect();
    let is_awaited = |known: &Remembered| {
        let is_missed = !members.contains_key(&known.node) && !known.is_over(now);
        is_missed && !request.given_up.contains(&known.node)
    };
    match choose(&candidates, random) {
        Some(node) => Choice::Node(node.clone()),
        None if remembered.iter().any(is_awaited) => Choice::NotKnown,
        None => Choice::Nobody,
    }
}

/// A node that could take a session.
#[derive(Debug, Clone, PartialEq)]
struct Candidate {
    node: NodeId,
    load: Load,
    /// Whether it has the room already.
    has_room: bool,
    /// Whether something just went wrong there: only if there is no other.
    avoid: bool,
}

impl Candidate {
    /// Its busier side: processor or sessions.
    fn burden(&self) -> f32 {
        let sessions = self.load.sessions as f32 / self.load.max_sessions.max(1) as f32;
        self.load.cpu.max(sessions)
    }
}

/// The node for a session: one that has the room if it has headroom, else the better of two random ones (which spreads
/// almost as well as the best of all and does not stampede). `random` are two uniform numbers.
fn choose(candidates: &[Candidate], random: [u32; 2]) -> Option<&NodeId> {
    let fit = |avoid: bool| -> Vec<&Candidate> {
        candidates
            .iter()
            .filter(|c| c.load.has_headroom() && c.avoid == avoid)
            .collect()
    };
    let mut pool = fit(false);
    if pool.is_empty() {
        pool = fit(true);
    }
    let lightest = |a: &&Candidate, b: &&Candidate| a.burden().total_cmp(&b.burden());
    if let Some(known) = pool.iter().copied().filter(|c| c.has_room).min_by(lightest) {
        return Some(&known.node);
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
            has_room: false,
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
        let members = BTreeMap::from([
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
            placed: vec![node("b")],
            avoid: vec![],
            given_up: vec![],
        };
        let assign = |now| assign(&members, &[], &request, now, [0, 0]);
        assert_eq!(assign(1000), Choice::Node(node("a")));
        assert_eq!(assign(1000 + LEASE), Choice::Nobody);
    }

    #[test]
    fn none_is_told_apart_from_not_known() {
        let id = |name: &str| name.parse::<NodeId>().unwrap();
        let load = |sessions| Load {
            sessions,
            max_sessions: 5,
            ..Load::default()
        };
        let request = Request {
            placed: vec![],
            avoid: vec![],
            given_up: vec![],
        };
        let (present, broken) = (Remembered::present, Remembered::broken);
        let awaited = |name: &str, until| Remembered {
            node: id(name),
            awaited_until: Some(until),
        };
        // The nodes that are linked, with their sessions; what is remembered; and the answer at 1,000.
        let cases = [
            (vec![], vec![], Choice::Nobody),
            (vec![], vec![present(id("a"))], Choice::NotKnown),
            (vec![], vec![broken(id("a"), 1_000)], Choice::NotKnown),
            (vec![], vec![broken(id("a"), 0)], Choice::NotKnown),
            (vec![], vec![awaited("a", 1_001)], Choice::NotKnown),
            (vec![], vec![awaited("a", 1_000)], Choice::Nobody),
            (
                vec![("b", 0)],
                vec![present(id("a")), present(id("b"))],
                Choice::Node(id("b")),
            ),
            // What is full is known to be full; who is missing may have room.
            (vec![("b", 5)], vec![present(id("b"))], Choice::Nobody),
            (
                vec![("b", 5)],
                vec![present(id("a")), present(id("b"))],
                Choice::NotKnown,
            ),
        ];
        for (linked, remembered, answer) in cases {
            let members = linked
                .iter()
                .map(|(name, sessions)| (id(name), Member::new(load(*sessions), 1_000)));
            let members = members.collect();
            assert_eq!(
                assign(&members, &remembered, &request, 1_000, [0, 0]),
                answer,
                "{linked:?} {remembered:?}"
            );
        }
    }

    #[test]
    fn who_was_given_up_by_those_who_ask_is_not_awaited() {
        let node: NodeId = "a".parse().unwrap();
        let mut request = Request {
            placed: vec![],
            avoid: vec![node.clone()],
            given_up: vec![],
        };
        let remembered = [Remembered::broken(node.clone(), 0)];
        let assign = |request: &Request| {
            // After a room has missed its own link to the node for as long as it does.
            assign(&BTreeMap::new(), &remembered, request, 1_000, [0, 0])
        };
        // Who has only lost its link may be back in a moment; another region is farther.
        assert_eq!(assign(&request), Choice::NotKnown);
        request.given_up = vec![node];
        assert_eq!(assign(&request), Choice::Nobody);
    }

    #[test]
    fn who_was_given_up_serves_only_if_no_region_has_another() {
        let id = |name: &str| name.parse::<NodeId>().unwrap();
        let load = Load {
            max_sessions: 5,
            ..Load::default()
        };
        let members = ["a", "b"].map(|name| (id(name), Member::new(load, 1_000)));
        let members = BTreeMap::from(members);
        // What is avoided, what of that is given up, and what each round comes to.
        let cases: [(&[&str], &[&str], &[Choice]); 4] = [
            (&[], &[], &[Choice::Node(id("a"))]),
            (&["a", "b"], &[], &[Choice::Node(id("a"))]),
            (
                &["a"],
                &["a"],
                &[Choice::Node(id("b")), Choice::Node(id("b"))],
            ),
            (
                &["a", "b"],
                &["a", "b"],
                &[Choice::Nobody, Choice::Node(id("a"))],
            ),
        ];
        for (avoid, given_up, answers) in cases {
            let request = Request {
                placed: vec![],
                avoid: avoid.iter().map(|name| id(name)).collect(),
                given_up: given_up.iter().map(|name| id(name)).collect(),
            };
            let ask = |request| assign(&members, &[], &request, 1_000, [0, 1]);
            let choices: Vec<Choice> = request.rounds().map(ask).collect();
            assert_eq!(choices, answers, "{avoid:?} {given_up:?}");
        }
    }

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
    fn the_room_stays_together_while_there_is_headroom() {
        let mut all = [candidate("a", 0.1, 0), candidate("b", 0.8, 9)];
        all[1].has_room = true;
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
