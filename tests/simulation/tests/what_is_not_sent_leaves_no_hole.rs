//! A path that carries less than is wanted, and loses nothing: what is held back from it is no loss to the receiver. Its numbers
//! have no hole, and none comes twice.

use std::time::Duration;

use protocol::media::{Codec, Source};
use simulation::{Bottleneck, Path, Videos, World};

const VIEWER: usize = 0;
const SECOND: Duration = Duration::from_secs(1);

/// An offer as it is.
fn as_offered(sdp: String) -> String {
    sdp
}

/// An offer without the extension and its feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01).
fn without_transport_wide(sdp: String) -> String {
    let kept = sdp.split_inclusive("\r\n");
    kept.filter(|line| !line.contains("transport-wide-cc") && !line.contains("transport-cc"))
        .collect()
}

/// So many cameras, each with frames so many times as large as usual (720 kbit/s), for half a minute, and one who watches them on a
/// path of 2.2 Mbit/s.
fn world(
    seed: u64,
    codec: Codec,
    (cameras, frames): (usize, u32),
    write: fn(String) -> String,
) -> World {
    let videos = Videos {
        codec,
        ..Videos::PLAIN
    };
    let mut world = World::new(seed, 1, Path::clean(20), Path::clean(1));
    assert_eq!(world.join_writing(0, videos, write), VIEWER);
    world.clients[VIEWER].silence();
    for publisher in 1..=cameras {
        world.join_with(0, videos);
        world.clients[publisher].show(&[]);
        world.clients[publisher].enlarge_frames(Source::Camera, 0, frames);
        world.clients[publisher].enlarge_keyframes(4);
    }
    let tile = |of: usize| (World::camera(of), (640, 360), u8::from(of == 1));
    let tiles: Vec<_> = (1..=cameras).map(tile).collect();
    world.clients[VIEWER].show_tiles(&tiles);
    let mut link = Bottleneck::of(2_200_000);
    // However much waits for it, nothing of it is lost.
    link.queue = 60 * SECOND;
    world.bottlenecks.insert(VIEWER, link);
    world.run(30 * SECOND);
    world
}

/// Share of the time after the first two seconds in which a picture stands still, in percent: the mean of those that are not paused
/// soon after their start.
fn still(world: &World) -> f64 {
    let decoders = world.clients[VIEWER].decoders.values();
    let flowing = decoders.filter(|decoder| decoder.shown.len() > 100);
    let frozen = flowing.map(|decoder| decoder.frozen(world.now - 28 * SECOND, world.now));
    let frozen: Vec<f64> = frozen.collect();
    100.0 * frozen.iter().sum::<f64>() / frozen.len() as f64
}

#[test]
fn a_path_that_loses_nothing_shows_no_loss() {
    for (seed, codec) in [(1, Codec::Vp8), (2, Codec::H264)] {
        for cameras in [(1, 3), (8, 1)] {
            let world = world(seed, codec, cameras, as_offered);
            let held_back = world.stats(0).drops.stale;
            let (holes, still) = (world.clients[VIEWER].holes(), still(&world));
            println!(
                "{cameras:?} in {codec:?}: {held_back} packets held back, {holes} holes, still for {still:.1}%"
            );
            assert!(held_back > 100, "the path was to be too narrow");
            assert_eq!(holes, 0, "{cameras:?} in {codec:?}");
            // One alone that does not fit is paused.
            assert!(cameras.0 == 1 || still < 15.0, "{still:.1}%");
        }
    }
}

#[test]
fn nor_to_a_client_without_transport_wide_feedback() {
    for (seed, cameras) in [(3, (1, 3)), (4, (8, 1))] {
        let world = world(seed, Codec::Vp8, cameras, without_transport_wide);
        assert_eq!(world.clients[VIEWER].holes(), 0, "{cameras:?}");
    }
}
