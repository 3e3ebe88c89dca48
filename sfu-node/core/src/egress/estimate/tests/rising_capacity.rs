//! A path that gets wider is found out about within seconds, by whoever wants to send more.

use super::link::Path;
use super::world::{Source, World};

#[test]
fn an_encoder_that_follows_gets_the_new_capacity() {
    let mut world = World::new(Path::of(600_000), Source::Follows(1.0), 4);
    world.estimator.set_wanted(5_000_000);
    world.run(20.0);
    world.change(|path| path.capacity = 2_500_000);
    world.run(30.0);
    world.print("600 kbit/s, from 20 s on 2,500");
    let reached = world.reached(20.0, 0.85 * 2.5e6) - 20.0;
    assert!(reached <= 12.0, "{reached} s");
}

#[test]
fn a_server_with_layers_climbs_them_by_probing() {
    const LAYERS: &[u64] = &[150_000, 500_000, 1_700_000];
    let mut world = World::new(Path::of(300_000), Source::Layers(LAYERS), 5);
    world.estimator.set_wanted(1_750_000);
    world.run(30.0);
    let before = world.mean(10.0, 30.0);
    assert!((150e3..=400e3).contains(&before), "{before}");
    world.change(|path| path.capacity = 3_000_000);
    world.run(30.0);
    world.print("300 kbit/s, from 30 s on 3,000, layers");
    let reached = world.reached(30.0, 1_740_000.0) - 30.0;
    assert!(reached <= 12.0, "{reached} s");
    // And stays.
    assert!(world.sank(30.0 + reached + 1.0, 1_500_000.0).is_infinite());
}
