//! Where more people are there than slots, a client that names no tiles sees those who spoke last.

use std::collections::BTreeSet;
use std::time::Duration;

use protocol::id::ParticipantId;
use protocol::media::Source;
use simulation::{Path, World, participant};

const SILENT: u8 = 100;
const LOUD: u8 = 25;
const VIDEO_SLOTS: usize = 9;

/// Whose cameras a client's slots carry.
fn shown(world: &World, client: usize) -> BTreeSet<ParticipantId> {
    let slots = world.clients[client].assignments.iter();
    let tracks = slots.filter_map(|slot| slot.track.as_ref());
    tracks
        .filter(|track| track.source == Source::Camera)
        .map(|track| track.participant.clone())
        .collect()
}

#[test]
fn who_speaks_comes_into_view_in_the_place_of_who_has_not() {
    let mut world = World::new(4, 2, Path::clean(10), Path::clean(40));
    for client in 0..13 {
        world.join(client % 2);
        world.clients[client].level = SILENT;
    }
    for client in 1..13 {
        world.clients[client].show(&[]);
    }
    world.run(Duration::from_secs(4));
    let before = shown(&world, 0);
    assert_eq!(before.len(), VIDEO_SLOTS);
    let hidden: Vec<usize> = (1..13)
        .filter(|c| !before.contains(&participant(*c)))
        .collect();
    assert_eq!(hidden.len(), 12 - VIDEO_SLOTS);

    for speaker in &hidden {
        world.clients[*speaker].level = LOUD;
        world.run(Duration::from_millis(700));
        world.clients[*speaker].level = SILENT;
        assert!(shown(&world, 0).contains(&participant(*speaker)));
        world.run(Duration::from_secs(1));
    }
    let after = shown(&world, 0);
    assert_eq!(after.len(), VIDEO_SLOTS);
    for speaker in &hidden {
        assert!(after.contains(&participant(*speaker)), "{speaker} stays");
    }
    // No more than one slot has changed its owner for each of them.
    assert_eq!(
        before.intersection(&after).count(),
        VIDEO_SLOTS - hidden.len()
    );

    // Somebody who is in view already moves nobody.
    let seen = after.iter().next().expect("somebody");
    let index = (1..13).find(|c| participant(*c) == *seen).expect("known");
    world.clients[index].level = LOUD;
    world.run(Duration::from_secs(1));
    assert_eq!(shown(&world, 0), after);
}
