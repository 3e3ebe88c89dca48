//! Whoever begins to speak is heard by everybody, however many others are unmuted and silent.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, World};

const SILENT: u8 = 100;
const LOUD: u8 = 25;
/// Unmuted people; a client has three slots for sound.
const UNMUTED: usize = 6;

#[test]
fn one_of_many_unmuted_people_is_heard_by_who_is_muted_and_by_who_is_not() {
    for seed in [1, 2] {
        let mut world = World::new(seed, 2, Path::clean(10), Path::clean(40));
        for client in 0..=UNMUTED {
            world.join(client % 2);
            world.clients[client].level = SILENT;
        }
        world.clients[UNMUTED].mute();
        world.run(Duration::from_secs(4));
        for speaker in 0..UNMUTED {
            world.clients[speaker].level = LOUD;
            world.run(Duration::from_secs(2));
            let since = world.now - Duration::from_secs(1);
            for client in world
                .clients
                .iter()
                .filter(|c| usize::from(c.number) != speaker)
            {
                let received = client.received.iter().rev();
                let heard = received
                    .take_while(|packet| packet.at >= since)
                    .filter(|packet| packet.kind == MediaKind::Audio)
                    .filter(|packet| usize::from(packet.stamp.client) == speaker)
                    .count();
                assert!(
                    heard >= 45,
                    "{} heard {heard} packets of {speaker}",
                    client.number
                );
            }
            world.clients[speaker].level = SILENT;
            world.run(Duration::from_secs(2));
        }
    }
}
