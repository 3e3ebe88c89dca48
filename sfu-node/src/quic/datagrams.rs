//! Media datagrams to peers: as many as a path takes before they are of no use, and in fragments where its packets are too small.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use bytes::BytesMut;
use quinn::{Connection, SendDatagramError};
use sfu_core::{Fragment, fragments};

/// Most bytes of datagrams that wait for a path, however fast it is; and least, so that a small picture's frame fits.
pub const MOST_QUEUED: usize = 512 << 10;
const LEAST_QUEUED: usize = 8 << 10;
/// Bytes of datagrams that lie together.
const DATAGRAMS_BYTES: usize = 64 << 10;
/// How long datagrams may wait for the path. Later they are of no use to a call.
const LONGEST_QUEUE: Duration = Duration::from_millis(50);
/// A datagram that is no larger is sound, most likely, and may wait twice as long.
const SMALL: usize = 300;

/// How the path to a peer is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// What it carries, in bits per second: the congestion window per round trip.
    pub rate: u64,
    /// Bytes of datagrams that wait for it.
    pub queued: usize,
}

/// Media datagrams that went no further, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drops {
    /// To a peer that is not there.
    pub no_peer: u64,
    /// Larger than the path to the peer takes now, for a peer that takes no fragments; or larger than anything that is sent.
    pub too_large: u64,
    /// Received in fragments, of which some were missing or made no sense.
    pub incomplete: u64,
    /// The path is full: it would have waited for too long.
    pub late: u64,
    /// Received, but the shard was too busy.
    pub overflow: u64,
}

/// Why a datagram was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsent {
    NoPeer,
    TooLarge,
    Late,
}

/// A peer's connection for media.
pub struct Outlet {
    pub connection: Connection,
    /// Most bytes that may wait for the path now.
    room: Cell<usize>,
    takes_fragments: bool,
    /// The number of the next datagram that goes in fragments.
    number: Cell<u16>,
}

impl Outlet {
    /// One whose path is not known yet.
    pub fn new(connection: Connection, takes_fragments: bool) -> Self {
        Self {
            connection,
            room: Cell::new(LEAST_QUEUED),
            takes_fragments,
            number: Cell::default(),
        }
    }

    /// How the path is now. What may wait for it follows.
    pub fn look(&self) -> Path {
        let stats = self.connection.stats().path;
        let round_trip = stats.rtt.as_secs_f64().max(0.001);
        let rate = stats.cwnd as f64 / round_trip;
        let room = (rate * LONGEST_QUEUE.as_secs_f64()) as usize;
        self.room.set(room.clamp(LEAST_QUEUED, MOST_QUEUED));
        Path {
            rate: (rate * 8.0) as u64,
            queued: self.queued(),
        }
    }

    fn queued(&self) -> usize {
        MOST_QUEUED.saturating_sub(self.connection.datagram_send_buffer_space())
    }
}

/// What the datagrams of a shard have in common.
pub struct Datagrams {
    /// Where they lie until they leave: many in one piece of memory, which is used again when all of them have left.
    memory: RefCell<BytesMut>,
    /// Those that went in fragments.
    pub fragmented: Cell<u64>,
}

impl Default for Datagrams {
    fn default() -> Self {
        Self {
            memory: RefCell::new(BytesMut::with_capacity(DATAGRAMS_BYTES)),
            fragmented: Cell::default(),
        }
    }
}

impl Datagrams {
    /// Sends one.
    ///
    /// # Errors
    /// It was dropped.
    pub fn send(&self, to: &Outlet, data: &[u8]) -> Result<(), Unsent> {
        let room = to.room.get() * if data.len() <= SMALL { 2 } else { 1 };
        if to.queued() + data.len() > room.min(MOST_QUEUED) {
            return Err(Unsent::Late);
        }
        match self.queue(to, &[data]) {
            Ok(()) => Ok(()),
            Err(SendDatagramError::TooLarge) => self.send_fragments(to, data),
            Err(_) => Err(Unsent::NoPeer),
        }
    }

    fn queue(&self, to: &Outlet, parts: &[&[u8]]) -> Result<(), SendDatagramError> {
        let mut memory = self.memory.borrow_mut();
        for part in parts {
            memory.extend_from_slice(part);
        }
        to.connection.send_datagram(memory.split().freeze())
    }

    /// Sends one that the path's packets are too small for, as they are known now.
    fn send_fragments(&self, to: &Outlet, data: &[u8]) -> Result<(), Unsent> {
        let room = to.connection.max_datagram_size().unwrap_or_default();
        let fragments = fragments(to.number.get(), data, room);
        let fragments = fragments.filter(|_| to.takes_fragments);
        let fragments = fragments.ok_or(Unsent::TooLarge)?;
        to.number.update(|number| number.wrapping_add(1));
        self.fragmented.update(|count| count + 1);
        for Fragment { header, body } in fragments {
            let queued = self.queue(to, &[&header, body]);
            queued.map_err(|_| Unsent::TooLarge)?;
        }
        Ok(())
    }
}
