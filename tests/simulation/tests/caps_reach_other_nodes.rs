//! What a publisher may not send is encoded for nobody, wherever the viewers are, and comes back when it is allowed again.

use std::time::Duration;

use protocol::media::{Caps, Source};
use simulation::{Client, Path, Videos, World};

const SECOND: Duration = Duration::from_secs(1);

/// The layers of which the viewer received something in the last second.
fn layers(world: &World) -> Vec<u8> {
    let received = world.clients[1].received.iter();
    let lately = received.filter(|packet| packet.at + SECOND >= world.now);
    let mut layers: Vec<u8> = lately.map(|packet| packet.stamp.layer).collect();
    layers.sort_unstable();
    layers.dedup();
    layers
}

/// A camera in three layers, and its viewer this many nodes further.
fn call(nodes: &[(&str, usize)]) -> World {
    let mut world = World::laid_out(12, nodes, Path::clean(10), Path::clean(40));
    world.join_with(0, Videos::SIMULCAST);
    world.join(nodes.len() - 1);
    world.clients.iter_mut().for_each(Client::mute);
    world.clients[1].silence();
    world.clients[1].show_tiles(&[(World::camera(0), (1_280, 720), 0)]);
    world.run(5 * SECOND);
    assert_eq!(layers(&world), [2]);
    world
}

fn holds_and_is_lifted(mut world: World) {
    let capped = Caps {
        max_layer: Some(0),
        ..Caps::default()
    };
    world.set_caps(0, capped);
    world.run(3 * SECOND);
    assert_eq!(layers(&world), [0]);
    let made = |world: &World| {
        let above = [1, 2].map(|layer| world.clients[0].encoder(Source::Camera, layer).number);
        above.iter().sum::<u32>()
    };
    let before = made(&world);
    // Longer than a viewer does without a layer that does not come.
    world.run(25 * SECOND);
    assert_eq!(made(&world), before, "it is encoded for nobody");
    world.set_caps(0, Caps::default());
    world.run(3 * SECOND);
    assert_eq!(layers(&world), [2]);
}

#[test]
fn a_layer_that_is_not_allowed_is_not_encoded_for_a_viewer_at_another_node() {
    holds_and_is_lifted(call(&[("here", 1), ("there", 1)]));
}

#[test]
fn nor_for_one_behind_gateways() {
    holds_and_is_lifted(call(&[("here", 1), ("there", 1), ("there", 1)]));
}

#[test]
fn a_stopped_video_comes_back_at_another_node_at_once() {
    let mut world = call(&[("here", 1), ("there", 1)]);
    let stopped = Caps {
        video: false,
        ..Caps::default()
    };
    world.set_caps(0, stopped);
    world.run(20 * SECOND);
    assert!(layers(&world).is_empty());
    let made = world.clients[0].encoder(Source::Camera, 0).number;
    world.run(5 * SECOND);
    assert_eq!(world.clients[0].encoder(Source::Camera, 0).number, made);
    world.set_caps(0, Caps::default());
    world.run(3 * SECOND);
    assert_eq!(layers(&world), [2]);
}
