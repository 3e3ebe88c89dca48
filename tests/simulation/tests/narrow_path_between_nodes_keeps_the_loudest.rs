//! The path between two nodes becomes too narrow for what is wanted: sound goes on, the loudest are still seen, the others
//! are paused rather than all of them spoiled; and all are back when the path is.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use protocol::media::MediaKind;
use simulation::{Path, World};

/// A video of a simulated client takes some 730 kbit/s, its sound some 45.
const FOR_ONE: f64 = 1_200_000.0;
const FOR_ALL: f64 = 8_000_000.0;

/// Packets of each sender that a client received since then.
fn counts(world: &World, client: usize, kind: MediaKind, since: Instant) -> HashMap<u8, usize> {
    let received = world.clients[client].received.iter();
    let received = received.filter(|packet| packet.kind == kind && packet.at > since);
    received.fold(HashMap::new(), |mut counts, packet| {
        *counts.entry(packet.stamp.client).or_default() += 1;
        counts
    })
}

/// Three publishers of whom the second is the loudest, and somebody who watches them from another region.
fn meeting(seed: u64) -> (World, usize) {
    let nodes = [("eu", 1), ("us", 1)];
    let mut world = World::laid_out(seed, &nodes, Path::clean(5), Path::clean(40));
    for level in [50, 20, 60] {
        let publisher = world.join(0);
        world.clients[publisher].level = level;
    }
    let viewer = world.join(1);
    world.clients[viewer].silence();
    world.narrow(0, 1, FOR_ALL);
    world.run(Duration::from_secs(4));
    (world, viewer)
}

#[test]
fn sound_goes_on_and_the_loudest_is_seen_well() {
    let (mut world, viewer) = meeting(1);
    world.narrow(0, 1, FOR_ONE);
    world.run(Duration::from_secs(2));
    let since = world.now;
    world.run(Duration::from_secs(10));
    let sound = counts(&world, viewer, MediaKind::Audio, since);
    for publisher in 0..3 {
        let heard = sound.get(&publisher).copied().unwrap_or(0);
        assert!(
            heard > 485,
            "{heard} of 500 packets of {publisher} are heard"
        );
    }
    let video = counts(&world, viewer, MediaKind::Video, since);
    let loudest = video.get(&1).copied().unwrap_or(0);
    assert!(
        loudest > 860,
        "{loudest} of 909 packets of the loudest are seen"
    );
    let others: usize = video
        .iter()
        .filter(|(who, _)| **who != 1)
        .map(|(_, n)| n)
        .sum();
    assert!(
        others < 500,
        "the others wait, but for a try now and then: {others}"
    );
}

#[test]
fn all_are_back_within_seconds_when_the_path_is() {
    let (mut world, viewer) = meeting(2);
    world.narrow(0, 1, FOR_ONE);
    world.run(Duration::from_secs(5));
    world.narrow(0, 1, FOR_ALL);
    let all = |world: &World| (0..3).all(|who| world.sees(viewer, who, Duration::from_millis(100)));
    assert!(world.run_until(Duration::from_secs(15), all));
    let before = world.stats(0).relay_pauses;
    world.run(Duration::from_secs(20));
    assert!(all(&world));
    assert_eq!(world.stats(0).relay_pauses, before, "and they stay");
}

#[test]
fn a_path_that_stays_narrow_is_tried_ever_less_often() {
    let (mut world, viewer) = meeting(3);
    world.narrow(0, 1, FOR_ONE);
    world.run(Duration::from_secs(60));
    let before = world.stats(0).relay_pauses;
    world.run(Duration::from_secs(60));
    let pauses = world.stats(0).relay_pauses - before;
    assert!(pauses <= 6, "{pauses} pauses in a minute");
    assert!(world.sees(viewer, 1, Duration::from_millis(200)));
}
