//! The tracks that peers offer, and the way by which each is taken: a small distance-vector table.
//!
//! A track may be offered by several peers, while gateways change or a participant moves. The highest attempt holds, since
//! it is the participant's newest session; of equals the shortest way, and of those the one that is taken already.

use std::cmp::Reverse;
use std::collections::HashMap;

use protocol::id::Attempt;
use protocol::media::{Codec, TrackId};

use super::peers::Ring;
use crate::io::PeerId;

/// Most tracks that one peer may offer in a room; a node full of participants with four sources each fits.
const MAX_OFFERS: usize = 4_096;
/// Most hops from a publisher's shard: to its node's home shard, to the region's gateway, to another region's, to a node
/// there, to another shard of that. A way that is longer goes in circles.
pub const MAX_HOPS: u8 = 5;

/// A track as a peer offers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    pub peer: PeerId,
    /// The peer's, when it offered.
    pub ring: Ring,
    pub attempt: Attempt,
    /// How many nodes and shards there are on the way, the publisher's own not counted.
    pub hops: u8,
    pub codec: Codec,
    pub layers: u8,
}

/// What is offered, and what is taken.
#[derive(Debug, Default)]
pub struct Catalog {
    offers: HashMap<TrackId, Vec<Offer>>,
    counts: HashMap<PeerId, usize>,
    taken: HashMap<TrackId, Offer>,
}

impl Catalog {
    /// A peer offers a track, anew perhaps. An offer without an attempt is of a node that does not know of attempts yet,
    /// and counts as the newest. Returns false when it is one too many.
    pub fn offer(&mut self, id: &TrackId, mut offer: Offer, attempt: Option<Attempt>) -> bool {
        if offer.hops > MAX_HOPS {
            return false;
        }
        let offers = self.offers.get(id).map_or(&[][..], Vec::as_slice);
        let newest = offers.iter().map(|other| other.attempt).max();
        offer.attempt = attempt.or(newest).unwrap_or_default();
        let known = offers.iter().position(|other| other.peer == offer.peer);
        let count = self.counts.entry(offer.peer).or_default();
        if known.is_none() {
            if *count >= MAX_OFFERS {
                return false;
            }
            *count += 1;
        }
        let offers = self.offers.entry(id.clone()).or_default();
        match known {
            Some(place) => offers[place] = offer,
            None => offers.push(offer),
        }
        true
    }

    /// A peer's offer is over. Whether there was one.
    pub fn withdraw(&mut self, id: &TrackId, peer: PeerId) -> bool {
        let Some(offers) = self.offers.get_mut(id) else {
            return false;
        };
        let before = offers.len();
        offers.retain(|offer| offer.peer != peer);
        let withdrawn = offers.len() < before;
        if offers.is_empty() {
            self.offers.remove(id);
        }
        if withdrawn && let Some(count) = self.counts.get_mut(&peer) {
            *count -= 1;
        }
        withdrawn
    }

    /// A peer is gone with all that it offered; returns what that was.
    pub fn drop_peer(&mut self, peer: PeerId) -> Vec<TrackId> {
        let of_peer = |offers: &Vec<Offer>| offers.iter().any(|offer| offer.peer == peer);
        let offered = self.offers.iter().filter(|(_, offers)| of_peer(offers));
        let mut ids: Vec<TrackId> = offered.map(|(id, _)| id.clone()).collect();
        ids.sort();
        for id in &ids {
            self.withdraw(id, peer);
        }
        self.counts.remove(&peer);
        ids
    }

    /// The best offer of a track.
    pub fn best(&self, id: &TrackId) -> Option<Offer> {
        let taken = self.taken.get(id).map(|offer| offer.peer);
        let rank = |offer: &&Offer| {
            let stays = Some(offer.peer) == taken;
            (offer.attempt, Reverse(offer.hops), stays)
        };
        // Of equals the last in this order: the newest.
        self.offers.get(id)?.iter().max_by_key(rank).copied()
    }

    /// The offer by which a track comes to us; `None` for a track of our own.
    pub fn taken(&self, id: &TrackId) -> Option<&Offer> {
        self.taken.get(id)
    }

    /// The track comes by this offer from now on, or not at all.
    pub fn take(&mut self, id: &TrackId, offer: Option<Offer>) {
        match offer {
            Some(offer) => drop(self.taken.insert(id.clone(), offer)),
            None => drop(self.taken.remove(id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::media::Source;

    use super::*;

    fn id() -> TrackId {
        TrackId {
            participant: "p".parse().expect("an id"),
            source: Source::Camera,
        }
    }

    fn offer(peer: u8, hops: u8) -> Offer {
        Offer {
            peer: PeerId([peer; 32]),
            ring: Ring::Region,
            attempt: Attempt(0),
            hops,
            codec: Codec::Vp8,
            layers: 3,
        }
    }

    fn best(catalog: &Catalog) -> Option<(u8, u32)> {
        let best = catalog.best(&id())?;
        Some((best.peer.0[0], best.attempt.0))
    }

    #[test]
    fn the_highest_attempt_holds_then_the_shortest_way_then_what_is_taken() {
        let mut catalog = Catalog::default();
        catalog.offer(&id(), offer(1, 2), Some(Attempt(3)));
        catalog.offer(&id(), offer(2, 1), Some(Attempt(2)));
        assert_eq!(best(&catalog), Some((1, 3)));
        catalog.offer(&id(), offer(2, 1), Some(Attempt(3)));
        assert_eq!(best(&catalog), Some((2, 3)));
        catalog.offer(&id(), offer(3, 1), Some(Attempt(3)));
        catalog.take(&id(), Some(offer(2, 1)));
        assert_eq!(best(&catalog), Some((2, 3)));
        // What was passed over is remembered.
        assert!(catalog.withdraw(&id(), PeerId([2; 32])));
        assert_eq!(best(&catalog), Some((3, 3)));
        assert_eq!(catalog.drop_peer(PeerId([3; 32])), [id()]);
        assert_eq!(best(&catalog), Some((1, 3)));
        assert!(!catalog.withdraw(&id(), PeerId([3; 32])));
    }

    #[test]
    fn an_offer_without_an_attempt_counts_as_the_newest() {
        let mut catalog = Catalog::default();
        catalog.offer(&id(), offer(1, 1), Some(Attempt(4)));
        catalog.offer(&id(), offer(2, 1), None);
        assert_eq!(best(&catalog), Some((2, 4)));
    }

    #[test]
    fn a_peer_offers_so_much_and_over_so_many_hops() {
        let mut catalog = Catalog::default();
        let nth = |n: usize| TrackId {
            participant: format!("p{n}").parse().expect("an id"),
            source: Source::Camera,
        };
        assert!(!catalog.offer(&nth(0), offer(1, MAX_HOPS + 1), None));
        for n in 0..MAX_OFFERS {
            assert!(catalog.offer(&nth(n), offer(1, 1), None));
        }
        assert!(!catalog.offer(&nth(MAX_OFFERS), offer(1, 1), None));
        assert!(
            catalog.offer(&nth(7), offer(1, 2), None),
            "one that is known"
        );
        catalog.withdraw(&nth(7), PeerId([1; 32]));
        assert!(catalog.offer(&nth(MAX_OFFERS), offer(1, 1), None));
    }
}
