//! A narrow path between two nodes, as QUIC makes of it: datagrams leave at the path's rate, what would wait for longer
//! than 50 ms is dropped, and the node is told how it stands.

use std::time::{Duration, Instant};

use sfu_core::Input;

use crate::world::World;

/// Longest wait for the path; sound, whose packets are small, may wait twice as long.
const QUEUE: Duration = Duration::from_millis(50);
const SMALL: usize = 300;
/// How often a node is told.
const TELL: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(crate) struct Narrow {
    rate: f64,
    free_at: Instant,
    tell_at: Instant,
}

impl Narrow {
    /// How long a datagram waits and takes; `None` when it is dropped.
    pub(crate) fn pass(&mut self, now: Instant, bytes: usize) -> Option<Duration> {
        let wait = self.free_at.saturating_duration_since(now);
        let longest = if bytes < SMALL { QUEUE * 2 } else { QUEUE };
        if wait > longest {
            return None;
        }
        let takes = Duration::from_secs_f64(bytes as f64 * 8.0 / self.rate);
        self.free_at = now + wait + takes;
        Some(wait + takes)
    }
}

impl World {
    /// From now on the path from one node to another carries so many bits per second.
    pub fn narrow(&mut self, from: usize, to: usize, rate: f64) {
        let narrow = Narrow {
            rate,
            free_at: self.now,
            tell_at: self.now,
        };
        self.narrow.insert((from, to), narrow);
    }

    /// When the next node is to be told.
    pub(crate) fn next_telling(&self) -> Option<Instant> {
        self.narrow.values().map(|narrow| narrow.tell_at).min()
    }

    /// Tells the nodes how their paths stand.
    pub(crate) fn tell_paths(&mut self) {
        let now = self.now;
        let due = self.narrow.iter_mut();
        let due = due.filter(|(_, narrow)| narrow.tell_at <= now);
        let told: Vec<_> = due
            .map(|((from, to), narrow)| {
                narrow.tell_at = now + TELL;
                let wait = narrow.free_at.saturating_duration_since(now);
                let queued = (wait.as_secs_f64() * narrow.rate / 8.0) as usize;
                (*from, *to, narrow.rate as u64, queued)
            })
            .collect();
        for (from, to, rate, queued) in told {
            let peer = self.nodes[to].id;
            self.input(from, Input::PeerPath { peer, rate, queued });
        }
    }
}
