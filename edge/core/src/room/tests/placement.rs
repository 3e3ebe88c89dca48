//! Placement: nodes that are found, come back, or have nobody to serve.

use protocol::id::{Attempt, Epoch, NodeId};
use protocol::node::{NodeToRoom, RefusalReason, RoomToNode, SessionRef, VERSION};

use super::{Effect, Event, NodeLink, NotAdmitted, World, id};

fn released(effects: &[Effect], link: &NodeLink) -> bool {
    effects.iter().any(|effect| {
        matches!(effect, Effect::Tell { link: told, message: RoomToNode::Release } if told == link)
    })
}

/// Time passes until a node is released; what else falls due happens.
fn wait_for_release(world: &mut World, link: &NodeLink) -> bool {
    (0..10).any(|_| world.room.deadline().is_some() && released(&world.wait(), link))
}

/// Whether a search that begins is a patient one.
fn is_patient(effects: &[Effect]) -> Option<bool> {
    effects.iter().find_map(|effect| match effect {
        Effect::Seek { patient, .. } => Some(*patient),
        _ => None,
    })
}

/// The region does not know its nodes yet, until the room goes elsewhere; returns when it did.
fn not_known_yet(world: &mut World, name: &str) -> u64 {
    for _ in 0..100 {
        let epoch = world.room.info.epoch;
        let participant = id(name);
        world.handle(Event::NotKnownYet { participant, epoch });
        if is_patient(&world.wait()) == Some(false) {
            return world.now;
        }
    }
    panic!("it waits for ever");
}

/// The epoch under which a node is sought, and the nodes named as placed.
fn sought(effects: &[Effect]) -> Option<(Epoch, Vec<NodeId>)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Seek { epoch, placed, .. } => Some((*epoch, placed.clone())),
        _ => None,
    })
}

fn found(world: &mut World, name: &str, epoch: Epoch, node: &str) -> Vec<Effect> {
    world.handle(Event::Found {
        participant: id(name),
        epoch,
        node: Some((id(node), id("eu"))),
    })
}

fn answer(world: &mut World, name: &str, link: &NodeLink) -> Vec<Effect> {
    let answer = NodeToRoom::Answer {
        participant: id(name),
        attempt: Attempt(1),
        sdp: String::new(),
    };
    world.node_says(link, answer)
}

/// The node comes back with the sessions it holds.
fn come_back(world: &mut World, link: &NodeLink, sessions: Vec<SessionRef>) -> Vec<Effect> {
    world.handle(Event::NodeOpened {
        link: link.clone(),
        region: id("eu"),
    });
    greet(world, link, VERSION, sessions)
}

fn greet(
    world: &mut World,
    link: &NodeLink,
    version: u32,
    sessions: Vec<SessionRef>,
) -> Vec<Effect> {
    let ready = NodeToRoom::Ready {
        version,
        quic: "192.0.2.1:7000".into(),
        fingerprint: "00".repeat(32),
        sessions,
    };
    world.node_says(link, ready)
}

fn session(name: &str) -> SessionRef {
    SessionRef {
        participant: id(name),
        attempt: Attempt(1),
    }
}

#[test]
fn a_join_while_a_link_is_broken_disturbs_no_session() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let link = world.place("ada", "n1");
    world.say(&ada, super::OFFER);
    answer(&mut world, "ada", &link);
    world.handle(Event::NodeClosed { link: link.clone() });
    let (epoch, placed) = sought(&world.admit("bob")).expect("bob needs a node");
    assert_eq!(placed, [id("n1")]);
    found(&mut world, "bob", epoch, "n1");
    // The node was told nothing and dials as before.
    let again = world.room.expect_node(&id("n1"), link.epoch);
    let again = again.expect("it has the room");
    let effects = come_back(&mut world, &again, vec![session("ada")]);
    assert_eq!(super::renegotiations(&effects), 0);
    assert!(!effects.iter().any(|effect| matches!(
        effect,
        Effect::Tell {
            message: RoomToNode::Close { .. } | RoomToNode::Release,
            ..
        }
    )));
}

#[test]
fn a_node_that_was_told_to_open_again_is_admitted_with_its_sessions() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let old = world.place("ada", "n1");
    world.say(&ada, super::OFFER);
    answer(&mut world, "ada", &old);
    let (epoch, _) = sought(&world.admit("bob")).expect("bob needs a node");
    let new = world.room.expect_node(&id("n1"), epoch);
    let new = new.expect("it is sought");
    let effects = come_back(&mut world, &new, vec![session("ada")]);
    assert_eq!(super::renegotiations(&effects), 0);
    assert!(
        effects
            .iter()
            .all(|effect| !matches!(effect, Effect::Seek { .. }))
    );
    assert_eq!(
        world.room.expect_node(&id("n1"), old.epoch),
        Err(NotAdmitted::StaleEpoch)
    );
    // The end of the replaced link is no news.
    world.handle(Event::NodeClosed { link: old });
    found(&mut world, "bob", epoch, "n1");
    let connected = NodeToRoom::Connected {
        participant: id("ada"),
        attempt: Attempt(1),
    };
    world.node_says(&new, connected);
    assert_eq!(
        world.room.deadline(),
        Some(60_000),
        "only bob's ticket is due"
    );
}

#[test]
fn a_node_that_the_room_left_during_the_search_is_sought_again_at_once() {
    let mut world = World::new();
    world.enter("ada");
    let link = world.place("ada", "n1");
    let (epoch, placed) = sought(&world.admit("bob")).expect("bob needs a node");
    assert_eq!(placed, [id("n1")]);
    world.handle(Event::NodeClosed { link });
    world.wait();
    assert!(world.room.nodes.is_empty());
    let (next, placed) = sought(&found(&mut world, "bob", epoch, "n1")).expect("at once");
    assert!(next > epoch && placed.is_empty());
}

#[test]
fn who_only_lost_its_link_may_come_back_and_who_is_said_to_be_gone_may_not() {
    let given_up = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::Seek {
                avoid, given_up, ..
            } => Some((avoid.clone(), given_up.clone())),
            _ => None,
        })
    };
    let mut world = World::new();
    let ada = world.enter("ada");
    let link = world.place("ada", "n1");
    world.handle(Event::NodeClosed { link });
    let n1 = vec![id("n1")];
    assert_eq!(given_up(&world.wait()), Some((n1.clone(), Vec::new())));
    // It is back; then all whose media it has say that nothing comes.
    let link = world.place("ada", "n1");
    world.say(&ada, super::OFFER);
    answer(&mut world, "ada", &link);
    let connected = NodeToRoom::Connected {
        participant: id("ada"),
        attempt: Attempt(1),
    };
    world.node_says(&link, connected);
    world.handle(Event::NodeClosed { link });
    let gone = world.say(&ada, r#"{"type":"noMedia","attempt":1}"#);
    assert_eq!(given_up(&gone), Some((n1.clone(), n1)));
}

#[test]
fn a_node_for_somebody_who_left_before_it_was_found_is_released() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let epoch = world.room.info.epoch;
    let link = world.link("n1", epoch);
    world.say(&ada, r#"{"type":"leave"}"#);
    found(&mut world, "ada", epoch, "n1");
    assert!(wait_for_release(&mut world, &link));
    assert!(world.room.nodes.is_empty());
    assert_eq!(world.room.deadline(), None);
}

#[test]
fn a_node_that_is_full_is_released() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let link = world.place("ada", "n1");
    world.say(&ada, super::OFFER);
    answer(&mut world, "ada", &link);
    let refused = NodeToRoom::Refused {
        participant: id("ada"),
        attempt: Attempt(1),
        reason: RefusalReason::NoCapacity,
        message: "full".into(),
    };
    assert_eq!(super::renegotiations(&world.node_says(&link, refused)), 1);
    world.place("ada", "n2");
    assert!(wait_for_release(&mut world, &link));
    assert_eq!(world.room.nodes.len(), 1);
}

#[test]
fn nodes_of_the_next_and_the_last_version_host_rooms_and_others_do_not() {
    for (version, hosts) in [
        (VERSION - 1, true),
        (VERSION, true),
        (VERSION + 1, true),
        (VERSION + 2, false),
    ] {
        let mut world = World::new();
        let ada = world.enter("ada");
        let epoch = world.room.info.epoch;
        found(&mut world, "ada", epoch, "n1");
        let link = world.room.expect_node(&id("n1"), epoch);
        let link = link.expect("it is placed there");
        world.handle(Event::NodeOpened {
            link: link.clone(),
            region: id("eu"),
        });
        greet(&mut world, &link, version, Vec::new());
        let offers = super::offers(&world.say(&ada, super::OFFER));
        assert_eq!(offers, usize::from(hosts), "version {version}");
    }
}

#[test]
fn a_region_that_does_not_know_its_nodes_is_asked_again_and_not_for_ever() {
    let mut world = World::new();
    assert_eq!(is_patient(&world.admit("ada")), Some(true));
    assert_eq!(not_known_yet(&mut world, "ada"), 2_000);
    // Nobody was told that there is no node: it is not known.
    let epoch = world.room.info.epoch;
    found(&mut world, "ada", epoch, "n1");
    assert_eq!(is_patient(&world.admit("bob")), Some(true));
}

#[test]
fn a_region_that_knows_its_nodes_again_serves() {
    let mut world = World::new();
    world.admit("ada");
    let epoch = world.room.info.epoch;
    let participant = id("ada");
    world.handle(Event::NotKnownYet { participant, epoch });
    let (epoch, _) = sought(&world.wait()).expect("it is asked again");
    assert_eq!(world.now, 250);
    found(&mut world, "ada", epoch, "n1");
    assert!(world.room.astray.is_empty());
}

#[test]
fn who_was_placed_elsewhere_meanwhile_comes_home_with_the_next_session() {
    let mut world = World::new();
    let ada = world.enter("ada");
    not_known_yet(&mut world, "ada");
    let epoch = world.room.info.epoch;
    world.handle(Event::Found {
        participant: id("ada"),
        epoch,
        node: Some((id("far"), id("us"))),
    });
    let far = world.link("far", epoch);
    assert_eq!(super::offers(&world.say(&ada, super::OFFER)), 1);
    answer(&mut world, "ada", &far);
    let lost = NodeToRoom::Disconnected {
        participant: id("ada"),
        attempt: Attempt(1),
    };
    assert_eq!(super::renegotiations(&world.node_says(&far, lost)), 1);
    let next = super::OFFER.replace("\"attempt\":1", "\"attempt\":2");
    let (epoch, _) = sought(&world.say(&ada, &next)).expect("a node is sought anew");
    found(&mut world, "ada", epoch, "home");
    let home = world.link("home", epoch);
    assert_eq!(world.room.people_at(&home.node), [id("ada")]);
    assert!(wait_for_release(&mut world, &far));
}

#[test]
fn a_node_that_talks_nonsense_loses_its_link_and_may_come_back() {
    let mut world = World::new();
    world.enter("ada");
    let link = world.place("ada", "n1");
    let says = |world: &mut World, link: &NodeLink, text: &str| {
        world.handle(Event::NodeSaid {
            link: link.clone(),
            text: text.into(),
        })
    };
    for _ in 0..10 {
        assert!(says(&mut world, &link, "{").is_empty());
    }
    let last = says(&mut world, &link, "{");
    let sent_away =
        |effect: &Effect| matches!(effect, Effect::SendNodeAway { link: l } if *l == link);
    assert!(last.iter().any(sent_away));
    // What was on its way changes nothing any more.
    let after = world.node_says(
        &link,
        NodeToRoom::Heard {
            participant: id("ada"),
            attempt: Attempt(1),
        },
    );
    assert!(matches!(after.as_slice(), [Effect::HangUpNode { .. }]));
    let epoch = world.room.info.epoch;
    let again = world.link("n1", epoch);
    assert_eq!(again.link, link.link + 1);
    assert!(says(&mut world, &again, r#"{"type":"of a later version"}"#).is_empty());
}
