//! Who comes later is seen by everybody, and sees everybody, without a new negotiation.

use std::time::Duration;

use protocol::media::MediaKind;
use protocol::node::NodeToRoom;
use simulation::{Path, World};

#[test]
fn a_third_and_a_fourth_join_without_a_new_negotiation() {
    let mut world = World::new(5, 2, Path::clean(5), Path::clean(30));
    world.join(0);
    world.join(1);
    world.run(Duration::from_secs(3));
    world.join(0);
    world.join(1);
    world.run(Duration::from_secs(3));
    let answers = world.told.iter();
    let answers = answers.filter(|(_, told)| matches!(told, NodeToRoom::Answer { .. }));
    assert_eq!(answers.count(), 4, "one answer each");
    for client in &world.clients {
        for other in (0..4).filter(|other| *other != client.number) {
            let seen = client
                .received
                .iter()
                .filter(|packet| packet.kind == MediaKind::Video && packet.stamp.client == other);
            assert!(seen.count() > 100, "{} sees {other}", client.number);
        }
    }
}
