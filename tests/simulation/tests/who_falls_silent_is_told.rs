//! The room hears within two seconds and a tick that nothing comes of a client any more, and at once that something does again.
//! Who has nothing to send is not silent.

use std::time::{Duration, Instant};

use protocol::id::Attempt;
use protocol::node::{NodeToRoom, SessionRef};
use simulation::{Path, World, participant};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// What the room was told of who is there, from this place on: whether they are heard.
fn heard(world: &World, from: usize) -> Vec<(String, bool)> {
    let told = world.told[from..].iter();
    let first = |session: &&SessionRef| session.attempt == Attempt(1);
    let of = |sessions: &[SessionRef], heard| -> Vec<_> {
        let sessions = sessions.iter().filter(first);
        let named = sessions.map(|session| (session.participant.to_string(), heard));
        named.collect()
    };
    let words = told.flat_map(|(_, told)| match told {
        NodeToRoom::Silent {
            participant,
            attempt: Attempt(1),
        } => vec![(participant.to_string(), false)],
        NodeToRoom::Heard {
            participant,
            attempt: Attempt(1),
        } => vec![(participant.to_string(), true)],
        NodeToRoom::Signs { heard, silent } => [of(silent, false), of(heard, true)].concat(),
        _ => Vec::new(),
    });
    words.collect()
}

/// Two people in a call who say that they live.
fn call() -> World {
    let mut world = World::new(61, 1, Path::clean(20), Path::clean(0));
    for client in 0..2 {
        world.join(0);
        let now = world.now;
        world.clients[client].live(now);
    }
    world.run(10 * SECOND);
    assert_eq!(heard(&world, 0), []);
    world
}

/// Nothing of a client gets through any more, and nothing to it; returns when its last packet has arrived.
fn cut(world: &mut World, client: usize) -> Instant {
    let last = world.now + world.access.delay;
    let path = world.access.lossy(1.0);
    world.access_of.insert(client, path);
    last
}

#[test]
fn a_client_whose_network_stops_is_told_once_and_once_more_when_it_is_back() {
    let mut world = call();
    let from = world.told.len();
    let last = cut(&mut world, 0);
    let silent = |world: &World| !heard(world, from).is_empty();
    assert!(world.run_until(5 * SECOND, silent));
    let passed = world.now - last;
    // Its last packet left up to 20 ms before.
    assert!((1_980 * MS..=2_001 * MS).contains(&passed), "{passed:?}");
    assert_eq!(heard(&world, from), [("p0".into(), false)]);
    world.run(5 * SECOND);
    assert_eq!(heard(&world, from).len(), 1, "told once");

    world.access_of.remove(&0);
    let back = world.now;
    assert!(world.run_until(5 * SECOND, |world| heard(world, from).len() > 1));
    assert!(world.now - back < 100 * MS, "its sound goes on meanwhile");
    assert_eq!(heard(&world, from)[1], ("p0".into(), true));
    world.run(5 * SECOND);
    assert_eq!(heard(&world, from).len(), 2);

    cut(&mut world, 0);
    world.run(5 * SECOND);
    assert_eq!(heard(&world, from)[2..], [("p0".into(), false)]);
}

#[test]
fn of_whom_nothing_comes_no_figures_are_told() {
    let mut world = call();
    let from = world.told.len();
    cut(&mut world, 0);
    // What was measured while it was heard may still be told.
    world.run(3 * SECOND);
    let silent = world.clients[1].qualities.len();
    world.run(10 * SECOND);
    let reports = world.clients[1].qualities[silent..].iter();
    let named: Vec<_> = reports
        .flat_map(|(_, participants)| participants)
        .map(|entry| entry.participant.clone())
        .collect();
    assert_eq!(heard(&world, from), [("p0".into(), false)]);
    assert!(!named.is_empty());
    assert!(
        named.iter().all(|name| *name == participant(1)),
        "{named:?}"
    );
}

#[test]
fn who_is_alone_and_muted_without_a_camera_is_not_silent() {
    let mut world = World::new(62, 1, Path::clean(20), Path::clean(0));
    world.join(0);
    world.clients[0].silence();
    let now = world.now;
    world.clients[0].live(now);
    world.run(60 * SECOND);
    assert_eq!(heard(&world, 0), []);
    cut(&mut world, 0);
    world.run(4 * SECOND);
    assert_eq!(heard(&world, 0), [("p0".into(), false)]);
}

#[test]
fn who_never_said_that_he_lives_has_promised_nothing() {
    let mut world = World::new(63, 1, Path::clean(20), Path::clean(0));
    world.join(0);
    world.run(5 * SECOND);
    cut(&mut world, 0);
    world.run(5 * SECOND);
    assert_eq!(heard(&world, 0), []);
}

#[test]
fn who_has_left_is_not_silent() {
    let mut world = call();
    world.kick(0);
    world.run(5 * SECOND);
    assert_eq!(heard(&world, 0), []);
}

#[test]
fn what_was_said_on_a_lost_link_is_said_again_on_the_next() {
    let mut world = call();
    cut(&mut world, 0);
    world.run(5 * SECOND);
    let from = world.told.len();
    world.relink(0);
    let mut words = heard(&world, from);
    words.sort();
    assert_eq!(words, [("p0".into(), false), ("p1".into(), true)]);
}
