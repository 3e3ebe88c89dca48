//! A node says again what a lost link may have swallowed: answers and restarts of ICE, for as long as a client may wait for them,
//! and in one message of all who is heard.

use std::time::Duration;

use protocol::client::IceCredentials;
use protocol::id::Attempt;
use protocol::node::{NodeToRoom, SessionRef};
use simulation::{Path, World, participant};

const SECOND: Duration = Duration::from_secs(1);

/// The answers that the room was told from then on.
fn answers(world: &World, from: usize) -> Vec<String> {
    let told = world.told[from..].iter();
    let answers = told.filter_map(|(_, message)| match message {
        NodeToRoom::Answer { sdp, .. } => Some(sdp.clone()),
        _ => None,
    });
    answers.collect()
}

/// The credentials for a path anew, likewise.
fn restarts(world: &World, from: usize) -> Vec<IceCredentials> {
    let told = world.told[from..].iter();
    let restarts = told.filter_map(|(_, message)| match message {
        NodeToRoom::IceRestarted { credentials, .. } => Some(credentials.clone()),
        _ => None,
    });
    restarts.collect()
}

#[test]
fn an_answer_is_said_again_until_its_client_is_there() {
    let mut world = World::new(76, 1, Path::clean(10), Path::clean(40));
    world.join(0);
    let answer = answers(&world, 0);
    let from = world.told.len();
    world.relink(0);
    // They are long.
    assert!(answers(&world, from) == answer, "the same once more");
    world.run(2 * SECOND);
    let from = world.told.len();
    world.relink(0);
    assert!(answers(&world, from).is_empty(), "it has arrived");
}

#[test]
fn a_restart_is_said_again_until_its_client_has_used_it() {
    let mut world = World::new(77, 1, Path::clean(10), Path::clean(40));
    let ada = world.join(0);
    world.run(2 * SECOND);
    let from = world.told.len();
    world.ask_for_restart(ada);
    let credentials = restarts(&world, from);
    assert_eq!(credentials.len(), 1);
    let from = world.told.len();
    world.relink(0);
    assert_eq!(restarts(&world, from), credentials);
    world.clients[ada].ice_restarted(&credentials[0]);
    world.run(2 * SECOND);
    let from = world.told.len();
    world.relink(0);
    assert!(restarts(&world, from).is_empty(), "it has arrived");
}

#[test]
fn who_is_heard_is_said_of_all_at_once() {
    let mut world = World::new(78, 1, Path::clean(10), Path::clean(40));
    for client in 0..3 {
        world.join(0);
        let now = world.now;
        world.clients[client].live(now);
    }
    let from = world.told.len();
    world.relink(0);
    let all_wait = |(_, message): &_| matches!(message, NodeToRoom::Answer { .. });
    assert!(
        world.told[from..].iter().all(all_wait),
        "nobody is there yet"
    );
    world.run(5 * SECOND);
    world.access_of.insert(1, world.access.lossy(1.0));
    world.run(5 * SECOND);
    let from = world.told.len();
    world.relink(0);
    let [(0, NodeToRoom::Signs { heard, silent })] = &world.told[from..] else {
        panic!("{:?} is more than one message", &world.told[from..]);
    };
    let of = |client| SessionRef {
        participant: participant(client),
        attempt: Attempt(1),
    };
    assert_eq!(
        (&heard[..], &silent[..]),
        (&[of(0), of(2)][..], &[of(1)][..])
    );
}
