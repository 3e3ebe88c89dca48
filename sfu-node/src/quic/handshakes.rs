//! QUIC handshakes that are under way: so few at a time, and of one address, and for so long, that strangers leave room for peers.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::site::Site;

/// Handshakes at a time. Each costs about a millisecond.
const MOST: usize = 256;
/// Of one address: two of each shard of a node, and some that were given up.
const MOST_FROM_ONE: usize = 32;
/// How long one may take: some round trips around the world, a lost packet among them. QUIC itself lets a stranger hold one for
/// as long as it sends something.
const PATIENCE: Duration = Duration::from_secs(3);

/// Those under way, the oldest first.
#[derive(Default)]
pub struct Handshakes {
    underway: RefCell<Vec<Underway>>,
    begun: Cell<u64>,
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

impl Handshakes {
    /// Begins one, unless its address has too many. When there are too many in all, the oldest of the address that has most
    /// makes room: a few strangers keep no peer out.
    pub fn begin(self: &Rc<Self>, from: IpAddr) -> Option<Handshake> {
        let site = Site::from(from);
        let mut underway = self.underway.borrow_mut();
        let mut counts = HashMap::<Site, usize>::new();
        for one in underway.iter() {
            *counts.entry(one.site).or_default() += 1;
        }
        let of_site = counts.get(&site).copied().unwrap_or(0);
        if of_site >= MOST_FROM_ONE {
            return None;
        }
        if underway.len() >= MOST {
            let most = counts
                .values()
                .copied()
                .max()
                .filter(|most| *most > of_site)?;
            let oldest = underway
                .iter()
                .position(|one| counts.get(&one.site) == Some(&most))?;
            underway.remove(oldest);
        }
        let number = self.begun.get();
        self.begun.set(number + 1);
        let (place, displaced) = oneshot::channel();
        underway.push(Underway {
            number,
            site,
            _place: place,
        });
        drop(underway);
        Some(Handshake {
            all: self.clone(),
            number,
            displaced,
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_leaves_room_for_others_and_all_together_end() {
        let all = Rc::new(Handshakes::default());
        let begin = |host: u8| all.begin([192, 0, 2, host].into());
        let mut of_one: Vec<_> = (0..MOST_FROM_ONE).filter_map(|_| begin(1)).collect();
        assert_eq!(of_one.len(), MOST_FROM_ONE);
        assert!(begin(1).is_none() && begin(2).is_some());
        of_one.pop();
        assert!(begin(1).is_some());
        let others: Vec<_> = (2..=255).filter_map(begin).collect();
        assert!(all.underway.borrow().len() == MOST);
        drop((of_one, others));
        assert!(all.underway.borrow().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn eight_addresses_keep_no_ninth_out() {
        let all = Rc::new(Handshakes::default());
        let begin = |host: u8| all.begin([192, 0, 2, host].into());
        let mut strangers: Vec<_> = (0..MOST)
            .filter_map(|number| begin((number / MOST_FROM_ONE) as u8))
            .collect();
        assert_eq!(strangers.len(), MOST);
        // They come again and again.
        let mut peer = begin(100).expect("room for a peer");
        strangers.extend((0..8).filter_map(begin));
        assert_eq!(all.underway.borrow().len(), MOST);
        strangers[0].given_up().await;
        let displaced = timeout(Duration::from_secs(1), peer.given_up());
        displaced.await.expect_err("the peer keeps its place");
    }

    #[tokio::test(start_paused = true)]
    async fn a_handshake_that_does_not_end_is_given_up() {
        let all = Rc::new(Handshakes::default());
        let mut handshake = all.begin([192, 0, 2, 1].into()).unwrap();
        let began = tokio::time::Instant::now();
        handshake.given_up().await;
        assert!(began.elapsed() >= PATIENCE);
    }
}
