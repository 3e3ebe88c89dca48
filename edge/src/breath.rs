//! A breath: a few milliseconds in which an object takes no event, while more comes in that nobody wants to hear.
//!
//! The runtime hands an object one message after the other, and looks for what else goes on in the process only when it has
//! nothing to do: on a box of one's own, whoever sends fast enough has all of it alone. A breath gives everybody else their
//! turn, and makes the sender wait: the next message is not read before it is over.

use std::cell::Cell;
use std::time::Duration;

use worker::{Date, Delay, State};

/// How long a breath is, in milliseconds.
const LENGTH: u64 = 5;

/// When an object may breathe.
#[derive(Default)]
pub struct Breath {
    /// The next is due then, however many want it.
    due: Cell<u64>,
}

impl Breath {
    /// Takes one, unless the last is just over: so long, whoever stands in line with those that nobody wants to hear is served.
    pub fn take(&self, state: &State) {
        let now = Date::now().as_millis();
        if now < self.due.get() {
            return;
        }
        self.due.set(now + LENGTH + 1);
        let _breath = state.block_concurrency_while(async {
            Delay::from(Duration::from_millis(LENGTH)).await;
            Ok(())
        });
    }
}
