//! A viewer on a path that loses much needs one keyframe after the other. The others, who would get them all, too, see the
//! same as without it.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, World};

const VIEWERS: usize = 5;
const POOR: usize = VIEWERS;
const TIME: Duration = Duration::from_secs(60);

/// Keyframes that the publisher is asked for in a minute, and bits per second of its video that each of the other viewers gets,
/// when the last one's path loses this share.
fn with_loss(seed: u64, loss: f64) -> (u32, Vec<u64>) {
    let access = Path::clean(30).jittery(4);
    let mut world = World::new(seed, 1, access, Path::clean(0));
    for _ in 0..=VIEWERS {
        world.join(0);
    }
    for viewer in 1..=VIEWERS {
        world.clients[viewer].silence();
        world.clients[viewer].show(&[World::camera(0)]);
    }
    world.clients[0].enlarge_keyframes(6);
    world.clients[0].show(&[]);
    world.run(Duration::from_secs(3));
    world.access_of.insert(POOR, access.lossy(loss));
    let decoders = world.clients[POOR].decoders.values_mut();
    decoders.for_each(|decoder| decoder.is_impatient = loss > 0.0);
    let (start, asked) = (world.now, world.clients[0].keyframes_asked());
    world.run(TIME);
    let rate = |viewer: &usize| {
        let packets = world.clients[*viewer].received.iter();
        let packets = packets.filter(|p| p.kind == MediaKind::Video && p.at > start);
        packets.count() as u64 * 8_000 / TIME.as_secs()
    };
    let others: Vec<usize> = (1..POOR).collect();
    let asked = world.clients[0].keyframes_asked() - asked;
    let poor = world.clients[POOR].decoders.values().next();
    let frozen = poor.map_or(1.0, |decoder| decoder.frozen(start, world.now));
    println!(
        "seed {seed}, {loss} lost: {asked} keyframes, the last one frozen {frozen:.2} of the time"
    );
    (asked, others.iter().map(rate).collect())
}

#[test]
fn the_number_of_keyframes_is_bounded_and_the_others_bit_rate_is_undisturbed() {
    for seed in [1, 2, 3] {
        let (_, usual) = with_loss(seed, 0.0);
        let (asked, rates) = with_loss(seed, 0.2);
        println!("others: {usual:?} and {rates:?} bit/s");
        // A few soon, and one in four seconds for what gets lost; as much again at most for what overran the path.
        assert!(asked <= 30, "{asked} keyframes in a minute");
        for (usual, rate) in usual.iter().zip(rates) {
            assert!(rate < usual + usual / 10, "{rate} instead of {usual}");
        }
    }
}
