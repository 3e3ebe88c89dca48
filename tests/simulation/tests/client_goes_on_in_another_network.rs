//! A client that changes its network goes on by an ICE restart: the same session and slots, and a short gap.

use std::time::Duration;

use protocol::media::{MediaKind, Source};
use protocol::node::NodeToRoom;
use simulation::{Path, World};

#[test]
fn after_an_ice_restart_media_goes_on_both_ways_in_the_same_slots() {
    let mut world = World::new(3, 1, Path::clean(25), Path::clean(0));
    world.join(0);
    world.join(0);
    world.run(Duration::from_secs(3));
    let before = world.now;
    world.change_network(0, Duration::from_millis(60));
    world.run(Duration::from_secs(3));
    for (client, other) in [(0, 1), (1, 0)] {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let received = world.clients[client].received.iter();
            let of_other: Vec<_> = received
                .filter(|packet| packet.kind == kind && packet.stamp.client == other)
                .collect();
            let last = of_other.iter().rev().find(|packet| packet.at <= before);
            let next = of_other
                .iter()
                .find(|packet| packet.at > before + Duration::from_millis(50));
            let (last, next) = (last.expect("before"), next.expect("after"));
            let gap = next.at - last.at;
            assert!(
                gap < Duration::from_secs(2),
                "{kind:?} of {other}: a gap of {gap:?}"
            );
            assert_eq!(last.slot, next.slot);
            let lost = next.sequence - last.sequence;
            assert!(lost < 200, "the same stream goes on, {lost} packets later");
            println!("client {client}, {kind:?} of {other}: {gap:?}");
        }
    }
    let ended = |(_, told): &(usize, NodeToRoom)| matches!(told, NodeToRoom::Disconnected { .. });
    assert!(!world.told.iter().any(ended));
}

#[test]
fn who_only_watches_is_sent_to_its_new_address_at_once() {
    let mut world = World::new(4, 1, Path::clean(25), Path::clean(0));
    world.join(0);
    world.join(0);
    world.clients[0].mute();
    let now = world.now;
    world.clients[0].set_active(now, Source::Camera, 0, false);
    world.run(Duration::from_secs(3));
    let before = world.now;
    world.change_network(0, Duration::from_millis(60));
    world.run(Duration::from_secs(3));
    let received = world.clients[0].received.iter();
    let first = received.filter(|packet| packet.at > before + Duration::from_millis(50));
    let first = first.map(|packet| packet.at - before).min().expect("media");
    assert!(first < Duration::from_millis(600), "after {first:?}");
}
