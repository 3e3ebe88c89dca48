//! The door: each reason to refuse somebody, who is past it, and who stays out.

use protocol::client::{Banned, ErrorCode, ServerMessage, Settings, SettingsChange};

use super::{Client, Effect, Event, Room, World, admission, error, happened, id, ticket, token};
use crate::room::{NoTicket, NotAdmitted, Seats};

fn set(world: &mut World, host: &Client, change: SettingsChange) {
    let change = serde_json::to_string(&change).unwrap();
    world.say(
        host,
        &format!(r#"{{"type":"configure","change":{change}}}"#),
    );
}

fn reason(world: &World, user: &str) -> Result<Option<String>, NoTicket> {
    let next = admission("next", user);
    let asked = world.room.may_join(&next, world.now);
    asked.map(|hash| hash.map(str::to_owned))
}

/// The owner, a moderator who has left, and somebody who is in the room.
fn world() -> (World, Client) {
    let mut world = World::new();
    let ada = world.enter("ada");
    let mia = world.enter("mia");
    let appoint = r#"{"type":"setRole","participant":"mia","role":"moderator"}"#;
    world.say(&ada, appoint);
    world.say(&mia, r#"{"type":"leave"}"#);
    world.enter("ben");
    (world, ada)
}

#[test]
fn each_setting_keeps_strangers_out_and_lets_past_who_keeps_order_or_is_inside() {
    let table = [
        (
            SettingsChange {
                locked: Some(true),
                ..SettingsChange::default()
            },
            NoTicket::Locked,
        ),
        (
            SettingsChange {
                opens_at: Some(90_000),
                ..SettingsChange::default()
            },
            NoTicket::NotOpenYet { wait: 90_000 },
        ),
        (
            SettingsChange {
                capacity: Some(2),
                ..SettingsChange::default()
            },
            NoTicket::Full { most: 2 },
        ),
    ];
    for (change, refusal) in table {
        let (mut world, ada) = world();
        assert_eq!(reason(&world, "cy"), Ok(None));
        set(&mut world, &ada, change);
        assert_eq!(reason(&world, "cy"), Err(refusal));
        for past in ["ada", "mia", "ben"] {
            assert_eq!(reason(&world, past), Ok(None), "{past}, {refusal}");
        }
    }
}

#[test]
fn a_room_opens_when_its_time_has_come() {
    let (mut world, ada) = world();
    let change = SettingsChange {
        opens_at: Some(90_000),
        ..SettingsChange::default()
    };
    set(&mut world, &ada, change);
    world.now = 89_999;
    assert_eq!(reason(&world, "cy"), Err(NoTicket::NotOpenYet { wait: 1 }));
    world.now = 90_000;
    assert_eq!(reason(&world, "cy"), Ok(None));
}

#[test]
fn there_are_as_many_seats_as_the_server_has_and_a_ticket_is_one() {
    let (mut world, ada) = world();
    world.room.has_seats(Seats { room: 3, user: 2 });
    assert_eq!(reason(&world, "cy"), Ok(None));
    world.admit("cy");
    assert_eq!(reason(&world, "di"), Err(NoTicket::Full { most: 3 }));
    // More than the server has cannot be set.
    let change = SettingsChange {
        capacity: Some(1_000),
        ..SettingsChange::default()
    };
    set(&mut world, &ada, change);
    assert_eq!(reason(&world, "di"), Err(NoTicket::Full { most: 3 }));
    // A ticket that is not used gives its seat back.
    world.wait();
    world.now = 60_000;
    world.handle(super::Event::Alarm { pings: Vec::new() });
    assert_eq!(reason(&world, "di"), Ok(None));
}

#[test]
fn the_501st_is_told_so_unless_the_server_says_otherwise() {
    let mut world = World::new();
    for number in 0..500 {
        assert_eq!(reason(&world, "next"), Ok(None), "{number} are in it");
        world.enter(&format!("p{number}"));
    }
    let full = NoTicket::Full { most: 500 };
    assert_eq!(reason(&world, "next"), Err(full));
    assert!(full.to_string().contains("at most 500 people"), "{full}");
    // The owner is always let in.
    assert_eq!(reason(&world, "ada"), Ok(None));
}

#[test]
fn a_user_is_in_a_room_so_often_and_may_move_the_call() {
    let mut world = World::new();
    world.room.has_seats(Seats { room: 9, user: 2 });
    for name in ["b1", "b2", "b3"] {
        world.admit_with(name, "ben", None);
    }
    assert!(world.open(ticket("b1"), None).is_ok());
    let (second, _) = world.open(ticket("b2"), None).expect("a seat");
    // A ticket of before the seats were taken.
    assert_eq!(
        world.open(ticket("b3"), None).err(),
        Some(NotAdmitted::TooOften)
    );
    assert_eq!(reason(&world, "ben"), Err(NoTicket::TooOften { most: 2 }));
    let moving = super::Admission {
        move_here: true,
        ..admission("next", "ben")
    };
    assert_eq!(world.room.may_join(&moving, world.now), Ok(None));
    // Who was lost comes back as before.
    world.handle(super::Event::ClientClosed { client: second });
    assert!(world.open(token("b2", 1), Some(0)).is_ok());
}

#[test]
fn a_password_is_asked_for_and_shown_to_nobody() {
    let (mut world, ada) = world();
    let effects = world.say(&ada, r#"{"type":"setPassword","password":"open sesame"}"#);
    let told = format!("{:?}", happened(&effects));
    assert!(told.contains("has_password: true"), "{told}");
    assert!(!told.contains("sesame"), "{told}");
    assert!(world.room.door().password);
    let hash = Some("hash of open sesame".to_owned());
    assert_eq!(reason(&world, "cy"), Ok(hash.clone()));
    assert_eq!(reason(&world, "mia"), Ok(None));
    let room = Room::restore(world.stored.clone(), &[], &[], world.now);
    let room = room.expect("a room is stored").0;
    assert_eq!(room.info.password, hash);
    // Nobody else sets it, and none is too long.
    let ben = world.room.people[&id("ben")].client();
    let effects = world.say(&ben, r#"{"type":"setPassword","password":null}"#);
    assert_eq!(error(&effects), Some(ErrorCode::Forbidden));
    let long = format!(
        r#"{{"type":"setPassword","password":"{}"}}"#,
        "x".repeat(129)
    );
    assert_eq!(error(&world.say(&ada, &long)), Some(ErrorCode::Malformed));
    world.say(&ada, r#"{"type":"setPassword","password":null}"#);
    assert_eq!(reason(&world, "cy"), Ok(None));
    assert_eq!(world.room.info.settings, Settings::default());
}

/// Says that a password is set; the answer to its hash, as the hasher gives it later.
fn sets(world: &mut World, host: &Client, password: &str) -> Event {
    let set = format!(r#"{{"type":"setPassword","password":"{password}"}}"#);
    let effects = world.say(host, &set);
    let wish = effects.into_iter().find_map(|effect| match effect {
        Effect::HashPassword {
            client,
            turn,
            password,
        } => Some(Event::Hashed {
            client,
            turn,
            hash: Ok(format!("hash of {password}")),
        }),
        _ => None,
    });
    wish.expect("a password is hashed")
}

#[test]
fn the_password_that_was_set_last_counts_whichever_is_hashed_first() {
    let (mut world, ada) = world();
    world.hasher_is_slow = true;
    let first = sets(&mut world, &ada, "first");
    let second = sets(&mut world, &ada, "second");
    assert_eq!(reason(&world, "cy"), Ok(None), "until it is hashed");
    world.handle(second);
    assert!(world.handle(first).is_empty());
    assert_eq!(reason(&world, "cy"), Ok(Some("hash of second".into())));
    let third = sets(&mut world, &ada, "third");
    world.say(&ada, r#"{"type":"setPassword","password":null}"#);
    assert!(world.handle(third).is_empty());
    assert_eq!(reason(&world, "cy"), Ok(None));
}

#[test]
fn a_password_that_cannot_be_hashed_now_is_said_to_whoever_set_it() {
    let (mut world, ada) = world();
    world.hasher_is_slow = true;
    let Event::Hashed { client, turn, .. } = sets(&mut world, &ada, "secret") else {
        panic!("a password is hashed");
    };
    let hash = Err(2_000);
    let effects = world.handle(Event::Hashed { client, turn, hash });
    let told = effects.iter().any(|effect| {
        matches!(
            effect,
            Effect::Send {
                client,
                message: ServerMessage::Error {
                    code: ErrorCode::RateLimited,
                    of: Some(of),
                    retry_after_ms: Some(2_000),
                    ..
                },
            } if *client == ada && of == "setPassword"
        )
    });
    assert!(told);
    assert_eq!(reason(&world, "cy"), Ok(None));
}

#[test]
fn whoever_is_no_host_any_more_when_a_password_is_hashed_has_not_set_it() {
    let (mut world, ada) = world();
    world.hasher_is_slow = true;
    let hashed = sets(&mut world, &ada, "secret");
    world.say(&ada, r#"{"type":"leave"}"#);
    world.handle(hashed);
    assert_eq!(reason(&world, "cy"), Ok(None));
}

#[test]
fn passwords_are_hashed_so_often_alone() {
    let (mut world, ada) = world();
    let set = r#"{"type":"setPassword","password":"x"}"#;
    let refused = (0..8).filter(|_| error(&world.say(&ada, set)).is_some());
    assert_eq!(refused.count(), 3);
}

fn banned(effects: &[Effect]) -> Option<Vec<Banned>> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::Send {
            message: ServerMessage::Banned { people },
            ..
        } => Some(people.clone()),
        _ => None,
    })
}

#[test]
fn who_is_banned_stays_out_until_that_is_lifted() {
    let (mut world, ada) = world();
    let ben = world.room.people[&id("ben")].client();
    world.admit_with("ben2", "ben", None);
    let effects = world.say(&ada, r#"{"type":"ban","participant":"ben"}"#);
    let list = vec![Banned {
        user: id("ben"),
        name: "ben".into(),
    }];
    assert_eq!(banned(&effects), Some(list.clone()));
    let hung_up = |effect: &Effect| matches!(effect, Effect::HangUp { client } if *client == ben);
    assert!(effects.iter().any(hung_up));
    assert!(world.open(ticket("ben2"), None).is_err());
    world.now = 10_000_000_000;
    assert_eq!(reason(&world, "ben"), Err(NoTicket::Banned));
    let room = Room::restore(world.stored.clone(), &[], &[], world.now);
    world.room = room.expect("a room is stored").0;
    assert_eq!(reason(&world, "ben"), Err(NoTicket::Banned));
    // A moderator sees the list as soon as they are there, and lifts the ban.
    world.admit("mia");
    let (mia, effects) = world.open(ticket("mia"), None).expect("a moderator");
    assert_eq!(banned(&effects), Some(list));
    let effects = world.say(&mia, r#"{"type":"unban","user":"ben"}"#);
    assert_eq!(banned(&effects), Some(Vec::new()));
    assert_eq!(reason(&world, "ben"), Ok(None));
}

#[test]
fn nobody_bans_the_owner_or_without_the_right_to() {
    let (mut world, ada) = world();
    let ben = world.room.people[&id("ben")].client();
    for said in [
        r#"{"type":"ban","participant":"ada"}"#,
        r#"{"type":"unban","user":"cy"}"#,
    ] {
        assert_eq!(error(&world.say(&ben, said)), Some(ErrorCode::Forbidden));
    }
    let effects = world.say(&ada, r#"{"type":"ban","participant":"ada"}"#);
    assert_eq!(error(&effects), Some(ErrorCode::Forbidden));
}
