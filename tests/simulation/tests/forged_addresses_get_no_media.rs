//! A client that forges its source address has nothing sent to it but a few small checks, which it cannot answer from there.

use std::net::SocketAddr;
use std::time::Duration;

use simulation::{Path, World};

#[test]
fn media_goes_on_to_where_the_client_is_when_it_nominates_somebody_else() {
    let mut world = World::new(7, 1, Path::clean(25), Path::clean(0));
    world.join(0);
    world.join(0);
    world.run(Duration::from_secs(3));
    let victim = SocketAddr::from(([10, 3, 0, 9], 7_000));
    let start = world.now;
    assert_eq!(world.strayed, 0);
    for _ in 0..50 {
        world.forge_nomination(0, victim);
        world.run(Duration::from_millis(100));
    }
    let received = world.clients[0].received.iter();
    let packets = received.filter(|packet| packet.at > start).count();
    assert!(packets > 5 * 120, "{packets} packets");
    let gaps = world.clients[0].decoders.values();
    assert!(
        gaps.map(|decoder| decoder.frozen(start, world.now))
            .sum::<f64>()
            < 0.01
    );
    // Answers and checks, of some 100 bytes each.
    assert!(world.strayed < 50 * 3 * 120, "{} bytes", world.strayed);
    println!("{} bytes to the victim in 5 s", world.strayed);
}
