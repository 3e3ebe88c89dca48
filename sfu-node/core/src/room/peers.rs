//! The peers of a room, each in its ring. What is learned from one ring is passed on to the others only (split horizon),
//! so that a track reaches everybody once: within a ring everybody knows everybody.

use std::collections::{BTreeMap, BTreeSet};

use crate::io::PeerId;

/// Where a peer is, as seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ring {
    /// Another shard of this node.
    Sibling,
    /// Another node of this region.
    Region,
    /// A node of another region: that one's gateway, and then this node is its own region's.
    Abroad,
}

/// The peers of a room.
#[derive(Debug, Clone, Default)]
pub struct Peers {
    /// Other nodes, by the room's plan.
    planned: BTreeMap<PeerId, Ring>,
    siblings: BTreeSet<PeerId>,
}

impl Peers {
    /// Takes the plan's peers in the place of those before.
    pub fn plan(&mut self, planned: BTreeMap<PeerId, Ring>) -> Change {
        self.change(|peers| peers.planned = planned)
    }

    /// Takes these shards of our own node in the place of those before.
    pub fn set_siblings(&mut self, siblings: BTreeSet<PeerId>) -> Change {
        self.change(|peers| peers.siblings = siblings)
    }

    /// Takes all of them in the place of those before.
    pub fn replace(&mut self, by: Self) -> Change {
        self.change(|peers| *peers = by)
    }

    fn change(&mut self, set: impl FnOnce(&mut Self)) -> Change {
        let before: BTreeMap<PeerId, Ring> = self.iter().collect();
        set(self);
        let now: BTreeMap<PeerId, Ring> = self.iter().collect();
        let moved = |from: &BTreeMap<PeerId, Ring>, to: &BTreeMap<PeerId, Ring>| {
            let lost =
                |(peer, ring): (&PeerId, &Ring)| (to.get(peer) != Some(ring)).then_some(*peer);
            from.iter().filter_map(lost).collect()
        };
        Change {
            gone: moved(&before, &now),
            new: moved(&now, &before),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (PeerId, Ring)> {
        let planned = self.planned.iter().map(|(peer, ring)| (*peer, *ring));
        planned.chain(self.siblings.iter().map(|peer| (*peer, Ring::Sibling)))
    }

    /// The peer's ring; `None` when the room is not shared with it.
    pub fn ring(&self, peer: PeerId) -> Option<Ring> {
        if self.siblings.contains(&peer) {
            return Some(Ring::Sibling);
        }
        self.planned.get(&peer).copied()
    }

    /// Whether the room is shared with this peer.
    pub fn contains(&self, peer: PeerId) -> bool {
        self.ring(peer).is_some()
    }
}

/// Who went and who came. A peer whose ring has changed did both.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    pub gone: Vec<PeerId>,
    pub new: Vec<PeerId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PeerId = PeerId([1; 32]);
    const B: PeerId = PeerId([2; 32]);
    const C: PeerId = PeerId([3; 32]);

    #[test]
    fn a_change_says_who_went_who_came_and_who_did_both() {
        let mut peers = Peers::default();
        let change = peers.plan([(A, Ring::Region), (B, Ring::Region)].into());
        assert_eq!((change.gone, change.new), (vec![], vec![A, B]));
        let change = peers.plan([(B, Ring::Abroad)].into());
        assert_eq!((change.gone, change.new), (vec![A, B], vec![B]));
        let change = peers.set_siblings([C].into());
        assert_eq!((change.gone, change.new), (vec![], vec![C]));
        assert_eq!(peers.ring(B), Some(Ring::Abroad));
        assert_eq!(peers.ring(C), Some(Ring::Sibling));
        assert!(!peers.contains(A));
    }
}
