//! Chat: a line is stored once, a refused one says why and when it may come again, and who does not listen is sent away.

use protocol::client::{ErrorCode, ServerMessage};

use super::{Client, Effect, Excess, NotAdmitted, Pass, World, id};
use crate::chat::HISTORY;

fn chat(nonce: &str, text: &str) -> String {
    format!(r#"{{"type":"chat","nonce":"{nonce}","text":"{text}"}}"#)
}

/// Code, type, nonce and wait.
type Refused = (ErrorCode, Option<String>, Option<String>, Option<u32>);

fn refusals(effects: &[Effect]) -> Vec<Refused> {
    let refusal = |effect: &Effect| match effect {
        Effect::Send {
            message:
                ServerMessage::Error {
                    code,
                    of,
                    nonce,
                    retry_after_ms,
                    ..
                },
            ..
        } => Some((*code, of.clone(), nonce.clone(), *retry_after_ms)),
        _ => None,
    };
    effects.iter().filter_map(refusal).collect()
}

fn accepted(effects: &[Effect]) -> Vec<String> {
    let accepted = |effect: &Effect| match effect {
        Effect::Send {
            message: ServerMessage::ChatAccepted { id, .. },
            ..
        } => Some(id.clone()),
        _ => None,
    };
    effects.iter().filter_map(accepted).collect()
}

fn is_sent_away(effects: &[Effect], who: &Client) -> bool {
    effects
        .iter()
        .any(|effect| matches!(effect, Effect::SendAway { client, .. } if client == who))
}

#[test]
fn a_line_is_one_for_its_user_whichever_participant_sends_it_again() {
    let mut world = World::new();
    let ada = world.enter("ada");
    assert_eq!(accepted(&world.say(&ada, &chat("n1", "once"))), ["1"]);
    world.say(&ada, r#"{"type":"leave"}"#);
    world.admit_with("again", "ada", None);
    let again = world.open(Pass::Ticket("ticket of again".into()), None);
    let (again, _) = again.expect("the ticket is good");
    let repeated = world.say(&again, &chat("n1", "once"));
    assert_eq!(accepted(&repeated), ["1"]);
    assert_eq!(world.stored.lines.len(), 1);
    // Another user may have taken the same nonce.
    let bob = world.enter("bob");
    assert_eq!(accepted(&world.say(&bob, &chat("n1", "mine"))), ["2"]);
}

#[test]
fn a_line_that_is_no_more_in_memory_is_known_all_the_same() {
    let mut world = World::new();
    let ada = world.enter("ada");
    for number in 0..HISTORY + 2 {
        world.now += 1_000;
        world.say(&ada, &chat(&format!("n{number}"), "x"));
    }
    assert_eq!(
        world
            .room
            .chat
            .history(&world.room.reader(&id("ada")))
            .len(),
        HISTORY
    );
    assert_eq!(accepted(&world.say(&ada, &chat("n0", "x"))), ["1"]);
    assert_eq!(world.stored.lines.len(), HISTORY + 2);
}

#[test]
fn a_refusal_says_what_it_refuses_and_when_it_may_come_again() {
    let mut world = World::new();
    world.enter("ada");
    let bob = world.enter("bob");
    let text = |text: &str| Some(text.to_owned());
    for (said, code, of, nonce) in [
        ("{", ErrorCode::Malformed, None, None),
        (
            r#"{"type":"fly","nonce":"f"}"#,
            ErrorCode::Malformed,
            text("fly"),
            text("f"),
        ),
        (
            r#"{"type":"offer","attempt":"x"}"#,
            ErrorCode::Malformed,
            text("offer"),
            None,
        ),
        (
            &chat("e", " "),
            ErrorCode::Malformed,
            text("chat"),
            text("e"),
        ),
        (
            &chat("long", &"x".repeat(4_001)),
            ErrorCode::TooLarge,
            text("chat"),
            text("long"),
        ),
        (&"x".repeat(300_000), ErrorCode::TooLarge, None, None),
        (
            r#"{"type":"remove","participant":"ada"}"#,
            ErrorCode::Forbidden,
            text("remove"),
            None,
        ),
    ] {
        let refused = refusals(&world.say(&bob, said));
        assert_eq!(refused, [(code, of, nonce, None)], "{said:.40}");
    }
    world.now += 60_000;
    for number in 0..60 {
        assert!(refusals(&world.say(&bob, &chat(&format!("n{number}"), "x"))).is_empty());
    }
    assert_eq!(
        refusals(&world.say(&bob, &chat("next", "x"))),
        [(ErrorCode::RateLimited, text("chat"), text("next"), Some(50))]
    );
    world.now += 50;
    assert_eq!(accepted(&world.say(&bob, &chat("next", "x"))), ["61"]);
}

#[test]
fn a_user_writes_so_many_bytes_with_however_many_participants() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let long = "x".repeat(4_000);
    for number in 0..15 {
        let line = chat(&format!("n{number}"), &long);
        assert!(refusals(&world.say(&ada, &line)).is_empty());
    }
    world.admit_with("other", "ada", None);
    let other = world.open(Pass::Ticket("ticket of other".into()), None);
    let (other, _) = other.expect("the ticket is good");
    let line = chat("more", &long);
    let refused = refusals(&world.say(&other, &line));
    let [(ErrorCode::RateLimited, _, Some(_), Some(wait))] = refused.as_slice() else {
        panic!("it is too much: {refused:?}");
    };
    // What was stored before is known at once, at no cost.
    assert_eq!(accepted(&world.say(&other, &chat("n0", &long))), ["1"]);
    world.now += u64::from(*wait);
    assert_eq!(accepted(&world.say(&other, &line)), ["16"]);
    // Others write as they like.
    let bob = world.enter("bob");
    assert_eq!(accepted(&world.say(&bob, &line)), ["17"]);
}

#[test]
fn who_does_not_listen_is_sent_away_and_kept_out_for_a_while() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let mut told = 0;
    while !is_sent_away(&world.say(&ada, &chat("n", "x")), &ada) {
        told += 1;
        assert!(told < 1_000, "it ends");
    }
    assert!(told >= 60 + 200, "{told} messages are no flood");
    // What was on its way is not even looked at, for as long as it comes.
    assert!(!world.room.people[&id("ada")].is_here());
    for _ in 0..2 {
        let after = world.say(&ada, &chat("n", "x"));
        assert!(matches!(after.as_slice(), [Effect::HangUp { client }] if *client == ada));
    }
    assert!(
        world
            .handle(super::Event::ClientClosed { client: ada })
            .is_empty()
    );
    let early = world.open(Pass::Resume("resume ada 1".into()), None);
    assert_eq!(early.err(), Some(NotAdmitted::SentAway { wait: 10_000 }));
    world.now += 10_000;
    let (ada, _) = world
        .open(Pass::Resume("resume ada 1".into()), None)
        .expect("the same participant");
    assert_eq!(accepted(&world.say(&ada, &chat("n2", "sorry"))).len(), 1);
    assert!(world.room.people.contains_key(&id("ada")));
}

#[test]
fn who_talks_nonsense_is_answered_a_few_times_and_then_sent_away_without_a_word_on_each() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let bob = world.enter("bob");
    let mut answered = 0;
    let last = loop {
        let effects = world.say(&bob, "{");
        if is_sent_away(&effects, &bob) {
            break effects;
        }
        assert_eq!(refusals(&effects).len(), 1);
        answered += 1;
        assert!(answered <= 10, "it ends");
    };
    assert_eq!(answered, 10);
    assert!(refusals(&last).is_empty());
    let wait = |effect: &Effect| {
        matches!(
            effect,
            Effect::Send {
                message: ServerMessage::Wait { ms: 10_000 },
                ..
            }
        )
    };
    assert!(last.iter().any(wait), "for how long, is told");
    let by_name = |effect: &Effect| {
        matches!(
            effect,
            Effect::SendAway {
                excess: Excess::Nonsense,
                ..
            }
        )
    };
    assert!(last.iter().any(by_name));
    let early = world.open(super::token("bob", 1), None);
    assert_eq!(early.err(), Some(NotAdmitted::SentAway { wait: 10_000 }));
    assert_eq!(accepted(&world.say(&ada, &chat("n", "quiet again"))), ["1"]);
}

#[test]
fn what_a_later_version_says_is_refused_and_no_nonsense() {
    let mut world = World::new();
    let bob = world.enter("bob");
    for _ in 0..40 {
        let effects = world.say(&bob, r#"{"type":"fly"}"#);
        assert!(!is_sent_away(&effects, &bob));
        assert_eq!(refusals(&effects).len(), 1);
    }
}

#[test]
fn bytes_are_limited_as_messages_are() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let long = format!(
        r#"{{"type":"mediaFailed","attempt":9,"x":"{}"}}"#,
        "x".repeat(200_000)
    );
    let refused: Vec<Refused> = (0..6)
        .flat_map(|_| refusals(&world.say(&ada, &long)))
        .collect();
    let [(ErrorCode::RateLimited, Some(_), None, Some(wait))] = refused.as_slice() else {
        panic!("five of 200 kB are in a megabyte: {refused:?}");
    };
    world.now += u64::from(*wait);
    assert!(refusals(&world.say(&ada, &long)).is_empty());
}
