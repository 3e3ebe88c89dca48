//! Where runs are not cut by the kernel: a path whose device cannot (EIO), or whose packets must be smaller (EINVAL), refuses
//! each of them. Other paths are other devices, and this one may be mended.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::site::Site;

/// After so long it is tried again.
const RETRY: Duration = Duration::from_secs(60);
/// Networks that are remembered. More of them at a time are a machine that cannot cut at all: it is then told so more often.
const MAX_SITES: usize = 256;

/// Networks to which datagrams leave one by one.
#[derive(Debug, Default)]
pub struct Uncut {
    until: HashMap<Site, Instant>,
}

impl Uncut {
    /// Whether datagrams for this address leave one by one now.
    pub fn holds(&self, to: IpAddr) -> bool {
        // Hardly anywhere: no clock is asked then.
        let until = match self.until.is_empty() {
            true => None,
            false => self.until.get(&Site::from(to)),
        };
        until.is_some_and(|until| Instant::now() < *until)
    }

    /// The kernel has refused a run to this address.
    pub fn note(&mut self, now: Instant, to: IpAddr) {
        self.until.retain(|_, until| now < *until);
        if self.until.len() == MAX_SITES
            && let Some((&first, _)) = self.until.iter().min_by_key(|(_, until)| **until)
        {
            self.until.remove(&first);
        }
        self.until.insert(Site::from(to), now + RETRY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(number).into()
    }

    #[test]
    fn a_refusal_concerns_its_network_alone_and_not_for_ever() {
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
    fn a_few_networks_are_remembered_the_latest() {
        let now = Instant::now();
        let mut uncut = Uncut::default();
        for number in 0..10_000 {
            uncut.note(now + Duration::from_micros(number.into()), v4(number));
        }
        assert_eq!(uncut.until.len(), MAX_SITES);
        assert!(uncut.holds(v4(9_999)) && !uncut.holds(v4(0)));
    }
}
