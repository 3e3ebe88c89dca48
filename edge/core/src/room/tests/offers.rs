//! Offers that go wrong: unanswered, repeated after a restart, or answered with media that fails.

use protocol::client::ServerMessage;
use protocol::id::{Attempt, NodeId};
use protocol::node::{NodeToRoom, RoomToNode, SessionRef};

use super::{Client, Effect, NodeLink, OFFER, Room, World, id, offers, renegotiations};

impl World {
    /// Somebody is in the room, with a node that is ready.
    fn with_ada() -> (Self, Client, NodeLink) {
        let mut world = World::new();
        let ada = world.enter("ada");
        let link = world.place("ada", "n1");
        (world, ada, link)
    }

    fn answered(&mut self, link: &NodeLink, attempt: u32) -> Vec<Effect> {
        let answer = NodeToRoom::Answer {
            participant: id("ada"),
            attempt: Attempt(attempt),
            sdp: "v=0".into(),
        };
        self.node_says(link, answer)
    }

    /// The room loses what it did not store; its WebSockets live on.
    fn restart(&mut self, client: &Client, link: &NodeLink) {
        let living = std::slice::from_ref(client);
        let links = std::slice::from_ref(link);
        let restored = Room::restore(self.stored.clone(), living, links, self.now);
        self.room = restored.expect("a room is stored").0;
    }
}

/// The node that the next search is to avoid.
fn avoided(effects: &[Effect]) -> Option<NodeId> {
    effects.iter().find_map(|effect| match effect {
        Effect::Seek { avoid, .. } => avoid.first().cloned(),
        _ => None,
    })
}

fn closes(effects: &[Effect]) -> usize {
    let close = |effect: &&Effect| {
        matches!(
            effect,
            Effect::Tell {
                message: RoomToNode::Close { .. },
                ..
            }
        )
    };
    effects.iter().filter(close).count()
}

#[test]
fn a_node_that_does_not_answer_is_left() {
    let (mut world, ada, link) = World::with_ada();
    assert_eq!(offers(&world.say(&ada, OFFER)), 1);
    let effects = world.wait();
    assert_eq!(world.now, 800);
    assert_eq!((closes(&effects), renegotiations(&effects)), (1, 0));
    assert_eq!(avoided(&effects), Some(id("n1")));
    // The answer comes too late: the next node has the offer.
    assert!(world.answered(&link, 1).is_empty());
    let next = world.place("ada", "n2");
    assert!(!world.answered(&next, 1).is_empty());
}

#[test]
fn an_answer_that_was_lost_with_its_link_is_taken_from_the_next_and_once() {
    let (mut world, ada, link) = World::with_ada();
    world.say(&ada, OFFER);
    world.now = 100;
    let held = SessionRef {
        participant: id("ada"),
        attempt: Attempt(1),
    };
    let next = world.link_holding("n1", link.epoch, vec![held]);
    let told = |effects: &[Effect]| {
        let answer = |effect: &&Effect| {
            let Effect::Send { message, .. } = effect else {
                return false;
            };
            matches!(message, ServerMessage::Answer { .. })
        };
        effects.iter().filter(answer).count()
    };
    assert_eq!(told(&world.answered(&next, 1)), 1);
    assert_eq!(told(&world.answered(&next, 1)), 0, "Ada has it");
}

#[test]
fn a_node_that_is_slow_but_speaks_is_waited_for() {
    let (mut world, ada, link) = World::with_ada();
    world.say(&ada, OFFER);
    let bob = world.enter("bob");
    world.find("bob", "n1");
    world.now = 1;
    world.say(&bob, OFFER);
    let answer = NodeToRoom::Answer {
        participant: id("bob"),
        attempt: Attempt(1),
        sdp: "v=0".into(),
    };
    world.node_says(&link, answer);
    while world.now < 3_000 {
        assert!(world.room.people[&id("ada")].node.is_some());
        world.wait();
    }
    assert_eq!(world.room.people[&id("ada")].node, None);
}

#[test]
fn who_joins_is_not_sent_to_a_node_that_was_left_for_its_silence() {
    let (mut world, ada, _) = World::with_ada();
    world.say(&ada, OFFER);
    world.wait();
    world.place("ada", "n2");
    assert_eq!(avoided(&world.admit("bob")), Some(id("n1")));
}

#[test]
fn an_answer_in_time_leaves_nothing_due() {
    let (mut world, ada, link) = World::with_ada();
    world.say(&ada, OFFER);
    world.answered(&link, 1);
    assert!(world.room.questions.is_empty());
}

#[test]
fn an_offer_is_not_due_before_there_is_a_node() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.say(&ada, OFFER);
    assert!(world.room.questions.is_empty());
}

#[test]
fn an_offer_that_a_restart_lost_is_asked_for_anew() {
    let (mut world, ada, link) = World::with_ada();
    world.say(&ada, OFFER);
    world.restart(&ada, &link);
    world.wait(); // The others learn that she is connecting.
    let effects = world.wait();
    assert_eq!(renegotiations(&effects), 1);
    assert_eq!(
        world.room.deadline(),
        Some(world.now + 5_000),
        "the release"
    );
}

#[test]
fn an_offer_repeated_after_a_restart_takes_the_place_of_the_first() {
    let (mut world, ada, link) = World::with_ada();
    world.say(&ada, OFFER);
    assert_eq!(offers(&world.say(&ada, OFFER)), 0);
    world.restart(&ada, &link);
    let effects = world.say(&ada, OFFER);
    assert_eq!((closes(&effects), offers(&effects)), (1, 1));
    world.answered(&link, 1);
    let connected = NodeToRoom::Connected {
        participant: id("ada"),
        attempt: Attempt(1),
    };
    world.node_says(&link, connected);
    // Nothing is lost of a session that is connected.
    world.restart(&ada, &link);
    assert!(world.say(&ada, OFFER).is_empty());
}

#[test]
fn media_that_fails_twice_in_a_row_moves() {
    let (mut world, ada, link) = World::with_ada();
    let mut fail = |attempt: u32, connects: bool| {
        world.say(&ada, &OFFER.replace(":1,", &format!(":{attempt},")));
        world.answered(&link, attempt);
        if connects {
            let connected = NodeToRoom::Connected {
                participant: id("ada"),
                attempt: Attempt(attempt),
            };
            world.node_says(&link, connected);
        }
        let failed = format!(r#"{{"type":"mediaFailed","attempt":{attempt}}}"#);
        let effects = world.say(&ada, &failed);
        assert_eq!((closes(&effects), renegotiations(&effects)), (1, 1));
        avoided(&effects)
    };
    assert_eq!(fail(1, false), None);
    assert_eq!(fail(2, true), None);
    assert_eq!(fail(3, false), Some(id("n1")));
}

#[test]
fn who_offers_over_and_over_is_told_to_wait_and_the_node_is_not_asked() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.place("ada", "n1");
    let mut asked = 0;
    for attempt in 1..=30 {
        world.now += 50;
        let offer = OFFER.replace("\"attempt\":1", &format!("\"attempt\":{attempt}"));
        asked += super::offers(&world.say(&ada, &offer));
    }
    assert_eq!(asked, 20);
    world.now += 1_500;
    let offer = OFFER.replace("\"attempt\":1", "\"attempt\":31");
    assert_eq!(super::offers(&world.say(&ada, &offer)), 1);
}
