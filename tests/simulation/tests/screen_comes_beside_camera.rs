//! A shared screen comes beside the camera, at its full size whatever its tile is, and at its full frame rate where the path
//! allows it.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, Videos, World};

/// Packets of the last second by screen or camera, and layer.
fn received(world: &World, client: usize) -> BTreeMap<(bool, u8), usize> {
    let since = world.now - Duration::from_secs(1);
    let mut counts = BTreeMap::new();
    let received = world.clients[client].received.iter();
    for packet in received.filter(|p| p.kind == MediaKind::Video && p.at >= since) {
        let key = (packet.stamp.screen, packet.stamp.layer);
        *counts.entry(key).or_default() += 1;
    }
    counts
}

#[test]
fn both_are_shown_and_the_screen_in_full_even_in_a_small_tile() {
    let mut world = World::new(2, 2, Path::clean(10), Path::clean(40));
    world.join_with(0, Videos::WITH_SCREEN);
    world.join(1);
    world.clients[1].mute();
    let small = (320, 180);
    world.clients[1].show_tiles(&[(World::camera(0), small, 0), (World::screen(0), small, 0)]);
    world.run(Duration::from_secs(5));
    let counts = received(&world, 1);
    assert_eq!(
        counts.keys().copied().collect::<Vec<_>>(),
        [(false, 0), (true, 1)]
    );
    assert!(counts[&(true, 1)] > 170, "{counts:?}");
    assert!(counts[&(false, 0)] > 28, "{counts:?}");
}

#[test]
fn several_share_at_once() {
    let mut world = World::new(3, 1, Path::clean(10), Path::clean(40));
    for _ in 0..2 {
        world.join_with(0, Videos::WITH_SCREEN);
    }
    world.join(0);
    let tile = (960, 540);
    world.clients[2].show_tiles(&[(World::screen(0), tile, 0), (World::screen(1), tile, 0)]);
    world.run(Duration::from_secs(6));
    for sharer in 0..2 {
        let since = world.now - Duration::from_secs(1);
        let received = world.clients[2].received.iter();
        let packets = received
            .filter(|p| p.at >= since && p.stamp.screen && p.stamp.client == sharer)
            .filter(|p| p.stamp.layer == 1);
        let count = packets.count();
        assert!(count > 150, "{count} packets of screen {sharer}");
    }
}
