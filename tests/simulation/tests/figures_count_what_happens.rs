//! A node's figures count what happens in a call: none stays at nothing, and both directions count the same bytes.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Client, Path, Videos, World};

const SECONDS: Duration = Duration::from_secs(6);
/// What a packet of RTP has beside its payload, and the authentication tag of SRTP (RFC 3711, 4.2.1; RFC 7714, 5).
const HEADER_AND_TAG: u64 = 12 + 10;

#[test]
fn a_call_over_two_nodes_with_losses_moves_every_counter_of_media() {
    let lossy = Path::clean(10).lossy(0.03);
    let mut world = World::new(3, 2, lossy, lossy);
    world.join_with(0, Videos::SIMULCAST);
    world.join(1);
    for size in [(320, 180), (1_280, 720), (320, 180)] {
        world.clients[1].show_tiles(&[(World::camera(0), size, 0)]);
        world.run(SECONDS);
        world.clients[1].plead();
        world.run(SECONDS);
    }
    let (home, away) = (world.stats(0), world.stats(1));
    for (name, count) in [
        ("packets in", home.packets_in),
        ("bytes in", home.bytes_in),
        ("relayed packets out", home.relay_packets_out),
        ("relayed bytes out", home.relay_bytes_out),
        ("relayed packets out again", home.relay_retransmissions),
        ("keyframe requests", home.keyframe_requests),
        ("flows out", home.relay_flows_out),
        ("relayed packets in", away.relay_packets_in),
        ("relayed bytes in", away.relay_bytes_in),
        ("flows in", away.relay_flows_in),
        ("packets out", away.packets_out),
        ("bytes out", away.bytes_out),
        ("packets out again", away.retransmissions),
        ("layer switches", away.layer_switches),
        ("probes", away.probes),
        ("packets of probes", away.probe_packets),
        ("estimates", away.estimates.count),
        ("audio slots that flow", away.audio_slots.flowing),
        ("video slots that flow", away.video_slots.flowing),
        ("free video slots", away.video_slots.free),
    ] {
        assert!(count > 0, "{name}");
    }
    assert!(away.packets_out > away.retransmissions + away.probe_packets);
}

#[test]
fn bytes_are_those_of_whole_packets_in_both_directions() {
    let mut world = World::new(3, 2, Path::clean(10), Path::clean(10));
    world.join(0);
    world.join(1);
    world.clients.iter_mut().for_each(Client::mute);
    world.clients[1].silence();
    world.clients[1].show(&[World::camera(0)]);
    world.run(SECONDS);
    let sent = u64::from(world.clients[0].sent(MediaKind::Video));
    let (home, away) = (world.stats(0), world.stats(1));
    assert!(home.packets_in > sent * 9 / 10);
    // Each payload has a kilobyte.
    assert!(home.bytes_in >= home.packets_in * (1_000 + HEADER_AND_TAG));
    assert!(home.bytes_in < home.packets_in * 1_100);
    assert!(away.relay_bytes_in > away.relay_packets_in * 1_000);
    assert_eq!(
        home.relay_bytes_out / 1_000_000,
        away.relay_bytes_in / 1_000_000
    );
    let media = away.packets_out - away.probe_packets;
    assert!(away.bytes_out >= media * (1_000 + HEADER_AND_TAG));
}
