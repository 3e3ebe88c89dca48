//! Nodes of neighboring releases share a room: what one does not know of the other's, it does without.

use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Dialect, Path, World};

fn interoperates(dialect: Dialect) {
    let nodes = [("eu", 1), ("eu", 1), ("us", 1)];
    let mut world = World::laid_out(1, &nodes, Path::clean(5), Path::clean(40).lossy(0.01));
    world.speaks(1, dialect);
    let clients: Vec<usize> = (0..3).map(|node| world.join(node)).collect();
    world.run(Duration::from_secs(5));
    let everybody = |world: &World| {
        let pairs = clients
            .iter()
            .flat_map(|a| clients.iter().map(move |b| (*a, *b)));
        pairs
            .filter(|(a, b)| a != b)
            .all(|(a, b)| world.sees(a, b, Duration::from_millis(300)))
    };
    assert!(everybody(&world));
    for client in &clients {
        let heard = world.clients[*client].received.iter();
        let heard = heard
            .filter(|packet| packet.kind == MediaKind::Audio)
            .count();
        assert!(heard > 300, "{client} hears two others: {heard} packets");
    }
    // A participant moves to the node of the other release, and back.
    for node in [1, 0] {
        let (attempt, old) = (world.attempt(0), 1 - node);
        world.rejoin(0, node);
        world.close(old, 0, attempt);
        world.run(Duration::from_secs(3));
        assert!(everybody(&world), "at {node}");
    }
}

#[test]
fn a_node_of_a_later_release_shares_a_room() {
    interoperates(Dialect::Later);
}

#[test]
fn a_node_of_an_earlier_release_shares_a_room() {
    interoperates(Dialect::Earlier);
}
