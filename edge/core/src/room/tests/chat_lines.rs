//! Lines of chat after they were said: whose they are to change, who sees them, and what is left of a deleted one.

use protocol::client::{ChatMessage, ErrorCode, RoomEvent, ServerMessage};

use super::{Client, Effect, Event, Pass, World, error, happened, id, token};

fn say(world: &mut World, client: &Client, nonce: &str, more: &str) -> Vec<Effect> {
    let line = format!(r#"{{"type":"chat","nonce":"{nonce}","text":"a secret"{more}}}"#);
    world.say(client, &line)
}

fn edit(line: &str, text: &str) -> String {
    format!(r#"{{"type":"editChat","id":"{line}","text":"{text}"}}"#)
}

fn delete(line: &str) -> String {
    format!(r#"{{"type":"deleteChat","id":"{line}"}}"#)
}

fn react(line: &str, on: bool) -> String {
    format!(r#"{{"type":"reactToChat","id":"{line}","reaction":"heart","on":{on}}}"#)
}

/// The chat as somebody who comes anew is shown it.
fn shown_to(world: &mut World, user: &str) -> Vec<ChatMessage> {
    let name = format!("{user} at {}", world.now).replace(' ', "-");
    world.now += 1;
    world.admit_with(&name, user, None);
    let ticket = Pass::Ticket(format!("ticket of {name}"));
    let (_, effects) = world.open(ticket, None).expect("the ticket is good");
    let snapshot = effects.into_iter().find_map(|effect| match effect {
        Effect::Send {
            message: ServerMessage::Welcome { snapshot, .. },
            ..
        } => snapshot,
        _ => None,
    });
    snapshot.expect("who comes is shown the room").chat
}

/// What this client is told by name.
fn told(effects: &[Effect], whom: &Client) -> Vec<RoomEvent> {
    let event = |effect: &Effect| match effect {
        Effect::Send {
            client,
            message: ServerMessage::Event { event, .. },
        } if client == whom => Some(event.clone()),
        _ => None,
    };
    effects.iter().filter_map(event).collect()
}

#[test]
fn one_changes_ones_own_lines_whichever_participant_one_is_and_others_not() {
    let mut world = World::new();
    world.enter("ada");
    let bob = world.enter("bob");
    let eve = world.enter("eve");
    say(&mut world, &bob, "n1", "");
    world.say(&bob, r#"{"type":"leave"}"#);
    world.admit_with("again", "bob", None);
    let again = world.open(Pass::Ticket("ticket of again".into()), None);
    let (bob, _) = again.expect("the ticket is good");
    assert_eq!(
        error(&world.say(&eve, &edit("1", "x"))),
        Some(ErrorCode::Forbidden)
    );
    assert_eq!(
        error(&world.say(&eve, &delete("1"))),
        Some(ErrorCode::Forbidden)
    );
    world.now = 7;
    let edited = world.say(&bob, &edit("1", "better"));
    let event = RoomEvent::ChatEdited {
        id: "1".into(),
        text: "better".into(),
        edited_at: 7,
    };
    assert_eq!(happened(&edited), [event]);
    let saved = |effect: &Effect| matches!(effect, Effect::SaveLine(_));
    let tells = |effect: &Effect| matches!(effect, Effect::Broadcast { .. });
    assert!(edited.iter().position(saved) < edited.iter().position(tells));
    // The same again is done already.
    assert!(happened(&world.say(&bob, &edit("1", "better"))).is_empty());
    let shown = shown_to(&mut world, "eve");
    assert_eq!(
        (shown[0].text.as_str(), shown[0].edited_at),
        ("better", Some(7))
    );
}

#[test]
fn who_keeps_order_deletes_any_line_and_its_text_is_nowhere_any_more() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let bob = world.enter("bob");
    say(&mut world, &bob, "n1", "");
    say(&mut world, &bob, "n2", r#","replyTo":"1""#);
    world.say(&bob, &edit("1", "a secret, edited"));
    world.say(&bob, &react("1", true));
    // Who is away was told neither.
    world.handle(Event::ClientClosed {
        client: bob.clone(),
    });
    let deleted = world.say(&ada, &delete("1"));
    assert_eq!(
        happened(&deleted),
        [RoomEvent::ChatDeleted { id: "1".into() }]
    );
    let shown = shown_to(&mut world, "eve");
    assert_eq!(shown.len(), 2);
    assert!(shown[0].deleted && shown[0].text.is_empty() && shown[0].reactions.is_empty());
    assert_eq!(shown[1].reply_to.as_deref(), Some("1"));
    let (_, replay) = world.open(token("bob", 1), Some(0)).expect("it is bob's");
    let replayed = told(
        &replay,
        &Client {
            connection: 2,
            ..bob
        },
    );
    assert!(replayed.len() > 4);
    let kept = serde_json::to_string(&(&world.stored.records, &world.stored.lines)).unwrap();
    assert_eq!(
        kept.matches("secret").count(),
        2,
        "in the second line and its event"
    );
    for (deed, code) in [
        (edit("1", "back"), Some(ErrorCode::UnknownLine)),
        (react("1", true), Some(ErrorCode::UnknownLine)),
        (delete("1"), None),
        (delete("3"), Some(ErrorCode::UnknownLine)),
        (delete("0"), Some(ErrorCode::UnknownLine)),
        (delete("one"), Some(ErrorCode::UnknownLine)),
    ] {
        let again = world.say(&ada, &deed);
        assert_eq!((error(&again), happened(&again).len()), (code, 0), "{deed}");
    }
    // Its nonce is remembered as long as its place.
    say(&mut world, &ada, "n3", "");
    assert_eq!(world.stored.lines.len(), 3);
}

#[test]
fn a_private_line_and_all_that_becomes_of_it_reaches_both_alone() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let bob = world.enter("bob");
    let eve = world.enter("eve");
    let to_nobody = say(&mut world, &bob, "n0", r#","to":"nobody""#);
    assert_eq!(error(&to_nobody), Some(ErrorCode::UnknownParticipant));
    let said = say(&mut world, &bob, "n1", r#","to":"eve""#);
    assert!(happened(&said).is_empty());
    assert_eq!(told(&said, &ada), [RoomEvent::Unseen]);
    for who in [&bob, &eve] {
        assert!(matches!(
            told(&said, who).as_slice(),
            [RoomEvent::Chat { .. }]
        ));
    }
    let changes = [react("1", true), edit("1", "another secret"), delete("1")];
    for (deed, who) in changes.iter().zip([&eve, &bob, &bob]) {
        // Not even the host, who keeps order.
        assert_eq!(error(&world.say(&ada, deed)), Some(ErrorCode::UnknownLine));
        let effects = world.say(who, deed);
        assert_eq!(told(&effects, &ada), [RoomEvent::Unseen]);
        assert_eq!(
            (told(&effects, &eve).len(), happened(&effects).len()),
            (1, 0)
        );
        assert_eq!(shown_to(&mut world, "ada").len(), 0);
        assert_eq!(shown_to(&mut world, "eve").len(), 1);
    }
    // A replay shows no more than was told.
    say(&mut world, &bob, "n2", r#","to":"eve""#);
    world.handle(Event::ClientClosed {
        client: ada.clone(),
    });
    let (client, replay) = world.open(token("ada", 1), Some(0)).expect("it is ada's");
    let replayed = told(&replay, &client);
    assert!(replayed.contains(&RoomEvent::Unseen));
    assert!(!serde_json::to_string(&replayed).unwrap().contains("secret"));
}

#[test]
fn a_line_names_people_who_are_here_and_answers_a_line_that_there_is() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.enter("bob");
    let unknown = say(&mut world, &ada, "n0", r#","replyTo":"1""#);
    assert_eq!(error(&unknown), Some(ErrorCode::UnknownLine));
    say(
        &mut world,
        &ada,
        "n1",
        r#","mentions":["bob","nobody","bob"]"#,
    );
    let mentions = shown_to(&mut world, "eve").remove(0).mentions;
    let users: Vec<&str> = mentions
        .iter()
        .map(|mention| mention.user.as_str())
        .collect();
    assert_eq!(users, ["bob"]);
    let crowd = vec![r#""bob""#; 21].join(",");
    let many = say(&mut world, &ada, "n2", &format!(r#","mentions":[{crowd}]"#));
    assert_eq!(error(&many), Some(ErrorCode::TooLarge));
}

#[test]
fn history_is_asked_for_within_limits() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let ask = |before: &str, limit: u32| {
        format!(r#"{{"type":"chatHistory","before":"{before}","limit":{limit}}}"#)
    };
    for bad in [ask("x", 5), ask("3", 0)] {
        assert_eq!(error(&world.say(&ada, &bad)), Some(ErrorCode::Malformed));
    }
    let effects = world.say(&ada, &ask("18446744073709551615", 4_000_000_000));
    assert!(matches!(
        effects.as_slice(),
        [Effect::ShowLines {
            before: 1,
            limit: 100,
            ..
        }]
    ));
    let refused = (0..30).find_map(|_| error(&world.say(&ada, &ask("5", 5))));
    assert_eq!(refused, Some(ErrorCode::RateLimited));
}

#[test]
fn that_somebody_types_is_told_now_and_then_and_not_kept() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let before = world.room.log.seq();
    let tells = |effects: Vec<Effect>| {
        let typing = |effect: &Effect| {
            matches!(effect, Effect::Broadcast { except: Some(except), message: ServerMessage::Typing { participant } }
                if except == participant && *participant == id("ada"))
        };
        assert!(effects.iter().all(typing));
        effects.len()
    };
    let told: usize = (0..40)
        .map(|_| tells(world.say(&ada, r#"{"type":"typing"}"#)))
        .sum();
    assert_eq!(told, 10);
    assert_eq!(world.room.log.seq(), before);
    world.say(
        &ada,
        r#"{"type":"configure","change":{"chat":"moderators"}}"#,
    );
    let bob = world.enter("bob");
    let refused = world.say(&bob, r#"{"type":"typing"}"#);
    assert_eq!(error(&refused), Some(ErrorCode::Forbidden));
}
