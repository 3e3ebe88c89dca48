//! Two nodes and six clients, with delay, jitter and loss on every hop: each client receives every other one's video,
//! each packet once and in its place.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, Received, World};

fn world(seed: u64, loss: f64) -> World {
    let access = Path::clean(10).jittery(3).lossy(loss);
    let backbone = Path::clean(40).jittery(5).lossy(loss);
    let mut world = World::new(seed, 2, access, backbone);
    for client in 0..6 {
        world.join(client % 2);
    }
    world
}

/// Until then every path is known to carry everything.
const SETTLING: Duration = Duration::from_secs(5);

/// So many packets at the end of a stream may still be under way, or under repair.
const UNSETTLED: usize = 60;

/// What each slot of a client received, in the order of its sequence numbers, without the unsettled end.
fn slots(received: &[Received]) -> BTreeMap<usize, BTreeMap<u64, Received>> {
    let mut slots: BTreeMap<usize, BTreeMap<u64, Received>> = BTreeMap::new();
    for packet in received {
        let before = slots
            .entry(packet.slot)
            .or_default()
            .insert(packet.sequence, packet.clone());
        assert!(
            before.is_none_or(|before| before.stamp == packet.stamp),
            "two packets under one sequence number"
        );
    }
    for packets in slots.values_mut() {
        for _ in 0..UNSETTLED {
            packets.pop_last();
        }
    }
    slots.retain(|_, packets| !packets.is_empty());
    slots
}

#[test]
fn without_loss_each_client_sees_everybody_packet_by_packet() {
    let mut world = world(1, 0.0);
    world.run(Duration::from_secs(10));
    for client in &world.clients {
        let mut seen = HashSet::new();
        for packets in slots(&client.received).values() {
            let first = packets.values().next().expect("not empty");
            if first.kind == MediaKind::Audio {
                continue;
            }
            assert!(first.stamp.keyframe, "a slot starts with a keyframe");
            let mut last: Option<&Received> = None;
            for packet in packets.values() {
                if let Some(last) = last {
                    assert_eq!(
                        packet.sequence,
                        last.sequence + 1,
                        "a gap between {:?} and {:?}",
                        last.stamp,
                        packet.stamp
                    );
                    assert_eq!(packet.stamp.client, first.stamp.client);
                    assert_eq!(packet.stamp.number, last.stamp.number + 1);
                    let frames = u16::from(packet.timestamp != last.timestamp);
                    let pictures = (last.picture.expect("video") + frames) & 0x7fff;
                    assert_eq!(packet.picture, Some(pictures));
                }
                last = Some(packet);
            }
            seen.insert(first.stamp.client);
            let sender = &world.clients[usize::from(first.stamp.client)];
            let missing = sender.sent(MediaKind::Video) - last.expect("not empty").stamp.number;
            assert!(missing < 100, "the slot is {missing} packets behind");
        }
        let others: HashSet<u8> = (0..6).filter(|other| *other != client.number).collect();
        assert_eq!(seen, others, "client {} sees everybody else", client.number);
    }
}

#[test]
fn with_loss_on_every_hop_almost_everything_is_repaired() {
    for seed in [1, 2, 3] {
        let mut world = world(seed, 0.03);
        // What a first estimate of a path holds back is not lost on it.
        world.run(SETTLING);
        let start = world.now;
        world.run(Duration::from_secs(15));
        for client in &world.clients {
            let mut seen = HashSet::new();
            let settled = client.received.iter().filter(|packet| packet.at >= start);
            let settled: Vec<Received> = settled.cloned().collect();
            for packets in slots(&settled).values() {
                let kind = packets.values().next().expect("not empty").kind;
                if kind == MediaKind::Audio {
                    continue;
                }
                // What was repaired just then stands between packets that had come before.
                let first = packets.keys().next().expect("some") + 2 * UNSETTLED as u64;
                let last = packets.keys().last().expect("some");
                let share = packets.range(first..).count() as f64 / (last + 1 - first) as f64;
                assert!(
                    share > 0.995,
                    "seed {seed}: client {} got {share:.4} of a video",
                    client.number
                );
                seen.extend(packets.values().map(|packet| packet.stamp.client));
            }
            assert_eq!(seen.len(), 5, "seed {seed}: client {}", client.number);
        }
    }
}
