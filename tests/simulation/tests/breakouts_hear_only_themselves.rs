//! Who is in a breakout room sees and hears those in it and nobody else, wherever their nodes and shards are, and comes and goes
//! without a new session.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use protocol::media::MediaKind;
use protocol::node::NodeToRoom;
use simulation::{Path, World};

/// What is on the way when a node is told that somebody goes: between nodes, and to a client.
const ON_THE_WAY: Duration = Duration::from_millis(55);

/// Two nodes, one of them of two shards, and on each shard two of six people, of whom the second of each is louder.
fn call() -> World {
    let nodes = [("eu", 2), ("us", 1)];
    let mut world = World::laid_out(5, &nodes, Path::clean(10), Path::clean(40));
    for client in 0..6 {
        world.join(client / 2);
        world.clients[client].level = if client % 2 == 1 { 20 } else { 40 };
    }
    world.run(Duration::from_secs(4));
    world
}

/// Of whom a client has received something of this kind since then.
fn of_whom(world: &World, client: usize, kind: MediaKind, since: Instant) -> BTreeSet<u8> {
    let received = world.clients[client].received.iter();
    let since = received.filter(|packet| packet.kind == kind && packet.at > since);
    since.map(|packet| packet.stamp.client).collect()
}

/// Of each the others of its group, and nobody else, since then.
fn are_apart(world: &World, groups: &[&[usize]], since: Instant) {
    for group in groups {
        for client in *group {
            let others = group.iter().filter(|other| *other != client);
            let others: BTreeSet<u8> = others.map(|other| *other as u8).collect();
            for kind in [MediaKind::Audio, MediaKind::Video] {
                let of = of_whom(world, *client, kind, since);
                assert_eq!(of, others, "{kind:?} at client {client}");
            }
        }
    }
}

fn sessions_lost(world: &World) -> usize {
    let lost = world.told.iter().filter(|(_, told)| {
        let ends = matches!(told, NodeToRoom::Disconnected { .. });
        ends || matches!(told, NodeToRoom::Refused { .. })
    });
    lost.count()
}

#[test]
fn who_is_in_one_sees_and_hears_those_in_it_alone() {
    let mut world = call();
    let groups: [&[usize]; 3] = [&[0, 3], &[1, 4, 5], &[2]];
    world.open_breakouts(&[7, 8]);
    for (group, breakout) in groups.into_iter().zip([Some(7), Some(8), None]) {
        for client in group {
            world.go_to(*client, breakout);
        }
    }
    let since = world.now + ON_THE_WAY;
    world.run(Duration::from_secs(4));
    are_apart(&world, &groups, since);
    for (client, other) in [(0, 3), (3, 0), (1, 4), (4, 5), (5, 1)] {
        let lately = Duration::from_millis(300);
        assert!(world.sees(client, other, lately), "{client} sees {other}");
    }
    // Who speaks in the one is not told in the other, either.
    for (group, client) in groups.iter().flat_map(|g| g.iter().map(move |c| (g, *c))) {
        let told = world.clients[client].speakers.iter();
        let lately = told.filter(|(at, _)| *at > since + Duration::from_millis(100));
        let speakers: BTreeSet<_> = lately.flat_map(|(_, speakers)| speakers).collect();
        let names: BTreeSet<_> = group
            .iter()
            .map(|c| World::camera(*c).participant)
            .collect();
        assert!(
            speakers.iter().all(|who| names.contains(who)),
            "at {client}: {speakers:?}"
        );
    }
    assert_eq!(sessions_lost(&world), 0);
}

#[test]
fn one_who_looks_into_each_and_comes_back_leaves_nothing_behind() {
    let mut world = call();
    world.open_breakouts(&[1, 2]);
    for (client, breakout) in [(0, 1), (3, 1), (1, 2), (4, 2)] {
        world.go_to(client, Some(breakout));
    }
    world.run(Duration::from_secs(2));
    for (breakout, group) in [(Some(1), [0, 3]), (Some(2), [1, 4]), (None, [2, 5])] {
        world.go_to(5, breakout);
        let since = world.now + ON_THE_WAY;
        world.run(Duration::from_secs(3));
        let expected: BTreeSet<u8> = group.into_iter().filter(|c| *c != 5).collect();
        for kind in [MediaKind::Audio, MediaKind::Video] {
            assert_eq!(of_whom(&world, 5, kind, since), expected, "{breakout:?}");
        }
    }
    assert_eq!(sessions_lost(&world), 0);
}

#[test]
fn all_are_together_again_when_they_are_over() {
    let mut world = call();
    world.open_breakouts(&[1, 2]);
    for client in 0..6 {
        world.go_to(client, Some(client as u32 % 2 + 1));
    }
    world.run(Duration::from_secs(2));
    world.open_breakouts(&[]);
    let since = world.now + ON_THE_WAY;
    world.run(Duration::from_secs(4));
    for client in 0..6 {
        let seen = of_whom(&world, client, MediaKind::Video, since);
        assert_eq!(seen.len(), 5, "client {client} sees {seen:?}");
    }
    let lately = Duration::from_millis(300);
    assert!(world.sees(0, 1, lately) && world.sees(4, 1, lately));
    assert_eq!(sessions_lost(&world), 0);
    assert_eq!(world.stats(0).rooms, 1);
}

#[test]
fn who_comes_late_or_anew_is_where_the_room_says() {
    let mut world = call();
    world.open_breakouts(&[1]);
    world.go_to(0, Some(1));
    world.go_to(3, Some(1));
    world.run(Duration::from_secs(1));
    world.breakout_of_newcomers = Some(1);
    world.rejoin(3, 1);
    let late = world.join(2);
    let since = world.now;
    world.run(Duration::from_secs(4));
    are_apart(&world, &[&[0, 3, late], &[1, 2, 4, 5]], since + ON_THE_WAY);
}
