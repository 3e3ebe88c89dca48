//! A client that negotiated NACK and no stream for repair (RFC 4588) gets what it misses once more as it was.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, Videos, World};

const VIEWER: usize = 1;

/// An offer without the formats of repair packets.
fn without_rtx(sdp: String) -> String {
    let number = |line: &str| {
        let format = line.strip_prefix("a=rtpmap:")?.split_once(" rtx/")?;
        Some(format.0.to_owned())
    };
    let numbers: Vec<String> = sdp.lines().filter_map(number).collect();
    let is_of_rtx = |line: &str| {
        let of = |number: &String| line.starts_with(&format!("a=fmtp:{number} "));
        line.contains(" rtx/") || numbers.iter().any(of)
    };
    let lines = sdp.lines().filter(|line| !is_of_rtx(line));
    let lines = lines.map(|line| match line.starts_with("m=video") {
        true => {
            let words = line
                .split(' ')
                .filter(|word| !numbers.iter().any(|n| n == word));
            words.collect::<Vec<_>>().join(" ")
        }
        false => line.to_owned(),
    });
    lines.map(|line| line + "\r\n").collect()
}

#[test]
fn a_lossy_path_shows_each_frame() {
    for seed in [1, 2, 3] {
        let access = Path::clean(15);
        let mut world = World::new(seed, 1, access, Path::clean(1));
        world.join(0);
        world.join_writing(0, Videos::PLAIN, without_rtx);
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
}
