//! A path that goes dead: the estimate sinks without feedback, and comes back with it.

use super::super::MIN_BITRATE;
use super::link::Path;
use super::world::{Source, World};

#[test]
fn without_feedback_it_sinks_and_comes_back_with_it() {
    let mut world = World::new(Path::of(2_000_000), Source::Follows(1.0), 18);
    world.estimator.set_wanted(3_000_000);
    world.run(20.0);
    world.mute_feedback(true);
    world.run(15.0);
    assert!(world.estimator.estimate() < 2 * MIN_BITRATE);
    world.mute_feedback(false);
    world.run(20.0);
    world.print("without feedback from 20 s to 35 s");
    assert!(world.sank(20.0, 1.6e6) - 20.0 < 3.0);
    let back = world.reached(35.0, 1.5e6) - 35.0;
    assert!(back <= 8.0, "{back} s");
}

#[test]
fn who_sends_nothing_loses_nothing() {
    let mut world = World::new(Path::of(2_000_000), Source::Follows(1.0), 19);
    world.estimator.set_wanted(3_000_000);
    world.run(20.0);
    let before = world.estimator.estimate();
    let later = std::time::Instant::now() + std::time::Duration::from_secs(3_600);
    // The last packets' feedback has come, and nothing was sent since.
    world.source = Source::Fixed(0);
    let estimator = &mut world.estimator;
    estimator.unanswered = None;
    estimator.on_timeout(later);
    assert_eq!(estimator.estimate(), before);
}
