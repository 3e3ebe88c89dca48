//! The room hears of everybody's quality, as the paths are.

use std::time::Duration;

use protocol::client::Quality;
use protocol::node::NodeToRoom;
use simulation::{Path, Videos, World};

/// What the room was told last of each client, and how often it was told anything.
fn told(world: &World) -> (Vec<Quality>, usize) {
    let reports = world.told.iter().filter_map(|(_, told)| match told {
        NodeToRoom::Quality { participants } => Some(participants),
        _ => None,
    });
    let reports: Vec<_> = reports.collect();
    let latest = reports.last().expect("a report");
    let qualities = latest.iter().map(|entry| entry.quality).collect();
    (qualities, reports.len())
}

#[test]
fn a_good_path_is_told_as_good_and_a_lossy_one_as_lossy() {
    let mut world = World::new(51, 1, Path::clean(20), Path::clean(30));
    world.join_with(0, Videos::SIMULCAST);
    world.join_with(0, Videos::SIMULCAST);
    world.run(Duration::from_secs(21));
    let (qualities, reports) = told(&world);
    assert!((3..=4).contains(&reports), "{reports} in 21 s");
    assert_eq!(qualities.len(), 2);
    for quality in &qualities {
        let round_trip = quality.round_trip_ms.expect("measured");
        assert!((35.0..60.0).contains(&round_trip), "{quality:?}");
        assert!(
            quality.up.loss < 0.01 && quality.down.loss < 0.01,
            "{quality:?}"
        );
        assert!(
            quality.up.bitrate > 50_000 && quality.down.bitrate > 50_000,
            "{quality:?}"
        );
        assert!(quality.score > 4.3, "{quality:?}");
    }

    world.access = Path::clean(20).lossy(0.10);
    world.run(Duration::from_secs(15));
    let (qualities, _) = told(&world);
    for quality in &qualities {
        assert!((0.05..0.16).contains(&quality.up.loss), "{quality:?}");
        assert!((0.03..0.16).contains(&quality.down.loss), "{quality:?}");
        assert!((2.0..4.0).contains(&quality.score), "{quality:?}");
    }
}

#[test]
fn the_room_hears_how_long_pictures_stood_still_as_their_viewers_say() {
    let mut world = World::new(52, 1, Path::clean(20), Path::clean(30));
    world.join(0);
    world.join(0);
    world.run(Duration::from_secs(12));
    let frozen = |world: &World| told(world).0.iter().map(|q| q.frozen).collect::<Vec<_>>();
    assert_eq!(frozen(&world), [None, None], "nobody has said anything");

    world.clients[0].report_playback(0.25);
    world.clients[1].report_playback(0.0);
    world.run(Duration::from_secs(11));
    assert_eq!(frozen(&world), [Some(0.25), Some(0.0)]);

    // The latest counts, and no share is less than nothing or more than all.
    world.clients[0].report_playback(0.5);
    world.clients[0].report_playback(7.0);
    world.clients[1].report_playback(-1.0);
    world.run(Duration::from_secs(11));
    assert_eq!(frozen(&world), [Some(1.0), Some(0.0)]);

    // JSON has no such number, and no client is believed that sends one.
    world.clients[0].report_playback(f32::NAN);
    world.run(Duration::from_secs(11));
    assert_eq!(frozen(&world), [Some(1.0), Some(0.0)]);
}
