//! The lobby: who waits is told nothing, nothing is done for them, and they go in as if just come.

use proptest::prelude::*;
use protocol::client::{CloseReason, ErrorCode, Knock, Offer, RoomEvent, ServerMessage};
use protocol::id::Attempt;

use super::{Client, Effect, Event, Room, World, admission, error, happened, id, ticket, token};
use crate::room::{NoTicket, Pass};

const LOBBY: &str = r#"{"type":"configure","change":{"lobby":true}}"#;
const ADMIT_ALL: &str = r#"{"type":"admit","participant":null}"#;
const REFUSE_ALL: &str = r#"{"type":"refuse","participant":null}"#;

fn world() -> (World, Client) {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.place("ada", "n1");
    world.say(&ada, LOBBY);
    (world, ada)
}

/// What is sent to this client.
fn sent(effects: &[Effect], client: &Client) -> Vec<ServerMessage> {
    let to = |effect: &Effect| match effect {
        Effect::Send {
            client: other,
            message,
        } if other == client => Some(message.clone()),
        _ => None,
    };
    effects.iter().filter_map(to).collect()
}

fn knocking(effects: &[Effect]) -> Option<Vec<String>> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::Send {
            message: ServerMessage::Knocking { people },
            ..
        } => Some(
            people
                .iter()
                .map(|Knock { name, .. }| name.clone())
                .collect(),
        ),
        _ => None,
    })
}

fn closed(effects: &[Effect], client: &Client) -> Option<CloseReason> {
    sent(effects, client)
        .iter()
        .find_map(|message| match message {
            ServerMessage::Closed { reason } => Some(*reason),
            _ => None,
        })
}

fn restore(world: &mut World, clients: &[Client]) {
    let room = Room::restore(world.stored.clone(), clients, &[], world.now);
    world.room = room.expect("a room is stored").0;
}

#[test]
fn who_waits_is_told_nothing_and_nothing_is_done_for_them() {
    let (mut world, ada) = world();
    let offer = Offer {
        attempt: Attempt(1),
        sdp: "v=0".into(),
        sources: Vec::new(),
    };
    let effects = world.admit_with("ben", "ben", Some(offer));
    let idle = |effect: &Effect| matches!(effect, Effect::Save(_));
    assert!(effects.iter().all(idle), "a ticket is all");
    let (ben, effects) = world.open(ticket("ben"), None).expect("the ticket is good");
    let messages = sent(&effects, &ben);
    let [ServerMessage::Waiting { you, .. }] = &messages[..] else {
        panic!("{} messages", messages.len());
    };
    assert_eq!(*you, id("ben"));
    assert_eq!(knocking(&effects), Some(vec!["ben".to_owned()]));
    assert_eq!(happened(&effects), []);
    assert!(world.room.is_outside(&id("ben")));
    assert_eq!(world.room.view().people, 1);
    // Whatever they say.
    for said in [
        super::OFFER,
        r#"{"type":"chat","nonce":"n","text":"let me in"}"#,
        ADMIT_ALL,
        r#"{"type":"publishing","publishing":{"microphone":true,"camera":false,"screen":false,"codec":null}}"#,
    ] {
        let effects = world.say(&ben, said);
        assert!(effects.iter().all(idle), "{said}");
    }
    world.say(&ada, r#"{"type":"chat","nonce":"n","text":"secret"}"#);
    assert!(world.room.seeking.is_none());
}

#[test]
fn who_is_let_in_goes_on_as_if_just_come() {
    let (mut world, ada) = world();
    world.admit("ben");
    let (ben, _) = world.open(ticket("ben"), None).expect("the ticket is good");
    world.say(&ben, super::OFFER);
    world.now = 5_000;
    let effects = world.say(&ada, r#"{"type":"admit","participant":"ben"}"#);
    assert!(
        matches!(&happened(&effects)[..], [RoomEvent::Joined { participant }] if participant.id == id("ben") && participant.joined_at == 5_000)
    );
    let messages = sent(&effects, &ben);
    assert!(matches!(
        &messages[0],
        ServerMessage::Welcome {
            snapshot: Some(_),
            ..
        }
    ));
    // The offer of before is asked for anew.
    assert!(matches!(
        messages[1],
        ServerMessage::Renegotiate {
            attempt: Attempt(1),
            ..
        }
    ));
    assert!(
        effects
            .iter()
            .all(|effect| !matches!(effect, Effect::HangUp { .. }))
    );
    assert_eq!(knocking(&effects), Some(Vec::new()));
    assert!(world.room.seeking.is_some());
    // Both tokens are good: the welcome may be lost.
    for pass in [token("ben", 1), Pass::Resume("let in ben".into())] {
        assert!(world.room.admit(&pass, world.now).is_ok());
    }
    assert!(error(&world.say(&ben, r#"{"type":"chat","nonce":"n","text":"hi"}"#)).is_none());
}

#[test]
fn all_are_let_in_or_refused_at_once_and_in_their_order() {
    let (mut world, ada) = world();
    for name in ["cy", "ben"] {
        world.now += 10;
        world.admit(name);
        world.open(ticket(name), None).expect("the ticket is good");
    }
    world.admit("late");
    let effects = world.say(&ada, ADMIT_ALL);
    let joined: Vec<String> = happened(&effects)
        .iter()
        .filter_map(|event| match event {
            RoomEvent::Joined { participant } => Some(participant.name.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(joined, ["cy", "ben"]);
    assert!(world.room.is_outside(&id("late")));
    world.admit("di");
    let (di, _) = world.open(ticket("di"), None).expect("the ticket is good");
    let effects = world.say(&ada, REFUSE_ALL);
    assert_eq!(closed(&effects, &di), Some(CloseReason::Refused));
    assert!(world.open(token("di", 1), Some(0)).is_err());
}

#[test]
fn a_lost_client_goes_on_waiting_or_goes_in_and_a_restart_changes_nothing() {
    let (mut world, ada) = world();
    for name in ["ben", "cy"] {
        world.admit(name);
        world.open(ticket(name), None).expect("the ticket is good");
    }
    let ada = {
        restore(&mut world, std::slice::from_ref(&ada));
        ada
    };
    let (ben, effects) = world.open(token("ben", 1), Some(0)).expect("still waiting");
    assert!(matches!(
        &sent(&effects, &ben)[..],
        [ServerMessage::Waiting { .. }]
    ));
    // One who is away is let in, and goes in when they are back, after one more restart.
    world.say(&ada, ADMIT_ALL);
    restore(&mut world, &[ada.clone(), ben]);
    let (cy, effects) = world.open(token("cy", 1), Some(0)).expect("let in");
    assert!(matches!(
        &sent(&effects, &cy)[0],
        ServerMessage::Welcome {
            snapshot: Some(_),
            ..
        }
    ));
    assert!(world.room.waiting.is_empty());
    assert_eq!(world.room.view().people, 3);
}

#[test]
fn who_is_not_heard_of_is_not_waited_for() {
    let (mut world, _) = world();
    world.admit("ben");
    let (ben, _) = world.open(ticket("ben"), None).expect("the ticket is good");
    world.handle(Event::ClientClosed { client: ben });
    world.now = 30_000;
    let effects = world.handle(Event::Alarm { pings: Vec::new() });
    assert_eq!(knocking(&effects), Some(Vec::new()));
    assert!(world.room.waiting.is_empty());
    world.admit("cy");
    world.open(ticket("cy"), None).expect("the ticket is good");
    world.now = 330_000;
    world.handle(Event::Alarm { pings: Vec::new() });
    assert!(world.room.waiting.is_empty());
}

#[test]
fn so_many_may_wait_and_so_often() {
    let (mut world, _) = world();
    let next = admission("next", "ben");
    for number in 0..5 {
        assert_eq!(world.room.may_join(&next, 0), Ok(None));
        world.admit_with(&format!("b{number}"), "ben", None);
    }
    let too_often = Err(NoTicket::TooOften { most: 5 });
    assert_eq!(world.room.may_join(&next, 0), too_often);
    for number in 0..95 {
        world.admit(&format!("p{number}"));
    }
    let next = admission("next", "cy");
    assert_eq!(world.room.may_join(&next, 0), Err(NoTicket::LobbyFull));
    // Who keeps order waits for nobody.
    assert_eq!(world.room.may_join(&admission("next", "ada"), 0), Ok(None));
}

#[test]
fn only_who_keeps_order_hears_of_it_and_decides() {
    let (mut world, ada) = world();
    world.say(&ada, r#"{"type":"configure","change":{"lobby":false}}"#);
    let ben = world.enter("ben");
    world.say(&ada, LOBBY);
    world.admit("cy");
    let (cy, effects) = world.open(ticket("cy"), None).expect("the ticket is good");
    assert_eq!(sent(&effects, &ben).len(), 0);
    assert_eq!(
        error(&world.say(&ben, ADMIT_ALL)),
        Some(ErrorCode::Forbidden)
    );
    let nobody = r#"{"type":"admit","participant":"nobody"}"#;
    let effects = world.say(&ada, nobody);
    assert_eq!(error(&effects), Some(ErrorCode::UnknownParticipant));
    // As soon as one keeps order, and no longer.
    let appoint =
        |role: &str| format!(r#"{{"type":"setRole","participant":"ben","role":"{role}"}}"#);
    let effects = world.say(&ada, &appoint("moderator"));
    assert_eq!(knocking(&effects), Some(vec!["cy".to_owned()]));
    let effects = world.say(&ada, &appoint("speaker"));
    assert_eq!(knocking(&effects), Some(Vec::new()));
    // The lobby is closed: who waits goes in.
    let effects = world.say(&ada, r#"{"type":"configure","change":{"lobby":false}}"#);
    assert!(matches!(
        sent(&effects, &cy)[0],
        ServerMessage::Welcome { .. }
    ));
}

proptest! {
    /// Whatever is done at the door, the room that is restored from what was stored is the room that stored it.
    #[test]
    fn a_restart_changes_nobody_at_the_door(deeds in proptest::collection::vec((0..4_usize, 0..7_usize), 0..40)) {
        let (mut world, ada) = world();
        let mut clients: Vec<Option<Client>> = vec![None; 4];
        for (turn, (who, deed)) in deeds.into_iter().enumerate() {
            world.now += 1_000;
            let name = format!("p{who}");
            match (deed, clients[who].clone()) {
                (0, None) => {
                    world.admit_with(&name, &name, None);
                    clients[who] = world.open(ticket(&name), None).ok().map(|(client, _)| client);
                }
                (1, Some(client)) => {
                    world.handle(Event::ClientClosed { client });
                }
                (2, Some(client)) => {
                    let token = token(&name, client.connection);
                    clients[who] = world.open(token, Some(0)).ok().map(|(client, _)| client);
                }
                (3, Some(client)) => {
                    world.say(&client, r#"{"type":"leave"}"#);
                    clients[who] = None;
                }
                (4, _) => {
                    world.say(&ada, &format!(r#"{{"type":"admit","participant":"{name}"}}"#));
                }
                (5, _) => {
                    world.say(&ada, REFUSE_ALL);
                }
                (6, _) if turn % 5 == 0 => {
                    world.say(&ada, &format!(r#"{{"type":"ban","participant":"{name}"}}"#));
                }
                _ => {}
            }
            let waiting = world.room.waiting.values().map(|waiting| &waiting.person);
            let people = world.room.people.values().chain(waiting);
            let living: Vec<Client> = people.map(|person| person.client()).collect();
            let (restored, _) = Room::restore(world.stored.clone(), &living, &[], world.now).expect("a room is stored");
            prop_assert_eq!(&restored.waiting, &world.room.waiting);
            prop_assert_eq!(&restored.people, &world.room.people);
            prop_assert_eq!(&restored.rulings, &world.room.rulings);
        }
    }
}
