//! Read marks: one for an account, which only goes on, is told its other devices, and is nobody else's.

use protocol::client::{ErrorCode, ServerMessage};

use super::{Client, Effect, World, error, id, ticket};
use crate::room::Room;
use crate::room::reading::MARKS;

/// Which clients are told up to where they have read.
fn told(effects: &[Effect]) -> Vec<(String, String)> {
    let told = |effect: &Effect| match effect {
        Effect::Send {
            client,
            message: ServerMessage::ChatRead { id },
        } => Some((client.participant.to_string(), id.clone())),
        _ => None,
    };
    effects.iter().filter_map(told).collect()
}

fn reads(world: &mut World, client: &Client, line: u64) -> Vec<Effect> {
    world.say(client, &format!(r#"{{"type":"readChat","id":"{line}"}}"#))
}

fn writes(world: &mut World, client: &Client, lines: u64) {
    for line in 0..lines {
        world.say(
            client,
            &format!(r#"{{"type":"chat","nonce":"{line}","text":"x"}}"#),
        );
    }
}

fn is_saved(effects: &[Effect]) -> bool {
    effects
        .iter()
        .any(|effect| matches!(effect, Effect::Save(_)))
}

#[test]
fn a_mark_goes_on_and_the_users_other_devices_alone_are_told() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.admit_with("ada-too", "ada", None);
    world.open(ticket("ada-too"), None).unwrap();
    let bob = world.enter("bob");
    writes(&mut world, &bob, 5);
    let effects = reads(&mut world, &ada, 3);
    assert!(is_saved(&effects));
    assert_eq!(told(&effects), [("ada-too".into(), "3".into())]);
    for line in [3, 2] {
        let effects = reads(&mut world, &ada, line);
        assert!(told(&effects).is_empty() && !is_saved(&effects), "{line}");
    }
    assert_eq!(
        told(&reads(&mut world, &ada, 5)),
        [("ada-too".into(), "5".into())]
    );
    // Who comes is told their own, after the welcome.
    world.admit_with("ada-third", "ada", None);
    let (_, effects) = world.open(ticket("ada-third"), None).unwrap();
    assert_eq!(told(&effects), [("ada-third".into(), "5".into())]);
    world.admit_with("bob-too", "bob", None);
    let (_, effects) = world.open(ticket("bob-too"), None).unwrap();
    assert!(told(&effects).is_empty());
}

#[test]
fn a_mark_is_at_a_line_that_there_is() {
    let mut world = World::new();
    let ada = world.enter("ada");
    writes(&mut world, &ada, 1);
    for line in ["0", "2", "x", "", "18446744073709551616"] {
        let said = world.say(&ada, &format!(r#"{{"type":"readChat","id":"{line}"}}"#));
        assert_eq!(error(&said), Some(ErrorCode::UnknownLine), "{line}");
    }
    assert!(world.room.read.is_empty());
}

#[test]
fn a_guests_mark_is_not_kept() {
    let mut world = World::new();
    let guest = world.enter("guest-1");
    writes(&mut world, &guest, 1);
    let effects = reads(&mut world, &guest, 1);
    assert!(error(&effects).is_none() && !is_saved(&effects));
}

#[test]
fn marks_are_as_many_as_a_room_keeps_and_are_restored() {
    let mut world = World::new();
    let ada = world.enter("ada");
    writes(&mut world, &ada, 1);
    for number in 0..MARKS + 2 {
        world.now += 1;
        let name = format!("u{number}");
        let client = world.enter(&name);
        reads(&mut world, &client, 1);
        world.say(&client, r#"{"type":"leave"}"#);
    }
    assert_eq!(world.room.read.len(), MARKS);
    assert!(!world.room.read.contains_key(&id("u1")));
    let restored = Room::restore(world.stored.clone(), &[], &[], world.now);
    assert_eq!(restored.unwrap().0.read, world.room.read);
}

#[test]
fn who_tells_of_reading_without_end_waits() {
    let mut world = World::new();
    let [ada, bob] = ["ada", "bob"].map(|name| world.enter(name));
    writes(&mut world, &bob, 40);
    let refused = (1..=40).find_map(|line| error(&reads(&mut world, &ada, line)));
    assert_eq!(refused, Some(ErrorCode::RateLimited));
}
