//! Who joins sees the others as soon as it is connected, however far away they are: their keyframes are asked for while the
//! connection is set up, and one that came just before is where the newcomer starts.

use std::time::Duration;

use simulation::{Path, World};

/// Whether a client has been shown a picture.
fn shows(world: &World, viewer: usize) -> bool {
    let mut decoders = world.clients[viewer].decoders.values();
    decoders.any(|decoder| !decoder.shown.is_empty())
}

/// How long after its connection a viewer waits for the first picture: a publisher 100 ms from its node, and the viewer
/// 10 ms from that or another node.
fn wait_of_newcomer(nodes: usize) -> Duration {
    let mut world = World::new(3, nodes, Path::clean(10), Path::clean(40));
    world.access_of.insert(0, Path::clean(100));
    world.join(0);
    world.run(Duration::from_secs(3));
    let viewer = world.join(nodes - 1);
    assert!(world.run_until(Duration::from_secs(5), |world| shows(world, viewer)));
    world.now - world.clients[viewer].connected.expect("it is connected")
}

#[test]
fn keyframes_are_on_their_way_before_the_newcomer_is_connected() {
    // There and back to the publisher takes 200 ms, and what it encodes anew starts with the next frame.
    let wait = wait_of_newcomer(1);
    assert!(wait < Duration::from_millis(200), "{wait:?}");
    // The other node, 40 ms away, has to be asked for them, too.
    let wait = wait_of_newcomer(2);
    assert!(wait < Duration::from_millis(265), "{wait:?}");
}

#[test]
fn a_keyframe_that_came_just_before_serves_the_next_newcomer_as_well() {
    let mut world = World::new(4, 1, Path::clean(10), Path::clean(40));
    world.access_of.insert(0, Path::clean(100));
    world.join(0);
    world.run(Duration::from_secs(3));
    world.join(0);
    let seen = |viewer: usize| move |world: &World| shows(world, viewer);
    assert!(world.run_until(Duration::from_secs(5), seen(1)));
    let asked = world.clients[0].keyframes_asked();
    let second = world.join(0);
    assert!(world.run_until(Duration::from_millis(200), seen(second)));
    assert_eq!(world.clients[0].keyframes_asked(), asked);
}
