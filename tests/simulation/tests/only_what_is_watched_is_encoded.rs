//! A publisher encodes no layer that nobody wants, in whichever region, and starts it again as soon as somebody does.

use std::time::Duration;

use protocol::media::Source;
use simulation::{Path, Videos, World};

const SIZES: [(u16, u16); 3] = [(320, 180), (640, 360), (1_280, 720)];

/// Which of the camera's layers a client encodes.
fn encodes(world: &World, client: usize) -> [bool; 3] {
    [0, 1, 2].map(|layer| world.clients[client].encoder(Source::Camera, layer).active)
}

/// A publisher at the first of two nodes, and three viewers: one there, two at the other.
fn world(seed: u64) -> World {
    let mut world = World::new(seed, 2, Path::clean(10), Path::clean(40));
    world.join_with(0, Videos::SIMULCAST);
    for node in [0, 1, 1] {
        let viewer = world.join(node);
        world.clients[viewer].mute();
        world.clients[viewer].show(&[]);
    }
    world.run(Duration::from_secs(4));
    world
}

#[test]
fn what_nobody_watches_is_not_encoded() {
    let mut world = world(1);
    assert_eq!(encodes(&world, 0), [false; 3]);
    let sent = world.clients[0].sent(protocol::media::MediaKind::Video);
    world.run(Duration::from_secs(5));
    assert_eq!(
        world.clients[0].sent(protocol::media::MediaKind::Video),
        sent
    );

    // Only what somebody watches, wherever.
    for (viewer, layer) in [(1, 0), (2, 2), (3, 2)] {
        world.clients[viewer].show_tiles(&[(World::camera(0), SIZES[layer], 0)]);
    }
    world.run(Duration::from_secs(3));
    assert_eq!(encodes(&world, 0), [true, false, true]);

    // One of two leaves, and it goes on; the other leaves, and it ends after a moment.
    world.clients[2].show(&[]);
    world.run(Duration::from_secs(3));
    assert_eq!(encodes(&world, 0), [true, false, true]);
    world.clients[3].show(&[]);
    world.run(Duration::from_millis(700));
    assert_eq!(encodes(&world, 0), [true, false, true], "it lingers");
    world.run(Duration::from_secs(1));
    assert_eq!(encodes(&world, 0), [true, false, false]);
}

#[test]
fn what_is_wanted_again_is_there_within_half_a_second() {
    let mut world = world(2);
    for viewer in [1, 2] {
        let before = world.clients[viewer].received.len();
        world.clients[viewer].show_tiles(&[(World::camera(0), SIZES[2], 0)]);
        world.run(Duration::from_millis(500));
        let received = &world.clients[viewer].received[before..];
        let high = received.iter().filter(|packet| packet.stamp.layer == 2);
        assert!(high.count() > 30, "viewer {viewer}");
        world.clients[viewer].show(&[]);
        world.run(Duration::from_secs(3));
        assert_eq!(encodes(&world, 0), [false; 3]);
    }
}

#[test]
fn nobody_is_told_what_he_knows_already() {
    let mut world = world(3);
    world.clients[1].show_tiles(&[(World::camera(0), SIZES[1], 0)]);
    world.run(Duration::from_secs(2));
    let told = world.clients[0].demands.len();
    for size in [(640, 350), (620, 340), (600, 330)] {
        world.clients[1].show_tiles(&[(World::camera(0), size, 0)]);
        world.clients[2].show_tiles(&[(World::camera(0), size, 0)]);
        world.run(Duration::from_secs(2));
    }
    assert_eq!(world.clients[0].demands.len(), told);
}
