//! What the node dropped because it had waited too long is not sent after all when the receiver misses it: it would go
//! before live video. What follows it is not sent either, until a keyframe; that is asked for, and not too often.

use std::time::Duration;

use simulation::{Bottleneck, Path, World};

const VIEWER: usize = 0;
const SECOND: Duration = Duration::from_secs(1);

/// Of all clients together.
fn keyframes_asked(world: &World) -> u32 {
    world.clients.iter().map(|c| c.keyframes_asked()).sum()
}

#[test]
fn a_path_that_becomes_much_too_narrow_is_spared_what_cannot_be_shown() {
    for (seed, kbps) in [(61, 1_000), (62, 2_000)] {
        let mut world = World::new(seed, 1, Path::clean(20), Path::clean(30));
        // Eight videos of 720 kbit/s.
        for _ in 0..9 {
            world.join(0);
        }
        world.run(5 * SECOND);
        let (before, asked) = (world.stats(0), keyframes_asked(&world));
        let narrow = Bottleneck::of(kbps * 1_000);
        world.bottlenecks.insert(VIEWER, narrow);
        world.run(10 * SECOND);

        let after = world.stats(0);
        assert!(after.drops.stale > before.drops.stale, "{kbps} kbit/s");
        let repairs = after.retransmissions - before.retransmissions;
        // What is lost is repaired, once or twice.
        let lost = world.bottlenecks[&VIEWER].dropped;
        assert!(
            repairs < lost * 3 / 2,
            "{kbps} kbit/s: {repairs} repairs of {lost} that were lost"
        );
        let asked = keyframes_asked(&world) - asked;
        assert!(asked <= 8, "{kbps} kbit/s: {asked} keyframes");
        let decoders = world.clients[VIEWER].decoders.values();
        let stood = decoders.map(|decoder| decoder.frozen(world.now - 8 * SECOND, world.now));
        let best = stood.fold(1.0, f64::min);
        // 1 Mbit/s carries one of these videos, if the estimate comes back at once.
        assert!(
            best < 0.2 || kbps < 2_000,
            "{kbps} kbit/s: the best picture stood still for {best}"
        );
    }
}
