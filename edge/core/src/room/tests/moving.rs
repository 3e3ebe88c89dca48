//! Moving a call: where it ends, where it goes on, and that nothing is lost when it cannot.

use protocol::client::{CloseReason, LeaveReason, RoomEvent, ServerMessage};

use super::super::moving::MAX_MOVED;
use super::super::record::Record;
use super::{Admission, Client, Effect, Event, Room, World, admission, id, ticket, token};
use crate::token::REFRESH_SECONDS;

impl World {
    /// Ada is here as `first` and `second`, and Bob is.
    fn with_ada_twice() -> (Self, Client, Client) {
        let mut world = World::new();
        let opens = |world: &mut World, name: &str, user: &str| {
            world.admit_with(name, user, None);
            world
                .open(ticket(name), None)
                .expect("the ticket is good")
                .0
        };
        let first = opens(&mut world, "first", "ada");
        let second = opens(&mut world, "second", "ada");
        opens(&mut world, "bob", "bob");
        (world, first, second)
    }

    fn here(&self) -> Vec<&str> {
        let people = self.room.people.values().filter(|person| person.is_in());
        people.map(|person| person.id.as_str()).collect()
    }
}

/// To whom these effects say that the call has moved, and who left for that.
fn moved(effects: &[Effect]) -> (Vec<&str>, Vec<&str>) {
    let told = effects.iter().filter_map(|effect| match effect {
        Effect::Send {
            client,
            message:
                ServerMessage::Closed {
                    reason: CloseReason::Moved,
                },
        } => Some(client.participant.as_str()),
        _ => None,
    });
    let left = effects.iter().filter_map(|effect| match effect {
        Effect::Broadcast {
            message:
                ServerMessage::Event {
                    event:
                        RoomEvent::Left {
                            participant,
                            reason: LeaveReason::Moved,
                        },
                    ..
                },
            ..
        } => Some(participant.as_str()),
        _ => None,
    });
    (told.collect(), left.collect())
}

#[test]
fn two_pages_of_a_user_are_two_participants_until_one_takes_the_call() {
    let (mut world, first, second) = World::with_ada_twice();
    assert_eq!(world.room.details(&id("ada"), None).yours, 2);
    assert_eq!(world.room.details(&id("bob"), None).yours, 1);
    assert_eq!(world.room.details(&id("cy"), None).yours, 0);
    let effects = world.say(&second, r#"{"type":"moveHere"}"#);
    assert_eq!(moved(&effects), (vec!["first"], vec!["first"]));
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::HangUp { client } if *client == first))
    );
    assert_eq!(world.here(), ["bob", "second"]);
    assert_eq!(
        moved(&world.say(&second, r#"{"type":"moveHere"}"#)),
        (vec![], vec![])
    );
}

#[test]
fn a_join_that_moves_ends_nothing_before_its_websocket_is_open() {
    let (mut world, _, second) = World::with_ada_twice();
    world.handle(Event::ClientClosed { client: second });
    let joined = world.handle(Event::Admitted(Admission {
        move_here: true,
        ..admission("third", "ada")
    }));
    assert_eq!(moved(&joined), (vec![], vec![]));
    assert_eq!(world.here(), ["bob", "first", "second"]);
    let (_, effects) = world
        .open(ticket("third"), None)
        .expect("the ticket is good");
    assert_eq!(moved(&effects), (vec!["first"], vec!["first", "second"]));
    assert_eq!(world.here(), ["bob", "third"]);
    // The newcomer's state has them no more.
    let people = effects.iter().find_map(|effect| match effect {
        Effect::Send {
            message: ServerMessage::Welcome { snapshot, .. },
            ..
        } => snapshot
            .as_ref()
            .map(|snapshot| snapshot.participants.len()),
        _ => None,
    });
    assert_eq!(people, Some(2));
}

#[test]
fn who_slept_while_the_call_moved_is_told_when_they_dial() {
    let (mut world, first, second) = World::with_ada_twice();
    world.handle(Event::ClientClosed {
        client: first.clone(),
    });
    let effects = world.say(&second, r#"{"type":"moveHere"}"#);
    assert_eq!(moved(&effects), (vec![], vec!["first"]));
    // The room may sleep meanwhile, too.
    let links = [];
    let (restored, _) =
        Room::restore(world.stored.clone(), &[second], &links, world.now).expect("it is stored");
    world.room = restored;
    for pass in [token("first", 1), ticket("first")] {
        let (client, effects) = world.open(pass, None).expect("it is told");
        assert_ne!(client, first, "the former WebSocket is another one");
        assert_eq!(moved(&effects), (vec!["first"], vec![]));
        assert!(
            effects
                .iter()
                .any(|effect| matches!(effect, Effect::HangUp { client: gone } if *gone == client))
        );
        world.handle(Event::ClientClosed { client });
    }
    assert_eq!(world.here(), ["bob", "second"]);
    assert!(
        world.open(token("first", 2), None).is_err(),
        "it has no other pass"
    );
    world.now += REFRESH_SECONDS * 1_000;
    assert!(
        world.open(token("first", 1), None).is_err(),
        "it is forgotten"
    );
}

#[test]
fn of_those_whose_call_moved_the_latest_are_remembered() {
    let mut world = World::new();
    let joins = |world: &mut World, name: String| {
        world.handle(Event::Admitted(Admission {
            move_here: true,
            ..admission(&name, "ada")
        }));
        world.open(ticket(&name), None).expect("the ticket is good");
        world.now += 1;
    };
    for number in 0..=MAX_MOVED + 1 {
        joins(&mut world, format!("p{number}"));
    }
    assert_eq!(world.room.moved.len(), MAX_MOVED);
    assert!(world.open(token("p0", 1), None).is_err());
    assert!(world.open(token("p1", 1), None).is_ok());
    world.now += REFRESH_SECONDS * 1_000;
    joins(&mut world, "last".into());
    assert_eq!(world.room.moved.len(), 1);
    let stored = world
        .stored
        .records
        .iter()
        .filter(|record| matches!(record, Record::Moved(_)));
    assert_eq!(stored.count(), 1);
}

#[test]
fn who_is_not_heard_any_more_is_not_counted() {
    let (mut world, first, _) = World::with_ada_twice();
    world.handle(Event::ClientClosed { client: first });
    assert_eq!(
        world.room.details(&id("ada"), None).yours,
        2,
        "it may be back at once"
    );
    world.wait();
    assert_eq!(world.room.details(&id("ada"), None).yours, 1);
}
