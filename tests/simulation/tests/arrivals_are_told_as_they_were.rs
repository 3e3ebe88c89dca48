//! Who sends is told when each packet arrived, also by a node that takes what has arrived in turns: a sender's estimate of its
//! path is made of those times.

use std::time::Duration;

use simulation::{Path, World};

/// Between two packets of sound.
const FRAME: Duration = Duration::from_millis(20);
/// Feedback counts in quarters of a millisecond (draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1.5).
const UNIT: Duration = Duration::from_micros(250);

#[test]
fn turns_of_a_busy_node_do_not_show_in_what_senders_are_told() {
    let mut world = World::new(72, 1, Path::clean(10), Path::clean(10));
    // No divisor of the interval, so that packets wait for different times.
    world.pace = Some(Duration::from_millis(7));
    let sender = world.join(0);
    world.run(Duration::from_secs(1));
    world.clients[sender].silence();
    world.clients[sender].unmute(world.now);
    world.run(Duration::from_secs(1));
    let told = world.clients[sender].feedback.arrivals.len();
    world.run(Duration::from_secs(5));
    let arrivals = &world.clients[sender].feedback.arrivals[told..];
    assert!(arrivals.len() > 200, "{}", arrivals.len());
    let apart: Vec<_> = arrivals.windows(2).map(|two| two[1] - two[0]).collect();
    let off = apart.iter().filter(|apart| apart.abs_diff(FRAME) > UNIT);
    assert_eq!(off.count(), 0, "{:?}", &apart[..10]);
}
