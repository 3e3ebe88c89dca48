//! A shard's neighbors: other nodes over QUIC and other shards of this node, in the same manner.

use std::time::{Duration, Instant};

use protocol::cascade::CascadeMessage;
use sfu_core::{PeerId, PeerPlan};

use crate::quic::{self, Event, Path, Quic};
use crate::sibling::{self, Siblings};

/// A round trip between two shards: a turn of each one's loop.
const SIBLING_ROUND_TRIP: Duration = Duration::from_millis(5);

/// How often the paths to other nodes are looked at while the shard has something to do.
const LOOK: Duration = Duration::from_millis(100);

/// All that a shard shares rooms with.
pub struct Neighbors {
    quic: Quic,
    siblings: Siblings,
    /// Other shards that are to be announced as up: they are from the start.
    arriving: Vec<PeerId>,
    /// When the paths were looked at last.
    looked: Option<Instant>,
}

impl Neighbors {
    pub fn new(quic: Quic, siblings: Siblings) -> Self {
        Self {
            arriving: siblings.ids(),
            quic,
            siblings,
            looked: None,
        }
    }

    /// Waits until [`next`](Self::next) has something.
    pub async fn readable(&mut self) {
        if self.arriving.is_empty() {
            tokio::select! {
                () = self.quic.readable() => {}
                () = self.siblings.readable() => {}
            }
        }
    }

    /// How many other nodes there are connections with.
    pub fn nodes(&self) -> usize {
        self.quic.peers()
    }

    /// How many tasks there are for other nodes.
    pub fn tasks(&self) -> usize {
        self.quic.tasks()
    }

    /// What a neighbor did next.
    pub fn next(&mut self) -> Option<Event> {
        if let Some(sibling) = self.arriving.pop() {
            return Some(Event::Up(sibling));
        }
        match self.siblings.next() {
            Some(sibling::Event::Message(from, message)) => Some(Event::Message(from, message)),
            Some(sibling::Event::Datagram(from, data)) => Some(Event::Datagram(from, data)),
            Some(sibling::Event::Gone(from)) => Some(Event::Down(from)),
            None => self.quic.next(),
        }
    }

    /// Connects with these nodes and no others.
    pub fn set_peers(&mut self, plan: Vec<PeerPlan>) {
        self.quic.set_peers(plan);
    }

    /// Sends a media datagram, or drops it where the way is full.
    pub fn send_datagram(&mut self, peer: PeerId, data: &[u8]) {
        if self.siblings.is(peer) {
            self.siblings.send_datagram(peer, data);
        } else {
            self.quic.send_datagram(peer, data);
        }
    }

    /// Sends a control message.
    pub fn send_message(&mut self, peer: PeerId, message: CascadeMessage) {
        if self.siblings.is(peer) {
            self.siblings.send_message(peer, message);
        } else {
            self.quic.send_message(peer, message);
        }
    }

    /// Sends what a turn of the loop has gathered for other shards.
    pub fn flush(&mut self) {
        self.siblings.flush();
    }

    /// The round-trip time to each.
    pub fn round_trips(&self) -> Vec<(PeerId, Duration)> {
        let siblings = self.siblings.ids().into_iter();
        let siblings = siblings.map(|sibling| (sibling, SIBLING_ROUND_TRIP));
        siblings.chain(self.quic.round_trips()).collect()
    }

    /// How the paths to other nodes are, when it is time to look again.
    pub fn paths(&mut self, now: Instant) -> Vec<(PeerId, Path)> {
        if self.looked.is_some_and(|at| now < at + LOOK) {
            return Vec::new();
        }
        self.looked = Some(now);
        self.quic.paths()
    }

    /// QUIC's counters, and the datagrams that other shards had no room for.
    pub fn counters(&self) -> (quic::Counters, u64) {
        (self.quic.counters(), self.siblings.dropped())
    }

    /// Says goodbye to all nodes.
    pub async fn close(self) {
        self.quic.close().await;
    }
}
