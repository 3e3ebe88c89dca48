//! What a narrow path between two nodes gives up first are the upper layers of who matters least: everybody is seen, and the
//! loudest at full size.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, Videos, World};

/// For the whole of one camera, and the two lower layers of another.
const NARROW: f64 = 3_200_000.0;
const WIDE: f64 = 20_000_000.0;

/// Which layer of a publisher's camera a client received in the last so much time.
fn layer_of(world: &World, client: usize, publisher: u8, lately: Duration) -> Option<u8> {
    let received = world.clients[client].received.iter().rev();
    let recent = received.take_while(|packet| packet.at + lately > world.now);
    let mut layers: Vec<u8> = recent
        .filter(|packet| packet.kind == MediaKind::Video && packet.stamp.client == publisher)
        .map(|packet| packet.stamp.layer)
        .collect();
    layers.sort();
    layers.get(layers.len() / 2).copied()
}

#[test]
fn the_loudest_keeps_the_top_layer_and_the_other_is_seen_smaller() {
    let nodes = [("eu", 1), ("us", 1)];
    let mut world = World::laid_out(1, &nodes, Path::clean(5), Path::clean(40));
    for level in [50, 20] {
        let publisher = world.join_with(0, Videos::SIMULCAST);
        world.clients[publisher].level = level;
    }
    let viewer = world.join(1);
    world.clients[viewer].silence();
    world.narrow(0, 1, WIDE);
    let large = (1_280, 720);
    world.clients[viewer].show_tiles(&[(World::camera(0), large, 0), (World::camera(1), large, 0)]);
    world.run(Duration::from_secs(8));
    let second = Duration::from_secs(1);
    let layers = |world: &World| [0, 1].map(|of| layer_of(world, viewer, of, second));
    assert_eq!(layers(&world), [Some(2), Some(2)]);
    world.narrow(0, 1, NARROW);
    world.run(Duration::from_secs(10));
    for _ in 0..15 {
        world.run(second);
        let [other, loudest] = layers(&world);
        assert_eq!(loudest, Some(2));
        assert!(other.is_some_and(|layer| layer < 2), "{other:?}");
    }
}
