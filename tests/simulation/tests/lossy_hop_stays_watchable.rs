//! Random loss on any one hop leaves the call watchable: the picture stands still for less than 3% of the time at 10% loss.
//!
//! `cargo test -p simulation --test lossy_hop_stays_watchable -- --nocapture` prints the figures.

use std::time::Duration;

use simulation::{Path, World};

/// A freeze is rare and long: runs are judged together, for one alone says little.
const SEEDS: [u64; 4] = [1, 2, 3, 4];

/// The hop of a call over two nodes that loses packets, in both directions.
#[derive(Debug, Clone, Copy)]
enum Hop {
    PublisherToNode,
    NodeToNode,
    NodeToSubscriber,
}

/// Share of 40 seconds, in percent, in which the subscriber's picture stood still.
fn frozen(seed: u64, hop: Hop, loss: f64) -> f64 {
    let (access, backbone) = (Path::clean(20).jittery(4), Path::clean(40).jittery(4));
    let mut world = World::new(seed, 2, access, backbone);
    world.join(0);
    world.join(1);
    world.clients[1].show(&[World::camera(0)]);
    world.clients[0].show(&[]);
    world.run(Duration::from_secs(3));
    match hop {
        Hop::PublisherToNode => drop(world.access_of.insert(0, access.lossy(loss))),
        Hop::NodeToNode => world.backbone = backbone.lossy(loss),
        Hop::NodeToSubscriber => drop(world.access_of.insert(1, access.lossy(loss))),
    }
    let start = world.now;
    world.run(Duration::from_secs(40));
    let shown = world.clients[1].decoders.values();
    let decoder = shown.max_by_key(|decoder| decoder.shown.len());
    (100.0 * decoder.map_or(1.0, |decoder| decoder.frozen(start, world.now))).abs()
}

#[test]
fn at_ten_percent_on_any_one_hop_the_picture_stands_still_for_less_than_three() {
    println!("loss    publisher→node  node→node  node→subscriber   (percent of the time frozen)");
    for loss in [0.01, 0.05, 0.10, 0.20] {
        let hops = [Hop::PublisherToNode, Hop::NodeToNode, Hop::NodeToSubscriber];
        let shares = hops.map(|hop| {
            let runs = SEEDS.map(|seed| frozen(seed, hop, loss));
            runs.iter().sum::<f64>() / runs.len() as f64
        });
        println!(
            "{:>3.0}%  {:>14.2}  {:>9.2}  {:>15.2}",
            loss * 100.0,
            shares[0],
            shares[1],
            shares[2]
        );
        if loss <= 0.10 {
            for (hop, share) in hops.into_iter().zip(shares) {
                assert!(
                    share < 3.0,
                    "{hop:?} at {loss}: frozen {share:.2}% of the time"
                );
            }
        }
    }
}
