//! The estimate reaches the path's capacity soon after the start, and stays there.

use super::link::Path;
use super::world::{Source, World};

#[test]
fn it_finds_most_of_the_capacity_within_seconds() {
    for (capacity, within) in [
        (300_000, 3.0),
        (1_000_000, 2.0),
        (3_000_000, 2.0),
        (8_000_000, 4.0),
    ] {
        let mut world = World::new(Path::of(capacity), Source::Follows(1.0), 1);
        world.estimator.set_wanted(10_000_000);
        world.run(30.0);
        world.print(&format!("start at {capacity}"));
        let reached = world.reached(0.0, 0.85 * capacity as f64);
        assert!(reached <= within, "{capacity}: {reached} s");
        let mean = world.mean(10.0, 30.0) / capacity as f64;
        assert!((0.8..=1.1).contains(&mean), "{capacity}: {mean}");
        let wait = world.longest_wait(10.0, 30.0);
        assert!(wait < 200.0, "{capacity}: {wait} ms in the queue");
    }
}

#[test]
fn a_far_path_is_found_as_well() {
    let path = Path {
        delay: std::time::Duration::from_millis(150),
        ..Path::of(2_000_000)
    };
    let mut world = World::new(path, Source::Follows(1.0), 2);
    world.estimator.set_wanted(3_000_000);
    world.run(30.0);
    world.print("far");
    let reached = world.reached(0.0, 1.7e6);
    assert!(reached <= 5.0, "{reached} s");
    let mean = world.mean(10.0, 30.0) / 2e6;
    assert!((0.8..=1.1).contains(&mean), "{mean}");
}

#[test]
fn it_never_swings_wildly_on_a_steady_path() {
    let mut world = World::new(Path::of(2_000_000), Source::Follows(1.0), 3);
    world.estimator.set_wanted(4_000_000);
    world.run(120.0);
    let lowest = world
        .between(10.0, 120.0)
        .map(|m| m.estimate)
        .min()
        .unwrap_or(0);
    let highest = world
        .between(10.0, 120.0)
        .map(|m| m.estimate)
        .max()
        .unwrap_or(0);
    println!("between {lowest} and {highest}");
    assert!(lowest > 1_300_000, "{lowest}");
    assert!(highest < 2_500_000, "{highest}");
}
