//! Where runs are not cut by the kernel: a path whose device cannot (EIO), or whose packets must be smaller (EINVAL), refuses
//! each of them. Other paths are other devices, and this one may be mended.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// After so long it is tried again.
const RETRY: Duration = Duration::from_secs(60);
/// Places that are remembered. More of them at a time are a machine that cannot cut at all: it is then told so more often.
const MAX_PLACES: usize = 256;

/// Places to which datagrams leave one by one.
#[derive(Debug, Default)]
pub struct Uncut {
    until: HashMap<IpAddr, Instant>,
}

impl Uncut {
    /// Whether datagrams for this address leave one by one now.
    pub fn holds(&self, to: IpAddr) -> bool {
        // Hardly anywhere: no clock is asked then.
        let until = match self.until.is_empty() {
            true => None,
            false => self.until.get(&place(to)),
        };
        until.is_some_and(|until| Instant::now() < *until)
    }

    /// The kernel has refused a run to this address.
    pub fn note(&mut self, now: Instant, to: IpAddr) {
        self.until.retain(|_, until| now < *until);
        if self.until.len() == MAX_PLACES
            && let Some((&first, _)) = self.until.iter().min_by_key(|(_, until)| **until)
        {
            self.until.remove(&first);
        }
        self.until.insert(place(to), now + RETRY);
    }
}

/// What one path leads to: an IPv4 address, or the /64 of an IPv6 address.
fn place(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(number).into()
    }

    #[test]
    fn a_refusal_concerns_its_place_alone_and_not_for_ever() {
        let now = Instant::now();
        let mut uncut = Uncut::default();
        assert!(!uncut.holds(v4(1)));
        uncut.note(now, v4(1));
        uncut.note(now, "2001:db8::1".parse().unwrap());
        assert!(uncut.holds(v4(1)) && !uncut.holds(v4(2)));
        assert!(uncut.holds("2001:db8::2".parse().unwrap()));
        assert!(!uncut.holds("2001:db8:0:1::2".parse().unwrap()));
        let long_ago = now.checked_sub(RETRY).unwrap();
        uncut.note(long_ago, v4(3));
        assert!(!uncut.holds(v4(3)));
    }

    #[test]
    fn a_few_places_are_remembered_the_latest() {
        let now = Instant::now();
        let mut uncut = Uncut::default();
        for number in 0..10_000 {
            uncut.note(now + Duration::from_micros(number.into()), v4(number));
        }
        assert_eq!(uncut.until.len(), MAX_PLACES);
        assert!(uncut.holds(v4(9_999)) && !uncut.holds(v4(0)));
    }
}
