//! Forwarding allocates nothing: however many watch, a packet costs no more memory requests than if few did.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use sfu_core::{Engine, Input, Output};
use simulation::{Door, Hall};

const PUBLISHERS: usize = 2;
const MEASURED: Duration = Duration::from_secs(5);
/// Allocations per forwarded packet that may be there: tables that grow now and then, messages about speakers.
const TOLERATED: f64 = 0.01;

thread_local! {
    static COUNTED: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counted per thread.
struct Counting;

// SAFETY: all is left to the system's allocator; counting allocates nothing, as the cell needs no initialization.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNTED.set(COUNTED.get() + 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNTED.set(COUNTED.get() + 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Counts what the engine requests while it takes media in and sends it out. What it does with the feedback of those who
/// watch is left out: it is not per packet.
#[derive(Default)]
struct Counter {
    allocations: u64,
}

impl Door for Counter {
    fn handle(&mut self, engine: &mut Engine, now: Instant, input: Input<'_>, media: bool) {
        let before = COUNTED.get();
        engine.handle(now, input);
        if media {
            self.allocations += COUNTED.get() - before;
        }
    }

    fn poll<'e>(&mut self, engine: &'e mut Engine, now: Instant) -> Output<'e> {
        let before = COUNTED.get();
        let output = engine.poll_output(now);
        self.allocations += COUNTED.get() - before;
        output
    }
}

/// Allocations and forwarded packets with so many viewers.
fn measure(viewers: usize) -> (u64, u64) {
    let mut hall = Hall::open(PUBLISHERS, viewers);
    let mut counter = Counter::default();
    let packets = hall.run(MEASURED, &mut counter);
    (counter.allocations, packets)
}

#[test]
fn more_viewers_cost_no_more_allocations() {
    let (few, many) = (measure(2), measure(12));
    let allocations = many.0.saturating_sub(few.0);
    let packets = many.1 - few.1;
    assert!(packets > 10_000, "{packets} packets: too little flows");
    let each = allocations as f64 / packets as f64;
    assert!(
        each <= TOLERATED,
        "{each:.3} allocations per forwarded packet ({few:?} with two viewers, {many:?} with twelve)"
    );
}
