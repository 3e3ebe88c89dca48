//! A client that negotiated NACK and no stream for repair (RFC 4588) gets what it misses once more as it was.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, Videos, World, without_rtx};

const VIEWER: usize = 1;

/// One sends such videos, and one watches over a path that loses some, who knows no repair packets of the codecs whose names begin so.
fn shows_each_frame(seed: u64, videos: Videos, codec: &'static str) {
    let access = Path::clean(15);
    let mut world = World::new(seed, 1, access, Path::clean(1));
    world.join_with(0, videos);
    world.join_writing(0, videos, |sdp| without_rtx(&sdp, codec));
    world.clients[VIEWER].silence();
    world.clients[VIEWER].asks_without_rtx = true;
    world.run(Duration::from_secs(5));
    world.access_of.insert(VIEWER, access.lossy(0.03));
    let (before, start) = (world.stats(0), world.now);
    world.run(Duration::from_secs(30));
    world.access_of.insert(VIEWER, access);
    world.run(Duration::from_secs(2));

    let again = world.stats(0).retransmissions - before.retransmissions;
    let received = world.clients[VIEWER].received.iter();
    let mut numbers: Vec<u64> = received
        .filter(|packet| packet.kind == MediaKind::Video && packet.at >= start)
        .map(|packet| packet.sequence)
        .collect();
    numbers.sort_unstable();
    let came = numbers.len();
    numbers.dedup();
    assert_eq!(numbers.len(), came, "a number came twice");
    let missing = numbers[came - 1] - numbers[0] + 1 - came as u64;
    println!("seed {seed}: {again} sent again, {missing} of {came} still missing");
    assert!(again > 50, "seed {seed}: {again} sent again");
    assert!(
        missing <= came as u64 / 500,
        "seed {seed}: {missing} of {came} are missing"
    );
}

#[test]
fn a_lossy_path_shows_each_frame() {
    for seed in [1, 2, 3] {
        shows_each_frame(seed, Videos::PLAIN, "");
    }
}

#[test]
fn so_it_does_where_another_codec_has_repair_packets() {
    for seed in [1, 2, 3] {
        shows_each_frame(seed, Videos::PLAIN_H264, "H264");
    }
}
