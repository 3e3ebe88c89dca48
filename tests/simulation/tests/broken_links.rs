//! What breaks comes back: the link between nodes; what is noise is ignored.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, World};

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

#[test]
fn random_datagrams_are_counted_and_disturb_nobody() {
    let mut world = World::new(10, 1, Path::clean(5), Path::clean(30));
    world.join(0);
    world.join(0);
    world.run(Duration::from_secs(2));
    for _ in 0..10_000 {
        world.noise(0);
    }
    assert!(world.stats(0).drops.unknown >= 9_900);
    let before = world.clients[1].received.len();
    world.run(Duration::from_secs(2));
    assert!(world.clients[1].received.len() > before + 150);
    assert_eq!(world.stats(0).drops.faults, 0);
}
