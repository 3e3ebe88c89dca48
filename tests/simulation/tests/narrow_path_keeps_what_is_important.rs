//! A subscriber whose path falls to 300 kbit/s still has sound and the important video, gets the rest back within seconds
//! when the path does, and its picture does not go back and forth.

use std::time::{Duration, Instant};

use protocol::media::MediaKind;
use simulation::{Bottleneck, Path, Videos, World};

const VIEWER: usize = 3;
const WIDE: u64 = 20_000_000;

/// Three publishers; the viewer shows the first large and important, the others small.
fn world(seed: u64) -> World {
    let mut world = World::new(seed, 1, Path::clean(25), Path::clean(1));
    for _ in 0..3 {
        world.join_with(0, Videos::SIMULCAST);
    }
    world.join(0);
    // One speaks; the others have muted themselves.
    for silent in [1, 2, VIEWER] {
        world.clients[silent].mute();
    }
    world.bottlenecks.insert(VIEWER, Bottleneck::of(WIDE));
    world.clients[VIEWER].show_tiles(&[
        (World::camera(1), (640, 360), 0),
        (World::camera(0), (1_280, 720), 9),
        (World::camera(2), (640, 360), 0),
    ]);
    world.run(Duration::from_secs(10));
    world
}

/// Packets that the viewer received of a client since a moment: how many, and the highest layer.
fn video(world: &World, of: u8, since: Instant) -> (usize, Option<u8>) {
    let received = world.clients[VIEWER].received.iter().rev();
    let layers: Vec<u8> = received
        .take_while(|packet| packet.at >= since)
        .filter(|packet| packet.kind == MediaKind::Video && packet.stamp.client == of)
        .map(|packet| packet.stamp.layer)
        .collect();
    (layers.len(), layers.iter().copied().max())
}

fn sound(world: &World, since: Instant) -> usize {
    let received = world.clients[VIEWER].received.iter().rev();
    received
        .take_while(|packet| packet.at >= since)
        .filter(|packet| packet.kind == MediaKind::Audio)
        .count()
}

/// How often the layer of a client's video changed since a moment.
fn switches(world: &World, of: u8, since: Instant) -> usize {
    let received = world.clients[VIEWER].received.iter();
    let mut packets: Vec<_> = received
        .filter(|p| p.at >= since && p.kind == MediaKind::Video && p.stamp.client == of)
        .map(|p| ((p.slot, p.sequence), p.stamp.layer))
        .collect();
    packets.sort();
    packets
        .windows(2)
        .filter(|pair| pair[0].1 != pair[1].1)
        .count()
}

fn set_rate(world: &mut World, rate: u64) {
    if let Some(link) = world.bottlenecks.get_mut(&VIEWER) {
        link.rate = rate;
    }
}

#[test]
fn at_300_kbps_there_is_sound_and_the_important_video() {
    for seed in [1, 2] {
        let mut world = world(seed);
        let second = Duration::from_secs(1);
        assert_eq!(video(&world, 0, world.now - second).1, Some(2));
        assert_eq!(video(&world, 1, world.now - second).1, Some(1));

        set_rate(&mut world, 300_000);
        world.run(Duration::from_secs(5));
        let start = world.now;
        world.run(Duration::from_secs(20));
        // 50 packets a second, and nothing is lost by chance: video leaves room for them.
        let heard = sound(&world, start);
        assert!(heard >= 995, "seed {seed}: {heard} packets of sound");
        let (packets, layer) = video(&world, 0, start);
        assert_eq!(layer, Some(0), "seed {seed}");
        assert!(packets > 20 * 27, "seed {seed}: {packets} packets");
        let paused = world.clients[VIEWER].assignments.iter();
        let paused = paused.filter(|slot| slot.paused).count();
        assert_eq!(
            paused, 2,
            "seed {seed}: the others are paused, and it is said"
        );

        set_rate(&mut world, WIDE);
        world.run(Duration::from_secs(8));
        let second = world.now - Duration::from_secs(1);
        for (client, expected) in [(0, Some(2)), (1, Some(1)), (2, Some(1))] {
            let (_, layer) = video(&world, client, second);
            assert_eq!(layer, expected, "seed {seed}: client {client} recovers");
        }
    }
}

#[test]
fn between_two_layers_it_does_not_go_back_and_forth() {
    for (seed, kbps) in [(1, 900), (2, 1_500), (3, 2_500)] {
        let mut world = world(seed);
        set_rate(&mut world, kbps * 1_000);
        world.run(Duration::from_secs(10));
        let start = world.now;
        world.run(Duration::from_secs(60));
        for client in 0..3 {
            let count = switches(&world, client, start);
            assert!(
                count <= 6,
                "{kbps} kbit/s: {count} switches of client {client} in a minute"
            );
        }
    }
}
