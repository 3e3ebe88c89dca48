//! Placement: nodes that are found, come back, or have nobody to serve.

use protocol::id::Attempt;
use protocol::node::{NodeToRoom, RefusalReason, RoomToNode};

use super::{Effect, Event, NodeLink, World, id};

fn released(effects: &[Effect], link: &NodeLink) -> bool {
    effects.iter().any(|effect| {
        matches!(effect, Effect::Tell { link: told, message: RoomToNode::Release } if told == link)
    })
}

/// Time passes until a node is released; what else falls due happens.
fn wait_for_release(world: &mut World, link: &NodeLink) -> bool {
    (0..10).any(|_| world.room.deadline().is_some() && released(&world.wait(), link))
}

#[test]
fn a_node_for_somebody_who_left_before_it_was_found_is_released() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let epoch = world.room.info.epoch;
    let link = world.link("n1", epoch);
    world.say(&ada, r#"{"type":"leave"}"#);
    world.handle(Event::Found {
        participant: id("ada"),
        epoch,
        place: Some((id("n1"), id("eu"))),
    });
    assert!(wait_for_release(&mut world, &link));
    assert!(world.room.hosts.is_empty());
    assert_eq!(world.room.deadline(), None);
}

#[test]
fn a_node_that_is_full_is_released() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let link = world.place("ada", "n1");
    world.say(&ada, super::OFFER);
    let participant = id("ada");
    let attempt = Attempt(1);
    let answer = NodeToRoom::Answer {
        participant: id("ada"),
        attempt,
        sdp: String::new(),
    };
    world.node_says(&link, answer);
    let refused = NodeToRoom::Refused {
        participant,
        attempt,
        reason: RefusalReason::NoCapacity,
        message: "full".into(),
    };
    assert_eq!(super::renegotiations(&world.node_says(&link, refused)), 1);
    world.place("ada", "n2");
    assert!(wait_for_release(&mut world, &link));
    assert_eq!(world.room.hosts.len(), 1);
}
