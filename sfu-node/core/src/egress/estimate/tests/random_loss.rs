//! Loss by chance is no congestion: most of the path stays in use.

use super::link::Path;
use super::world::{Source, World};

#[test]
fn two_to_ten_percent_keep_most_of_the_path() {
    for (loss, share) in [(0.02, 0.75), (0.05, 0.7), (0.10, 0.6)] {
        for seed in [8, 9, 10] {
            let path = Path {
                loss,
                ..Path::of(2_000_000)
            };
            let mut world = World::new(path, Source::Follows(1.0), seed);
            world.estimator.set_wanted(3_000_000);
            world.run(60.0);
            if seed == 8 {
                world.print(&format!("{loss} lost"));
            }
            let mean = world.mean(15.0, 60.0) / 2e6;
            println!("{loss} lost, seed {seed}: {mean:.2} of the capacity");
            assert!(mean >= share, "{loss}, seed {seed}: {mean}");
            let measured = world.estimator.loss();
            assert!((measured - loss).abs() < 0.08, "{loss}: {measured}");
        }
    }
}

#[test]
fn fifth_lost_still_carries_a_call() {
    let path = Path {
        loss: 0.2,
        ..Path::of(2_000_000)
    };
    let mut world = World::new(path, Source::Follows(1.0), 11);
    world.estimator.set_wanted(3_000_000);
    world.run(60.0);
    world.print("0.2 lost");
    let mean = world.mean(15.0, 60.0);
    assert!(mean >= 500e3, "{mean}");
}
