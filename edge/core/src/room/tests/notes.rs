//! The shared notes: everybody reads, who may writes, nobody too much, and acknowledged is what is stored.

use protocol::client::{ErrorCode, MAX_NOTES_UPDATE_BYTES, ServerMessage};

use super::{Client, Effect, Event, World, error};
use crate::notes::rewritten;
use crate::refusal::Refusal;
use crate::room::Written;

const MODERATORS: &str = r#"{"type":"configure","change":{"notes":"moderators"}}"#;

fn write(nonce: &str, update: &str) -> String {
    format!(r#"{{"type":"writeNotes","nonce":"{nonce}","update":"{update}"}}"#)
}

fn is_taken_up(effects: &[Effect]) -> bool {
    let is_written = |effect: &Effect| matches!(effect, Effect::WriteNotes { .. });
    effects.iter().any(is_written)
}

fn written(world: &mut World, client: &Client, written: Result<Written, Refusal>) -> Vec<Effect> {
    world.handle(Event::NotesWritten {
        client: client.clone(),
        nonce: "n".into(),
        update: "AAA=".into(),
        written,
    })
}

#[test]
fn who_may_not_write_reads() {
    let mut world = World::new();
    let [ada, bob, guest] = ["ada", "bob", "guest1"].map(|name| world.enter(name));
    for client in [&bob, &guest] {
        let open = r#"{"type":"openNotes","after":3,"author":5}"#;
        let opened = world.say(client, open);
        assert!(opened.iter().any(|effect| matches!(
            effect,
            Effect::OpenNotes { after: 3, author: Some(5), writes: true, client: of, .. } if of == client
        )));
        assert!(is_taken_up(&world.say(client, &write("n", "AAA="))));
    }
    world.say(&ada, MODERATORS);
    for client in [&bob, &guest] {
        let refused = world.say(client, &write("n", "AAA="));
        assert_eq!(error(&refused), Some(ErrorCode::Forbidden));
        assert!(!is_taken_up(&refused));
        let opened = world.say(client, r#"{"type":"openNotes","after":3,"author":5}"#);
        let reads = |effect: &Effect| matches!(effect, Effect::OpenNotes { writes: false, .. });
        assert!(opened.iter().any(reads));
    }
    assert!(is_taken_up(&world.say(&ada, &write("n", "AAA="))));
    world.say(
        &ada,
        r#"{"type":"configure","change":{"notes":"everybody"}}"#,
    );
    world.say(
        &ada,
        r#"{"type":"setRole","participant":"bob","role":"viewer"}"#,
    );
    let refused = world.say(&bob, &write("n", "AAA="));
    assert_eq!(error(&refused), Some(ErrorCode::Forbidden));
}

#[test]
fn the_readers_are_told_before_the_writer_and_nobody_of_what_is_known() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let new = Written {
        number: 4,
        is_news: true,
    };
    let told = written(&mut world, &ada, Ok(new));
    assert!(matches!(
        told.as_slice(),
        [
            Effect::TellNotesReaders { except, message: ServerMessage::NotesWritten(update) },
            Effect::Send { message: ServerMessage::NotesTaken { number: 4, .. }, .. },
        ] if *except == ada && update.number == 4
    ));
    let known = Written {
        is_news: false,
        ..new
    };
    assert_eq!(written(&mut world, &ada, Ok(known)).len(), 1);
    let full = Refusal::new(ErrorCode::NotesFull, "full");
    let refused = written(&mut world, &ada, Err(full));
    assert_eq!(error(&refused), Some(ErrorCode::NotesFull));
    assert_eq!(refused.len(), 1);
    let anew = written(&mut world, &ada, Err(rewritten()));
    assert!(matches!(
        anew.as_slice(),
        [
            Effect::TellNotesReaders { except, message: ServerMessage::NotesRewritten },
            Effect::Send { message: ServerMessage::Error { code: ErrorCode::NotesFull, .. }, .. },
        ] if *except == ada
    ));
}

#[test]
fn nobody_writes_too_long_or_too_much() {
    let mut world = World::new();
    let bob = world.enter("bob");
    let long = "A".repeat(MAX_NOTES_UPDATE_BYTES.div_ceil(3) * 4 + 4);
    let refused = world.say(&bob, &write("n", &long));
    assert_eq!(error(&refused), Some(ErrorCode::TooLarge));
    let mut taken = 0;
    while is_taken_up(&world.say(&bob, &write("n", "AAA="))) {
        taken += 1;
    }
    assert_eq!(taken, 40);
    world.now += 10_000;
    assert!(is_taken_up(&world.say(&bob, &write("n", "AAA="))));
    let refused = world.say(&bob, &write("", "AAA="));
    assert_eq!(error(&refused), Some(ErrorCode::Malformed));
}

#[test]
fn where_somebody_is_goes_to_the_readers_and_not_too_often() {
    let mut world = World::new();
    let bob = world.enter("bob");
    let point = r#"{"type":"pointInNotes","at":"AAA="}"#;
    let tells = |effects: Vec<Effect>| {
        let is_told = |effect: &Effect| matches!(effect, Effect::TellNotesReaders { .. });
        effects.iter().any(is_told)
    };
    let told = (0..50).filter(|_| tells(world.say(&bob, point))).count();
    assert_eq!(told, 10);
    let long = format!(r#"{{"type":"pointInNotes","at":"{}"}}"#, "A".repeat(65));
    assert_eq!(error(&world.say(&bob, &long)), Some(ErrorCode::TooLarge));
}
