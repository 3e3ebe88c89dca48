//! A node's link is lost: its people say whether the node is.

use protocol::client::ServerMessage;
use protocol::id::Attempt;
use protocol::node::NodeToRoom;

use super::{
    Client, Effect, Event, NodeLink, OFFER, Room, World, id, renegotiations, ticket, token,
};

const NO_MEDIA: &str = r#"{"type":"noMedia","attempt":1}"#;

/// A room with these people, whose media one node has.
fn with_media(names: &[&str]) -> (World, NodeLink, Vec<Client>) {
    let people: Vec<(&str, &str)> = names.iter().map(|name| (*name, *name)).collect();
    with_media_of(&people)
}

/// The same with these participants of these users.
fn with_media_of(people: &[(&str, &str)]) -> (World, NodeLink, Vec<Client>) {
    let mut world = World::new();
    let mut clients = Vec::new();
    for (name, user) in people {
        world.admit_with(name, user, None);
        let (client, _) = world.open(ticket(name), None).expect("the ticket is good");
        clients.push(client);
    }
    let link = world.place(people[0].0, "n1");
    for ((name, _), client) in people.iter().zip(&clients).skip(1) {
        world.find(name, "n1");
        assert_eq!(client.participant, id(name));
    }
    for client in &clients {
        world.say(client, OFFER);
        let (participant, attempt) = (client.participant.clone(), Attempt(1));
        let answer = NodeToRoom::Answer {
            participant: participant.clone(),
            attempt,
            sdp: "v=0".into(),
        };
        world.node_says(&link, answer);
        let connected = NodeToRoom::Connected {
            participant,
            attempt,
        };
        world.node_says(&link, connected);
    }
    (world, link, clients)
}

fn asked(effects: &[Effect]) -> usize {
    let check = |effect: &&Effect| {
        matches!(
            effect,
            Effect::Send {
                message: ServerMessage::CheckMedia { .. },
                ..
            }
        )
    };
    effects.iter().filter(check).count()
}

#[test]
fn a_node_without_link_and_media_is_left_at_once() {
    let (mut world, link, clients) = with_media(&["ada", "bob", "cy"]);
    assert_eq!(asked(&world.handle(Event::NodeClosed { link })), 3);
    // One alone may have lost its own network; its word counts once.
    for _ in 0..2 {
        assert_eq!(renegotiations(&world.say(&clients[0], NO_MEDIA)), 0);
    }
    let effects = world.say(&clients[2], NO_MEDIA);
    assert_eq!(renegotiations(&effects), 3);
    assert!(world.room.nodes.is_empty());
}

#[test]
fn the_word_of_the_only_one_there_is_enough() {
    let (mut world, link, clients) = with_media(&["ada"]);
    world.handle(Event::NodeClosed { link });
    assert_eq!(renegotiations(&world.say(&clients[0], NO_MEDIA)), 1);
}

#[test]
fn a_node_that_has_its_link_or_comes_back_is_not_left() {
    let (mut world, link, clients) = with_media(&["ada", "bob"]);
    assert_eq!(renegotiations(&world.say(&clients[0], NO_MEDIA)), 0);
    world.handle(Event::NodeClosed { link: link.clone() });
    world.say(&clients[0], NO_MEDIA);
    let again = world
        .room
        .expect_node(&link.node, link.epoch)
        .expect("it has the room");
    world.handle(Event::NodeOpened {
        link: again,
        region: id("eu"),
    });
    // It has dialed: what was said before is out of date.
    assert_eq!(renegotiations(&world.say(&clients[1], NO_MEDIA)), 0);
    assert_eq!(world.room.nodes.len(), 1);
}

/// The room restarts: of its links and WebSockets, none lives.
fn restart(world: &mut World) {
    let stored = world.stored.clone();
    let (room, effects) = Room::restore(stored, &[], &[], world.now).expect("it is stored");
    world.room = room;
    world.store(&effects);
}

#[test]
fn who_is_back_first_after_a_restart_is_not_everybody() {
    let (mut world, link, _) = with_media(&["ada", "bob"]);
    restart(&mut world);
    let pass = token("ada", 1);
    let (ada, _) = world.open(pass, Some(0)).expect("the token is good");
    assert_eq!(renegotiations(&world.say(&ada, NO_MEDIA)), 0);
    assert!(world.room.nodes.contains_key(&link.node));
}

/// The end of a node's link is what wakes a room that sleeps in a call: it finds the link gone, and then hears of its end.
#[test]
fn a_node_that_dies_while_the_room_sleeps_is_doubted_at_once() {
    let (mut world, link, clients) = with_media(&["ada", "bob"]);
    let restored = Room::restore(world.stored.clone(), &clients, &[], world.now);
    world.room = restored.expect("a room is stored").0;
    assert_eq!(
        asked(&world.handle(Event::NodeClosed { link: link.clone() })),
        2
    );
    assert!(world.room.deadline().expect("it may come back") <= world.now + 700);
    let left = world.say(&clients[0], NO_MEDIA);
    assert_eq!(renegotiations(&left), 0);
    assert_eq!(renegotiations(&world.say(&clients[1], NO_MEDIA)), 2);
    // That it ends once more is no news.
    assert_eq!(asked(&world.handle(Event::NodeClosed { link })), 0);
}

#[test]
fn who_never_had_media_there_has_no_say() {
    let (mut world, link, _) = with_media(&["ada"]);
    let eve = world.enter("eve");
    world.find("eve", "n1");
    world.say(&eve, OFFER);
    let answer = NodeToRoom::Answer {
        participant: id("eve"),
        attempt: Attempt(1),
        sdp: "v=0".into(),
    };
    world.node_says(&link, answer);
    assert_eq!(asked(&world.handle(Event::NodeClosed { link })), 1);
    assert_eq!(renegotiations(&world.say(&eve, NO_MEDIA)), 0);
    assert_eq!(world.room.nodes.len(), 1);
}

#[test]
fn two_pages_of_one_account_are_one_voice() {
    let (mut world, link, clients) =
        with_media_of(&[("ada", "ada"), ("eve", "eve"), ("eve-2", "eve")]);
    world.handle(Event::NodeClosed { link });
    for client in &clients[1..] {
        assert_eq!(renegotiations(&world.say(client, NO_MEDIA)), 0);
    }
    assert_eq!(renegotiations(&world.say(&clients[0], NO_MEDIA)), 3);
}

#[test]
fn a_node_that_says_too_much_lives() {
    let (mut world, link, _) = with_media(&["ada", "bob"]);
    let says = |world: &mut World| {
        world.handle(Event::NodeSaid {
            link: link.clone(),
            text: "{".into(),
        })
    };
    for _ in 0..10 {
        says(&mut world);
    }
    let last = says(&mut world);
    assert!(matches!(
        last.as_slice(),
        [Effect::Save(_), Effect::SendNodeAway { .. }]
    ));
}
