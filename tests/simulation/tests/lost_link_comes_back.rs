//! The link between two nodes is lost and comes back: everybody sees everybody again within two seconds, and no decoder
//! notices more than a keyframe.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, World};

#[test]
fn media_is_back_within_two_seconds_also_behind_the_gateways() {
    for seed in 1..=5 {
        let nodes = [("eu", 1), ("eu", 1), ("us", 1), ("us", 1)];
        let backbone = Path::clean(60).jittery(5).lossy(0.01);
        let mut world = World::laid_out(seed, &nodes, Path::clean(10), backbone);
        let europe = world.join(1);
        let america = world.join(3);
        let lately = Duration::from_millis(100);
        let both = |world: &World| {
            world.sees(europe, america, lately) && world.sees(america, europe, lately)
        };
        world.run(Duration::from_secs(3));
        assert!(both(&world));
        for _ in 0..3 {
            world.link(0, 2, false);
            world.run(Duration::from_secs(2));
            assert!(!both(&world));
            world.link(0, 2, true);
            assert!(world.run_until(Duration::from_secs(2), both), "seed {seed}");
        }
    }
}

#[test]
fn video_returns_with_a_keyframe_after_the_link_between_nodes_was_lost() {
    let mut world = World::new(9, 2, Path::clean(5), Path::clean(30));
    world.join(0);
    world.join(1);
    world.run(Duration::from_secs(3));
    world.link(0, 1, false);
    world.run(Duration::from_secs(2));
    let silent = world.clients[1].received.len();
    world.run(Duration::from_secs(1));
    assert_eq!(world.clients[1].received.len(), silent);

    world.link(0, 1, true);
    world.run(Duration::from_secs(2));
    let after = &world.clients[1].received[silent..];
    let first = after.iter().find(|packet| packet.kind == MediaKind::Video);
    let first = first.expect("video is back");
    assert!(first.stamp.keyframe);
    let mut before = world.clients[1].received[..silent].iter();
    let last = before.rfind(|p| p.slot == first.slot);
    if let Some(last) = last {
        assert_eq!(
            first.sequence,
            last.sequence + 1,
            "the decoder sees one stream"
        );
    }
}
