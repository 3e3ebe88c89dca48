//! A region's gateway goes: the next node takes over, and nobody loses anybody.

use std::time::Duration;

use simulation::{Path, World};

const LATELY: Duration = Duration::from_millis(200);

#[test]
fn the_next_node_takes_over_within_two_seconds() {
    let nodes = [("eu", 1), ("eu", 1), ("us", 1), ("us", 1)];
    let mut world = World::laid_out(5, &nodes, Path::clean(5), Path::clean(40));
    let europe = world.join(1);
    let america = world.join(3);
    world.run(Duration::from_secs(3));
    let both =
        |world: &World| world.sees(europe, america, LATELY) && world.sees(america, europe, LATELY);
    assert!(both(&world));

    // Both at once, so that the plans of all change under way.
    world.release(0);
    world.release(2);
    world.run(LATELY);
    assert!(world.run_until(Duration::from_secs(2), both));
    world.run(Duration::from_secs(2));
    assert!(both(&world));
    let before = world.crossed(1, 3);
    world.run(Duration::from_secs(1));
    assert!(world.crossed(1, 3) > before + 100, "one way is left");
}

#[test]
fn a_gateway_that_comes_takes_over_and_nobody_is_lost() {
    let nodes = [("eu", 1), ("eu", 1), ("us", 1)];
    let mut world = World::laid_out(6, &nodes, Path::clean(5), Path::clean(40));
    world.release(0);
    let europe = world.join(1);
    let america = world.join(2);
    world.run(Duration::from_secs(3));
    world.host(0);
    world.run(Duration::from_secs(3));
    assert!(world.sees(europe, america, LATELY) && world.sees(america, europe, LATELY));
    let (direct, first, second) = (
        world.crossed(1, 2),
        world.crossed(1, 0),
        world.crossed(0, 2),
    );
    world.run(Duration::from_secs(1));
    assert_eq!(
        world.crossed(1, 2),
        direct,
        "the old way is not used any more"
    );
    assert!(world.crossed(1, 0) > first + 100 && world.crossed(0, 2) > second + 100);
}
