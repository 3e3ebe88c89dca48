//! Limits: whatever somebody says over and over is refused in the end, told when to come back, and the documentation says from when on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use protocol::client::{ClientMessage, ErrorCode, ServerMessage};

use super::{Client, Effect, World, error};

/// Every message, as it may be said over and over: `%` is another number each time, from 1 on, `ON` true and false in turns, and
/// `TURN` 1 and 2.
const MESSAGES: [&str; 48] = [
    r#"{"type":"offer","attempt":%,"sdp":"v=0","sources":[]}"#,
    r#"{"type":"restartIce","attempt":1,"sdp":"v=0"}"#,
    r#"{"type":"publishing","publishing":{"microphone":ON,"camera":false,"screen":false}}"#,
    r#"{"type":"chat","nonce":"%","text":"a line"}"#,
    r#"{"type":"editChat","id":"1","text":"%"}"#,
    r#"{"type":"deleteChat","id":"1"}"#,
    r#"{"type":"reactToChat","id":"1","reaction":"heart","on":ON}"#,
    r#"{"type":"chatHistory","before":"1","limit":10}"#,
    r#"{"type":"readChat","id":"%"}"#,
    r#"{"type":"typing"}"#,
    r#"{"type":"mediaFailed","attempt":1}"#,
    r#"{"type":"setCaps","participant":"bob","caps":{"audio":ON,"video":true}}"#,
    r#"{"type":"turnOff","participant":"bob","source":"microphone"}"#,
    r#"{"type":"askToUnmute","participant":"bob"}"#,
    r#"{"type":"muteAll","mute":"soft"}"#,
    r#"{"type":"remove","participant":"bob"}"#,
    r#"{"type":"setRole","participant":"bob","role":"ROLE"}"#,
    r#"{"type":"configure","change":{"guests":ON}}"#,
    r#"{"type":"createPoll","nonce":"%","draft":{"question":"%?","options":["a","b"]}}"#,
    r#"{"type":"vote","poll":1,"choices":[TURN]}"#,
    r#"{"type":"closePoll","poll":1}"#,
    r#"{"type":"deletePoll","poll":1}"#,
    r#"{"type":"showVotes","poll":1}"#,
    r#"{"type":"raiseHand"}"#,
    r#"{"type":"lowerHand","participant":"ada"}"#,
    r#"{"type":"lowerAllHands"}"#,
    r#"{"type":"askToSpeak","on":ON}"#,
    r#"{"type":"refuseToSpeak","participant":null}"#,
    r#"{"type":"react","reaction":"heart"}"#,
    r#"{"type":"spotlight","participant":"bob","on":ON}"#,
    r#"{"type":"openNotes","after":0}"#,
    r#"{"type":"writeNotes","nonce":"%","update":"AAA"}"#,
    r#"{"type":"pointInNotes","at":"AAA"}"#,
    r#"{"type":"closeNotes"}"#,
    r#"{"type":"noMedia","attempt":1}"#,
    r#"{"type":"ban","participant":"bob"}"#,
    r#"{"type":"unban","user":"bob"}"#,
    r#"{"type":"admit","participant":null}"#,
    r#"{"type":"refuse","participant":null}"#,
    r#"{"type":"setPassword","password":"password%"}"#,
    r#"{"type":"takeAccount","token":"t"}"#,
    r#"{"type":"openBreakouts","draft":{"names":["%"],"assignment":"byHand"}}"#,
    r#"{"type":"moveToBreakout","participant":"bob","breakout":TURN}"#,
    r#"{"type":"limitBreakouts","seconds":60}"#,
    r#"{"type":"closeBreakouts"}"#,
    r#"{"type":"moveHere"}"#,
    r#"{"type":"pageGone"}"#,
    r#"{"type":"leave"}"#,
];
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/limits.md");
/// So often each is said. Nothing passes more often in an instant.
const OFTEN: usize = 200;

/// The names of all messages, by the words in which serde refuses one that there is not.
fn all() -> Vec<String> {
    let error = serde_json::from_str::<ClientMessage>(r#"{"type":"?"}"#).err();
    let text = error.expect("there is no such message").to_string();
    let names = text.split('`').skip(3).step_by(2);
    names.map(str::to_owned).collect()
}

fn name_of(message: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(&filled_in(message, 0)).unwrap();
    value["type"].as_str().unwrap().to_owned()
}

/// A message as it is said after so many others.
fn filled_in(message: &str, said: usize) -> String {
    let even = said.is_multiple_of(2);
    message
        .replace("ROLE", if even { "viewer" } else { "speaker" })
        .replace("TURN", if even { "1" } else { "2" })
        .replace("ON", if even { "true" } else { "false" })
        .replace('%', &(said + 1).to_string())
}

/// What ada says beforehand, and what moderators say each time, so that the message does something whenever it is said.
fn stage(name: &str) -> (&str, Option<&str>) {
    match name {
        "askToSpeak" => (
            r#"{"type":"setRole","participant":"eve","role":"viewer"}"#,
            None,
        ),
        "moveToBreakout" | "limitBreakouts" => (
            r#"{"type":"openBreakouts","draft":{"names":["a","b"],"assignment":"byHand"}}"#,
            None,
        ),
        "openBreakouts" => (r#"{"type":"typing"}"#, Some(r#"{"type":"closeBreakouts"}"#)),
        "raiseHand" => (
            r#"{"type":"typing"}"#,
            Some(r#"{"type":"lowerHand","participant":"ada"}"#),
        ),
        _ => (r#"{"type":"typing"}"#, None),
    }
}

/// A room with lines and a poll, in which nobody has said anything for a while.
fn world(name: &str) -> (World, Client, [Client; 2]) {
    let mut world = World::new();
    let ada = world.enter("ada");
    let moderators = ["bob", "cy"].map(|name| world.enter(name));
    let eve = world.enter("eve");
    for line in 1..=40 {
        let text = format!(r#"{{"type":"chat","nonce":"before {line}","text":"a line"}}"#);
        world.say(&ada, &text);
    }
    for beforehand in [
        r#"{"type":"createPoll","nonce":"before","draft":{"question":"?","options":["a","b","c"]}}"#,
        r#"{"type":"setRole","participant":"bob","role":"moderator"}"#,
        r#"{"type":"setRole","participant":"cy","role":"moderator"}"#,
        stage(name).0,
    ] {
        assert_eq!(error(&world.say(&ada, beforehand)), None, "{beforehand}");
    }
    world.now += 600_000;
    let speaker = if name == "askToSpeak" { eve } else { ada };
    (world, speaker, moderators)
}

/// After how many of the same, said at once, the next is refused, and in which words.
fn limit_of(name: &str, message: &str) -> Option<(usize, String)> {
    let (mut world, speaker, moderators) = world(name);
    (0..OFTEN).find_map(|said| {
        let text = filled_in(message, said);
        serde_json::from_str::<ClientMessage>(&text).unwrap_or_else(|why| panic!("{text}: {why}"));
        let effects = world.say(&speaker, &text);
        if let Some(again) = stage(name).1 {
            world.say(&moderators[said % 2], again);
        }
        let gone =
            |effect: &Effect| matches!(effect, Effect::HangUp { client } if *client == speaker);
        match refusal(&effects, &speaker) {
            Some(words) => Some((said, words)),
            None if effects.iter().any(gone) => {
                Some((said + 1, "nothing: the WebSocket is over".into()))
            }
            None => None,
        }
    })
}

fn refusal(effects: &[Effect], to: &Client) -> Option<String> {
    effects.iter().find_map(|effect| match effect {
        Effect::Send {
            client,
            message:
                ServerMessage::Error {
                    code: ErrorCode::RateLimited,
                    message,
                    retry_after_ms,
                    ..
                },
        } if client == to => {
            assert!(
                retry_after_ms.is_some_and(|wait| wait > 0),
                "{message}: and when?"
            );
            Some(message.split(':').next().unwrap_or_default().to_owned())
        }
        _ => None,
    })
}

/// The table as `docs/limits.md` shows it; `UPDATE_LIMITS=1` writes it there.
#[test]
fn whatever_is_said_has_a_limit_and_the_documentation_names_it() {
    let messages: BTreeMap<String, &str> = MESSAGES
        .iter()
        .map(|message| (name_of(message), *message))
        .collect();
    let mut table =
        String::from("| message | at once | the next is refused with |\n|---|---|---|\n");
    for name in all() {
        let message = messages
            .get(&name)
            .unwrap_or_else(|| panic!("say how `{name}` is said"));
        let (count, words) =
            limit_of(&name, message).unwrap_or_else(|| panic!("`{name}` has no limit"));
        writeln!(table, "| `{name}` | {count} | {words} |").unwrap();
    }
    println!("{table}");
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let (before, rest) = document.split_once("<!-- messages -->\n").unwrap();
    let (shown, after) = rest.split_once("<!-- end of messages -->").unwrap();
    if std::env::var_os("UPDATE_LIMITS").is_some() {
        let fresh = format!("{before}<!-- messages -->\n{table}<!-- end of messages -->{after}");
        return fs::write(DOCUMENT, fresh).unwrap();
    }
    assert_eq!(
        shown, table,
        "UPDATE_LIMITS=1 cargo test -p edge-core limits"
    );
}

#[test]
fn a_refusal_says_of_what_it_is_whatever_stands_beside_that() {
    let mut world = World::new();
    let ada = world.enter("ada");
    for (text, named) in [
        (
            r#"{"type":"chat","nonce":7,"text":"x"}"#,
            (Some("chat"), None),
        ),
        (r#"{"type":7,"nonce":"n"}"#, (None, Some("n"))),
        (
            r#"{"type":"chat","nonce":"n","text":[]}"#,
            (Some("chat"), Some("n")),
        ),
        (r#"{}"#, (None, None)),
    ] {
        let effects = world.say(&ada, text);
        let refused = effects.iter().find_map(|effect| match effect {
            Effect::Send {
                message: ServerMessage::Error { of, nonce, .. },
                ..
            } => Some((of.as_deref(), nonce.as_deref())),
            _ => None,
        });
        assert_eq!(refused, Some(named), "{text}");
    }
}
