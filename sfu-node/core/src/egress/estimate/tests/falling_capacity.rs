//! A path that gets narrower: the estimate follows within a second, and the queue stays bounded.

use std::time::Duration;

use super::link::Path;
use super::world::{Source, World};

#[test]
fn it_backs_off_within_about_a_second() {
    for capacity in [1_200_000, 600_000, 300_000] {
        let path = Path {
            queue: Duration::from_secs(2),
            ..Path::of(2_500_000)
        };
        let mut world = World::new(path, Source::Follows(1.0), 6);
        world.estimator.set_wanted(5_000_000);
        world.run(20.0);
        world.change(|path| path.capacity = capacity);
        world.run(20.0);
        world.print(&format!("2,500 kbit/s, from 20 s on {capacity}"));
        let sank = world.sank(20.0, capacity as f64) - 20.0;
        assert!(sank <= 1.2, "{capacity}: {sank} s");
        let wait = world.longest_wait(25.0, 40.0);
        assert!(wait < 250.0, "{capacity}: {wait} ms in the queue");
        let mean = world.mean(27.0, 40.0) / capacity as f64;
        assert!((0.75..=1.1).contains(&mean), "{capacity}: {mean}");
    }
}

#[test]
fn a_short_dip_is_made_good_soon_after_it() {
    let mut world = World::new(Path::of(2_500_000), Source::Follows(1.0), 7);
    world.estimator.set_wanted(5_000_000);
    world.run(20.0);
    world.change(|path| path.capacity = 400_000);
    world.run(4.0);
    world.change(|path| path.capacity = 2_500_000);
    world.run(20.0);
    world.print("2,500 kbit/s with a dip at 20 s");
    let reached = world.reached(24.5, 2e6) - 24.0;
    assert!(reached <= 6.0, "{reached} s");
}
