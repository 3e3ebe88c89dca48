//! A bottleneck that drops before a queue can be seen: loss is what tells.

use std::time::Duration;

use super::link::Path;
use super::world::{Source, World};

#[test]
fn a_path_with_hardly_a_queue_is_not_overrun() {
    let path = Path {
        queue: Duration::from_millis(30),
        jitter: Duration::from_millis(5),
        ..Path::of(1_000_000)
    };
    let mut world = World::new(path, Source::Fixed(1_600_000), 12);
    world.estimator.set_wanted(1_700_000);
    world.run(10.0);
    world.source = Source::Follows(1.0);
    world.run(50.0);
    world.print("1,000 kbit/s without a queue");
    let mean = world.mean(20.0, 60.0);
    assert!((600e3..=1.2e6).contains(&mean), "{mean}");
    let loss = world.estimator.loss();
    assert!(loss < 0.15, "{loss}");
}
