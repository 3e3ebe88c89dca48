//! The audit list: each deed is noted before anybody hears of it, under the names of that time, and what was refused is not.

use std::collections::BTreeMap;

use protocol::client::{ClientMessage, Deed, ErrorCode, MuteAll, Noted, Role};
use protocol::media::Source;

use super::{Client, Effect, Event, World, error, id, ticket};

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
fn a_deed_that_is_said_again_is_noted_once() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.enter("bob");
    for text in [
        r#"{"type":"setRole","participant":"bob","role":"moderator"}"#,
        r#"{"type":"setCaps","participant":"bob","caps":{"video":false}}"#,
        r#"{"type":"spotlight","participant":"bob","on":true}"#,
        r#"{"type":"configure","change":{"locked":true}}"#,
    ] {
        assert_eq!(noted(&world.say(&ada, text)).len(), 1, "{text}");
        assert_eq!(noted(&world.say(&ada, text)).len(), 0, "{text}");
    }
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

const OPEN_BREAKOUTS: &str =
    r#"{"type":"openBreakouts","draft":{"names":["Red"],"assignment":"byHand"}}"#;

/// What each message is to be done with: an example of it, and the deed that is noted where it needs a right of those who keep
/// order.
const EACH: &[(&str, Option<&str>)] = &[
    (
        r#"{"type":"offer","attempt":1,"sdp":"v=0","sources":[]}"#,
        None,
    ),
    (r#"{"type":"restartIce","attempt":1,"sdp":"v=0"}"#, None),
    (
        r#"{"type":"publishing","publishing":{"microphone":true,"camera":false,"screen":false,"codec":null}}"#,
        None,
    ),
    (r#"{"type":"chat","nonce":"own","text":"x"}"#, None),
    (r#"{"type":"editChat","id":"1","text":"y"}"#, None),
    (r#"{"type":"deleteChat","id":"1"}"#, Some("chatDeleted")),
    (
        r#"{"type":"reactToChat","id":"1","reaction":"heart","on":true}"#,
        None,
    ),
    (r#"{"type":"chatHistory","before":"2","limit":1}"#, None),
    (r#"{"type":"readChat","id":"1"}"#, None),
    (r#"{"type":"typing"}"#, None),
    (r#"{"type":"mediaFailed","attempt":1}"#, None),
    (r#"{"type":"noMedia","attempt":1}"#, None),
    (
        r#"{"type":"setCaps","participant":"bob","caps":{"audio":false}}"#,
        Some("caps"),
    ),
    (
        r#"{"type":"turnOff","participant":"bob","source":"camera"}"#,
        Some("turnedOff"),
    ),
    (
        r#"{"type":"askToUnmute","participant":"bob"}"#,
        Some("askedToUnmute"),
    ),
    (r#"{"type":"muteAll","mute":"soft"}"#, Some("mutedAll")),
    (r#"{"type":"remove","participant":"bob"}"#, Some("removed")),
    (
        r#"{"type":"setRole","participant":"bob","role":"viewer"}"#,
        Some("role"),
    ),
    (
        r#"{"type":"configure","change":{"locked":true}}"#,
        Some("settings"),
    ),
    (
        r#"{"type":"createPoll","nonce":"p2","draft":{"question":"?","options":["a","b"],"multiple":false,"anonymous":false,"shows":"live"}}"#,
        Some("pollCreated"),
    ),
    (r#"{"type":"vote","poll":1,"choices":[0]}"#, None),
    (r#"{"type":"closePoll","poll":1}"#, Some("pollClosed")),
    (r#"{"type":"deletePoll","poll":1}"#, Some("pollDeleted")),
    (r#"{"type":"showVotes","poll":1}"#, None),
    (r#"{"type":"raiseHand"}"#, None),
    (
        r#"{"type":"lowerHand","participant":"bob"}"#,
        Some("handLowered"),
    ),
    (r#"{"type":"lowerAllHands"}"#, Some("handLowered")),
    (r#"{"type":"askToSpeak","on":false}"#, None),
    (
        r#"{"type":"refuseToSpeak","participant":"vic"}"#,
        Some("refusedToSpeak"),
    ),
    (r#"{"type":"react","reaction":"heart"}"#, None),
    (
        r#"{"type":"spotlight","participant":"bob","on":true}"#,
        Some("spotlight"),
    ),
    (r#"{"type":"openNotes","after":0}"#, None),
    (r#"{"type":"writeNotes","nonce":"w","update":"AAA="}"#, None),
    (r#"{"type":"pointInNotes","at":null}"#, None),
    (r#"{"type":"closeNotes"}"#, None),
    (OPEN_BREAKOUTS, Some("breakoutsOpened")),
    (
        r#"{"type":"moveToBreakout","participant":"bob","breakout":1}"#,
        Some("movedToBreakout"),
    ),
    (
        r#"{"type":"limitBreakouts","seconds":60}"#,
        Some("breakoutsLimited"),
    ),
    (r#"{"type":"closeBreakouts"}"#, Some("breakoutsClosed")),
    (r#"{"type":"ban","participant":"bob"}"#, Some("banned")),
    (r#"{"type":"unban","user":"bad"}"#, Some("unbanned")),
    (r#"{"type":"admit","participant":"wes"}"#, Some("admitted")),
    (r#"{"type":"refuse","participant":"wes"}"#, Some("refused")),
    (
        r#"{"type":"setPassword","password":"sesame"}"#,
        Some("password"),
    ),
    (r#"{"type":"takeAccount","token":"token of ada"}"#, None),
    (r#"{"type":"moveHere"}"#, None),
    (r#"{"type":"pageGone"}"#, None),
    (r#"{"type":"leave"}"#, None),
];

/// A room in which each of these can be done: its host, and somebody who keeps no order.
fn busy(world: &mut World, to_say: &str) -> [Client; 2] {
    let ada = world.enter("ada");
    let [bob, mallory, vic] = ["bob", "mallory", "vic"].map(|name| world.enter(name));
    world.enter("bad");
    world.say(&ada, r#"{"type":"ban","participant":"bad"}"#);
    let viewer = r#"{"type":"setRole","participant":"vic","role":"viewer"}"#;
    world.say(&ada, viewer);
    world.say(&vic, r#"{"type":"askToSpeak","on":true}"#);
    world.say(&bob, r#"{"type":"raiseHand"}"#);
    world.say(&bob, r#"{"type":"chat","nonce":"n","text":"hello"}"#);
    world.say(
        &ada,
        r#"{"type":"createPoll","nonce":"p","draft":{"question":"?","options":["a","b"],"multiple":false,"anonymous":false,"shows":"live"}}"#,
    );
    world.say(&ada, r#"{"type":"configure","change":{"lobby":true}}"#);
    world.admit("wes");
    world.open(ticket("wes"), None).unwrap();
    // They are opened once.
    if to_say != OPEN_BREAKOUTS {
        world.say(&ada, OPEN_BREAKOUTS);
    }
    [ada, mallory]
}

/// The types of all messages that there are, as the reader of them knows.
pub(super) fn types() -> Vec<String> {
    let unknown = serde_json::from_str::<ClientMessage>(r#"{"type":"?"}"#);
    let expected = unknown
        .err()
        .expect("no message is of this type")
        .to_string();
    let quoted = expected.split('`').skip(3).step_by(2);
    quoted.map(str::to_owned).collect()
}

#[test]
fn whatever_needs_a_right_of_those_who_keep_order_is_noted() {
    let mut missing = types();
    assert!(missing.len() > 30, "{missing:?}");
    for (text, deed) in EACH {
        let message: serde_json::Value = serde_json::from_str(text).unwrap();
        missing.retain(|kind| message["type"] != **kind);
        let mut world = World::new();
        let [ada, mallory] = busy(&mut world, text);
        let refused = world.say(&mallory, text);
        assert_eq!(noted(&refused), [], "{text}: said by who keeps no order");
        let is_refused = error(&refused) == Some(ErrorCode::Forbidden);
        let mut world = World::new();
        busy(&mut world, text);
        let done = world.say(&ada, text);
        let notes: Vec<String> = noted(&done)
            .iter()
            .map(|noted| serde_json::to_value(&noted.deed).unwrap()["type"].to_string())
            .collect();
        let expected: Vec<String> = deed.iter().map(|deed| format!("{deed:?}")).collect();
        assert_eq!(notes, expected, "{text}: {:?}", error(&done));
        // What nobody may do needs no right.
        let needs_right = is_refused && error(&done).is_none();
        assert_eq!(needs_right, deed.is_some(), "{text}");
    }
    assert_eq!(missing, Vec::<String>::new(), "each message has an example");
}

#[test]
fn a_password_that_is_not_there_is_taken_away_without_a_deed() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let remove = r#"{"type":"setPassword","password":null}"#;
    world.room.info.password = Some("hash".into());
    assert_eq!(noted(&world.say(&ada, remove)).len(), 1);
    assert_eq!(noted(&world.say(&ada, remove)), []);
}
