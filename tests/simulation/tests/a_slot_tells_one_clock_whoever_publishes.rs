//! By the reports of its slots a client knows when everything was captured, on one clock: sound and picture of one person meet on
//! it, and it goes on evenly while slots go from one person to another, though no two people's clocks show the same.

use std::time::{Duration, SystemTime};

use protocol::media::MediaKind;
use simulation::{Path, Received, Videos, World};

const VIEWER: usize = 2;
const SIZES: [(u16, u16); 2] = [(320, 180), (1_280, 720)];
/// What pacing delays a picture, and hops.
const UNEVEN: Duration = Duration::from_millis(60);

/// Two people who publish and one who watches them, over two nodes.
fn watched(seed: u64) -> World {
    let mut world = World::new(seed, 2, Path::clean(10), Path::clean(40));
    for client in 0..3 {
        world.join_with(client % 2, Videos::SIMULCAST);
    }
    world.run(Duration::from_secs(2));
    world
}

/// How much longer after it was captured, on whatever clock that is told, one of these packets came than another.
fn unevenness<'a>(packets: impl Iterator<Item = &'a Received>, world: &World) -> Duration {
    let micros = |duration: Duration| duration.as_micros() as i64;
    let ages = packets.filter_map(|packet| {
        let captured = packet.captured?.duration_since(SystemTime::UNIX_EPOCH);
        let ago = world.now.duration_since(packet.at);
        Some(-micros(ago) - micros(captured.ok()?))
    });
    let ages: Vec<i64> = ages.collect();
    let (least, most) = (ages.iter().min(), ages.iter().max());
    let (least, most) = least.zip(most).expect("reports have come");
    Duration::from_micros((most - least) as u64)
}

#[test]
fn sound_and_picture_of_one_person_are_as_old_over_all_switches() {
    let mut world = watched(5);
    for time in 0..12 {
        world.clients[VIEWER].show_tiles(&[
            (World::camera(0), SIZES[time % 2], 0),
            (World::camera(1), SIZES[(time + 1) % 2], 0),
        ]);
        world.run(Duration::from_secs(1));
    }
    for person in 0..2 {
        let packets = world.clients[VIEWER].received.iter();
        let uneven = unevenness(
            packets.filter(|packet| packet.stamp.client == person),
            &world,
        );
        assert!(uneven < UNEVEN, "{person}: {uneven:?} apart");
    }
}

#[test]
fn a_slot_that_goes_to_another_person_tells_the_same_clock() {
    let mut world = watched(6);
    for turn in 0..12 {
        world.clients[VIEWER].show(&[World::camera(turn % 2)]);
        world.run(Duration::from_millis(1_700));
    }
    let packets = world.clients[VIEWER].received.iter();
    let pictures = packets.filter(|packet| packet.kind == MediaKind::Video);
    let uneven = unevenness(pictures, &world);
    assert!(uneven < 2 * UNEVEN, "{uneven:?} apart");
}
