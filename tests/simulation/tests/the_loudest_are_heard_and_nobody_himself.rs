//! Of more people than are sent to anybody, everybody hears the loudest, and nobody an echo.

use std::collections::HashMap;
use std::time::Duration;

use protocol::media::MediaKind;
use simulation::{Path, World};

#[test]
fn everybody_hears_the_loudest_and_nobody_himself() {
    let access = Path::clean(10).jittery(3);
    let mut world = World::new(4, 2, access, Path::clean(40).jittery(5));
    for client in 0..8 {
        world.join(client % 2);
    }
    for (client, level) in [20, 90, 90, 25, 90, 90, 90, 90].into_iter().enumerate() {
        world.clients[client].level = level;
    }
    world.run(Duration::from_secs(8));
    for client in &world.clients {
        let start = world.now - Duration::from_secs(2);
        let heard: HashMap<u8, usize> = client
            .received
            .iter()
            .filter(|packet| packet.kind == MediaKind::Audio && packet.at > start)
            .fold(HashMap::new(), |mut counts, packet| {
                *counts.entry(packet.stamp.client).or_default() += 1;
                counts
            });
        assert!(!heard.contains_key(&client.number), "an echo");
        assert!(heard.len() <= 5, "more streams than are sent to anybody");
        for loud in [0, 3] {
            if client.number != loud {
                let count = heard.get(&loud).copied().unwrap_or(0);
                assert!(count > 90, "client {} heard {count}", client.number);
            }
        }
    }
}
