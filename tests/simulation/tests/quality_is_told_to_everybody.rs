//! Everybody is told how everybody's media travels, as the paths are; from node to node, and past the room.

use std::time::Duration;

use protocol::client::Quality;
use protocol::media::Source;
use simulation::{Client, Path, Videos, World};

/// What the first client was told last of each, and how often it was told anything.
fn told(world: &World) -> (Vec<Quality>, usize) {
    told_to(world, 0)
}

fn told_to(world: &World, client: usize) -> (Vec<Quality>, usize) {
    let client = &world.clients[client];
    (client.latest_qualities(), client.qualities.len())
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
fn what_one_loses_on_the_way_up_is_no_loss_of_those_who_receive_it() {
    let mut world = World::new(53, 1, Path::clean(20), Path::clean(30));
    for _ in 0..3 {
        world.join_with(0, Videos::SIMULCAST);
    }
    world.run(Duration::from_secs(6));
    world.uplink_of.insert(0, world.access.lossy(0.15));
    world.run(Duration::from_secs(20));
    let (qualities, _) = told(&world);
    let [publisher, others @ ..] = &qualities[..] else {
        panic!("three are there");
    };
    assert!((0.10..0.20).contains(&publisher.up.loss), "{publisher:?}");
    assert!(publisher.down.loss < 0.01, "{publisher:?}");
    for other in others {
        assert_eq!((other.up.loss, other.down.loss), (0.0, 0.0), "{other:?}");
        assert!(other.score > 4.3, "{other:?}");
    }
}

#[test]
fn by_what_one_is_late_on_the_way_up_others_are_not() {
    let mut world = World::new(55, 1, Path::clean(20), Path::clean(30));
    for _ in 0..2 {
        world.join(0);
    }
    let now = world.now;
    world.clients[0].set_active(now, Source::Camera, 0, false);
    world.uplink_of.insert(0, world.access.jittery(60));
    world.run(Duration::from_secs(16));
    let (qualities, _) = told(&world);
    assert!(qualities[0].up.jitter_ms > 10.0, "{qualities:?}");
    assert!(qualities[1].down.jitter_ms < 2.0, "{qualities:?}");
    // What the way down does, it does to its receiver.
    world.uplink_of.insert(1, Path::clean(20));
    world.access_of.insert(1, Path::clean(20).jittery(60));
    world.run(Duration::from_secs(16));
    let (qualities, _) = told(&world);
    assert!(qualities[1].down.jitter_ms > 10.0, "{qualities:?}");
    assert!(qualities[1].up.jitter_ms < 2.0, "{qualities:?}");
}

#[test]
fn what_was_lost_once_is_not_told_for_ever() {
    let mut world = World::new(54, 1, Path::clean(20), Path::clean(30));
    world.join(0);
    world.join(0);
    // A handshake that loses its last flight may take longer than all that follows.
    world.run(Duration::from_secs(2));
    world.access = Path::clean(20).lossy(0.15);
    world.run(Duration::from_secs(15));
    let (qualities, _) = told(&world);
    assert!(
        qualities.iter().all(|quality| quality.down.loss > 0.03),
        "{qualities:?}"
    );
    // Nobody sends anything any more, so nothing is lost.
    world.access = Path::clean(20);
    world.clients.iter_mut().for_each(Client::silence);
    world.run(Duration::from_secs(25));
    let (qualities, _) = told(&world);
    assert!(
        qualities.iter().all(|quality| quality.down.loss < 0.01),
        "{qualities:?}"
    );
}

#[test]
fn everybody_hears_how_long_pictures_stood_still_as_their_viewers_say() {
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

#[test]
fn who_is_at_another_node_is_told_of_too_and_no_more_when_they_are_gone() {
    let mut world = World::new(56, 2, Path::clean(20), Path::clean(30));
    world.join_with(0, Videos::SIMULCAST);
    world.join_with(1, Videos::SIMULCAST);
    world.access_of.insert(1, Path::clean(80));
    world.run(Duration::from_secs(21));
    for client in 0..2 {
        let (qualities, _) = told_to(&world, client);
        let [near, far] = &qualities[..] else {
            panic!("{qualities:?}");
        };
        assert!(near.round_trip_ms < far.round_trip_ms, "{qualities:?}");
    }
    world.close(1, 1, 1);
    world.run(Duration::from_secs(31));
    assert_eq!(told(&world).0.len(), 1);
}
