//! A page that is loaded anew: the same participant goes on, and a page that is closed is soon gone.

use protocol::client::{Connection, LeaveReason, RETURN_SECONDS, Role, RoomEvent, ServerMessage};
use protocol::node::RoomToNode;

use super::connection::{connected, told};
use super::{Client, Effect, OFFER, World, happened, id, token};

const GONE: &str = r#"{"type":"pageGone"}"#;

/// Ada, whose room it is, and Bob are in the room; Ada's media flows.
fn call() -> (World, Client, super::NodeLink) {
    let mut world = World::new();
    let ada = world.enter("ada");
    let link = world.place("ada", "n1");
    world.say(&ada, OFFER);
    world.node_says(&link, connected(1));
    world.now = 100_000;
    world.enter("bob");
    (world, ada, link)
}

fn closed_at_the_node(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| {
        matches!(effect, Effect::Tell { message: RoomToNode::Close { participant, .. }, .. } if participant.as_str() == "ada")
    })
}

#[test]
fn who_is_back_in_time_has_never_left() {
    let (mut world, ada, link) = call();
    let effects = world.say(&ada, GONE);
    assert_eq!(told(&effects), [Connection::Reconnecting]);
    assert!(closed_at_the_node(&effects), "its media ends with the page");
    world.now += RETURN_SECONDS * 1_000 - 1;
    let (again, effects) = world.open(token("ada", 1), None).expect("she comes back");
    assert_eq!(again.participant, ada.participant);
    assert_eq!(
        happened(&effects),
        [],
        "nobody is told of a coming or going"
    );
    let shown = effects.iter().any(|effect| {
        matches!(effect, Effect::Send { client, message: ServerMessage::Welcome { snapshot: Some(_), .. } } if *client == again)
    });
    assert!(shown, "a new page knows nothing yet");
    world.say(&again, &OFFER.replace(r#""attempt":1"#, r#""attempt":2"#));
    let effects = world.node_says(&link, connected(2));
    assert_eq!(told(&effects), [Connection::Connected]);
}

#[test]
fn who_is_not_back_in_time_has_left() {
    let (mut world, ada, _) = call();
    world.say(&ada, GONE);
    assert_eq!(
        world.room.deadline(),
        Some(100_000 + RETURN_SECONDS * 1_000)
    );
    let left = RoomEvent::Left {
        participant: id("ada"),
        reason: LeaveReason::Left,
    };
    assert!(happened(&world.wait()).contains(&left));
    assert!(world.open(token("ada", 1), None).is_err());
}

#[test]
fn the_room_stays_with_a_host_who_loads_the_page_anew() {
    let (mut world, ada, _) = call();
    world.say(&ada, GONE);
    world.now += 9_000;
    assert_eq!(world.room.people[&id("bob")].role, Role::Speaker);
    world.open(token("ada", 1), None).expect("she comes back");
    assert_eq!(world.room.people[&id("ada")].role, Role::Host);
    assert_eq!(world.room.people[&id("bob")].role, Role::Speaker);
}

#[test]
fn a_page_that_was_closed_is_no_other_place_that_one_is_in() {
    let (mut world, ada, _) = call();
    assert_eq!(world.room.details(&id("ada"), None).yours, 1);
    world.say(&ada, GONE);
    assert_eq!(world.room.details(&id("ada"), None).yours, 0);
}

#[test]
fn a_page_that_was_left_is_followed_by_one_page_alone() {
    let (mut world, ada, _) = call();
    world.say(&ada, GONE);
    world.open(token("ada", 1), None).expect("she comes back");
    let (again, _) = world.open(token("ada", 2), None).expect("and again");
    world.say(&again, r#"{"type":"typing"}"#);
    assert!(world.open(token("ada", 1), None).is_err(), "it is used up");
}
