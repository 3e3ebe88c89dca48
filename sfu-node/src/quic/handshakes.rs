//! QUIC handshakes that are under way: so few at a time, and of one address, that strangers leave room for peers.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;

use crate::site::Site;

/// Handshakes at a time. Each costs about a millisecond, and ends within seconds.
const MOST: usize = 256;
/// Of one address: two of each shard of a node, and some that were given up.
const MOST_FROM_ONE: usize = 32;

/// How many there are of each site.
#[derive(Default)]
pub struct Handshakes(RefCell<HashMap<Site, usize>>);

/// One of them, until it is dropped.
pub struct Handshake {
    all: Rc<Handshakes>,
    site: Site,
}

impl Handshakes {
    /// Begins one, unless there are too many.
    pub fn begin(self: &Rc<Self>, from: IpAddr) -> Option<Handshake> {
        let site = Site::from(from);
        let mut counts = self.0.borrow_mut();
        let all: usize = counts.values().sum();
        let of_site = counts.get(&site).copied().unwrap_or(0);
        if all >= MOST || of_site >= MOST_FROM_ONE {
            return None;
        }
        counts.insert(site, of_site + 1);
        drop(counts);
        let all = self.clone();
        Some(Handshake { all, site })
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        let mut counts = self.all.0.borrow_mut();
        match counts.get_mut(&self.site) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&self.site)),
        }
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
        assert_eq!(of_one.len() + others.len(), MOST);
        assert!(begin(1).is_none());
        drop((of_one, others));
        assert!(all.0.borrow().is_empty());
    }
}
