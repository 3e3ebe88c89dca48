//! Moving a call: where it ends, where it goes on, and that nothing is lost when it cannot.

use protocol::client::{CloseReason, LeaveReason, RoomEvent, ServerMessage};

use super::{Admission, Client, Effect, Event, World, admission, id, ticket, token};

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
    assert_eq!(world.room.details(&id("ada")).yours, 2);
    assert_eq!(world.room.details(&id("bob")).yours, 1);
    assert_eq!(world.room.details(&id("cy")).yours, 0);
    let effects = world.say(&second, r#"{"type":"moveHere"}"#);
    assert_eq!(moved(&effects), (vec!["first"], vec!["first"]));
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::HangUp { client } if *client == first))
    );
    assert_eq!(world.here(), ["bob", "second"]);
    assert!(world.open(token("first", 1), None).is_err(), "no way back");
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
