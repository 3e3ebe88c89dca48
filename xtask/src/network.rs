//! The address that this machine has in its network: where media is sent to, by browsers on it and beside it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// How often to look whether it is another one.
const LOOK: Duration = Duration::from_secs(5);

/// The address in the network, if there is one: where the way out begins, else the first that is no loopback.
///
/// Media needs it though the browser is on the same machine: Firefox gathers no candidate on loopback, and pairs what it
/// has with none there.
pub fn own_address() -> Option<IpAddr> {
    // Of documentation (RFC 5737, RFC 3849). Nothing is sent: to connect a UDP socket is to look for the way.
    let far: [IpAddr; 2] = [
        Ipv4Addr::new(203, 0, 113, 1).into(),
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    ];
    far.into_iter()
        .find_map(address_toward)
        .or_else(|| first_local(&fs::read_to_string("/proc/net/fib_trie").ok()?))
}

/// Sees when the address becomes another one: a laptop in another network.
pub struct Watch {
    known: Option<IpAddr>,
    looked: Instant,
}

impl Watch {
    /// Starts from the address that is known.
    pub fn new(known: Option<IpAddr>) -> Self {
        Self {
            known,
            looked: Instant::now(),
        }
    }

    /// The new address, once.
    pub fn moved(&mut self) -> Option<IpAddr> {
        if self.looked.elapsed() < LOOK {
            return None;
        }
        self.looked = Instant::now();
        // In no network there is nothing to move to.
        let now = own_address().filter(|now| self.known != Some(*now))?;
        self.known = Some(now);
        Some(now)
    }
}

fn address_toward(far: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match far {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(far, 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then_some(own)
}

/// The first address of the machine in Linux's routing table: an address on one line, `/32 host LOCAL` on the next.
fn first_local(table: &str) -> Option<IpAddr> {
    let lines: Vec<&str> = table.lines().map(str::trim).collect();
    let addresses = lines.windows(2).filter_map(|pair| match pair {
        [address, kind] if kind.ends_with("host LOCAL") => {
            address.strip_prefix("|-- ")?.parse::<Ipv4Addr>().ok()
        }
        _ => None,
    });
    let mut others = addresses.filter(|address| !address.is_loopback());
    others.next().map(IpAddr::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_way_out_the_first_address_of_an_interface_is_taken() {
        let table = "\
Local:
  +-- 0.0.0.0/1 2 0 2
     +-- 10.77.0.0/24 2 0 2
        |-- 10.77.0.0
           /24 link UNICAST
        |-- 10.77.0.1
           /32 host LOCAL
        |-- 10.77.0.255
           /32 link BROADCAST
     |-- 127.0.0.1
        /32 host LOCAL
";
        assert_eq!(first_local(table), Some([10, 77, 0, 1].into()));
        let (_, only_loopback) = table.split_at(table.find("|-- 127").unwrap());
        assert_eq!(first_local(only_loopback), None);
    }
}
