//! Raised hands: in their order, each lowered by its owner or who keeps order, gone with its owner, and there after a restart.

use proptest::prelude::*;
use protocol::client::{ErrorCode, RoomEvent};
use protocol::id::ParticipantId;

use super::{Client, Room, World, error, happened, id};

const RAISE: &str = r#"{"type":"raiseHand"}"#;
const LOWER_ALL: &str = r#"{"type":"lowerAllHands"}"#;
const NAMES: [&str; 4] = ["ada", "bob", "eve", "guest1"];

fn lower(name: &str) -> String {
    format!(r#"{{"type":"lowerHand","participant":"{name}"}}"#)
}

fn ids(names: &[&str]) -> Vec<ParticipantId> {
    names.iter().map(|name| id(name)).collect()
}

fn everybody(world: &mut World) -> [Client; 4] {
    NAMES.map(|name| world.enter(name))
}

#[test]
fn hands_are_in_the_order_in_which_they_were_raised() {
    let mut world = World::new();
    let [ada, bob, eve, guest] = everybody(&mut world);
    world.say(&eve, RAISE);
    world.say(&bob, RAISE);
    let told = RoomEvent::Hand {
        participant: id("guest1"),
        raised: true,
    };
    assert_eq!(happened(&world.say(&guest, RAISE)), [told]);
    // The same again is no news, and changes no order.
    assert_eq!(happened(&world.say(&eve, RAISE)), []);
    assert_eq!(world.room.hands(), ids(&["eve", "bob", "guest1"]));
    world.say(&eve, &lower("eve"));
    world.say(&eve, RAISE);
    world.say(&ada, &lower("bob"));
    assert_eq!(world.room.hands(), ids(&["guest1", "eve"]));
    world.say(&guest, r#"{"type":"leave"}"#);
    assert_eq!(world.room.hands(), ids(&["eve"]));
    assert_eq!(
        happened(&world.say(&ada, LOWER_ALL)),
        [RoomEvent::HandsLowered]
    );
    assert_eq!(happened(&world.say(&ada, LOWER_ALL)), []);
}

#[test]
fn nobody_lowers_another_hand_but_who_keeps_order() {
    let mut world = World::new();
    let [_, bob, eve, _] = everybody(&mut world);
    world.say(&eve, RAISE);
    for said in [&lower("eve"), LOWER_ALL] {
        let refused = world.say(&bob, said);
        assert_eq!(error(&refused), Some(ErrorCode::Forbidden));
    }
    assert_eq!(
        error(&world.say(&bob, &lower("nobody"))),
        Some(ErrorCode::Forbidden)
    );
    assert_eq!(world.room.hands(), ids(&["eve"]));
}

proptest! {
    /// Whatever was done, the hands are those of people who are here, in the order in which they were raised, and a restart
    /// changes nothing.
    #[test]
    fn hands_survive_in_their_order(deeds in proptest::collection::vec((0..4usize, 0..6u8), 1..60)) {
        let mut world = World::new();
        let mut clients = everybody(&mut world);
        let mut order: Vec<&str> = Vec::new();
        for (who, deed) in deeds {
            world.now += 10_000;
            let (name, client) = (NAMES[who], clients[who].clone());
            match deed {
                0..3 => {
                    world.say(&client, RAISE);
                    if !order.contains(&name) { order.push(name); }
                }
                3 => {
                    world.say(&client, &lower(name));
                    order.retain(|other| *other != name);
                }
                4 => {
                    world.say(&client, r#"{"type":"leave"}"#);
                    order.retain(|other| *other != name);
                    clients[who] = world.enter(name);
                }
                _ => {
                    let restored = Room::restore(world.stored.clone(), &clients, &[], world.now);
                    world.room = restored.expect("a room is stored").0;
                }
            }
            prop_assert_eq!(world.room.hands(), ids(&order));
        }
    }
}
