//! Whoever begins to speak, however quietly, is heard by everybody, and so is what a screen sounds, however many others are
//! unmuted and silent.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, World};

const SILENT: u8 = 100;
const LOUD: u8 = 25;
/// Too quiet for somebody who speaks.
const QUIET: u8 = 58;
/// Unmuted people; a client has three slots for sound.
const UNMUTED: usize = 6;

/// People who are unmuted and silent, and one who is muted.
fn silent_meeting(seed: u64) -> World {
    let mut world = World::new(seed, 2, Path::clean(10), Path::clean(40));
    for client in 0..=UNMUTED {
        world.join(client % 2);
        world.clients[client].level = SILENT;
    }
    world.clients[UNMUTED].mute();
    world.run(Duration::from_secs(4));
    world
}

/// Checks that all others have heard nearly everything of a client's microphone, or of its screen, in the last second.
fn is_heard(world: &World, sender: usize, screen: bool) {
    let since = world.now - Duration::from_secs(1);
    let others = world.clients.iter();
    for client in others.filter(|client| usize::from(client.number) != sender) {
        let received = client.received.iter().rev();
        let heard = received
            .take_while(|packet| packet.at >= since)
            .filter(|packet| packet.kind == MediaKind::Audio)
            .filter(|packet| usize::from(packet.stamp.client) == sender)
            .filter(|packet| packet.stamp.screen == screen)
            .count();
        let to = client.number;
        assert!(heard >= 45, "{to} heard {heard} packets of {sender}");
    }
}

#[test]
fn one_of_many_unmuted_people_is_heard_by_who_is_muted_and_by_who_is_not() {
    // The second is no more than a murmur.
    for (seed, level) in [(1, LOUD), (2, QUIET)] {
        let mut world = silent_meeting(seed);
        for speaker in 0..UNMUTED {
            world.clients[speaker].level = level;
            world.run(Duration::from_secs(2));
            is_heard(&world, speaker, false);
            world.clients[speaker].level = SILENT;
            world.run(Duration::from_secs(3));
        }
    }
}

#[test]
fn what_a_screen_sounds_is_heard_beside_who_speaks() {
    for sharer in [0, UNMUTED] {
        let mut world = silent_meeting(3);
        let now = world.now;
        world.clients[sharer].share_sound(now);
        world.run(Duration::from_secs(2));
        is_heard(&world, sharer, true);
        let speaker = 2;
        world.clients[speaker].level = LOUD;
        world.run(Duration::from_secs(2));
        is_heard(&world, speaker, false);
        is_heard(&world, sharer, true);
        // But nobody is told that the screen's owner speaks.
        let told = world.clients[1].speakers.iter();
        let sharer = simulation::participant(sharer);
        assert!(told.flat_map(|(_, who)| who).all(|who| *who != sharer));
    }
}

#[test]
fn who_does_not_tell_how_loud_he_is_is_heard_while_others_are_silent() {
    let mut world = silent_meeting(4);
    world.clients[3].tells_level = false;
    world.run(Duration::from_secs(2));
    is_heard(&world, 3, false);
    world.clients[1].level = LOUD;
    world.clients[2].level = LOUD;
    world.clients[4].level = LOUD;
    world.run(Duration::from_secs(2));
    is_heard(&world, 1, false);
}
