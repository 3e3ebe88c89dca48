//! A client that goes on under one SSRC after another, without end, is sent away: what str0m remembers of each would only grow.

use std::time::Duration;

use protocol::node::NodeToRoom;
use simulation::{Path, Videos, World};

/// Streams that a client may begin.
const MOST: usize = 512;

/// Whether the room was told that somebody's session is over.
fn is_over(world: &World) -> bool {
    let mut told = world.told.iter();
    told.any(|(_, message)| matches!(message, NodeToRoom::Disconnected { .. }))
}

#[test]
fn so_many_streams_end_the_session_and_no_fewer() {
    let mut world = World::new(75, 1, Path::clean(10), Path::clean(40));
    let restless = world.join_with(0, Videos::PLAIN);
    let listener = world.join_with(0, Videos::PLAIN);
    for client in [restless, listener] {
        // Sound alone: the streams are the microphone's.
        world.clients[client].silence();
        let now = world.now;
        world.clients[client].unmute(now);
    }
    world.run(Duration::from_secs(1));
    for _ in 1..MOST {
        world.clients[restless].change_ssrcs();
        // No two begin within a second.
        world.run(Duration::from_millis(1_050));
    }
    assert!(!is_over(&world), "it has begun {MOST} streams");
    assert_eq!(world.stats(0).sessions, 2);
    world.clients[restless].change_ssrcs();
    world.run(Duration::from_millis(100));
    assert!(is_over(&world), "it has begun one more");
    assert_eq!(world.stats(0).sessions, 1, "the other one stays");
}
