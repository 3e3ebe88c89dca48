//! Nothing crosses to another node that nobody there shows.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, World};

fn pair() -> World {
    let mut world = World::new(7, 2, Path::clean(5), Path::clean(30));
    world.join(0);
    world.join(1);
    world.clients[0].mute();
    world.clients[1].mute();
    world
}

#[test]
fn a_video_that_nobody_shows_does_not_cross() {
    let mut world = pair();
    world.clients[1].show(&[]);
    world.run(Duration::from_secs(3));
    let before = world.relayed(1);
    world.run(Duration::from_secs(3));
    assert_eq!(world.relayed(1), before);

    world.clients[1].show(&[World::camera(0)]);
    world.run(Duration::from_secs(3));
    assert!(world.relayed(1) > before + 200);
    let flows = world.stats(1).relay_flows_in;

    world.clients[1].show(&[]);
    world.run(Duration::from_millis(100));
    let after = world.relayed(1);
    world.run(Duration::from_secs(3));
    assert_eq!(world.relayed(1), after, "the flow has ended");
    assert_eq!(world.stats(1).relay_flows_in, flows - 1);
}

#[test]
fn one_copy_crosses_however_many_show_it() {
    let mut world = pair();
    for _ in 0..3 {
        let viewer = world.join(1);
        world.clients[viewer].mute();
    }
    for viewer in 1..5 {
        world.clients[viewer].show(&[World::camera(0)]);
    }
    world.run(Duration::from_secs(2));
    let (before, sent) = (world.relayed(1), world.clients[0].sent(MediaKind::Video));
    world.run(Duration::from_secs(4));
    let crossed = world.relayed(1) - before;
    let published = u64::from(world.clients[0].sent(MediaKind::Video) - sent);
    assert!(crossed.abs_diff(published) <= 6, "{crossed} of {published}");
}

#[test]
fn a_tile_that_was_hidden_for_long_comes_back_at_once() {
    let mut world = pair();
    world.clients[1].show(&[World::camera(0)]);
    world.run(Duration::from_secs(2));
    world.clients[1].show(&[]);
    // Some 40,000 packets: more than half of what a sequence number of 16 bits can tell apart.
    world.run(Duration::from_secs(440));
    let before = world.clients[1].received.len();
    world.clients[1].show(&[World::camera(0)]);
    world.run(Duration::from_secs(1));
    let shown = world.clients[1].received.len() - before;
    assert!(shown > 50, "{shown} packets in a second");
}
