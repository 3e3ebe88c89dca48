//! A viewer that asks for a keyframe again before its time is heard as soon as that has come.

use std::time::Duration;

use simulation::{Path, World};

#[test]
fn the_second_keyframe_is_asked_for_when_the_wait_is_over() {
    let ms = Duration::from_millis;
    for phase in 0..8 {
        let mut world = World::new(1, 1, Path::clean(5), Path::clean(1));
        world.join(0);
        let viewer = world.join(0);
        world.run(Duration::from_secs(7) + ms(60) * phase);
        let before = world.clients[0].keyframes_asked();
        let asked = |world: &World| world.clients[0].keyframes_asked() - before;
        world.clients[viewer].plead();
        world.run(ms(100));
        assert_eq!(asked(&world), 1);
        world.clients[viewer].plead();
        world.run(ms(190));
        assert_eq!(asked(&world), 1, "too soon");
        // There, and to the publisher.
        world.run(ms(40));
        assert_eq!(asked(&world), 2, "phase {phase}");
    }
}
