//! What a join costs where there are 200 nodes, and where there are 2,000. `cargo test --release -p edge-core --test cost_of_a_join --
//! --nocapture` prints it; of time nothing is asserted.

use std::time::Instant;

use edge_core::roster::{Choice, Fleet, Member, Request};
use protocol::id::NodeId;
use protocol::node::Load;

const JOINS: u32 = 100_000;

#[test]
fn a_join_is_timed_among_two_hundred_nodes_and_two_thousand() {
    for nodes in [200, 2_000] {
        let load = Load {
            max_sessions: 10_000,
            max_joins_per_interval: u32::MAX,
            ..Load::default()
        };
        let name = |node| format!("eu-west-{node}").parse::<NodeId>().unwrap();
        let mut fleet = Fleet::default();
        (0..nodes).for_each(|node| fleet.register(name(node), Member::new(load, 0)));
        let mut random = 1_u32;
        let begun = Instant::now();
        for join in 0..JOINS {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let request = Request {
                placed: vec![],
                avoid: vec![],
                given_up: vec![],
            };
            let chosen = fleet.assign(&request, 0, [random, random.rotate_left(16) ^ join]);
            assert!(matches!(chosen, Choice::Node(_)));
        }
        let each = begun.elapsed().as_nanos() / u128::from(JOINS);
        println!("{nodes} nodes: {each} ns for each join");
    }
}
