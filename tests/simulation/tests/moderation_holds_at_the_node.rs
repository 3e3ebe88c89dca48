//! What a moderator allows holds at the node, whatever the client goes on sending.

use std::time::Duration;

use protocol::media::{Caps, MediaKind, Source};
use simulation::{Client, Path, Videos, World};

/// The time over which a limit on the bit rate holds, and in which steps it is looked at.
const WINDOW: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(20);

/// Packets of a kind of the first client that the second received in the last second, and the highest layer of them.
fn received(world: &World, kind: MediaKind, screen: bool) -> (usize, Option<u8>) {
    let since = world.now - Duration::from_secs(1);
    let received = world.clients[1].received.iter();
    let packets = received
        .filter(|p| p.kind == kind && p.at >= since && p.stamp.client == 0)
        .filter(|p| p.stamp.screen == screen);
    let layers: Vec<u8> = packets.map(|p| p.stamp.layer).collect();
    (layers.len(), layers.iter().copied().max())
}

/// A publisher who heeds nothing, and a viewer at another node.
fn world() -> World {
    let mut world = World::new(9, 2, Path::clean(10), Path::clean(30));
    world.join_with(0, Videos::WITH_SCREEN);
    world.join(1);
    world.clients[1].mute();
    world.clients[0].obeys_demand = false;
    let large = (1_280, 720);
    world.clients[1].show_tiles(&[(World::camera(0), large, 0), (World::screen(0), large, 0)]);
    world.run(Duration::from_secs(5));
    assert_eq!(received(&world, MediaKind::Video, false).1, Some(2));
    assert!(received(&world, MediaKind::Audio, false).0 > 45);
    assert!(received(&world, MediaKind::Video, true).0 > 150);
    world
}

#[test]
fn who_is_muted_is_heard_by_nobody_until_it_is_taken_back() {
    let mut world = world();
    world.set_caps(
        0,
        Caps {
            audio: false,
            ..Caps::default()
        },
    );
    world.run(Duration::from_millis(1_200));
    assert_eq!(received(&world, MediaKind::Audio, false).0, 0);
    assert!(received(&world, MediaKind::Video, false).0 > 100);
    assert!(world.stats(0).drops.not_allowed > 30);
    world.set_caps(0, Caps::default());
    world.run(Duration::from_millis(1_500));
    assert!(received(&world, MediaKind::Audio, false).0 > 45);
}

#[test]
fn a_screen_can_be_forbidden_and_all_video_even_by_another_name() {
    let mut world = world();
    let no_screen = Caps {
        screen: false,
        ..Caps::default()
    };
    world.set_caps(0, no_screen);
    world.run(Duration::from_millis(1_200));
    assert_eq!(received(&world, MediaKind::Video, true).0, 0);
    assert!(received(&world, MediaKind::Video, false).0 > 100);
    let no_video = Caps {
        video: false,
        ..Caps::default()
    };
    world.set_caps(0, no_video);
    world.run(Duration::from_millis(1_200));
    assert_eq!(received(&world, MediaKind::Video, false).0, 0);
    assert_eq!(received(&world, MediaKind::Video, true).0, 0);
    assert!(received(&world, MediaKind::Audio, false).0 > 45);
    world.set_caps(0, Caps::default());
    world.run(Duration::from_secs(4));
    assert!(received(&world, MediaKind::Video, false).0 > 100);
    assert!(received(&world, MediaKind::Video, true).0 > 100);
}

#[test]
fn a_cap_on_layers_and_one_on_the_bit_rate_take_whole_layers() {
    let mut world = world();
    let two_layers = Caps {
        max_layer: Some(1),
        ..Caps::default()
    };
    world.set_caps(0, two_layers);
    world.run(Duration::from_secs(4));
    assert_eq!(received(&world, MediaKind::Video, false).1, Some(1));
    assert_eq!(received(&world, MediaKind::Video, true).1, Some(1));

    // Camera and screen have about 0.15, 0.5, 1.7 and 0.24, 1.45 Mbit/s; a tenth of the limit is left for keyframes.
    let narrow = Caps {
        max_bitrate: Some(1_050_000),
        ..Caps::default()
    };
    world.set_caps(0, narrow);
    world.run(Duration::from_secs(5));
    assert_eq!(received(&world, MediaKind::Video, false).1, Some(1));
    assert_eq!(received(&world, MediaKind::Video, true).1, Some(0));
    world.set_caps(0, Caps::default());
    world.run(Duration::from_secs(4));
    assert_eq!(received(&world, MediaKind::Video, false).1, Some(2));
    assert_eq!(received(&world, MediaKind::Video, true).1, Some(1));
}

#[test]
fn a_limit_on_the_bit_rate_holds_for_bursts_too() {
    const LIMIT: u32 = 400_000;
    let mut world = World::new(9, 2, Path::clean(10), Path::clean(30));
    world.join(0);
    world.join(1);
    world.clients.iter_mut().for_each(Client::mute);
    world.clients[1].silence();
    world.clients[1].show(&[World::camera(0)]);
    let caps = Caps {
        max_bitrate: Some(LIMIT),
        ..Caps::default()
    };
    world.set_caps(0, caps);
    world.clients[0].obeys_demand = false;
    // A single frame of 180 kB, every now and then.
    world.clients[0].enlarge_keyframes(60);
    let mut crossed = Vec::new();
    for step in 0..1_000 {
        let active = step % 65 == 0;
        world.clients[0].set_active(world.now, Source::Camera, 0, active);
        world.run(STEP);
        crossed.push(world.crossed(0, 1));
    }
    // Each packet has a kilobyte.
    let steps = (WINDOW.as_millis() / STEP.as_millis()) as usize;
    let windows = crossed.windows(steps + 1);
    let peak = windows.map(|window| window[steps] - window[0]).max();
    let peak = peak.unwrap_or(0) * 8_000 / WINDOW.as_secs();
    println!("at most {peak} bit/s over two seconds");
    assert!(peak <= u64::from(LIMIT), "{peak} bit/s");
    assert!(peak > u64::from(LIMIT) / 2, "{peak} bit/s");
}
