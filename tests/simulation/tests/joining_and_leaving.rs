//! People come and go, and nobody who stays notices.

use std::time::Duration;

use protocol::media::MediaKind;
use protocol::node::NodeToRoom;
use simulation::{Path, World};

#[test]
fn a_third_and_a_fourth_join_without_a_new_negotiation() {
    let mut world = World::new(5, 2, Path::clean(5), Path::clean(30));
    world.join(0);
    world.join(1);
    world.run(Duration::from_secs(3));
    world.join(0);
    world.join(1);
    world.run(Duration::from_secs(3));
    let answers = world.told.iter();
    let answers = answers.filter(|(_, told)| matches!(told, NodeToRoom::Answer { .. }));
    assert_eq!(answers.count(), 4, "one answer each");
    for client in &world.clients {
        for other in (0..4).filter(|other| *other != client.number) {
            let seen = client
                .received
                .iter()
                .filter(|packet| packet.kind == MediaKind::Video && packet.stamp.client == other);
            assert!(seen.count() > 100, "{} sees {other}", client.number);
        }
    }
}

#[test]
fn a_member_that_is_sent_away_is_sent_nothing_more_and_its_slots_become_free() {
    let mut world = World::new(6, 2, Path::clean(5), Path::clean(30));
    for client in 0..3 {
        world.join(client % 2);
    }
    world.run(Duration::from_secs(3));
    world.kick(2);
    world.run(Duration::from_millis(200));
    let before = world.clients[2].received.len();
    world.run(Duration::from_secs(2));
    assert_eq!(world.clients[2].received.len(), before);
    for client in &world.clients[..2] {
        let carried = client
            .assignments
            .iter()
            .filter_map(|slot| slot.track.as_ref());
        let tracks: Vec<_> = carried.collect();
        assert_eq!(tracks.len(), 2, "the other one's camera and microphone");
        assert!(
            tracks
                .iter()
                .all(|track| track.participant.as_str() != "p2")
        );
    }
    assert_eq!(world.stats(0).sessions, 1);
}

#[test]
fn a_keyframe_is_asked_for_once_for_many_viewers() {
    let mut world = World::new(8, 2, Path::clean(5), Path::clean(30));
    world.join(0);
    world.run(Duration::from_secs(2));
    let before = world.clients[0].keyframes_asked();
    for _ in 0..5 {
        world.join(1);
    }
    world.run(Duration::from_secs(2));
    let asked = world.clients[0].keyframes_asked() - before;
    assert!(
        (1..=3).contains(&asked),
        "asked {asked} times for 5 viewers"
    );
}
