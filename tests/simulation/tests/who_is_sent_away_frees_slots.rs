//! Who is sent away gets nothing more, and frees the slots that showed it.

use std::time::Duration;

use simulation::{Path, World};

#[test]
fn a_member_that_is_sent_away_is_sent_nothing_more_and_its_slots_become_free() {
    let mut world = World::new(6, 2, Path::clean(5), Path::clean(30));
    for client in 0..3 {
        world.join(client % 2);
    }
    world.run(Duration::from_secs(3));
    world.kick(2);
    world.run(Duration::from_millis(200));
    let before = world.clients[2].received.len();
    world.run(Duration::from_secs(2));
    assert_eq!(world.clients[2].received.len(), before);
    for client in &world.clients[..2] {
        let carried = client
            .assignments
            .iter()
            .filter_map(|slot| slot.track.as_ref());
        let tracks: Vec<_> = carried.collect();
        assert_eq!(tracks.len(), 2, "the other one's camera and microphone");
        assert!(
            tracks
                .iter()
                .all(|track| track.participant.as_str() != "p2")
        );
    }
    assert_eq!(world.stats(0).sessions, 1);
}
