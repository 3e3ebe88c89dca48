//! Whether anything comes of a client at all: media, feedback, a text, a check of the path.

use std::time::{Duration, Instant};

use protocol::node::SILENT_AFTER_MS;

/// Without anything for so long, others are to see that the client cannot be heard: two signs of life are missing.
const SILENCE: Duration = Duration::from_millis(SILENT_AFTER_MS);

/// When something came last, and whether that is too long ago.
#[derive(Debug)]
pub struct Pulse {
    last: Instant,
    stopped: bool,
}

impl Pulse {
    /// Of a client that has said as much as an offer.
    pub fn new(now: Instant) -> Self {
        Self {
            last: now,
            stopped: false,
        }
    }

    /// Something has come. Returns whether it ends a silence.
    pub fn beat(&mut self, now: Instant) -> bool {
        self.last = now;
        std::mem::take(&mut self.stopped)
    }

    /// When it stops, if nothing more comes.
    pub fn stops(&self) -> Instant {
        self.last + SILENCE
    }

    /// It has stopped.
    pub fn stop(&mut self) {
        self.stopped = true;
    }
}
