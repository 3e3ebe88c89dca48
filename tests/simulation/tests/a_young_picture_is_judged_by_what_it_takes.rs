//! A camera that takes less than usual, on a path that carries it and loses some: it moves on when the path becomes known, which is
//! before its rate is.

use std::time::Duration;

use simulation::{Bottleneck, Path, Videos, World, without_rtx};

const VIEWER: usize = 1;
/// In bytes: 100 kbit/s, where 500 are usual.
const FRAME: usize = 400;
/// In bits per second.
const CARRIED: u64 = 250_000;

/// How long the picture stood still at most.
fn standstill(seed: u64) -> Duration {
    let mut world = World::new(seed, 1, Path::clean(10), Path::clean(1));
    world.join(0);
    // Probes, which travel in repair packets, would raise the estimate.
    world.join_writing(0, Videos::PLAIN, |sdp| without_rtx(&sdp, ""));
    world.clients[0].shrink_frames(FRAME);
    world.clients[VIEWER].silence();
    world.clients[VIEWER].asks_without_rtx = true;
    let access = Path::clean(10).lossy(0.05);
    world.access_of.insert(VIEWER, access);
    world.bottlenecks.insert(VIEWER, Bottleneck::of(CARRIED));
    world.run(Duration::from_secs(6));
    let decoders = world.clients[VIEWER].decoders.values();
    let gaps = decoders.flat_map(|decoder| {
        let shown = decoder.shown.windows(2);
        shown.map(|pair| pair[1] - pair[0])
    });
    gaps.max().expect("frames are shown")
}

#[test]
fn it_is_not_paused_when_the_path_becomes_known() {
    for seed in 1..=40 {
        let longest = standstill(seed);
        assert!(longest < Duration::from_secs(1), "{longest:?} with {seed}");
    }
}
