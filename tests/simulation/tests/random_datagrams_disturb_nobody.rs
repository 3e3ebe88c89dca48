//! What is noise is counted, and disturbs nobody.

use std::time::Duration;

use simulation::{Path, World};

#[test]
fn random_datagrams_are_counted_and_disturb_nobody() {
    let mut world = World::new(10, 1, Path::clean(5), Path::clean(30));
    world.join(0);
    world.join(0);
    world.run(Duration::from_secs(2));
    for _ in 0..10_000 {
        world.noise(0);
    }
    assert!(world.stats(0).drops.unknown >= 9_900);
    let before = world.clients[1].received.len();
    world.run(Duration::from_secs(2));
    assert!(world.clients[1].received.len() > before + 150);
    assert_eq!(world.stats(0).drops.faults, 0);
}
