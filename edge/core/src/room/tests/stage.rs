//! The stage of a webinar: viewers ask in their order, take it back, are refused or brought on it and sent back; a restart
//! changes nothing of that.

use proptest::prelude::*;
use protocol::client::{ErrorCode, Role, RoomEvent, Wish};
use protocol::id::ParticipantId;

use super::{Client, Room, World, error, happened, id};

const ASK: &str = r#"{"type":"askToSpeak","on":true}"#;
const WITHDRAW: &str = r#"{"type":"askToSpeak","on":false}"#;
const REFUSE_ALL: &str = r#"{"type":"refuseToSpeak","participant":null}"#;
const WEBINAR: &str = r#"{"type":"configure","change":{"kind":"webinar"}}"#;
const NAMES: [&str; 4] = ["ada", "bob", "eve", "guest1"];

fn refuse(name: &str) -> String {
    format!(r#"{{"type":"refuseToSpeak","participant":"{name}"}}"#)
}

fn set_role(name: &str, role: &str) -> String {
    format!(r#"{{"type":"setRole","participant":"{name}","role":"{role}"}}"#)
}

fn told(names: &[&str], wish: Wish) -> RoomEvent {
    let participants = names.iter().map(|name| id(name)).collect();
    RoomEvent::Stage { participants, wish }
}

fn ids(names: &[&str]) -> Vec<ParticipantId> {
    names.iter().map(|name| id(name)).collect()
}

/// A webinar of ada's with three viewers.
fn webinar(world: &mut World) -> [Client; 4] {
    let people = NAMES.map(|name| world.enter(name));
    world.say(&people[0], WEBINAR);
    people
}

#[test]
fn viewers_ask_in_their_order_and_take_it_back() {
    let mut world = World::new();
    let [_, bob, eve, guest] = webinar(&mut world);
    assert_eq!(
        happened(&world.say(&eve, ASK)),
        [told(&["eve"], Wish::Asked)]
    );
    world.say(&bob, ASK);
    world.say(&guest, ASK);
    // The same again is no news, and changes no order.
    assert_eq!(happened(&world.say(&eve, ASK)), []);
    assert_eq!(world.room.wishes(), ids(&["eve", "bob", "guest1"]));
    let withdrawn = told(&["bob"], Wish::Withdrawn);
    assert_eq!(happened(&world.say(&bob, WITHDRAW)), [withdrawn]);
    assert_eq!(happened(&world.say(&bob, WITHDRAW)), []);
    world.say(&eve, r#"{"type":"leave"}"#);
    assert_eq!(world.room.wishes(), ids(&["guest1"]));
}

#[test]
fn who_is_on_stage_does_not_ask_for_it() {
    let mut world = World::new();
    let [ada, ..] = webinar(&mut world);
    assert_eq!(error(&world.say(&ada, ASK)), Some(ErrorCode::Forbidden));
    assert_eq!(error(&world.say(&ada, WITHDRAW)), None);
}

#[test]
fn who_keeps_order_refuses_one_or_all() {
    let mut world = World::new();
    let [ada, bob, eve, guest] = webinar(&mut world);
    for client in [&bob, &eve, &guest] {
        world.say(client, ASK);
    }
    for said in [&refuse("eve"), REFUSE_ALL] {
        let refused = world.say(&bob, said);
        assert_eq!(error(&refused), Some(ErrorCode::Forbidden));
    }
    let effects = world.say(&ada, &refuse("eve"));
    assert_eq!(happened(&effects), [told(&["eve"], Wish::Refused)]);
    assert_eq!(happened(&world.say(&ada, &refuse("eve"))), []);
    let effects = world.say(&ada, REFUSE_ALL);
    assert_eq!(
        happened(&effects),
        [told(&["bob", "guest1"], Wish::Refused)]
    );
    assert_eq!(world.room.wishes(), []);
    // They may ask again.
    assert_eq!(happened(&world.say(&eve, ASK)).len(), 1);
}

#[test]
fn who_is_brought_on_stage_wishes_for_it_no_more_and_has_no_hand_up() {
    let mut world = World::new();
    let [ada, bob, ..] = webinar(&mut world);
    world.say(&bob, ASK);
    world.say(&bob, r#"{"type":"raiseHand"}"#);
    let events = happened(&world.say(&ada, &set_role("bob", "speaker")));
    let role = RoomEvent::Role {
        participant: id("bob"),
        role: Role::Speaker,
    };
    let lowered = RoomEvent::Hand {
        participant: id("bob"),
        raised: false,
    };
    assert_eq!((&events[0], events.last()), (&role, Some(&lowered)));
    assert_eq!((world.room.wishes(), world.room.hands()), (vec![], vec![]));
    // Back among the viewers, they may ask anew; a hand that a speaker raises stays up meanwhile.
    world.say(&bob, r#"{"type":"raiseHand"}"#);
    world.say(&ada, &set_role("bob", "viewer"));
    assert_eq!(world.room.hands(), ids(&["bob"]));
    world.say(&bob, ASK);
    assert_eq!(world.room.wishes(), ids(&["bob"]));
    // A meeting has no viewers, and nobody asks.
    world.say(&ada, r#"{"type":"configure","change":{"kind":"meeting"}}"#);
    world.say(&ada, &set_role("bob", "speaker"));
    assert_eq!(world.room.wishes(), []);
}

#[test]
fn the_door_says_that_it_is_a_webinar() {
    let mut world = World::new();
    assert!(!world.room.door().webinar);
    webinar(&mut world);
    assert!(world.room.door().webinar);
}

proptest! {
    /// Whatever was done, those who wish to be on stage are viewers, in the order in which they asked, and a restart changes
    /// nothing.
    #[test]
    fn wishes_survive_in_their_order(deeds in proptest::collection::vec((1..4usize, 0..8u8), 1..60)) {
        let mut world = World::new();
        let mut clients = webinar(&mut world);
        let ada = clients[0].clone();
        let mut order: Vec<&str> = Vec::new();
        let mut staged: Vec<&str> = Vec::new();
        for (who, deed) in deeds {
            world.now += 10_000;
            let (name, client) = (NAMES[who], clients[who].clone());
            match deed {
                0..3 => {
                    world.say(&client, ASK);
                    if !order.contains(&name) && !staged.contains(&name) { order.push(name); }
                }
                3 => {
                    world.say(&client, WITHDRAW);
                    order.retain(|other| *other != name);
                }
                4 => {
                    world.say(&client, r#"{"type":"leave"}"#);
                    order.retain(|other| *other != name);
                    clients[who] = world.enter(name);
                }
                5 => {
                    world.say(&ada, &set_role(name, "speaker"));
                    order.retain(|other| *other != name);
                    if !staged.contains(&name) { staged.push(name); }
                }
                6 => {
                    world.say(&ada, &set_role(name, "viewer"));
                    staged.retain(|other| *other != name);
                }
                _ => {
                    let restored = Room::restore(world.stored.clone(), &clients, &[], world.now);
                    world.room = restored.expect("a room is stored").0;
                }
            }
            prop_assert_eq!(world.room.wishes(), ids(&order));
        }
    }
}
