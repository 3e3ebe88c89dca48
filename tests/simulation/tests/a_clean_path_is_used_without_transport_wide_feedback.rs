//! A viewer whose client knows no transport-wide feedback: what its reports say has arrived is what it gets, and a path that
//! is too narrow or loses much is still respected.

use std::time::{Duration, Instant};

use protocol::media::{MediaKind, Source};
use simulation::{Bottleneck, Path, Videos, World};

const PUBLISHER: usize = 0;
const VIEWER: usize = 1;

/// An offer without the extension and its feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01).
fn without_transport_wide(sdp: String) -> String {
    let kept = sdp.split_inclusive("\r\n");
    kept.filter(|line| !line.contains("transport-wide-cc") && !line.contains("transport-cc"))
        .collect()
}

/// One who sends a camera, and one who watches it without transport-wide feedback.
fn world(seed: u64, access: Path, videos: Videos) -> World {
    let mut world = World::new(seed, 1, access, Path::clean(1));
    world.join_with(0, videos);
    world.join_writing(0, Videos::PLAIN, without_transport_wide);
    let viewer = &mut world.clients[VIEWER];
    viewer.silence();
    viewer.show_tiles(&[(World::camera(PUBLISHER), (1_280, 720), 0)]);
    world
}

/// Frames that the viewer has shown since a moment.
fn shown(world: &World, since: Instant) -> usize {
    let decoders = world.clients[VIEWER].decoders.values();
    let shown = decoders.flat_map(|decoder| &decoder.shown);
    shown.filter(|at| **at >= since).count()
}

/// Packets of sound that it has heard since a moment.
fn heard(world: &World, since: Instant) -> usize {
    let received = world.clients[VIEWER].received.iter();
    let heard = received.filter(|packet| packet.kind == MediaKind::Audio && packet.at >= since);
    heard.count()
}

#[test]
fn on_a_clean_path_no_frame_is_missing() {
    for seed in [1, 2, 3] {
        let mut world = world(seed, Path::clean(10), Videos::PLAIN);
        // 2.2 Mbit/s.
        world.clients[PUBLISHER].enlarge_frames(Source::Camera, 0, 3);
        world.run(Duration::from_secs(1));
        let start = world.now;
        world.run(Duration::from_secs(30));
        let shown = shown(&world, start);
        assert!(shown >= 905, "seed {seed}: {shown} of 909 frames arrive");
    }
}

#[test]
fn a_loss_that_does_not_come_of_us_is_lived_with() {
    for seed in [1, 2, 3] {
        let access = Path::clean(10);
        let mut world = world(seed, access, Videos::PLAIN);
        world.clients[PUBLISHER].enlarge_frames(Source::Camera, 0, 3);
        world.access_of.insert(VIEWER, access.lossy(0.03));
        world.run(Duration::from_secs(5));
        let start = world.now;
        world.run(Duration::from_secs(30));
        let shown = shown(&world, start);
        assert!(shown >= 880, "seed {seed}: {shown} of 909 frames arrive");
    }
}

#[test]
fn what_is_lost_on_the_way_up_is_no_loss_of_the_viewer_s_path() {
    for seed in [1, 2, 3] {
        let access = Path::clean(10);
        let mut world = world(seed, access, Videos::PLAIN);
        // What is left is sound, which nobody asks for again.
        let now = world.now;
        world.clients[PUBLISHER].set_active(now, Source::Camera, 0, false);
        world.run(Duration::from_secs(6));
        world.uplink_of.insert(PUBLISHER, access.lossy(0.15));
        world.run(Duration::from_secs(20));
        let qualities = world.clients[PUBLISHER].latest_qualities();
        let (up, down) = (qualities[PUBLISHER].up.loss, qualities[VIEWER].down.loss);
        println!("seed {seed}: {up} lost on the way up, {down} on the way down");
        assert!(up > 0.1 && down < 0.01, "seed {seed}: {up} and {down}");
    }
}

#[test]
fn a_narrow_path_gets_what_fits_and_the_sound() {
    // On the first the lowest layer, and on the last all of them: 144, 480 and 1,700 kbit/s.
    for (seed, kbps, highest) in [(1, 300, 1), (2, 900, 1), (3, 3_000, 2)] {
        let mut world = world(seed, Path::clean(10), Videos::SIMULCAST);
        let narrow = Bottleneck::of(kbps * 1_000);
        world.bottlenecks.insert(VIEWER, narrow);
        world.run(Duration::from_secs(20));
        let start = world.now;
        world.run(Duration::from_secs(30));
        let (shown, heard) = (shown(&world, start), heard(&world, start));
        assert!(shown >= 840, "{kbps} kbit/s: {shown} of 909 frames");
        assert!(heard >= 1_400, "{kbps} kbit/s: {heard} of 1,500 packets");
        let received = world.clients[VIEWER].received.iter().rev();
        let received = received.take_while(|packet| packet.at >= start);
        let layers = received.filter(|packet| packet.kind == MediaKind::Video);
        let seen = layers.map(|packet| packet.stamp.layer).max();
        assert_eq!(seen, Some(highest), "{kbps} kbit/s");
    }
}
