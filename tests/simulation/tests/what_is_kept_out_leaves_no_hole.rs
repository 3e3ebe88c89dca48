//! What a publisher's limits keep out, and what another node does not send on, is no loss to a viewer: its numbers have no hole.

use std::time::Duration;

use protocol::media::{Caps, Source};
use simulation::{Path, Videos, World};

const SECOND: Duration = Duration::from_secs(1);
const VIEWER: usize = 0;

#[test]
fn a_limit_on_the_bit_rate_leaves_none_here_and_at_another_node() {
    for nodes in [1, 2] {
        let mut world = World::new(5, nodes, Path::clean(10), Path::clean(30));
        world.join(nodes - 1);
        world.clients[VIEWER].silence();
        world.join_with(0, Videos::PLAIN);
        world.clients[1].show(&[]);
        let capped = Caps {
            max_bitrate: Some(900_000),
            ..Caps::default()
        };
        world.run(2 * SECOND);
        world.set_caps(1, capped);
        for _ in 0..5 {
            world.run(2 * SECOND);
            // A busy picture: too much for a moment.
            world.clients[1].enlarge_frames(Source::Camera, 0, 3);
            world.run(SECOND);
            world.clients[1].enlarge_frames(Source::Camera, 0, 1);
        }
        let (sent, drops) = (world.clients[VIEWER].received.len(), world.stats(0).drops);
        println!("{nodes} nodes: {sent} packets came, {drops:?}");
        assert_eq!(world.clients[VIEWER].holes(), 0, "{nodes} nodes");
    }
}

#[test]
fn a_microphone_that_is_switched_off_and_on_leaves_none() {
    for nodes in [1, 2] {
        let mut world = World::new(6, nodes, Path::clean(10), Path::clean(30));
        world.join(nodes - 1);
        world.clients[VIEWER].silence();
        world.join_with(0, Videos::PLAIN);
        let muted = Caps {
            audio: false,
            ..Caps::default()
        };
        for caps in [muted, Caps::default(), muted, Caps::default()] {
            world.run(300 * SECOND / 1_000);
            world.set_caps(1, caps);
            world.run(SECOND);
        }
        assert_eq!(world.clients[VIEWER].holes(), 0, "{nodes} nodes");
    }
}

#[test]
fn voices_that_come_and_go_among_many_leave_none_at_another_node() {
    let mut world = World::new(7, 2, Path::clean(10), Path::clean(30));
    world.join(1);
    world.clients[VIEWER].silence();
    for _ in 1..=9 {
        world.join_with(0, Videos::PLAIN);
    }
    for turn in 0..40_usize {
        for client in 1..=9 {
            world.clients[client].show(&[]);
            world.clients[client].level = match (client + turn) % 3 {
                0 => 20,
                _ => 80,
            };
        }
        world.run(700 * SECOND / 1_000);
    }
    assert_eq!(world.clients[VIEWER].holes(), 0);
}
