//! The audit list: each deed is noted before anybody hears of it, under the names of that time, and what was refused is not.

use std::collections::BTreeMap;

use protocol::client::{Deed, MuteAll, Noted, Role};
use protocol::media::Source;

use super::{Effect, Event, World, id, ticket};

fn noted(effects: &[Effect]) -> Vec<Noted> {
    let told = |effect: &Effect| {
        matches!(
            effect,
            Effect::Broadcast { .. } | Effect::Send { .. } | Effect::Save(_)
        )
    };
    let last = effects
        .iter()
        .rposition(|effect| matches!(effect, Effect::Note(_)));
    let first_word = effects.iter().position(told).unwrap_or(effects.len());
    assert!(last.is_none_or(|last| last < first_word), "noted first");
    let notes = effects.iter().filter_map(|effect| match effect {
        Effect::Note(noted) => Some(noted.clone()),
        _ => None,
    });
    notes.collect()
}

#[test]
fn each_deed_is_noted_and_nothing_that_was_refused() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let bob = world.enter("bob");
    let on_bob = |text: &str| text.replace('@', r#""participant":"bob""#);
    let changed = BTreeMap::from([("share".to_owned(), "moderators".to_owned())]);
    let deeds = [
        (
            r#"{"type":"turnOff",@,"source":"camera"}"#,
            Deed::TurnedOff {
                source: Source::Camera,
            },
        ),
        (r#"{"type":"askToUnmute",@}"#, Deed::AskedToUnmute),
        (
            r#"{"type":"setRole",@,"role":"moderator"}"#,
            Deed::Role {
                role: Role::Moderator,
            },
        ),
        (
            r#"{"type":"muteAll","mute":"hard"}"#,
            Deed::MutedAll {
                mute: MuteAll::Hard,
            },
        ),
        (
            r#"{"type":"configure","change":{"share":"moderators"}}"#,
            Deed::Settings { changed },
        ),
        (r#"{"type":"remove",@}"#, Deed::Removed),
    ];
    let mallory = world.enter("mallory");
    for (text, deed) in deeds {
        let text = on_bob(text);
        assert_eq!(noted(&world.say(&mallory, &text)), [], "refused: {text}");
        world.now += 1;
        let is_on_bob = text.contains("bob");
        let note = noted(&world.say(&ada, &text));
        let [
            Noted {
                at,
                by,
                on,
                deed: done,
            },
        ] = &note[..]
        else {
            panic!("{text}: {note:?}");
        };
        assert_eq!((*at, done), (world.now, &deed));
        assert_eq!((by.name.as_str(), &by.user), ("ada", &id("ada")));
        assert_eq!(
            on.as_ref().map(|on| on.name.as_str()),
            is_on_bob.then_some("bob")
        );
    }
    assert!(!world.room.people.contains_key(&bob.participant));
    // The same settings again are no deed.
    let again = world.say(
        &ada,
        r#"{"type":"configure","change":{"share":"moderators"}}"#,
    );
    assert_eq!(noted(&again), []);
}

#[test]
fn the_host_alone_reads_it_whoever_that_is() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.enter("bob");
    world.enter("eve");
    world.say(
        &ada,
        r#"{"type":"setRole","participant":"bob","role":"moderator"}"#,
    );
    let may =
        |world: &World| ["ada", "bob", "eve"].map(|user| world.room.may_read_audit(&id(user)));
    assert_eq!(may(&world), [true, false, false]);
    world.say(&ada, r#"{"type":"leave"}"#);
    assert_eq!(
        may(&world),
        [true, true, false],
        "the room has fallen to bob"
    );
    world.admit("ada");
    world.open(ticket("ada"), None).unwrap();
    assert_eq!(may(&world), [true, false, false]);
    world.handle(Event::Deleted);
    assert!(!world.room.may_read_audit(&id("bob")));
}
