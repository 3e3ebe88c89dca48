//! However many begin to watch at once, the publisher is asked for hardly more than one keyframe.

use std::time::Duration;

use simulation::{Path, World};

#[test]
fn a_keyframe_is_asked_for_once_for_many_viewers() {
    let mut world = World::new(8, 2, Path::clean(5), Path::clean(30));
    world.join(0);
    world.run(Duration::from_secs(2));
    let before = world.clients[0].keyframes_asked();
    for _ in 0..5 {
        world.join(1);
    }
    world.run(Duration::from_secs(2));
    let asked = world.clients[0].keyframes_asked() - before;
    assert!(
        (1..=3).contains(&asked),
        "asked {asked} times for 5 viewers"
    );
}
