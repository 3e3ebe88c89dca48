//! Who sends less than he may: the estimate neither grows without proof nor wastes away.

use super::link::Path;
use super::world::{Source, World};

#[test]
fn it_stays_where_it_was_proven() {
    let mut world = World::new(Path::of(3_000_000), Source::Follows(1.0), 13);
    world.estimator.set_wanted(4_000_000);
    world.run(20.0);
    let proven = world.mean(15.0, 20.0);
    world.source = Source::Fixed(200_000);
    world.estimator.set_wanted(300_000);
    world.run(120.0);
    world.print("200 kbit/s over 3,000 from 20 s on");
    assert!(world.estimator.is_limited());
    let after = world.mean(120.0, 140.0);
    assert!((0.7..=1.1).contains(&(after / proven)), "{proven}, {after}");
}

#[test]
fn it_does_not_grow_by_what_is_not_sent() {
    let mut world = World::new(Path::of(20_000_000), Source::Fixed(200_000), 14);
    world.estimator.set_wanted(300_000);
    world.run(120.0);
    let last = world.estimator.estimate();
    assert!((250_000..=500_000).contains(&last), "{last}");
}

#[test]
fn probing_costs_little() {
    let mut world = World::new(
        Path::of(800_000),
        Source::Layers(&[150_000, 500_000, 1_700_000]),
        15,
    );
    world.estimator.set_wanted(1_750_000);
    world.run(120.0);
    world.print("layers over 800 kbit/s");
    let share = world.probed_bytes as f64 / world.sent_bytes as f64;
    println!(
        "{share:.3} of the bytes in {} probes",
        world.estimator.probes()
    );
    assert!(share < 0.05, "{share}");
    // Half of the path is used, and its queue stays short.
    let mean = world.mean(10.0, 120.0);
    assert!((540e3..=900e3).contains(&mean), "{mean}");
}
