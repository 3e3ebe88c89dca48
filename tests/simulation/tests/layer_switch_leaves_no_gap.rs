//! A switch from layer to layer leaves no gap: the picture moves on, and sequence, timestamps and VP8's picture ids count on,
//! over their wrap-arounds too, in VP8 and in H.264.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::media::{Codec, MediaKind};
use simulation::{Path, Received, Videos, World};

const CODECS: [Videos; 2] = [Videos::SIMULCAST, Videos::SIMULCAST_H264];
const SIZES: [(u16, u16); 3] = [(320, 180), (640, 360), (1_280, 720)];

/// A viewer whose tile changes its size every second, and everything that it received in its video slot.
fn switching(
    seed: u64,
    videos: Videos,
    path: Path,
    seconds: usize,
) -> (World, BTreeMap<u64, Received>) {
    let mut world = World::new(seed, 1, path, Path::clean(1));
    world.join_with(0, videos);
    world.join(0);
    // The other layers are there when a switch needs them; how soon they start again is another matter.
    world.clients[0].obeys_demand = false;
    resize(&mut world, seconds, Duration::from_secs(1));
    let received = world.clients[1].received.iter();
    let video = received.filter(|packet| packet.kind == MediaKind::Video);
    let by_sequence = video.map(|packet| (packet.sequence, packet.clone()));
    let packets = by_sequence.collect();
    (world, packets)
}

/// The second client shows the first one's camera in a tile that changes its size so many times.
fn resize(world: &mut World, times: usize, pause: Duration) {
    world.clients[1].mute();
    for time in 0..times {
        let size = SIZES[[0, 2, 1, 0, 1, 2][time % 6]];
        world.clients[1].show_tiles(&[(World::camera(0), size, 0)]);
        world.run(pause);
    }
}

#[test]
fn numbers_count_on_over_every_switch() {
    for videos in CODECS {
        let (_, packets) = switching(3, videos, Path::clean(10), 30);
        let switches = pairs(&packets).filter(|(a, b)| a.stamp.layer != b.stamp.layer);
        assert!(switches.count() >= 20, "not every size led to a switch");
        for (a, b) in pairs(&packets) {
            counts_on(a, b, videos.codec);
        }
    }
}

/// Checks that of two packets one after the other the numbers follow.
fn counts_on(a: &Received, b: &Received, codec: Codec) {
    assert_eq!(b.sequence, a.sequence + 1, "a gap");
    let step = b.timestamp.wrapping_sub(a.timestamp);
    let is_switch = a.stamp.layer != b.stamp.layer;
    if is_switch {
        assert!(b.stamp.keyframe, "a switch is at a keyframe");
        // Two frames of two layers that were taken within one frame's time of each other.
        assert!((1..=2 * 2_970 + 90).contains(&step), "a step of {step}");
    } else if step != 0 {
        assert!(step.abs_diff(2_970) <= 1, "a step of {step}");
    }
    let pictures = a.picture.zip(b.picture);
    let pictures = pictures.map(|(a, b)| b.wrapping_sub(a) & 0x7fff);
    // H.264 has no picture ids; there is nothing to rewrite but the header.
    let expected = (codec == Codec::Vp8).then_some(u16::from(step != 0));
    assert_eq!(pictures, expected);
}

#[test]
fn the_picture_never_stands_still_for_a_switch() {
    let paths = [(1, Path::clean(20)), (2, Path::clean(60).jittery(15))];
    for ((seed, path), videos) in paths
        .into_iter()
        .flat_map(|path| CODECS.map(|of| (path, of)))
    {
        let (world, _) = switching(seed, videos, path, 20);
        let decoder = world.clients[1].decoders.values().next();
        let decoder = decoder.expect("something was shown");
        let start = world.now - Duration::from_secs(18);
        let frozen = decoder.frozen(start, world.now - Duration::from_millis(500));
        assert_eq!(frozen, 0.0, "seed {seed}, {:?}", videos.codec);
        assert!(decoder.shown.len() > 20 * 28, "{}", decoder.shown.len());
    }
}

#[test]
fn nor_when_the_layer_has_to_be_started_first_by_a_publisher_at_another_node() {
    for videos in CODECS {
        let mut world = World::new(5, 2, Path::clean(20), Path::clean(60));
        world.join_with(0, videos);
        world.join(1);
        // Longer than what nobody watches is still encoded.
        resize(&mut world, 10, Duration::from_secs(3));
        let decoder = world.clients[1].decoders.values().next();
        let decoder = decoder.expect("something was shown");
        let start = world.now - Duration::from_secs(26);
        assert_eq!(decoder.frozen(start, world.now), 0.0, "{:?}", videos.codec);
        let received = world.clients[1].received.iter();
        let layers: Vec<u8> = received
            .filter(|packet| packet.kind == MediaKind::Video)
            .map(|packet| packet.stamp.layer)
            .collect();
        let switches = layers.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(switches >= 9, "{switches} switches, {:?}", videos.codec);
    }
}

#[test]
fn next_to_nothing_is_lost_for_good_when_the_path_loses_and_reorders() {
    for (seed, videos) in [1, 2, 3]
        .into_iter()
        .flat_map(|seed| CODECS.map(|of| (seed, of)))
    {
        let path = Path::clean(15).jittery(8).lossy(0.02);
        let (world, packets) = switching(seed, videos, path, 30);
        // What the first estimates of the path hold back is not lost on it.
        let settled = world.now - Duration::from_secs(25);
        let first = packets.iter().find(|(_, packet)| packet.at >= settled);
        let first = first.expect("some").0 + 120;
        let last = packets.keys().next_back().expect("some");
        let share = packets.range(first..).count() as f64 / (last + 1 - first) as f64;
        // The rest is what had waited for the path until it was of no use: the next keyframe stands for it.
        assert!(share > 0.98, "seed {seed}, {:?}: {share:.4}", videos.codec);
    }
}

fn pairs(packets: &BTreeMap<u64, Received>) -> impl Iterator<Item = (&Received, &Received)> {
    packets.values().zip(packets.values().skip(1))
}
