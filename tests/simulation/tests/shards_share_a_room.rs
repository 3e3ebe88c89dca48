//! A room over several shards of a node: they relay to each other, and only the first speaks with other nodes.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, World};

#[test]
fn people_on_all_shards_and_nodes_see_and_hear_each_other() {
    let nodes = [("eu", 3), ("us", 2)];
    let mut world = World::laid_out(1, &nodes, Path::clean(5), Path::clean(40));
    let clients: Vec<usize> = (0..5).map(|shard| world.join(shard)).collect();
    world.clients[4].level = 20;
    world.run(Duration::from_secs(5));
    for client in &clients {
        for other in clients.iter().filter(|other| *other != client) {
            let lately = Duration::from_millis(200);
            assert!(world.sees(*client, *other, lately), "{client} sees {other}");
        }
        let hears = |packet: &&simulation::Received| {
            packet.kind == MediaKind::Audio && packet.stamp.client == 4
        };
        let heard = world.clients[*client].received.iter().filter(hears).count();
        assert!(
            *client == 4 || heard > 200,
            "{client} hears the loudest {heard} times"
        );
    }
    for (from, to) in [(1, 3), (2, 3), (0, 4), (1, 4), (4, 0), (4, 1)] {
        assert_eq!(world.crossed(from, to), 0, "from {from} to {to}");
    }
}

#[test]
fn one_copy_goes_to_another_node_however_many_of_its_shards_want_it() {
    let nodes = [("eu", 2), ("us", 3)];
    let mut world = World::laid_out(2, &nodes, Path::clean(5), Path::clean(40));
    let publisher = world.join(1);
    for shard in [2, 3, 4] {
        let viewer = world.join(shard);
        world.clients[viewer].silence();
    }
    world.run(Duration::from_secs(6));
    for viewer in 1..=3 {
        assert!(world.sees(viewer, publisher, Duration::from_millis(200)));
    }
    let kinds = [MediaKind::Video, MediaKind::Audio];
    let sent: u32 = kinds
        .map(|kind| world.clients[publisher].sent(kind))
        .iter()
        .sum();
    let crossed = world.crossed(0, 2);
    assert!(crossed <= u64::from(sent) && crossed * 10 >= u64::from(sent) * 9);
}
