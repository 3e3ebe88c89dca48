//! Who replays a client's request from other addresses, as many as may be, takes nothing from it and from nobody else, and does not
//! hold it where it was.

use std::net::SocketAddr;
use std::time::Duration;

use protocol::media::MediaKind;
use protocol::node::NodeToRoom;
use simulation::{Path, World};

const VICTIM: usize = 0;
const PEOPLE: usize = 3;

fn meeting(seed: u64) -> World {
    let mut world = World::new(seed, 1, Path::clean(25), Path::clean(0));
    for _ in 0..PEOPLE {
        world.join(0);
    }
    world.run(Duration::from_secs(3));
    world
}

/// The victim's last nomination comes once more, from each of so many ports.
fn replay(world: &mut World, ports: u16) {
    for port in 0..ports {
        let from = SocketAddr::from(([10, 3, 0, 9], 7_000 + port));
        world.forge_nomination(VICTIM, from);
    }
}

/// Packets of sound that each pair has not received, of all that were sent, and the longest share of time that a picture stood.
fn lost_in_half_a_minute(ports: u16) -> (usize, f64) {
    let mut world = meeting(31);
    let start = world.now;
    let sent = |world: &World| -> Vec<u32> {
        let people = world.clients.iter();
        people.map(|client| client.sent(MediaKind::Audio)).collect()
    };
    let before = sent(&world);
    for _ in 0..12 {
        replay(&mut world, ports);
        world.run(Duration::from_millis(2_500));
    }
    let after = sent(&world);
    world.run(Duration::from_millis(100));
    let mut lost = 0;
    for receiver in &world.clients {
        for sender in (0..PEOPLE).filter(|sender| *sender != usize::from(receiver.number)) {
            let heard = receiver.received.iter().filter(|packet| {
                let number = packet.stamp.number;
                packet.kind == MediaKind::Audio
                    && usize::from(packet.stamp.client) == sender
                    && (before[sender]..after[sender]).contains(&number)
            });
            lost += (after[sender] - before[sender]) as usize - heard.count();
        }
    }
    let decoders = world
        .clients
        .iter()
        .flat_map(|client| client.decoders.values());
    let frozen = decoders
        .map(|decoder| decoder.frozen(start, world.now))
        .fold(0.0, f64::max);
    (lost, frozen)
}

#[test]
fn replayed_from_any_number_of_ports_it_costs_nobody_anything() {
    for ports in [8, 9, 64] {
        let (lost, frozen) = lost_in_half_a_minute(ports);
        println!(
            "from {ports} ports: {lost} packets of sound lost, frozen {:.1}%",
            100.0 * frozen
        );
        assert_eq!(lost, 0, "from {ports} ports");
        assert!(frozen < 0.01, "from {ports} ports: frozen {frozen}");
    }
}

#[test]
fn a_real_change_of_network_goes_through_meanwhile() {
    let mut world = meeting(32);
    let before = world.now;
    replay(&mut world, 64);
    world.change_network(VICTIM, Duration::from_millis(60));
    for _ in 0..150 {
        replay(&mut world, 64);
        world.run(Duration::from_millis(20));
    }
    for (client, other) in [(VICTIM, 1), (1, VICTIM)] {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let received = world.clients[client].received.iter();
            let mut of_other = received.filter(|packet| {
                packet.kind == kind
                    && usize::from(packet.stamp.client) == other
                    && packet.at > before + Duration::from_millis(50)
            });
            let next = of_other.next().expect("media goes on");
            let gap = next.at - before;
            println!("client {client}, {kind:?} of {other}: after {gap:?}");
            assert!(
                gap < Duration::from_secs(2),
                "{kind:?} of {other}: a gap of {gap:?}"
            );
        }
    }
}

#[test]
fn a_client_that_is_gone_is_gone_whatever_is_replayed_of_it() {
    let mut world = meeting(33);
    world.uplink_of.insert(VICTIM, Path::clean(25).lossy(1.0));
    let ended = |world: &World| {
        let mut told = world.told.iter();
        told.any(|(_, told)| matches!(told, NodeToRoom::Disconnected { .. }))
    };
    let start = world.now;
    while !ended(&world) && world.now - start < Duration::from_secs(60) {
        replay(&mut world, 9);
        world.run(Duration::from_millis(2_500));
    }
    assert!(ended(&world), "its session goes on");
}
