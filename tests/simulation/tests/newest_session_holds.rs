//! A participant moves from node to node and back, and is never lost to the others, however late the old sessions end.

use std::time::Duration;

use simulation::{Path, World};

const LATELY: Duration = Duration::from_millis(200);

#[test]
fn the_newest_session_holds_wherever_it_is() {
    for seed in 1..=3 {
        let backbone = Path::clean(40).jittery(60);
        let nodes = [("eu", 1), ("eu", 1), ("us", 1)];
        let mut world = World::laid_out(seed, &nodes, Path::clean(5), backbone);
        let moving = world.join(0);
        let others = [world.join(1), world.join(2)];
        world.run(Duration::from_secs(3));
        // From A to B and back at once, and on: the old sessions are closed late, and not in order.
        for (attempt, node) in (2..).zip([1, 0, 2, 0]) {
            world.rejoin(moving, node);
            world.run(Duration::from_millis(if attempt % 2 == 0 {
                300
            } else {
                900
            }));
        }
        for (attempt, node) in [(2, 1), (1, 0), (4, 2), (3, 0)] {
            world.close(node, moving, attempt);
            world.run(Duration::from_millis(100));
        }
        world.run(Duration::from_secs(2));
        for other in others {
            assert!(world.sees(other, moving, LATELY), "seed {seed}: {other}");
            assert!(world.sees(moving, other, LATELY), "seed {seed}: {other}");
        }
    }
}
