//! Distance on one machine: a UDP proxy before each node's QUIC port, with the delay and the loss of its region pairs.
//!
//! Nodes tell each other the proxy's address. A datagram's sender is known by its port, so each pair has its own figures.

use std::cmp::Ordering;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};

/// Round trips between regions in milliseconds, as public clouds have them.
const ROUND_TRIPS: [(&str, &str, u64); 10] = [
    ("eu-west", "us-east", 80),
    ("eu-west", "ap-south", 130),
    ("us-east", "ap-south", 200),
    ("eu-west", "sa-east", 185),
    ("us-east", "sa-east", 115),
    ("ap-south", "sa-east", 300),
    ("eu-west", "ap-northeast", 220),
    ("us-east", "ap-northeast", 160),
    ("ap-south", "ap-northeast", 130),
    ("sa-east", "ap-northeast", 260),
];
/// Share of datagrams lost on the way, each way.
const LOSS: f64 = 0.005;
/// The largest UDP payload.
const LARGEST: usize = 65_507;

/// A node, as the proxy sees it.
#[derive(Clone)]
pub struct Site {
    /// Its region.
    pub region: &'static str,
    /// Where its QUIC endpoint listens.
    pub quic: SocketAddr,
}

/// Puts a proxy before each site; returns the addresses to advertise instead, in the same order.
pub fn start(sites: &[Site]) -> Result<Vec<SocketAddr>> {
    let line = delay_line()?;
    let sites: Arc<[Site]> = sites.into();
    (0..sites.len())
        .map(|index| {
            let front = Arc::new(bind()?);
            let address = front.local_addr().map_err(|error| failed(&error))?;
            let door = Door {
                sites: Arc::clone(&sites),
                index,
                front,
                line: line.clone(),
            };
            spawn("wan-in", move || door.serve())?;
            Ok(address)
        })
        .collect()
}

/// The round trip between two regions.
fn round_trip(a: &str, b: &str) -> Duration {
    let found = ROUND_TRIPS
        .iter()
        .find(|(x, y, _)| (*x, *y) == (a, b) || (*y, *x) == (a, b));
    Duration::from_millis(found.map_or(0, |&(_, _, milliseconds)| milliseconds))
}

fn failed(error: &std::io::Error) -> Failure {
    Failure::new(
        format!("the proxy between the nodes cannot start: {error}"),
        "",
    )
}

fn bind() -> Result<UdpSocket> {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| failed(&error))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let spawned = thread::Builder::new().name(name.into()).spawn(work);
    spawned.map(|_| ()).map_err(|error| failed(&error))
}

/// The proxy before one site.
struct Door {
    sites: Arc<[Site]>,
    index: usize,
    front: Arc<UdpSocket>,
    line: Sender<Parcel>,
}

impl Door {
    /// Carries what arrives at the front to the site, from a socket of its own for each sender, and answers back.
    fn serve(self) {
        let site = &self.sites[self.index];
        let mut backs: HashMap<SocketAddr, (Arc<UdpSocket>, Link)> = HashMap::new();
        let mut buffer = vec![0; LARGEST];
        // A receive error of a UDP socket reports on an earlier send (the site is away): go on.
        loop {
            let Ok((length, from)) = self.front.recv_from(&mut buffer) else {
                continue;
            };
            let way = match backs.entry(from) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => match self.way_for(from) {
                    Ok(way) => new.insert(way),
                    Err(_) => continue,
                },
            };
            let (back, link) = &*way;
            link.carry(&self.line, back, site.quic, &buffer[..length]);
        }
    }

    /// A socket of its own for a sender, whose answers go back to it, and the link between the two.
    fn way_for(&self, from: SocketAddr) -> Result<(Arc<UdpSocket>, Link)> {
        let back = Arc::new(bind()?);
        let link = Link::between(self.region_of(from), self.sites[self.index].region);
        self.answers(&back, from, &link)?;
        Ok((back, link))
    }

    fn answers(&self, back: &Arc<UdpSocket>, to: SocketAddr, link: &Link) -> Result<()> {
        let (back, front) = (Arc::clone(back), Arc::clone(&self.front));
        let (line, link) = (self.line.clone(), link.clone());
        spawn("wan-out", move || {
            let mut buffer = vec![0; LARGEST];
            loop {
                let Ok(length) = back.recv(&mut buffer) else {
                    continue;
                };
                link.carry(&line, &front, to, &buffer[..length]);
            }
        })
    }

    fn region_of(&self, address: SocketAddr) -> &'static str {
        let site = self.sites.iter().find(|site| site.quic == address);
        site.map_or("", |site| site.region)
    }
}

/// The way between two regions.
#[derive(Clone)]
struct Link {
    delay: Duration,
    dice: Arc<Mutex<Dice>>,
}

impl Link {
    fn between(a: &'static str, b: &'static str) -> Self {
        // The same pair loses the same datagrams in every run.
        let seed = a.bytes().chain(b.bytes()).fold(1, |seed: u64, byte| {
            seed.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        Self {
            delay: round_trip(a, b) / 2,
            dice: Arc::new(Mutex::new(Dice(seed))),
        }
    }

    fn carry(&self, line: &Sender<Parcel>, from: &Arc<UdpSocket>, to: SocketAddr, data: &[u8]) {
        let lost = self
            .dice
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next()
            < LOSS;
        if !lost {
            let due = Instant::now() + self.delay;
            // The other end lives as long as the process.
            let _ = line.send(Parcel {
                due,
                from: Arc::clone(from),
                to,
                data: data.into(),
            });
        }
    }
}

/// A pseudo-random sequence (SplitMix64).
struct Dice(u64);

impl Dice {
    /// The next number, in 0..1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) as f64 / 2f64.powi(64)
    }
}

/// A datagram on its way.
struct Parcel {
    due: Instant,
    from: Arc<UdpSocket>,
    to: SocketAddr,
    data: Box<[u8]>,
}

impl Ord for Parcel {
    /// The earliest is the greatest, as a heap yields the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.due.cmp(&self.due)
    }
}

impl PartialOrd for Parcel {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Parcel {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Parcel {}

/// The thread that holds every datagram until it is due.
fn delay_line() -> Result<Sender<Parcel>> {
    let (sender, receiver) = mpsc::channel::<Parcel>();
    spawn("wan-delay", move || {
        let mut waiting = BinaryHeap::new();
        loop {
            let now = Instant::now();
            while waiting
                .peek()
                .is_some_and(|parcel: &Parcel| parcel.due <= now)
            {
                if let Some(parcel) = waiting.pop() {
                    // What cannot be sent is lost, as it would be out there.
                    let _ = parcel.from.send_to(&parcel.data, parcel.to);
                }
            }
            let wait = waiting.peek().map_or(Duration::from_secs(3600), |parcel| {
                parcel.due.saturating_duration_since(now)
            });
            match receiver.recv_timeout(wait) {
                Ok(parcel) => waiting.push(parcel),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    })?;
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_regions_has_a_round_trip() {
        let regions = crate::stack::REGIONS;
        for (i, a) in regions.iter().enumerate() {
            for b in &regions[i + 1..] {
                assert!(!round_trip(a, b).is_zero(), "{a} to {b}");
                assert_eq!(round_trip(a, b), round_trip(b, a));
            }
        }
    }

    #[test]
    fn a_datagram_crosses_and_is_answered_after_the_round_trip() {
        let ends = [bind().unwrap(), bind().unwrap()];
        let site = |region, end: &UdpSocket| Site {
            region,
            quic: end.local_addr().unwrap(),
        };
        let fronts = start(&[site("eu-west", &ends[0]), site("us-east", &ends[1])]).unwrap();
        let sent = Instant::now();
        ends[0].send_to(b"to", fronts[1]).unwrap();
        let mut buffer = [0; 8];
        let (length, from) = ends[1].recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"to");
        ends[1].send_to(b"back", from).unwrap();
        let (length, from) = ends[0].recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..length], from), (&b"back"[..], fronts[1]));
        assert!(sent.elapsed() >= round_trip("eu-west", "us-east"));
    }

    #[test]
    fn the_dice_are_seeded_and_fair() {
        let mut dice = Dice(7);
        let thousandths: Vec<u32> = (0..3).map(|_| (dice.next() * 1000.0) as u32).collect();
        assert_eq!(thousandths, [389, 16, 900]);
        let hits = (0..100_000).filter(|_| dice.next() < 0.05).count();
        assert!((4_700..5_300).contains(&hits), "{hits}");
    }
}
