//! A shard's media port: UDP and TCP on one port number, for IPv4, for IPv6, or for both.

use std::future::pending;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Instant;

use sfu_core::{Transport, TransportAddress};

use crate::tcp::{self, Tcp};
use crate::udp::{self, Udp};

/// Batches of UDP taken per socket before the rest of the shard gets its turn.
const BATCHES_PER_TURN: usize = 8;
/// Datagrams over TCP taken per turn.
const FRAMES_PER_TURN: usize = 512;
/// Free port numbers tried until one is free for both transports.
const MAX_TRIES: usize = 16;

/// The sockets of one address.
pub struct Sockets {
    pub address: SocketAddr,
    pub udp: UdpSocket,
    pub tcp: TcpListener,
}

/// Binds an address for both transports; port 0 is one that is free for both. `only` its family if both have one of
/// their own.
///
/// # Errors
/// The address is taken, or not this machine's; named by the transport that it was refused to.
pub fn bind(address: SocketAddr, only: bool) -> Result<Sockets, (&'static str, io::Error)> {
    let mut tries = 0;
    loop {
        tries += 1;
        let udp = udp::bind(address, only).map_err(|error| ("media (UDP)", error))?;
        let bound = udp.local_addr().map_err(|error| ("media (UDP)", error))?;
        match tcp::bind(bound, only) {
            Ok(tcp) => {
                let address = bound;
                return Ok(Sockets { address, udp, tcp });
            }
            Err(_) if address.port() == 0 && tries < MAX_TRIES => {}
            Err(error) => return Err(("media (TCP)", error)),
        }
    }
}

/// The candidates of answers: each address that clients are told, with the port of the socket of its family, over UDP
/// and over TCP. Without `told`, what is bound.
pub fn candidates(bound: &[SocketAddr], told: &[std::net::IpAddr]) -> Vec<TransportAddress> {
    let port_for = |ip: &std::net::IpAddr| {
        let same = bound.iter().find(|socket| socket.is_ipv4() == ip.is_ipv4());
        // One socket for both families is an IPv6 one.
        same.or(bound.first()).map(SocketAddr::port)
    };
    let told: Vec<_> = match told {
        [] => bound.to_vec(),
        told => told
            .iter()
            .filter_map(|ip| Some(SocketAddr::new(*ip, port_for(ip)?)))
            .collect(),
    };
    let udp = told.iter().copied().map(TransportAddress::udp);
    let tcp = told.iter().copied().map(TransportAddress::tcp);
    udp.chain(tcp).collect()
}

/// The media port in use.
pub struct Media {
    /// The first one, and a second one of the other family.
    udp: (Udp, Option<Udp>),
    /// Whether the first one is IPv4.
    first_is_ipv4: bool,
    tcp: Tcp,
}

impl Media {
    /// Takes over bound sockets: one, or one for each family. Needs the runtime that they will run in.
    ///
    /// # Errors
    /// The system refuses to watch them, or there is none.
    pub fn new(sockets: Vec<Sockets>) -> io::Result<Self> {
        let mut udp = Vec::new();
        let mut listeners = Vec::new();
        let first = sockets.first().map(|sockets| sockets.address);
        for sockets in sockets {
            udp.push(Udp::new(sockets.udp)?);
            listeners.push(sockets.tcp);
        }
        let mut udp = udp.into_iter();
        let (Some(one), Some(first)) = (udp.next(), first) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        Ok(Self {
            udp: (one, udp.next()),
            first_is_ipv4: first.is_ipv4(),
            tcp: Tcp::new(listeners)?,
        })
    }

    /// Waits until there is something to receive.
    ///
    /// # Errors
    /// The runtime goes down.
    pub async fn readable(&self) -> io::Result<()> {
        let second = async {
            match &self.udp.1 {
                Some(udp) => udp.readable().await,
                None => pending().await,
            }
        };
        tokio::select! {
            ready = self.udp.0.readable() => ready,
            ready = second => ready,
            () = self.tcp.readable() => Ok(()),
        }
    }

    /// How many tasks take in what clients send over TCP.
    pub fn tasks(&self) -> usize {
        self.tcp.counters().connections as usize
    }

    /// Calls `each` per datagram that is there, up to a limit. Returns whether there may be more.
    ///
    /// # Errors
    /// A socket is broken.
    pub fn receive(
        &mut self,
        mut each: impl FnMut(TransportAddress, Instant, &[u8]),
    ) -> io::Result<bool> {
        let mut more = false;
        for udp in std::iter::once(&mut self.udp.0).chain(&mut self.udp.1) {
            let mut batches = 0;
            while udp.receive(|message, data| {
                let from = TransportAddress::udp(message.from).reached_at(message.to);
                each(from, message.arrived, data);
            })? {
                batches += 1;
                if batches == BATCHES_PER_TURN {
                    more = true;
                    break;
                }
            }
        }
        for _ in 0..FRAMES_PER_TURN {
            let Some(received) = self.tcp.receive() else {
                return Ok(more);
            };
            let from = TransportAddress::tcp(received.from);
            each(from, received.at, &received.datagram);
        }
        Ok(true)
    }

    /// Takes `contents`, cut after every `segment` bytes, for the next [`Media::flush`].
    pub fn send(&mut self, to: TransportAddress, contents: &[u8], segment: usize) {
        match to.transport {
            Transport::Udp => {
                let of_family = match &mut self.udp.1 {
                    Some(second) if to.address.is_ipv4() != self.first_is_ipv4 => second,
                    _ => &mut self.udp.0,
                };
                of_family.send(to.address, to.local, contents, segment);
            }
            Transport::Tcp => self.tcp.send(to.address, contents, segment),
        }
    }

    /// A session has reached its client at this address: over TCP that is more than a connection has shown by itself.
    pub fn reached(&mut self, client: TransportAddress) {
        if client.transport == Transport::Tcp {
            self.tcp.reached(client.address);
        }
    }

    /// Sends all that was taken.
    pub fn flush(&mut self) {
        self.udp.0.flush();
        if let Some(second) = &mut self.udp.1 {
            second.flush();
        }
        self.tcp.flush();
    }

    /// What went through over UDP and over TCP.
    pub fn counters(&self) -> (udp::Counters, tcp::Counters) {
        let first = self.udp.0.counters();
        let second = self.udp.1.as_ref().map(Udp::counters);
        (first + second.unwrap_or_default(), self.tcp.counters())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn told(bound: &[&str], ips: &[&str]) -> Vec<SocketAddr> {
        let ips: Vec<_> = ips.iter().map(|ip| ip.parse().unwrap()).collect();
        let candidates = candidates(&addresses(bound), &ips);
        let (udp, tcp): (Vec<_>, Vec<_>) = candidates
            .iter()
            .partition(|candidate| candidate.transport == Transport::Udp);
        let plain = |list: Vec<&TransportAddress>| -> Vec<_> {
            list.iter().map(|candidate| candidate.address).collect()
        };
        let (udp, tcp) = (plain(udp), plain(tcp));
        assert_eq!(udp, tcp);
        udp
    }

    #[test]
    fn every_address_is_a_candidate_with_the_port_of_its_family() {
        let both = ["192.0.2.1:5000", "[2001:db8::1]:6000"];
        assert_eq!(told(&both, &[]), addresses(&both));
        assert_eq!(
            told(
                &["0.0.0.0:5000", "[::]:6000"],
                &["2001:db8::2", "198.51.100.1"]
            ),
            addresses(&["[2001:db8::2]:6000", "198.51.100.1:5000"])
        );
        // One socket for both families.
        assert_eq!(
            told(&["[::]:6000"], &["198.51.100.1", "2001:db8::2"]),
            addresses(&["198.51.100.1:6000", "[2001:db8::2]:6000"])
        );
    }

    #[test]
    fn both_transports_have_the_same_port() {
        let sockets = bind("127.0.0.1:0".parse().unwrap(), true).unwrap();
        assert_ne!(sockets.address.port(), 0);
        assert_eq!(sockets.udp.local_addr().unwrap(), sockets.address);
        assert_eq!(sockets.tcp.local_addr().unwrap(), sockets.address);
        let (what, _) = bind(sockets.address, true).map(|_| ()).unwrap_err();
        assert_eq!(what, "media (UDP)");
    }
}
