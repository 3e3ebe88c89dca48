//! The link between two regions is lost and comes back: everybody sees everybody again within two seconds.

use std::time::Duration;

use simulation::{Path, World};

#[test]
fn media_is_back_within_two_seconds_also_behind_the_gateways() {
    for seed in 1..=5 {
        let nodes = [("eu", 1), ("eu", 1), ("us", 1), ("us", 1)];
        let backbone = Path::clean(60).jittery(5).lossy(0.01);
        let mut world = World::laid_out(seed, &nodes, Path::clean(10), backbone);
        let europe = world.join(1);
        let america = world.join(3);
        let lately = Duration::from_millis(100);
        let both = |world: &World| {
            world.sees(europe, america, lately) && world.sees(america, europe, lately)
        };
        world.run(Duration::from_secs(3));
        assert!(both(&world));
        for _ in 0..3 {
            world.link(0, 2, false);
            world.run(Duration::from_secs(2));
            assert!(!both(&world));
            world.link(0, 2, true);
            assert!(world.run_until(Duration::from_secs(2), both), "seed {seed}");
        }
    }
}
