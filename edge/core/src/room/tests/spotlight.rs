//! The spotlight: who keeps order puts some in it, in order, and it goes with them.

use proptest::prelude::*;
use protocol::client::{ErrorCode, MAX_SPOTLIT, RoomEvent};
use protocol::id::ParticipantId;

use super::{Client, Room, World, error, happened, id};

fn spotlight(name: &str, on: bool) -> String {
    format!(r#"{{"type":"spotlight","participant":"{name}","on":{on}}}"#)
}

fn ids(names: &[&str]) -> Vec<ParticipantId> {
    names.iter().map(|name| id(name)).collect()
}

#[test]
fn some_are_in_the_spotlight_and_everybody_is_told() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let others = ["b", "c", "d", "e"];
    let clients = others.map(|name| world.enter(name));
    for name in ["c", "ada", "b"] {
        world.say(&ada, &spotlight(name, true));
    }
    let told = RoomEvent::Spotlight {
        participants: ids(&["c", "ada", "b", "d"]),
    };
    assert_eq!(happened(&world.say(&ada, &spotlight("d", true))), [told]);
    assert_eq!(happened(&world.say(&ada, &spotlight("d", true))), []);
    assert_eq!(world.room.spotlit().len(), MAX_SPOTLIT);
    let more = world.say(&ada, &spotlight("e", true));
    assert_eq!(error(&more), Some(ErrorCode::TooMany));
    world.say(&ada, &spotlight("ada", false));
    world.say(&clients[1], r#"{"type":"leave"}"#);
    assert_eq!(world.room.spotlit(), ids(&["b", "d"]));
}

#[test]
fn who_keeps_no_order_puts_nobody_there_and_nobody_puts_there_who_is_not_here() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let bob = world.enter("bob");
    let own = world.say(&bob, &spotlight("bob", true));
    assert_eq!(error(&own), Some(ErrorCode::Forbidden));
    let nobody = world.say(&ada, &spotlight("zoe", true));
    assert_eq!(error(&nobody), Some(ErrorCode::UnknownParticipant));
    assert_eq!(world.room.spotlit(), []);
}

proptest! {
    /// Whatever was done, the spotlight is in its order and bounded, and a restart changes nothing.
    #[test]
    fn the_spotlight_survives_in_its_order(deeds in proptest::collection::vec((0..6usize, 0..6u8), 1..60)) {
        let names = ["ada", "b", "c", "d", "e", "f"];
        let mut world = World::new();
        let mut clients: Vec<Client> = names.iter().map(|name| world.enter(name)).collect();
        let mut order: Vec<&str> = Vec::new();
        for (who, deed) in deeds {
            world.now += 10_000;
            let name = names[who];
            match deed {
                0..3 => {
                    world.say(&clients[0].clone(), &spotlight(name, true));
                    if !order.contains(&name) && order.len() < MAX_SPOTLIT { order.push(name); }
                }
                3 => {
                    world.say(&clients[0].clone(), &spotlight(name, false));
                    order.retain(|other| *other != name);
                }
                4 => {
                    world.say(&clients[who].clone(), r#"{"type":"leave"}"#);
                    order.retain(|other| *other != name);
                    clients[who] = world.enter(name);
                }
                _ => {
                    let restored = Room::restore(world.stored.clone(), &clients, &[], world.now);
                    world.room = restored.expect("a room is stored").0;
                }
            }
            prop_assert_eq!(world.room.spotlit(), ids(&order));
        }
    }
}
