//! Who asks for an ICE restart and never gets through by the new path keeps the old one.

use std::time::Duration;

use protocol::media::MediaKind;
use protocol::node::NodeToRoom;
use simulation::{Path, World};

#[test]
fn media_goes_on_by_the_old_path_for_as_long_as_the_new_one_does_not_work() {
    let mut world = World::new(5, 1, Path::clean(25), Path::clean(0));
    world.join(0);
    world.join(0);
    world.run(Duration::from_secs(3));
    let start = world.now;
    for _ in 0..3 {
        world.ask_for_restart(0);
        world.run(Duration::from_secs(20));
    }
    let ended = |(_, told): &(usize, NodeToRoom)| matches!(told, NodeToRoom::Disconnected { .. });
    assert!(!world.told.iter().any(ended), "the session goes on");
    for (client, other) in [(0, 1), (1, 0)] {
        let received = world.clients[client].received.iter();
        let heard = received.filter(|packet| {
            packet.kind == MediaKind::Audio && packet.stamp.client == other && packet.at > start
        });
        let heard = heard.count();
        println!("client {client} heard {heard} packets of {other} in a minute");
        assert!(heard > 2_900, "{heard} packets");
    }
}
