//! Limits: whatever somebody says over and over is refused in the end, told when to come back, and the documentation says from when on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use protocol::client::{ClientMessage, ErrorCode, ServerMessage};

use super::{Client, Effect, World};

/// Every message, as it may be said over and over: `%` is another number each time, and `ON` true and false in turns.
const MESSAGES: [&str; 46] = [
    r#"{"type":"offer","attempt":%,"sdp":"v=0","sources":[]}"#,
    r#"{"type":"restartIce","attempt":1,"sdp":"v=0"}"#,
    r#"{"type":"publishing","publishing":{"audio":ON,"video":false,"screen":false}}"#,
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
    r#"{"type":"vote","poll":"poll-1","choices":[0]}"#,
    r#"{"type":"closePoll","poll":"poll-1"}"#,
    r#"{"type":"deletePoll","poll":"poll-1"}"#,
    r#"{"type":"showVotes","poll":"poll-1"}"#,
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
    r#"{"type":"moveToBreakout","participant":"bob","breakout":null}"#,
    r#"{"type":"closeBreakouts"}"#,
    r#"{"type":"moveHere"}"#,
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
    let value: serde_json::Value =
        serde_json::from_str(&message.replace("ON", "true").replace('%', "1")).unwrap();
    value["type"].as_str().unwrap().to_owned()
}

/// After how many of the same, said at once, the next is refused, and in which words.
fn limit_of(message: &str) -> Option<(usize, String)> {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.enter("bob");
    (0..OFTEN).find_map(|said| {
        let even = said % 2 == 0;
        let text = message
            .replace("ROLE", if even { "viewer" } else { "speaker" })
            .replace("ON", if even { "true" } else { "false" })
            .replace('%', &said.to_string());
        let effects = world.say(&ada, &text);
        let gone = |effect: &Effect| matches!(effect, Effect::HangUp { client } if *client == ada);
        match refusal(&effects, &ada) {
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
        let (count, words) = limit_of(message).unwrap_or_else(|| panic!("`{name}` has no limit"));
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
