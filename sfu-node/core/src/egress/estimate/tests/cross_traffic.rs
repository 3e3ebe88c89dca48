//! Others on the same path: what they take is given up, and taken back when they have gone.

use super::link::Path;
use super::world::{Source, World};

#[test]
fn it_makes_room_and_takes_it_back() {
    let mut world = World::new(Path::of(3_000_000), Source::Follows(1.0), 16);
    world.estimator.set_wanted(4_000_000);
    world.run(20.0);
    world.change(|path| path.cross = 1_800_000);
    world.run(30.0);
    world.change(|path| path.cross = 0);
    world.run(30.0);
    world.print("1,800 of 3,000 kbit/s taken from 20 s to 50 s");
    let within = world.mean(25.0, 50.0);
    assert!((700e3..=1.5e6).contains(&within), "{within}");
    let back = world.reached(51.0, 2.4e6) - 50.0;
    assert!(back <= 15.0, "{back} s");
}

#[test]
fn jitter_of_a_radio_link_is_no_congestion() {
    let path = Path {
        jitter: std::time::Duration::from_millis(30),
        ..Path::of(4_000_000)
    };
    let mut world = World::new(path, Source::Fixed(1_500_000), 17);
    world.estimator.set_wanted(2_000_000);
    world.run(60.0);
    world.print("30 ms of jitter");
    let mean = world.mean(10.0, 60.0);
    assert!(mean >= 1.3e6, "{mean}");
}
