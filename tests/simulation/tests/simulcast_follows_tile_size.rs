//! The layer that a tile gets follows its size on the screen, at once and whichever node its publisher is at.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, Videos, World};

const SMALL: (u16, u16) = (320, 180);
const MIDDLE: (u16, u16) = (640, 360);
const LARGE: (u16, u16) = (1_280, 720);

/// The layer of the video that a client received last.
fn layer(world: &World, client: usize) -> Option<u8> {
    let received = world.clients[client].received.iter().rev();
    received
        .filter(|packet| packet.kind == MediaKind::Video)
        .map(|packet| packet.stamp.layer)
        .next()
}

#[test]
fn each_tile_gets_the_layer_that_covers_it() {
    for nodes in [1, 2] {
        let mut world = World::new(5, nodes, Path::clean(10), Path::clean(40));
        world.join_with(0, Videos::SIMULCAST);
        for _ in 0..3 {
            let viewer = world.join(nodes - 1);
            world.clients[viewer].mute();
        }
        for (viewer, size) in [(1, SMALL), (2, MIDDLE), (3, LARGE)] {
            world.clients[viewer].show_tiles(&[(World::camera(0), size, 0)]);
        }
        world.run(Duration::from_secs(4));
        for (viewer, expected) in [(1, 0), (2, 1), (3, 2)] {
            assert_eq!(layer(&world, viewer), Some(expected), "{nodes} nodes");
        }
    }
}

#[test]
fn a_tile_that_grows_or_shrinks_changes_its_layer_within_half_a_second() {
    let mut world = World::new(6, 2, Path::clean(10), Path::clean(40));
    world.join_with(0, Videos::SIMULCAST);
    world.join(1);
    world.clients[1].mute();
    world.clients[1].show_tiles(&[(World::camera(0), SMALL, 0)]);
    world.run(Duration::from_secs(3));
    for (size, expected) in [(LARGE, 2), (SMALL, 0), (MIDDLE, 1), (LARGE, 2), (MIDDLE, 1)] {
        world.clients[1].show_tiles(&[(World::camera(0), size, 0)]);
        world.run(Duration::from_millis(500));
        assert_eq!(layer(&world, 1), Some(expected), "{size:?}");
    }
}
