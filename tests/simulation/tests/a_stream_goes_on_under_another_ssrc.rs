//! A publisher that goes on under other SSRCs, with the mid in its packets, is followed: viewers see a stream that goes on.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, Videos, World};

fn is_followed(videos: Videos, nodes: usize) {
    let mut world = World::new(74, nodes, Path::clean(10), Path::clean(40));
    let publisher = world.join_with(0, videos);
    let viewer = world.join_with(nodes - 1, videos);
    let tile = (World::camera(publisher), (1_280, 720), 0);
    world.clients[viewer].show_tiles(&[tile]);
    world.run(Duration::from_secs(6));
    let asked = world.clients[publisher].keyframes_asked();
    let changed = world.now;
    // Time and again: an old stream's place is the next one's.
    for _ in 0..12 {
        world.clients[publisher].change_ssrcs();
        world.run(Duration::from_secs(2));
    }
    let asked = world.clients[publisher].keyframes_asked() - asked;
    assert!(asked >= 12, "{asked} keyframes asked for");
    let client = &world.clients[viewer];
    let since = client.received.iter().filter(|packet| packet.at >= changed);
    let of = |kind| move |packet: &&simulation::Received| packet.kind == kind;
    let heard = since.clone().filter(of(MediaKind::Audio)).count();
    assert!(heard > 1_190, "{heard} of 1,200 packets of sound");
    for kind in [MediaKind::Audio, MediaKind::Video] {
        let sequences: Vec<u64> = since.clone().filter(of(kind)).map(|p| p.sequence).collect();
        let (first, last) = (sequences[0], sequences[sequences.len() - 1]);
        let missing = last - first + 1 - sequences.len() as u64;
        assert!(missing < 40, "{missing} numbers were never sent");
    }
    let decoder = client.decoders.values().next().expect("a picture");
    let shown = decoder.shown.iter().filter(|at| **at >= changed).count();
    // 24 s of 30 pictures each, less a round trip at each change.
    assert!(shown > 650, "{shown} pictures");
}

#[test]
fn a_camera_in_one_layer_is_followed() {
    is_followed(Videos::PLAIN, 1);
}

#[test]
fn a_camera_in_three_layers_is_followed() {
    is_followed(Videos::SIMULCAST, 1);
}

#[test]
fn a_camera_is_followed_at_another_node() {
    is_followed(Videos::SIMULCAST, 2);
}
