//! Offers that travel with the join: what becomes of them before, with and without the WebSocket of the ticket.

use protocol::client::{ErrorCode, Offer, ServerMessage};
use protocol::id::Attempt;
use protocol::node::{NodeToRoom, RefusalReason, RoomToNode};

use super::{Client, Effect, Event, NodeLink, Room, World, id, offers, ticket, token};

impl World {
    fn offer_early(&mut self, name: &str) -> Vec<Effect> {
        let offer = Offer {
            attempt: Attempt(1),
            sdp: "v=0".into(),
            sources: Vec::new(),
        };
        self.admit_with(name, "ada", Some(offer))
    }

    /// The room's node is to take this person, too.
    fn found(&mut self, name: &str) -> Vec<Effect> {
        self.handle(Event::Found {
            participant: id(name),
            epoch: self.room.info.epoch,
            node: Some((id("n1"), id("eu"))),
        })
    }

    fn answer(&mut self, link: &NodeLink, name: &str) -> Vec<Effect> {
        let answer = NodeToRoom::Answer {
            participant: id(name),
            attempt: Attempt(1),
            sdp: "v=0".into(),
        };
        self.node_says(link, answer)
    }

    /// What the client is sent when it opens the WebSocket of its ticket.
    fn first_messages(&mut self, name: &str) -> Vec<ServerMessage> {
        let (client, effects) = self.open(ticket(name), None).expect("the ticket is good");
        sent(effects, &client)
    }
}

fn sent(effects: Vec<Effect>, to: &Client) -> Vec<ServerMessage> {
    let message = |effect| match effect {
        Effect::Send { client, message } if client == *to => Some(message),
        _ => None,
    };
    effects.into_iter().filter_map(message).collect()
}

fn closed(effects: &[Effect]) -> Vec<&str> {
    let participant = |effect| match effect {
        &Effect::Tell {
            message: RoomToNode::Close {
                ref participant, ..
            },
            ..
        } => Some(participant.as_str()),
        _ => None,
    };
    effects.iter().filter_map(participant).collect()
}

fn is_public(effect: &Effect) -> bool {
    matches!(effect, Effect::Broadcast { .. } | Effect::Report(_))
}

#[test]
fn the_answer_follows_the_welcome_and_nobody_hears_of_it_before() {
    let mut world = World::new();
    let admitted = world.offer_early("ada");
    let link = world.place("ada", "n1");
    // The next one finds the node ready.
    world.offer_early("bob");
    let found = world.found("bob");
    assert_eq!(offers(&found), 1);
    let answered = world.answer(&link, "bob");
    // Nobody can be connected without the answer; it is kept whatever the node says.
    let early = NodeToRoom::Connected {
        participant: id("bob"),
        attempt: Attempt(1),
    };
    let connected = world.node_says(&link, early);
    let all = [admitted, found, answered, connected];
    assert!(!all.iter().flatten().any(is_public));
    assert_eq!(world.room.view().people, 0);
    let messages = world.first_messages("bob");
    assert!(matches!(
        messages.as_slice(),
        [ServerMessage::Welcome { .. }, ServerMessage::Answer { .. }]
    ));
    // An answer that comes later is sent when it comes.
    assert_eq!(world.first_messages("ada").len(), 1);
    assert!(matches!(
        sent(world.answer(&link, "ada"), &client("ada")).as_slice(),
        [ServerMessage::Answer { .. }]
    ));
}

fn client(name: &str) -> Client {
    Client {
        participant: id(name),
        connection: 1,
    }
}

#[test]
fn a_refusal_follows_the_welcome_once() {
    let mut world = World::new();
    world.offer_early("ada");
    let link = world.place("ada", "n1");
    let refused = NodeToRoom::Refused {
        participant: id("ada"),
        attempt: Attempt(1),
        reason: RefusalReason::BadOffer,
        message: "no ICE".into(),
    };
    world.node_says(&link, refused);
    let messages = world.first_messages("ada");
    assert!(matches!(
        messages.as_slice(),
        [
            ServerMessage::Welcome { .. },
            ServerMessage::Error {
                code: ErrorCode::BadOffer,
                ..
            }
        ]
    ));
    let (back, effects) = world
        .open(token("ada", 1), None)
        .expect("the token is good");
    assert!(matches!(
        sent(effects, &back).last(),
        Some(ServerMessage::Renegotiate { .. })
    ));
}

#[test]
fn the_session_of_an_unused_ticket_is_closed() {
    let mut world = World::new();
    world.offer_early("ada");
    let link = world.place("ada", "n1");
    world.answer(&link, "ada");
    let expired = world.wait();
    assert_eq!(world.now, 60_000);
    assert_eq!(closed(&expired), ["ada"]);
    let released = world.wait();
    assert!(!expired.iter().chain(&released).any(is_public));
    assert!(released.iter().any(|effect| matches!(
        effect,
        Effect::Tell {
            message: RoomToNode::Release,
            ..
        }
    )));
    assert_eq!(world.room.deadline(), None);
    assert!(world.room.negotiations.is_empty());
}

#[test]
fn a_node_that_dies_early_passes_the_offer_on_or_has_it_renewed() {
    let mut world = World::new();
    world.offer_early("ada");
    world.offer_early("bob");
    let link = world.place("ada", "n1");
    world.found("bob");
    world.answer(&link, "bob");
    world.handle(Event::NodeClosed { link });
    world.wait();
    let next = world.place("ada", "n2");
    assert!(matches!(
        sent(world.answer(&next, "ada"), &client("ada")).as_slice(),
        []
    ));
    assert!(matches!(
        world.first_messages("ada").as_slice(),
        [ServerMessage::Welcome { .. }, ServerMessage::Answer { .. }]
    ));
    assert!(matches!(
        world.first_messages("bob").as_slice(),
        [
            ServerMessage::Welcome { .. },
            ServerMessage::Renegotiate { .. }
        ]
    ));
}

#[test]
fn an_answer_that_a_restart_lost_is_asked_for_anew() {
    let mut world = World::new();
    world.offer_early("ada");
    let link = world.place("ada", "n1");
    world.answer(&link, "ada");
    let (room, _) =
        Room::restore(world.stored.clone(), &[], &[link], world.now).expect("a room is stored");
    world.room = room;
    let (back, effects) = world.open(ticket("ada"), None).expect("the ticket is good");
    assert_eq!(closed(&effects), ["ada"]);
    assert!(matches!(
        sent(effects, &back).last(),
        Some(ServerMessage::Renegotiate { .. })
    ));
}

#[test]
fn who_joins_over_and_over_has_few_sessions() {
    let mut world = World::new();
    world.offer_early("p0");
    let link = world.place("p0", "n1");
    world.answer(&link, "p0");
    for number in 1..8 {
        world.now += 1;
        assert!(closed(&world.offer_early(&format!("p{number}"))).is_empty());
    }
    world.now += 1;
    assert_eq!(closed(&world.offer_early("p8")), ["p0"]);
    assert!(matches!(
        world.first_messages("p0").as_slice(),
        [
            ServerMessage::Welcome { .. },
            ServerMessage::Renegotiate { .. }
        ]
    ));
}
