//! A client that negotiated NACK and no stream for repair (RFC 4588) gets what it misses once more as it was.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, Videos, World};

const VIEWER: usize = 1;

/// An offer without the formats that repair packets of a codec have, or of each whose name begins so.
fn without_rtx(sdp: &str, codec: &str) -> String {
    let begins = |line: &&str, begin: &str| line.starts_with(begin);
    let maps = sdp.lines().filter_map(|line| {
        let map = line.strip_prefix("a=rtpmap:")?;
        map.split_once(' ')
    });
    let repaired: Vec<&str> = maps
        .filter(|(_, name)| name.starts_with(codec))
        .map(|(number, _)| number)
        .collect();
    let parameters = sdp.lines().filter_map(|line| {
        let parameters = line.strip_prefix("a=fmtp:")?;
        parameters.split_once(" apt=")
    });
    let numbers: Vec<&str> = parameters
        .filter(|(_, apt)| repaired.contains(apt))
        .map(|(number, _)| number)
        .collect();
    let is_of_rtx = |line: &&str| {
        let of = |number: &&str| {
            begins(line, &format!("a=fmtp:{number} "))
                || begins(line, &format!("a=rtpmap:{number} "))
        };
        numbers.iter().any(of)
    };
    let lines = sdp.lines().filter(|line| !is_of_rtx(line));
    let lines = lines.map(|line| match line.starts_with("m=video") {
        true => {
            let words = line.split(' ').filter(|word| !numbers.contains(word));
            words.collect::<Vec<_>>().join(" ")
        }
        false => line.to_owned(),
    });
    lines.map(|line| line + "\r\n").collect()
}

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
