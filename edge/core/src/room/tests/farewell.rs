//! An account is deleted: what becomes of its rooms, and of what it was in others'.

use protocol::client::{CloseReason, Role, ServerMessage};
use protocol::id::UserId;

use super::{Effect, Event, Room, World, id, key};
use crate::room::Report;
use crate::room::record::Record;

fn gone(world: &mut World, name: &str) -> Vec<Effect> {
    world.handle(Event::AccountGone {
        user: id(name),
        stand_in: id("nobody"),
    })
}

fn chat(nonce: &str) -> String {
    format!(r#"{{"type":"chat","nonce":"{nonce}","text":"hello"}}"#)
}

/// Who said what, as somebody sees it.
fn lines(room: &Room) -> Vec<(String, Option<UserId>)> {
    let lines = room.chat.history(&room.reader(&id("bob")));
    lines
        .into_iter()
        .map(|line| (line.name, line.user))
        .collect()
}

#[test]
fn a_room_is_passed_on_to_its_oldest_moderator() {
    let mut world = World::new();
    let ada = world.enter("ada");
    for (at, name) in [(1_000, "bob"), (2_000, "carl")] {
        world.enter(name);
        world.now = at;
        world.say(
            &ada,
            &format!(r#"{{"type":"setRole","participant":"{name}","role":"moderator"}}"#),
        );
    }
    // What is ruled on the older one afterwards makes them no younger a moderator.
    world.now = 3_000;
    world.say(
        &ada,
        r#"{"type":"setCaps","participant":"bob","caps":{"video":false}}"#,
    );
    let effects = gone(&mut world, "ada");
    assert!(world.room.is_owner(&id("bob")) && !world.room.is_gone());
    assert_eq!(world.room.people[&id("bob")].role, Role::Host);
    assert_eq!(world.room.people[&id("carl")].role, Role::Moderator);
    assert!(!world.room.people.contains_key(&id("ada")));
    let reported = effects.iter().any(|effect| match effect {
        Effect::Report(Report::Room(entry)) => entry.room.owner == id("bob"),
        _ => false,
    });
    assert!(reported, "the directory is told");
    // It is so after a restart, too.
    let restored = Room::restore(world.stored.clone(), &[], &[], world.now);
    assert!(restored.unwrap().0.is_owner(&id("bob")));
}

#[test]
fn a_room_without_a_moderator_who_has_an_account_goes() {
    let mut world = World::new();
    world.enter("ada");
    world.enter("bob");
    let effects = gone(&mut world, "ada");
    assert!(world.room.is_gone());
    let closed = |effect: &Effect| {
        matches!(
            effect,
            Effect::Broadcast {
                message: ServerMessage::Closed {
                    reason: CloseReason::RoomDeleted
                },
                ..
            }
        )
    };
    assert!(effects.iter().any(closed));
    // Told again, as when the answer was lost, it is no other deed.
    assert!(gone(&mut world, "ada").is_empty());
}

#[test]
fn in_rooms_of_others_what_was_said_stays_and_who_it_was_does_not() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let bob = world.enter("bob");
    let eve = world.enter("eve");
    world.say(&eve, &chat("1"));
    world.say(&bob, &chat("2"));
    world.say(
        &ada,
        r#"{"type":"setRole","participant":"eve","role":"moderator"}"#,
    );
    let effects = gone(&mut world, "eve");
    assert!(!world.room.people.contains_key(&id("eve")));
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::HangUp { client } if *client == eve))
    );
    assert!(!world.room.rulings.contains_key(&id("eve")));
    let expected = [
        ("Deleted account".to_owned(), Some(id("nobody"))),
        ("bob".to_owned(), Some(id("bob"))),
    ];
    assert_eq!(lines(&world.room), expected);
    let restored = Room::restore(world.stored.clone(), &[], &[], world.now);
    assert_eq!(lines(&restored.unwrap().0), expected);
    let left = |record: &Record| {
        let events = matches!(record, Record::Event(_));
        !events && key(record).name().contains("eve")
    };
    assert!(!world.stored.records.iter().any(left));
    assert!(world.room.is_owner(&id("ada")));
}
