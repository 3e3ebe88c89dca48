//! QUIC handshakes that are under way: so few at a time, and of one address, and for so long, that strangers leave room for peers.
//! Peers have places of their own at the addresses that the plan names.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::site::{Counts, Site};

/// Handshakes of strangers at a time. Each costs about a millisecond.
const MOST: usize = 256;
/// Of one address: two of each shard of a node, and some that were given up.
const MOST_FROM_ONE: usize = 32;
/// From so many on, in all or of one address, an address must first show that it is real: a forged one takes no place of a peer.
const BUSY: usize = 64;
const BUSY_FROM_ONE: usize = 8;
/// How long one may take: some round trips around the world, a lost packet among them. QUIC itself lets a stranger hold one for
/// as long as it sends something.
const PATIENCE: Duration = Duration::from_secs(3);

/// Those under way, the oldest first, and the addresses where peers are.
pub struct Handshakes {
    most: usize,
    underway: RefCell<Vec<Underway>>,
    begun: Cell<u64>,
    expected: RefCell<Counts>,
}

struct Underway {
    number: u64,
    site: Site,
    /// Whoever drives it learns from its end that another one has taken the place.
    _place: oneshot::Sender<()>,
}

/// One of them, until it is dropped.
pub struct Handshake {
    all: Rc<Handshakes>,
    number: u64,
    displaced: oneshot::Receiver<()>,
}

/// What becomes of a dial.
pub enum Dial {
    Begun(Handshake),
    /// Its address is to show that it is real.
    Unproven,
    /// There is no place for it now.
    Refused,
}

/// A peer's address has places of its own as long as this lives.
pub struct Expected {
    all: Rc<Handshakes>,
    site: Site,
}

impl Default for Handshakes {
    fn default() -> Self {
        Self::up_to(MOST)
    }
}

impl Handshakes {
    /// With places for so many strangers.
    pub fn up_to(most: usize) -> Self {
        Self {
            most,
            underway: RefCell::default(),
            begun: Cell::default(),
            expected: RefCell::default(),
        }
    }

    /// Begins one, unless its address has too many. When strangers have too many in all, the oldest of the address that has
    /// most makes room: a few strangers keep no peer out. However many they are, they take no place of an expected
    /// address unless they share its network.
    pub fn begin(self: &Rc<Self>, from: IpAddr, is_proven: bool) -> Dial {
        let site = Site::from(from);
        let mut underway = self.underway.borrow_mut();
        let expected = self.expected.borrow();
        let of_site = underway.iter().filter(|one| one.site == site).count();
        if !is_proven && (underway.len() >= BUSY || of_site >= BUSY_FROM_ONE) {
            return Dial::Unproven;
        }
        if of_site >= MOST_FROM_ONE {
            return Dial::Refused;
        }
        if expected.of(site) == 0 && !self.make_room(&mut underway, of_site) {
            return Dial::Refused;
        }
        let number = self.begun.get();
        self.begun.set(number + 1);
        let (place, displaced) = oneshot::channel();
        underway.push(Underway {
            number,
            site,
            _place: place,
        });
        Dial::Begun(Handshake {
            all: self.clone(),
            number,
            displaced,
        })
    }

    /// Sees to it that there is a place for a stranger whose address has so many.
    fn make_room(&self, underway: &mut Vec<Underway>, of_site: usize) -> bool {
        let expected = self.expected.borrow();
        let sites = underway.iter().map(|one| one.site);
        let counts: Counts = sites.filter(|site| expected.of(*site) == 0).collect();
        if counts.total() < self.most {
            return true;
        }
        let most = counts.most();
        if most <= of_site {
            return false;
        }
        let oldest = underway.iter().position(|one| counts.of(one.site) == most);
        oldest.map(|oldest| underway.remove(oldest)).is_some()
    }

    /// A peer is to dial from this address.
    pub fn expect(self: &Rc<Self>, from: IpAddr) -> Expected {
        let site = Site::from(from);
        self.expected.borrow_mut().add(site);
        let all = self.clone();
        Expected { all, site }
    }
}

impl Handshake {
    /// Waits until it has taken too long, or another one has taken its place.
    pub async fn given_up(&mut self) {
        let _ = timeout(PATIENCE, &mut self.displaced).await;
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        let mut underway = self.all.underway.borrow_mut();
        underway.retain(|one| one.number != self.number);
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.all.expected.borrow_mut().remove(self.site);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(all: &Rc<Handshakes>, host: u8) -> Option<Handshake> {
        match all.begin([192, 0, 2, host].into(), true) {
            Dial::Begun(handshake) => Some(handshake),
            Dial::Unproven | Dial::Refused => None,
        }
    }

    #[test]
    fn one_address_leaves_room_for_others_and_all_together_end() {
        let all = Rc::new(Handshakes::default());
        let mut of_one: Vec<_> = (0..MOST_FROM_ONE).filter_map(|_| begin(&all, 1)).collect();
        assert_eq!(of_one.len(), MOST_FROM_ONE);
        assert!(begin(&all, 1).is_none() && begin(&all, 2).is_some());
        of_one.pop();
        assert!(begin(&all, 1).is_some());
        let others: Vec<_> = (2..=255).filter_map(|host| begin(&all, host)).collect();
        assert!(all.underway.borrow().len() == MOST);
        drop((of_one, others));
        assert!(all.underway.borrow().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn eight_addresses_keep_no_ninth_out() {
        let all = Rc::new(Handshakes::default());
        let mut strangers: Vec<_> = (0..MOST)
            .filter_map(|number| begin(&all, (number / MOST_FROM_ONE) as u8))
            .collect();
        assert_eq!(strangers.len(), MOST);
        // They come again and again.
        let mut peer = begin(&all, 100).expect("room for a peer");
        strangers.extend((0..8).filter_map(|host| begin(&all, host)));
        assert_eq!(all.underway.borrow().len(), MOST);
        strangers[0].given_up().await;
        let displaced = timeout(Duration::from_secs(1), peer.given_up());
        displaced.await.expect_err("the peer keeps its place");
    }

    #[test]
    fn a_peer_finds_its_places_among_any_number_of_strangers_and_no_more_than_those() {
        let all = Rc::new(Handshakes::up_to(4));
        let strangers: Vec<_> = (0..8).filter_map(|host| begin(&all, host)).collect();
        let expected = all.expect([192, 0, 2, 100].into());
        let peers: Vec<_> = (0..50).filter_map(|_| begin(&all, 100)).collect();
        assert_eq!((strangers.len(), peers.len()), (8, MOST_FROM_ONE));
        let more: Vec<_> = (8..16).filter_map(|host| begin(&all, host)).collect();
        assert_eq!(more.len(), 8);
        assert_eq!(all.underway.borrow().len(), 4 + MOST_FROM_ONE);
        // Whoever leaves the plan is a stranger.
        drop(expected);
        assert_eq!(all.expected.borrow().total(), 0);
        let _last = begin(&all, 16).expect("a place of the address that has most");
        assert_eq!(all.underway.borrow().len(), 4 + MOST_FROM_ONE);
    }

    #[test]
    fn a_forged_address_takes_few_places_of_the_peer_at_it() {
        let all = Rc::new(Handshakes::default());
        let peer = IpAddr::from([192, 0, 2, 100]);
        let _expected = all.expect(peer);
        let forged: Vec<_> = (0..MOST_FROM_ONE).map(|_| all.begin(peer, false)).collect();
        let begun = (forged.iter())
            .filter(|dial| matches!(dial, Dial::Begun(_)))
            .count();
        assert_eq!(begun, BUSY_FROM_ONE);
        assert!(matches!(forged.last(), Some(Dial::Unproven)));
        assert!(matches!(all.begin(peer, true), Dial::Begun(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_handshake_that_does_not_end_is_given_up() {
        let all = Rc::new(Handshakes::default());
        let mut handshake = begin(&all, 1).unwrap();
        let began = tokio::time::Instant::now();
        handshake.given_up().await;
        assert!(began.elapsed() >= PATIENCE);
    }
}
