//! Sound and picture of one person come in the two slots of a pair, which a client plays in step, and nobody who speaks is moved.

use std::time::Duration;

use protocol::client::SlotAssignment;
use protocol::media::{Source, TrackId};
use simulation::{Path, World};

/// The first of a client's slots are for sound.
const SOUNDS: usize = 9;
const SILENT: u8 = 100;
const LOUD: u8 = 25;

fn place_of(slots: &[SlotAssignment], participant: usize, source: Source) -> Option<usize> {
    let track = TrackId {
        participant: format!("p{participant}").parse().expect("an id"),
        source,
    };
    slots
        .iter()
        .position(|slot| slot.track.as_ref() == Some(&track))
}

/// In which pair each of the others comes to a client; `None` for whose sound and picture do not come in one.
fn pairs(world: &World, client: usize, others: &[usize]) -> Vec<Option<usize>> {
    let slots = &world.clients[client].assignments;
    let pair = |other: &usize| {
        let sound = place_of(slots, *other, Source::Microphone)?;
        let picture = place_of(slots, *other, Source::Camera)?;
        (picture == sound + SOUNDS).then_some(sound)
    };
    others.iter().map(pair).collect()
}

fn others(count: usize, client: usize) -> Vec<usize> {
    (0..count).filter(|other| *other != client).collect()
}

#[test]
fn in_a_small_call_everybody_comes_in_a_pair_whoever_unmutes_first() {
    let mut world = World::new(1, 2, Path::clean(10), Path::clean(40));
    for client in 0..4 {
        world.join(client % 2);
        world.clients[client].level = SILENT;
        world.clients[client].mute();
    }
    world.run(Duration::from_secs(3));
    for client in [2, 0, 3, 1] {
        let now = world.now;
        world.clients[client].unmute(now);
        world.clients[client].level = LOUD;
        world.run(Duration::from_millis(1_500));
        world.clients[client].level = SILENT;
        world.run(Duration::from_millis(1_500));
    }
    for client in 0..4 {
        let others = others(4, client);
        let pairs = pairs(&world, client, &others);
        assert!(pairs.iter().all(Option::is_some), "{client}: {pairs:?}");
    }
}

#[test]
fn in_a_large_call_whoever_is_shown_is_heard_in_a_pair_and_stays_while_speaking() {
    const PEOPLE: usize = 8;
    let mut world = World::new(2, 2, Path::clean(10), Path::clean(40));
    for client in 0..PEOPLE {
        world.join(client % 2);
        world.clients[client].level = SILENT;
    }
    world.run(Duration::from_secs(4));
    for speaker in [5, 2, 7, 0, 3] {
        world.clients[speaker].level = LOUD;
        world.run(Duration::from_secs(1));
        let listeners = others(PEOPLE, speaker);
        let heard_in = |world: &World| -> Vec<Option<usize>> {
            let slots = |client: &usize| &world.clients[*client].assignments;
            let place = |client| place_of(slots(client), speaker, Source::Microphone);
            listeners.iter().map(place).collect()
        };
        let before = heard_in(&world);
        assert!(before.iter().all(Option::is_some), "{speaker} is heard");
        for client in &listeners {
            let slots = &world.clients[*client].assignments;
            let picture = place_of(slots, speaker, Source::Camera).expect("all are shown");
            let pair = pairs(&world, *client, &[speaker]);
            assert_eq!(pair, [Some(picture - SOUNDS)], "{speaker} at {client}");
        }
        world.run(Duration::from_secs(2));
        assert_eq!(heard_in(&world), before, "{speaker} has moved");
        world.clients[speaker].level = SILENT;
        world.run(Duration::from_secs(2));
    }
}
