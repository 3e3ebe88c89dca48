//! Breakout rooms: who is in which by which assignment, what nodes and people are told of it, whose chat is whose, the end of their
//! time, and a restart of anything in between.

use proptest::prelude::*;
use protocol::client::{BreakoutPlace, ErrorCode, RoomEvent, ServerMessage};
use protocol::id::{BreakoutId, Epoch};
use protocol::node::{NodeToRoom, RoomToNode, SessionRef};

use super::{Client, Effect, Event, NodeLink, OFFER, Room, World, error, happened, id, token};

pub(super) const CLOSE: &str = r#"{"type":"closeBreakouts"}"#;

pub(super) fn open(names: &[&str], more: &str) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    let names = names.join(",");
    format!(r#"{{"type":"openBreakouts","draft":{{"names":[{names}],{more}}}}}"#)
}

pub(super) fn automatic(names: &[&str]) -> String {
    open(names, r#""assignment":"automatic""#)
}

pub(super) fn go(who: &str, to: Option<u32>) -> String {
    let to = to.map_or("null".into(), |to| to.to_string());
    format!(r#"{{"type":"moveToBreakout","participant":"{who}","breakout":{to}}}"#)
}

pub(super) fn chat(nonce: &str, more: &str) -> String {
    format!(r#"{{"type":"chat","nonce":"{nonce}","text":"{nonce}"{more}}}"#)
}

/// The host and these.
pub(super) fn meeting(names: &[&str]) -> (World, Client, Vec<Client>) {
    let mut world = World::new();
    let ada = world.enter("ada");
    let others = names.iter().map(|name| {
        world.now += 1;
        world.enter(name)
    });
    let others = others.collect();
    (world, ada, others)
}

/// Who is where: `name 1` in the first breakout room, `name -` belongs there and is in the main room.
pub(super) fn places(world: &World) -> Vec<String> {
    let view = world.room.breakouts_view();
    let places = view.into_iter().flat_map(|breakouts| breakouts.places);
    places
        .map(|place| match place.away {
            false => format!("{} {}", place.participant, place.breakout.0),
            true => format!("{} -", place.participant),
        })
        .collect()
}

/// What the nodes are told of where people are.
pub(super) fn moves(effects: &[Effect]) -> Vec<(String, Option<u32>)> {
    let moved = effects.iter().filter_map(|effect| match effect {
        Effect::Tell {
            message:
                RoomToNode::Breakout {
                    participant,
                    breakout,
                }
                | RoomToNode::Offer {
                    participant,
                    breakout,
                    ..
                },
            ..
        } => Some((participant.to_string(), breakout.map(|id| id.0))),
        _ => None,
    });
    moved.collect()
}

/// Which breakout rooms the nodes are told of.
fn planned(effects: &[Effect]) -> Option<Vec<u32>> {
    effects.iter().find_map(|effect| match effect {
        Effect::Tell {
            message: RoomToNode::Plan { breakouts, .. },
            ..
        } => Some(breakouts.iter().map(|id| id.0).collect()),
        _ => None,
    })
}

/// To whom a line of chat is told, and who is shown another chat.
fn told_lines(effects: &[Effect], text: &str) -> Vec<String> {
    let told = effects.iter().filter_map(|effect| match effect {
        Effect::Send {
            client,
            message:
                ServerMessage::Event {
                    event: RoomEvent::Chat { message },
                    ..
                },
        } if message.text == text => Some(client.participant.to_string()),
        _ => None,
    });
    told.collect()
}

/// The chat that each is shown.
pub(super) fn shown(effects: &[Effect]) -> Vec<(String, String)> {
    let shown = effects.iter().filter_map(|effect| match effect {
        Effect::Send {
            client,
            message: ServerMessage::ChatShown { lines, .. },
        } => {
            let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
            Some((client.participant.to_string(), texts.join(" ")))
        }
        _ => None,
    });
    shown.collect()
}

/// Everybody has media at a node.
pub(super) fn with_media(world: &mut World, clients: &[&Client]) -> NodeLink {
    for client in clients {
        world.say(client, OFFER);
    }
    let names = clients.iter().map(|client| client.participant.to_string());
    let names: Vec<String> = names.collect();
    let link = world.place(&names[0], "n1");
    for name in &names[1..] {
        world.find(name, "n1");
    }
    link
}

#[test]
fn everybody_but_who_keeps_order_is_shared_out() {
    let (mut world, ada, _) = meeting(&["bob", "eve", "cy", "dan", "guest1"]);
    let told = happened(&world.say(&ada, &automatic(&["Red", "Blue"])));
    let [
        RoomEvent::Breakouts {
            breakouts: Some(view),
        },
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    let names: Vec<&str> = view.rooms.iter().map(|room| room.name.as_str()).collect();
    assert_eq!(names, ["Red", "Blue"]);
    assert_eq!(view.ends_at, None);
    assert_eq!(
        places(&world),
        ["bob 1", "cy 1", "dan 2", "eve 2", "guest1 1"]
    );
    // Who comes late goes where the fewest are; a second page of somebody is where they are.
    let joined = world.enter("zoe");
    assert_eq!(
        world.room.subroom_of(&id("zoe")),
        Some(BreakoutId(2)).into()
    );
    world.admit_with("bob-again", "bob", None);
    world.open(super::ticket("bob-again"), None).expect("good");
    assert!(places(&world).contains(&"bob-again 1".to_owned()));
    assert!(joined.connection > 0);
}

#[test]
fn assignments_hold_and_who_comes_late_stays_in_the_main_room() {
    let (mut world, ada, _) = meeting(&["bob", "eve", "cy"]);
    let assigned = r#""assignment":"byHand","assigned":[{"participant":"bob","nth":1},
        {"participant":"ada","nth":0},{"participant":"nobody","nth":0},{"participant":"cy","nth":9}]"#;
    world.say(&ada, &open(&["Red", "Blue"], assigned));
    assert_eq!(places(&world), ["ada 1", "bob 2"]);
    let late = world.enter("dan");
    assert_eq!(places(&world), ["ada 1", "bob 2"]);
    // Not by themselves, but the host moves them, and goes anywhere.
    let refused = world.say(&late, &go("dan", Some(1)));
    assert_eq!(error(&refused), Some(ErrorCode::Forbidden));
    let place = BreakoutPlace {
        participant: id("dan"),
        breakout: BreakoutId(1),
        away: false,
    };
    let told = happened(&world.say(&ada, &go("dan", Some(1))));
    assert_eq!(told, [RoomEvent::BreakoutPlace { place }]);
    world.say(&ada, &go("ada", Some(2)));
    assert_eq!(places(&world), ["ada 2", "bob 2", "dan 1"]);
}

#[test]
fn who_leaves_one_is_in_the_main_room_and_finds_back_and_where_all_are_free_anywhere() {
    let (mut world, ada, others) = meeting(&["bob", "eve"]);
    let [bob, eve] = &others[..] else { panic!() };
    world.say(&ada, &automatic(&["Red", "Blue"]));
    world.say(bob, &go("bob", None));
    assert_eq!(places(&world), ["bob -", "eve 2"]);
    assert_eq!(happened(&world.say(bob, &go("bob", None))), []);
    let refused = world.say(bob, &go("bob", Some(2)));
    assert_eq!(error(&refused), Some(ErrorCode::Forbidden));
    world.say(bob, &go("bob", Some(1)));
    assert_eq!(places(&world), ["bob 1", "eve 2"]);
    for (who, to, code) in [
        ("eve", Some(1), ErrorCode::Forbidden),
        ("bob", Some(7), ErrorCode::UnknownBreakout),
        ("nobody", Some(1), ErrorCode::UnknownParticipant),
    ] {
        assert_eq!(error(&world.say(bob, &go(who, to))), Some(code));
    }
    world.say(&ada, CLOSE);
    let gone = world.say(bob, &go("bob", Some(1)));
    assert_eq!(error(&gone), Some(ErrorCode::UnknownBreakout));
    world.say(&ada, &open(&["Green"], r#""assignment":"free""#));
    assert_eq!(places(&world), [""; 0]);
    // No number is given twice.
    world.say(eve, &go("eve", Some(3)));
    assert_eq!(places(&world), ["eve 3"]);
}

#[test]
fn only_who_keeps_order_opens_closes_and_speaks_to_all() {
    let (mut world, ada, others) = meeting(&["bob"]);
    let bob = &others[0];
    let all = chat("n1", r#","broadcast":true"#);
    for said in [automatic(&["Red"]), CLOSE.into(), all] {
        assert_eq!(error(&world.say(bob, &said)), Some(ErrorCode::Forbidden));
    }
    for (said, code) in [
        (automatic(&[]), ErrorCode::TooMany),
        (automatic(&[" "]), ErrorCode::TooLarge),
        (
            open(&["a"], r#""assignment":"free","seconds":1"#),
            ErrorCode::Malformed,
        ),
    ] {
        assert_eq!(error(&world.say(&ada, &said)), Some(code));
    }
    assert_eq!(happened(&world.say(&ada, CLOSE)), []);
    world.say(&ada, &automatic(&["Red"]));
    let twice = world.say(&ada, &automatic(&["Red"]));
    assert_eq!(error(&twice), Some(ErrorCode::Forbidden));
}

#[test]
fn a_node_knows_where_everybody_is_before_anybody_else_does() {
    let (mut world, ada, others) = meeting(&["bob", "eve"]);
    let link = with_media(&mut world, &[&ada, &others[0], &others[1]]);
    let opened = world.say(&ada, &automatic(&["Red", "Blue"]));
    assert_eq!(planned(&opened), Some(vec![1, 2]));
    assert_eq!(
        moves(&opened),
        [("bob".into(), Some(1)), ("eve".into(), Some(2))]
    );
    let is_told = |effect: &Effect| matches!(effect, Effect::Broadcast { .. });
    let is_save = |effect: &Effect| matches!(effect, Effect::Save(_));
    let is_move = |effect: &Effect| {
        matches!(
            effect,
            Effect::Tell {
                message: RoomToNode::Breakout { .. },
                ..
            }
        )
    };
    let at = |is: &dyn Fn(&Effect) -> bool| opened.iter().position(is);
    assert!(at(&is_save) < at(&is_move) && at(&is_move) < at(&is_told));
    // An offer goes there at once, and a node that dials anew is told again.
    let again = OFFER.replace("\"attempt\":1", "\"attempt\":2");
    assert_eq!(
        moves(&world.say(&others[0], &again)),
        [("bob".into(), Some(1))]
    );
    let sessions = ["ada", "bob", "eve"].map(|name| SessionRef {
        participant: id(name),
        attempt: protocol::id::Attempt(1),
    });
    let relinked = relink(
        &mut world,
        &link,
        sessions.to_vec(),
        protocol::node::VERSION,
    );
    assert_eq!(planned(&relinked), Some(vec![1, 2]));
    assert!(moves(&relinked).contains(&("eve".into(), Some(2))));
    assert_eq!(
        moves(&world.say(&ada, &go("eve", None))),
        [("eve".into(), None)]
    );
    let closed = world.say(&ada, CLOSE);
    assert_eq!(planned(&closed), Some(vec![]));
}

pub(super) fn relink(
    world: &mut World,
    link: &NodeLink,
    sessions: Vec<SessionRef>,
    version: u32,
) -> Vec<Effect> {
    let link = world
        .room
        .expect_node(&link.node, link.epoch)
        .expect("placed");
    world.handle(Event::NodeOpened {
        link: link.clone(),
        region: id("eu"),
    });
    let ready = NodeToRoom::Ready {
        version,
        quic: "192.0.2.1:7000".into(),
        fingerprint: "00".repeat(32),
        sessions,
    };
    world.node_says(&link, ready)
}

#[test]
fn a_node_that_would_let_all_see_all_has_no_breakout_rooms() {
    let (mut world, ada, _) = meeting(&["bob"]);
    let link = with_media(&mut world, &[&ada]);
    relink(&mut world, &link, Vec::new(), protocol::node::BREAKOUTS - 1);
    let refused = world.say(&ada, &automatic(&["Red"]));
    assert_eq!(error(&refused), Some(ErrorCode::Forbidden));
    relink(&mut world, &link, Vec::new(), protocol::node::BREAKOUTS);
    assert_eq!(error(&world.say(&ada, &automatic(&["Red"]))), None);
    // Nor is one let in that comes back as such.
    let left = relink(&mut world, &link, Vec::new(), protocol::node::BREAKOUTS - 1);
    let is_over = |effect: &Effect| matches!(effect, Effect::HangUpNode { .. });
    assert!(left.iter().any(is_over));
    assert!(world.room.expect_node(&link.node, Epoch(0)).is_err());
}

#[test]
fn chat_is_of_where_it_is_said_and_what_is_for_all_is_everywhere() {
    let (mut world, ada, others) = meeting(&["bob", "eve", "cy", "dan"]);
    let [bob, eve, ..] = &others[..] else {
        panic!()
    };
    let before = world.say(bob, &chat("main", ""));
    assert_eq!(happened(&before).len(), 1, "to all at once");
    let opened = world.say(&ada, &automatic(&["Red", "Blue"]));
    assert_eq!(shown(&opened).len(), 4);
    assert!(shown(&opened).iter().all(|(_, lines)| lines.is_empty()));
    assert_eq!(places(&world), ["bob 1", "cy 1", "dan 2", "eve 2"]);
    assert_eq!(
        told_lines(&world.say(bob, &chat("red", "")), "red"),
        ["bob", "cy"]
    );
    assert_eq!(
        told_lines(&world.say(&ada, &chat("left", "")), "left"),
        ["ada"]
    );
    let private = chat("private", r#","to":"bob""#);
    assert_eq!(
        told_lines(&world.say(eve, &private), "private"),
        ["bob", "eve"]
    );
    let all = world.say(&ada, &chat("all", r#","broadcast":true"#));
    assert_eq!(happened(&all).len(), 1);
    // A line of another room is not there to be changed, or liked.
    let red = r#"{"type":"reactToChat","id":"2","reaction":"heart","on":true}"#;
    assert_eq!(error(&world.say(eve, red)), Some(ErrorCode::UnknownLine));
    let moved = world.say(&ada, &go("bob", Some(2)));
    assert_eq!(shown(&moved), [("bob".into(), "private all".into())]);
    let closed = world.say(&ada, CLOSE);
    assert!(shown(&closed).contains(&("cy".into(), "main left all".into())));
    // Those of the next are new ones.
    world.say(&ada, &automatic(&["Red"]));
    assert_eq!(
        world.room.chat.history(&world.room.reader(&id("cy"))).len(),
        1
    );
}

#[test]
fn who_types_and_who_reacts_is_seen_where_they_are() {
    let (mut world, ada, others) = meeting(&["bob", "eve", "cy", "dan"]);
    world.say(&ada, &automatic(&["Red", "Blue"]));
    for said in [
        r#"{"type":"typing"}"#,
        r#"{"type":"react","reaction":"heart"}"#,
    ] {
        let told = world.say(&others[0], said);
        let to = told.iter().filter_map(|effect| match effect {
            Effect::Send { client, .. } => Some(client.participant.as_str()),
            Effect::Broadcast { .. } => Some("everybody"),
            _ => None,
        });
        let to: Vec<&str> = to.filter(|to| *to != "bob").collect();
        assert_eq!(to, ["cy"], "{said}");
    }
}

#[test]
fn when_their_time_is_over_all_are_back_also_after_a_restart() {
    let (mut world, ada, _) = meeting(&["bob", "eve"]);
    world.now = 1_000;
    let minute = r#""assignment":"automatic","seconds":60"#;
    world.say(&ada, &open(&["Red"], minute));
    let view = world.room.breakouts_view().expect("open");
    assert_eq!(view.ends_at, Some(61_000));
    restart(&mut world);
    assert_eq!(places(&world), ["bob 1", "eve 1"]);
    while world.room.breakouts_view().is_some() {
        assert!(world.now < 61_000);
        world.wait();
    }
    assert_eq!(world.now, 61_000);
}

fn restart(world: &mut World) {
    let people = world.room.people.values();
    let clients: Vec<Client> = people.map(|person| person.client()).collect();
    let restored = Room::restore(world.stored.clone(), &clients, &[], world.now);
    world.room = restored.expect("a room is stored").0;
}

#[test]
fn who_comes_back_is_where_they_were_and_is_shown_what_is_said_there() {
    let (mut world, ada, others) = meeting(&["bob", "eve"]);
    world.say(&ada, &automatic(&["Red", "Blue"]));
    let seq = world.room.log.seq();
    world.handle(Event::ClientClosed {
        client: others[0].clone(),
    });
    world.say(&others[1], &chat("blue", ""));
    world.say(&ada, &go("bob", Some(2)));
    let (_, back) = world.open(token("bob", 1), Some(seq)).expect("resumes");
    assert_eq!(shown(&back), [("bob".into(), "blue".into())]);
    // Gone for good, and there again: with the place that they had.
    let bob = Client {
        participant: id("bob"),
        connection: 2,
    };
    world.say(&bob, r#"{"type":"leave"}"#);
    let bob = world.enter("bob");
    assert!(places(&world).contains(&"bob 2".to_owned()));
    assert_eq!(error(&world.say(&bob, &go("bob", None))), None);
}

#[test]
fn they_are_over_when_everybody_has_gone() {
    let (mut world, ada, _) = meeting(&[]);
    world.say(&ada, &automatic(&["Red"]));
    world.say(&ada, r#"{"type":"leave"}"#);
    world.enter("bob");
    assert_eq!(world.room.breakouts_view(), None);
    assert_eq!(world.room.subroom_of(&id("bob")), None.into());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever was done, a restart changes nothing, and nobody reads a line that was said elsewhere.
    #[test]
    fn places_survive(deeds in proptest::collection::vec((0..4usize, 0..8u8, 0..6u32), 1..50)) {
        let names = ["ada", "bob", "eve", "guest1"];
        let (mut world, ada, others) = meeting(&names[1..]);
        let mut clients: Vec<Client> = [vec![ada], others].concat();
        for (turn, (who, deed, number)) in deeds.into_iter().enumerate() {
            world.now += 10_000;
            let client = clients[who].clone();
            let line = chat(&format!("l{turn}"), "");
            match deed {
                0 => { world.say(&clients[0], &automatic(&["Red", "Blue"])); }
                1 => { world.say(&clients[0], &open(&["Red", "Blue"], r#""assignment":"free","seconds":40"#)); }
                2 => { world.say(&clients[0], CLOSE); }
                3 => { world.say(&client, &go(names[who], (number > 0).then_some(number))); }
                4 => { world.say(&clients[0], &go(names[who], (number > 0).then_some(number))); }
                5 => {
                    world.say(&client, r#"{"type":"leave"}"#);
                    clients[who] = world.enter(names[who]);
                }
                6 => restart(&mut world),
                _ => {
                    let at = world.room.subroom_of(&id(names[who]));
                    for name in names {
                        let place = world.room.subroom_of(&id(name));
                        let before = world.room.chat.history(&world.room.reader(&id(name))).len();
                        if name == names[who] { world.say(&client, &line); }
                        let after = world.room.chat.history(&world.room.reader(&id(name))).len();
                        prop_assert!(name == names[who] || place == at || before == after);
                    }
                }
            }
            world.handle(Event::Alarm { pings: Vec::new() });
            let (before, places_before) = (world.room.breakouts.clone(), places(&world));
            restart(&mut world);
            prop_assert_eq!(&world.room.breakouts, &before);
            prop_assert_eq!(places(&world), places_before);
        }
    }
}
