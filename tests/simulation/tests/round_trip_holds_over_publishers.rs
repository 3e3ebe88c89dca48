//! The round trip to a receiver is measured right while its slot goes from one publisher to the next, whose clocks differ.

use std::time::Duration;

use simulation::{Path, World, participant};

const VIEWER: usize = 2;

#[test]
fn a_slot_that_changes_its_publisher_tells_the_same_round_trip() {
    let mut world = World::new(71, 1, Path::clean(40), Path::clean(30));
    for _ in 0..3 {
        world.join(0);
    }
    // Sound would tell the round trip as well, and does not change its slots.
    world.clients.iter_mut().for_each(|client| client.mute());
    for turn in 0..30 {
        world.clients[VIEWER].show(&[World::camera(turn % 2)]);
        // Reports come each second: some before the change, some after it.
        world.run(Duration::from_millis(1_130));
    }
    let told = world.clients[VIEWER].qualities.iter();
    let viewer = told
        .flat_map(|(_, participants)| participants)
        .filter(|entry| entry.participant == participant(VIEWER));
    let trips: Vec<f32> = viewer.filter_map(|e| e.quality.round_trip_ms).collect();
    assert!(trips.len() >= 5, "{trips:?}");
    assert!(
        trips.iter().all(|trip| (75.0..100.0).contains(trip)),
        "{trips:?}"
    );
}
