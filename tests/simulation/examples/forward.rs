//! Forwards a fixed amount of traffic, for callgrind to count the engine's instructions in (`cargo xtask test --only
//! instructions`). Prints how many packets were forwarded in the part that counts. Takes other numbers of publishers and of
//! viewers: what a packet costs in a room of 10 and of 500 is how a room's growth is paid for.

use std::hint::black_box;
use std::time::{Duration, Instant};

use sfu_core::{Engine, Input, Output};
use simulation::{Door, Hall};

const PUBLISHERS: usize = 3;
const VIEWERS: usize = 10;
const MEASURED: Duration = Duration::from_secs(3);

/// The functions by whose names callgrind is told what to count: whatever happens while one of them runs.
struct Counted;

impl Door for Counted {
    fn handle(&mut self, engine: &mut Engine, now: Instant, input: Input<'_>, _media: bool) {
        counted_handle(engine, now, input);
    }

    fn poll<'e>(&mut self, engine: &'e mut Engine, now: Instant) -> Output<'e> {
        counted_poll(engine, now)
    }
}

#[inline(never)]
fn counted_handle(engine: &mut Engine, now: Instant, input: Input<'_>) {
    engine.handle(now, input);
    black_box(());
}

#[inline(never)]
fn counted_poll(engine: &mut Engine, now: Instant) -> Output<'_> {
    black_box(engine.poll_output(now))
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |place: usize, usual| {
        let given = arguments.get(place);
        given.map_or(usual, |text| text.parse().expect("a number of people"))
    };
    let mut hall = Hall::open(number(1, PUBLISHERS), number(2, VIEWERS));
    let packets = hall.run(MEASURED, &mut Counted);
    println!("{packets}");
}
