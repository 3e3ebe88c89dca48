//! What one stranger has to itself of a network: an IPv4 address, or the /64 of an IPv6 address.

use std::collections::HashMap;
use std::net::IpAddr;

/// A network that counts as one stranger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Site(u64);

impl From<IpAddr> for Site {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => u64::from(u32::from(address)),
            IpAddr::V6(address) => (u128::from(address) >> 64) as u64,
        })
    }
}

/// How many there are of each.
#[derive(Debug, Default)]
pub struct Counts(HashMap<Site, usize>);

impl Counts {
    pub fn add(&mut self, site: Site) {
        *self.0.entry(site).or_default() += 1;
    }

    pub fn remove(&mut self, site: Site) {
        if let Some(count) = self.0.get_mut(&site) {
            *count -= 1;
        }
        self.0.retain(|_, count| *count > 0);
    }

    pub fn of(&self, site: Site) -> usize {
        self.0.get(&site).copied().unwrap_or(0)
    }

    /// Of all together.
    pub fn total(&self) -> usize {
        self.0.values().sum()
    }

    /// Of the one that has most.
    pub fn most(&self) -> usize {
        self.0.values().copied().max().unwrap_or(0)
    }
}

impl FromIterator<Site> for Counts {
    fn from_iter<Sites: IntoIterator<Item = Site>>(sites: Sites) -> Self {
        let mut counts = Self::default();
        sites.into_iter().for_each(|site| counts.add(site));
        counts
    }
}
