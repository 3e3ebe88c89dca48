//! Who speaks is said to everybody within 300 ms, on both nodes, and that nobody does any more too.

use std::time::{Duration, Instant};

use protocol::id::ParticipantId;
use simulation::{Path, World, participant};

const SILENT: u8 = 100;
const LOUD: u8 = 25;

/// Four silent people at two nodes.
fn world(seed: u64) -> World {
    let mut world = World::new(seed, 2, Path::clean(10), Path::clean(40));
    for client in 0..4 {
        world.join(client % 2);
        world.clients[client].level = SILENT;
    }
    world.run(Duration::from_secs(4));
    world
}

/// When each client was first told these speakers, after some moment.
fn told(world: &World, speakers: &[ParticipantId], after: Instant) -> Vec<Option<Duration>> {
    let clients = world.clients.iter();
    clients
        .map(|client| {
            let mut messages = client.speakers.iter();
            let found = messages.find(|(at, told)| *at >= after && told == speakers);
            found.map(|(at, _)| *at - after)
        })
        .collect()
}

#[test]
fn a_voice_is_announced_within_three_tenths_of_a_second() {
    for (seed, speaker) in [(1, 0), (2, 1), (3, 2)] {
        let mut world = world(seed);
        assert!(
            world
                .clients
                .iter()
                .all(|client| client.speakers.is_empty())
        );
        let start = world.now;
        world.clients[speaker].level = LOUD;
        world.run(Duration::from_secs(2));
        for delay in told(&world, &[participant(speaker)], start) {
            let delay = delay.expect("everybody is told");
            assert!(delay <= Duration::from_millis(300), "after {delay:?}");
        }
        let end = world.now;
        world.clients[speaker].level = SILENT;
        world.run(Duration::from_secs(3));
        for delay in told(&world, &[], end) {
            let delay = delay.expect("everybody is told");
            assert!(delay <= Duration::from_millis(1_500), "after {delay:?}");
        }
        for client in &world.clients {
            assert_eq!(client.speakers.len(), 2, "no more than the two changes");
        }
    }
}

#[test]
fn two_who_speak_in_turn_are_told_without_flutter() {
    let mut world = world(5);
    for turn in 0..20 {
        for (client, offset) in [(0, 0), (1, 1)] {
            let speaks = (turn + offset) % 2 == 0;
            world.clients[client].level = if speaks { LOUD } else { SILENT };
        }
        world.run(Duration::from_millis(500));
    }
    for client in &world.clients {
        let changes = client.speakers.len();
        assert!(changes <= 12, "{changes} messages in ten seconds");
        let last = client.speakers.last().map(|(_, who)| who.len());
        assert_eq!(last, Some(2), "both are in it");
    }
}
