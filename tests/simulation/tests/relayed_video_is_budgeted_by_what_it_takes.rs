//! What comes from another node is budgeted by what it takes, as what is published here is: a path that
//! carries it gets it.

use std::time::Duration;

use simulation::{Bottleneck, Path, Videos, World};

const VIEWER: usize = 1;

#[test]
fn a_screen_that_takes_less_than_usual_gets_its_frame_rate_back_on_a_path_that_carries_it() {
    for publishers_node in [0, 1] {
        let mut world = World::new(1, 2, Path::clean(25), Path::clean(20));
        world.join_with(publishers_node, Videos::WITH_SCREEN);
        world.join(0);
        world.clients[VIEWER].mute();
        world.bottlenecks.insert(VIEWER, Bottleneck::of(20_000_000));
        world.clients[VIEWER].show_tiles(&[(World::screen(0), (1_920, 1_080), 9)]);
        world.run(Duration::from_secs(10));
        // It takes 1.45 Mbit/s, where a moving screen would have 2.5.
        for (rate, seconds) in [(1_000_000, 8), (2_200_000, 25)] {
            world.bottlenecks.insert(VIEWER, Bottleneck::of(rate));
            world.run(Duration::from_secs(seconds));
        }
        let start = world.now;
        world.run(Duration::from_secs(10));
        let received = world.clients[VIEWER].received.iter().rev();
        let frequent = received
            .take_while(|packet| packet.at >= start)
            .filter(|packet| packet.stamp.screen && packet.stamp.layer == 1)
            .count();
        assert!(
            frequent > 10 * 6 * 28,
            "published at node {publishers_node}: {frequent} packets of 30 frames a second"
        );
    }
}
