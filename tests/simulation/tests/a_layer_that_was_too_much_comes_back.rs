//! A layer that exceeds its publisher's limit on the bit rate is cut, and comes back once it may fit.

use std::time::Duration;

use protocol::media::{Caps, Source};
use simulation::{Client, Path, Videos, World};

const SECOND: Duration = Duration::from_secs(1);
const MIDDLE: u8 = 1;

/// The highest layer that the viewer received in the last second.
fn highest(world: &World) -> Option<u8> {
    let received = world.clients[1].received.iter();
    let lately = received.filter(|packet| packet.at + SECOND >= world.now);
    lately.map(|packet| packet.stamp.layer).max()
}

/// A camera of 0.15, 0.5 and 1.7 Mbit/s that may take one, of which its two lower layers flow.
fn limited() -> World {
    let mut world = World::new(11, 1, Path::clean(10), Path::clean(30));
    world.join_with(0, Videos::SIMULCAST);
    world.join(0);
    world.clients.iter_mut().for_each(Client::mute);
    world.clients[1].silence();
    world.clients[1].show_tiles(&[(World::camera(0), (1_280, 720), 0)]);
    let caps = Caps {
        max_bitrate: Some(1_000_000),
        ..Caps::default()
    };
    world.set_caps(0, caps);
    world.run(6 * SECOND);
    assert_eq!(highest(&world), Some(MIDDLE));
    world
}

#[test]
fn a_cut_layer_is_tried_again_when_it_was_silent_for_a_while() {
    let mut world = limited();
    world.clients[0].enlarge_frames(Source::Camera, MIDDLE, 2);
    world.run(4 * SECOND);
    assert_eq!(highest(&world), Some(0), "it was too much");
    assert!(!world.clients[0].encoder(Source::Camera, MIDDLE).active);
    world.clients[0].enlarge_frames(Source::Camera, MIDDLE, 1);
    world.run(12 * SECOND);
    assert_eq!(highest(&world), Some(MIDDLE));
    // The highest would be too much: nobody is troubled by a trial of it.
    let cut = world.stats(0).drops.not_allowed;
    world.run(20 * SECOND);
    assert_eq!(highest(&world), Some(MIDDLE));
    assert_eq!(world.stats(0).drops.not_allowed, cut);
}

#[test]
fn a_keyframe_that_fits_into_the_limit_cuts_nothing() {
    let mut world = limited();
    // 40 packets: with them, the layers that flow have 0.94 Mbit/s for a second.
    world.clients[0].enlarge_keyframes(20);
    world.clients[0].set_active(world.now, Source::Camera, MIDDLE, false);
    world.run(Duration::from_millis(50));
    world.clients[0].set_active(world.now, Source::Camera, MIDDLE, true);
    let cut = world.stats(0).drops.not_allowed;
    world.run(3 * SECOND);
    assert_eq!(highest(&world), Some(MIDDLE));
    assert_eq!(world.stats(0).drops.not_allowed, cut);
}
