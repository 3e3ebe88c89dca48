//! Tickets and resume tokens: who shows what was given last always comes back as the same participant.

use proptest::prelude::*;
use protocol::id::ParticipantId;

use super::{Client, Event, NotAdmitted, Pass, Room, World, admission, id, ticket, token};
use crate::room::NoTicket;
use crate::room::record::Record;

#[test]
fn a_ticket_admits_for_a_minute() {
    let mut world = World::new();
    world.admit("ada");
    world.now = 60_000;
    let late = world.open(ticket("ada"), None);
    assert_eq!(late.err(), Some(NotAdmitted::Ticket));
}

#[test]
fn a_ticket_admits_again_while_its_welcome_may_be_lost() {
    let mut world = World::new();
    let first = world.enter("ada");
    world.say(&first, r#"{"type":"mediaFailed","attempt":1}"#);
    let (again, _) = world.open(ticket("ada"), None).expect("the same ticket");
    assert_eq!(again.participant, first.participant);
    assert_eq!(world.room.view().people, 1);
    // The token of a welcome that never arrived is dead.
    let dead = world.open(token("ada", 1), None);
    assert_eq!(dead.err(), Some(NotAdmitted::Resume));
    world.now = 60_000;
    assert!(world.open(ticket("ada"), None).is_err());
    let (_, _) = world.open(token("ada", 2), None).expect("the successor");
}

#[test]
fn a_ticket_is_over_when_its_successor_is_shown() {
    let mut world = World::new();
    world.enter("ada");
    world.open(token("ada", 1), None).expect("the successor");
    assert!(world.open(ticket("ada"), None).is_err());
}

#[test]
fn a_user_holds_so_many_unused_tickets() {
    let mut world = World::new();
    for number in 0..32 {
        assert_eq!(
            world.room.may_join(&admission("next", "ada"), world.now),
            Ok(None)
        );
        world.admit_with(&format!("p{number}"), "ada", None);
        world.now += 100;
    }
    assert_eq!(
        world.room.may_join(&admission("next", "ada"), 4_000),
        Err(NoTicket::TooMany { wait: 56_000 })
    );
    assert_eq!(
        world.room.may_join(&admission("next", "bob"), 4_000),
        Ok(None)
    );
    assert!(world.open(ticket("p5"), None).is_ok());
    assert_eq!(
        world.room.may_join(&admission("next", "ada"), 4_000),
        Ok(None)
    );
}

#[test]
fn a_resume_token_admits_again_until_its_successor_is_known_to_have_arrived() {
    let mut world = World::new();
    world.enter("ada");
    let (second, _) = world.open(token("ada", 1), Some(1)).expect("good");
    world.handle(Event::ClientClosed { client: second });
    let (third, _) = world.open(token("ada", 1), Some(1)).expect("good again");
    assert!(world.open(token("ada", 2), Some(1)).is_err(), "never shown");
    world.say(&third, "whatever it is");
    assert!(world.open(token("ada", 1), Some(1)).is_err(), "confirmed");
    let (_, _) = world.open(token("ada", 3), Some(1)).expect("the successor");
}

#[test]
fn a_record_of_the_release_before_is_understood() {
    let text = r#"{"Person":{"id":"ada","user":"ada","name":"Ada","role":"member","publishing":{"microphone":true,
        "camera":false,"screen":false},"joined_at":5,"regions":["eu"],"presence":{"Lost":{"resume":"h","until":9}},
        "connection":3,"node":null,"region":null,"session":null}}"#;
    let record: Record = serde_json::from_str(text).expect("it is still read");
    let mut world = World::new();
    world.stored.records.push(record);
    let restored = Room::restore(world.stored.clone(), &[], &[], 6);
    world.room = restored.expect("a room is stored").0;
    let (client, _) = world.open(Pass::Resume("h".into()), None).expect("good");
    assert_eq!((client.participant, client.connection), (id("ada"), 4));
}

/// What a network does to a client that holds on to what it was given last.
#[derive(Debug, Clone)]
enum Step {
    /// It dials; the welcome may be lost on its way.
    Dial {
        is_welcomed: bool,
    },
    Says,
    /// The WebSocket breaks; the room may not notice.
    Breaks {
        is_noticed: bool,
    },
    RoomRestarts,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => any::<bool>().prop_map(|is_welcomed| Step::Dial { is_welcomed }),
        1 => Just(Step::Says),
        2 => any::<bool>().prop_map(|is_noticed| Step::Breaks { is_noticed }),
        1 => Just(Step::RoomRestarts),
    ]
}

proptest! {
    #[test]
    fn who_holds_the_last_pass_always_gets_back_in_and_no_third_one_is_good(
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let mut world = World::new();
        world.admit("ada");
        let mut held = "ticket of ada".to_owned();
        let pass = |text: &str| match text.starts_with("ticket") {
            true => Pass::Ticket(text.into()),
            false => Pass::Resume(text.into()),
        };
        let mut given = vec![held.clone()];
        let (mut latest, mut welcomed): (Option<Client>, bool) = (None, false);
        for step in steps {
            world.now += 50;
            match step {
                Step::Dial { is_welcomed } => {
                    let opened = world.open(pass(&held), Some(0));
                    prop_assert!(opened.is_ok(), "{held} is refused");
                    let (client, _) = opened.expect("asserted");
                    let next = format!("resume ada {}", client.connection);
                    given.push(next.clone());
                    if is_welcomed {
                        held = next;
                    }
                    (latest, welcomed) = (Some(client), is_welcomed);
                }
                // Only who is welcomed speaks.
                Step::Says => if let (Some(client), true) = (&latest, welcomed) {
                    world.say(&client.clone(), r#"{"type":"mediaFailed","attempt":9}"#);
                },
                Step::Breaks { is_noticed } => {
                    welcomed = false;
                    if let (Some(client), true) = (latest.take(), is_noticed) {
                        world.handle(Event::ClientClosed { client });
                    }
                }
                Step::RoomRestarts => {
                    let living: Vec<Client> = latest.iter().cloned().collect();
                    let restored = Room::restore(world.stored.clone(), &living, &[], world.now);
                    let (room, effects) = restored.expect("a room is stored");
                    world.room = room;
                    world.store(&effects);
                }
            }
            let ada: ParticipantId = id("ada");
            let good = given.iter().filter_map(|text| world.room.admit(&pass(text), world.now).ok());
            let good: Vec<Client> = good.collect();
            prop_assert!((1..=2).contains(&good.len()), "{} are good", good.len());
            prop_assert!(good.iter().all(|client| client.participant == ada));
        }
    }
}
