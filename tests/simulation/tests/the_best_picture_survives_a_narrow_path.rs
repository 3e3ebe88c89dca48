//! Many videos on a path that falls to what one of them takes: the others give way, so that the most important one moves on.

use std::time::Duration;

use simulation::{Bottleneck, Client, Path, World};

const PUBLISHERS: usize = 8;
const VIEWER: usize = PUBLISHERS;
const BEST: usize = 5;
const SEEDS: [u64; 4] = [1, 2, 3, 4];

/// Eight videos of 720 kbit/s, on a path that falls to so many bits per second. Share of the first ten seconds after the fall in
/// which the most important picture stands still, and of the ten after them.
fn frozen(seed: u64, rate: u64, voices: usize) -> [f64; 2] {
    let mut world = World::new(seed, 1, Path::clean(25), Path::clean(1));
    for _ in 0..=PUBLISHERS {
        world.join(0);
    }
    for publisher in 0..PUBLISHERS {
        if publisher >= voices {
            world.clients[publisher].mute();
        }
        world.clients[publisher].show(&[]);
    }
    world.clients[VIEWER].silence();
    let keyframe = |client: &mut Client| client.enlarge_keyframes(6);
    world.clients.iter_mut().for_each(keyframe);
    let tiles = (0..PUBLISHERS).map(|of| (World::camera(of), (640, 360), u8::from(of == BEST)));
    world.clients[VIEWER].show_tiles(&tiles.collect::<Vec<_>>());
    let mut link = Bottleneck::of(20_000_000);
    world.bottlenecks.insert(VIEWER, link);
    world.run(Duration::from_secs(12));
    link.rate = rate;
    world.bottlenecks.insert(VIEWER, link);
    let mut received = world.clients[VIEWER].received.iter().rev();
    let of_best = received
        .find(|packet| packet.picture.is_some() && usize::from(packet.stamp.client) == BEST);
    let slot = of_best.expect("it is shown").slot;
    [(); 2].map(|()| {
        let start = world.now;
        world.run(Duration::from_secs(10));
        world.clients[VIEWER].decoders[&slot].frozen(start, world.now)
    })
}

/// The mean of some runs, in percent.
fn mean(rate: u64, voices: usize) -> [f64; 2] {
    let runs = SEEDS.map(|seed| frozen(seed, rate, voices));
    let mean = |part: usize| {
        let sum: f64 = runs.iter().map(|run| run[part]).sum();
        (100.0 * sum / runs.len() as f64).abs()
    };
    let [first, then] = [mean(0), mean(1)];
    println!(
        "{rate} bit/s, {voices} voices: {first:.0}% of the first 10 s, {then:.0}% of the next"
    );
    [first, then]
}

#[test]
fn of_eight_videos_on_the_path_of_one_the_most_important_moves_on() {
    let [first, then] = mean(1_000_000, 0);
    assert!(first < 30.0 && then < 5.0, "{first:.0}% and {then:.0}%");
    // With the sound of three it takes 90% of the path, and keyframes come on top.
    let [first, then] = mean(1_000_000, 3);
    assert!(first < 40.0 && then < 10.0, "{first:.0}% and {then:.0}%");
}
