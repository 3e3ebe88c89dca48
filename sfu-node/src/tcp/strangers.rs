//! What connections may take before a session knows them: few bytes each, few a second all together, and few places, of which the
//! oldest is given up for a new one. Whoever answers a session's check within a round trip needs nothing of it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;
use crate::site::Site;

/// Bytes that one may send in all. A client needs some hundred for its checks and two thousand for the start of its handshake.
pub const BYTES_OF_ONE: usize = 16 * 1_024;
/// Bytes taken of one at a time, so that all have their turn.
pub const BYTES_AT_ONCE: usize = 2 * 1_024;
/// Bytes per second of all of them: a hundred clients begin in each. Reading and judging them takes a shard a few percent.
const BYTES_OF_ALL: u32 = 512 * 1_024;
/// Connections accepted per second, each of which costs some ten microseconds.
const ACCEPTED: u32 = 500;
/// Both may run ahead by so much.
const AHEAD: Duration = Duration::from_millis(500);
/// Strangers at a time.
pub const MOST: usize = 256;
/// Strangers at a time from one address: an office of them begins at once.
pub const MOST_FROM_ONE: usize = 64;

/// Something that there is so much of per second.
struct Rate {
    each: Duration,
    /// Up to when all is used.
    used: Cell<Instant>,
}

impl Rate {
    fn per_second(count: u32) -> Self {
        Self {
            each: Duration::from_secs(1) / count,
            used: Cell::new(Instant::now()),
        }
    }

    fn take(&self, now: Instant, count: usize) {
        let from = self.used.get().max(now - AHEAD);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.used.set(from + self.each * count);
    }

    /// When there is some again, if there is none now.
    fn wait(&self, now: Instant) -> Option<Instant> {
        (self.used.get() > now).then(|| self.used.get())
    }
}

/// The connections that no session knows, and what they take.
pub struct Strangers {
    bytes: Rate,
    accepted: Rate,
    /// The oldest first, each with its site.
    waiting: RefCell<VecDeque<(Site, Rc<Connection>)>>,
}

impl Default for Strangers {
    fn default() -> Self {
        Self {
            bytes: Rate::per_second(BYTES_OF_ALL),
            accepted: Rate::per_second(ACCEPTED),
            waiting: RefCell::default(),
        }
    }
}

impl Strangers {
    /// One was accepted: it takes the place of the oldest of its site, or of all, if there is none left.
    pub fn enter(&self, now: Instant, site: Site, connection: Rc<Connection>) {
        self.accepted.take(now, 1);
        let mut waiting = self.waiting.borrow_mut();
        waiting.retain(|(_, connection)| connection.is_stranger());
        let same = waiting.iter().filter(|(of, _)| *of == site).count();
        let oldest = match (same >= MOST_FROM_ONE, waiting.len() >= MOST) {
            (true, _) => waiting.iter().position(|(of, _)| *of == site),
            (false, true) => Some(0),
            (false, false) => None,
        };
        if let Some((_, oldest)) = oldest.and_then(|oldest| waiting.remove(oldest)) {
            oldest.give_up();
        }
        waiting.push_back((site, connection));
    }

    /// One has ended.
    pub fn leave(&self, connection: &Rc<Connection>) {
        let mut waiting = self.waiting.borrow_mut();
        waiting.retain(|(_, other)| !Rc::ptr_eq(other, connection));
    }

    /// When the next connection may be accepted, if not now.
    pub fn wait_to_accept(&self, now: Instant) -> Option<Instant> {
        self.accepted.wait(now)
    }

    /// So many bytes were read of one.
    pub fn read(&self, now: Instant, bytes: usize) {
        self.bytes.take(now, bytes);
    }

    /// When the next bytes may be read, if not now.
    pub fn wait_to_read(&self, now: Instant) -> Option<Instant> {
        self.bytes.wait(now)
    }
}
