//! Breakout rooms where something is between two places: a line on its way, a chat that others have filled, a guest who becomes
//! somebody with another place, and a node that knows of no places.

use protocol::client::{BreakoutPlace, ErrorCode, RoomEvent, ServerMessage};
use protocol::id::{BreakoutId, NodeId};
use protocol::node::BREAKOUTS;

use super::breakouts::{
    CLOSE, automatic, chat, go, meeting, moves, open, places, relink, shown, with_media,
};
use super::{Effect, World, error, happened, id, ticket};

const INSIDE: &str = r#","breakout":1"#;

fn accepted(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| {
        let Effect::Send { message, .. } = effect else {
            return false;
        };
        matches!(message, ServerMessage::ChatAccepted { .. })
    })
}

#[test]
fn a_line_that_was_written_in_a_breakout_is_said_nowhere_else() {
    let (mut world, ada, others) = meeting(&["bob", "eve"]);
    let bob = &others[0];
    world.say(&ada, &automatic(&["Red", "Blue"]));
    assert!(accepted(&world.say(bob, &chat("here", INSIDE))));
    world.say(&ada, CLOSE);
    let late = world.say(bob, &chat("secret", INSIDE));
    assert_eq!(happened(&late), [], "nobody is told");
    assert_eq!(error(&late), Some(ErrorCode::Elsewhere));
    let nonces = late.iter().filter_map(|effect| match effect {
        Effect::Send {
            message: ServerMessage::Error { nonce, .. },
            ..
        } => nonce.as_deref(),
        _ => None,
    });
    assert_eq!(nonces.collect::<Vec<_>>(), ["secret"]);
    // What is stored already is stored, wherever they are by now; and their own word is enough for another place.
    assert!(accepted(&world.say(bob, &chat("here", INSIDE))));
    assert!(accepted(&world.say(bob, &chat("secret", ""))));
    // What is for all, or for one, is not of where they are.
    for (nonce, more) in [("all", r#""broadcast":true"#), ("one", r#""to":"bob""#)] {
        let said = chat(nonce, &format!("{INSIDE},{more}"));
        assert!(accepted(&world.say(&ada, &said)), "{nonce}");
    }
}

#[test]
fn a_line_that_was_written_in_the_main_room_is_not_said_in_a_breakout() {
    let (mut world, ada, others) = meeting(&["bob"]);
    let bob = &others[0];
    let main = r#","breakout":null"#;
    assert!(accepted(&world.say(bob, &chat("before", main))));
    world.say(&ada, &automatic(&["Red"]));
    let late = world.say(bob, &chat("for all", main));
    assert_eq!(happened(&late), [], "nobody is told");
    assert_eq!(error(&late), Some(ErrorCode::Elsewhere));
    // Who does not say where says it where they are.
    assert!(accepted(&world.say(bob, &chat("anywhere", ""))));
    assert!(accepted(&world.say(&ada, &chat("from main", main))));
}

#[test]
fn a_chat_that_others_have_filled_can_still_be_paged() {
    let (mut world, ada, others) = meeting(&["bob", "eve"]);
    let before = |message: &ServerMessage| {
        let told = serde_json::to_value(message).expect("a message");
        let told = match message {
            ServerMessage::Welcome { .. } => told["snapshot"]["chatBefore"].clone(),
            ServerMessage::ChatShown { .. } => told["before"].clone(),
            _ => return None,
        };
        Some(told.as_str().map(str::to_owned))
    };
    let told = |effects: &[Effect]| -> Vec<Option<String>> {
        let messages = effects.iter().filter_map(|effect| match effect {
            Effect::Send { message, .. } => before(message),
            _ => None,
        });
        messages.collect()
    };
    // Nothing was ever said.
    world.admit("cy");
    let (_, opened) = world.open(ticket("cy"), None).expect("good");
    assert_eq!(told(&opened), [None]);
    world.say(&ada, &chat("main", ""));
    world.say(&ada, &automatic(&["Red"]));
    for n in 0..crate::chat::HISTORY {
        world.now += 10_000;
        world.say(&others[0], &chat(&format!("l{n}"), ""));
    }
    let closed = world.say(&ada, CLOSE);
    assert!(shown(&closed).contains(&("eve".into(), String::new())));
    let next = Some("2".to_owned());
    assert_eq!(told(&closed), vec![next.clone(); 3]);
    world.admit("dan");
    let (_, opened) = world.open(ticket("dan"), None).expect("good");
    assert_eq!(told(&opened), [next]);
    // Where lines are shown, it goes on before the first of them.
    world.say(&ada, &automatic(&["Red"]));
    world.say(&others[0], &chat("again", ""));
    let moved = world.say(&ada, &go("ada", Some(2)));
    assert_eq!(told(&moved), [Some("202".to_owned())]);
}

#[test]
fn a_guest_is_where_they_were_when_they_take_an_account() {
    let (mut world, ada, others) = meeting(&["guest1", "bob"]);
    world.say(&ada, &automatic(&["Red", "Blue"]));
    assert_eq!(places(&world), ["bob 2", "guest1 1"]);
    world.say(
        &others[0],
        r#"{"type":"takeAccount","token":"token of gus"}"#,
    );
    assert_eq!(places(&world), ["bob 2", "guest1 1"]);
    assert_eq!(
        world.room.subroom_of(&id("gus")),
        Some(BreakoutId(1)).into()
    );
}

#[test]
fn a_guest_who_becomes_somebody_with_a_place_is_there_with_all_that_is_theirs() {
    let (mut world, ada, others) = meeting(&["guest1", "gus"]);
    let [guest, gus] = &others[..] else { panic!() };
    let assigned = r#""assignment":"byHand","assigned":[{"participant":"gus","nth":0}]"#;
    world.say(&ada, &open(&["Red"], assigned));
    world.say(gus, r#"{"type":"leave"}"#);
    with_media(&mut world, &[&ada, guest]);
    let taken = world.say(guest, r#"{"type":"takeAccount","token":"token of gus"}"#);
    assert_eq!(moves(&taken), [("guest1".into(), Some(1))]);
    let place = BreakoutPlace {
        participant: id("guest1"),
        breakout: BreakoutId(1),
        away: false,
    };
    let told = happened(&taken);
    assert!(told.contains(&RoomEvent::BreakoutPlace { place }));
    assert_eq!(shown(&taken), [("guest1".into(), String::new())]);
}

/// Which nodes a search is to avoid, if one begins.
pub(super) fn sought(effects: &[Effect]) -> Option<Vec<NodeId>> {
    effects.iter().find_map(|effect| match effect {
        Effect::Seek { avoid, .. } => Some(avoid.clone()),
        _ => None,
    })
}

#[test]
fn a_node_that_knows_no_breakouts_is_not_chosen_again_at_once() {
    for (version, is_open) in [(BREAKOUTS - 1, true), (0, false)] {
        let (mut world, ada, others) = meeting(&["bob"]);
        let link = with_media(&mut world, &[&ada, &others[0]]);
        if is_open {
            world.say(&ada, &automatic(&["Red"]));
        }
        let epoch = world.room.info.epoch;
        let left = relink(&mut world, &link, Vec::new(), version);
        assert_eq!(sought(&left), None, "{version}");
        assert_eq!(world.room.info.epoch, epoch);
        let told = left.iter().filter(|effect| match effect {
            Effect::Send { message, .. } => matches!(
                message,
                ServerMessage::Error {
                    code: ErrorCode::NoNode,
                    ..
                }
            ),
            _ => false,
        });
        assert_eq!(told.count(), 2, "both are told");
        let at = world.now;
        let tried = again(&mut world);
        assert_eq!(sought(&tried), Some(vec![id("n1")]));
        assert!(world.now >= at + 1_000);
        // It is the only one, as before: nobody hears the same again.
        let link = world.place("ada", "n1");
        let left = relink(&mut world, &link, Vec::new(), version);
        assert_eq!((sought(&left), error(&left)), (None, None));
    }
}

/// Time passes until a node is sought.
pub(super) fn again(world: &mut World) -> Vec<Effect> {
    loop {
        let effects = world.wait();
        if sought(&effects).is_some() {
            return effects;
        }
    }
}
