//! Moderation: the host's decisions reach the node, outlive restarts and returns, and are nobody else's but moderators'; what is asked
//! for leaves it to who is asked.

use proptest::prelude::*;
use protocol::client::{ErrorCode, LeaveReason, RoomEvent, ServerMessage};
use protocol::id::Attempt;
use protocol::media::{Caps, Source};
use protocol::node::{NodeToRoom, RoomToNode, SessionRef, VERSION};

use super::{
    Client, Effect, Event, NodeLink, OFFER, Room, World, admission, error, happened, id, ticket,
    token,
};
use crate::room::NoTicket;

const MUTE_BOB: &str =
    r#"{"type":"setCaps","participant":"bob","caps":{"audio":false,"video":true}}"#;
const REMOVE_BOB: &str = r#"{"type":"remove","participant":"bob"}"#;

/// The owner and bob are in the room, and bob has media.
fn call() -> (World, Client, Client, NodeLink) {
    let mut world = World::new();
    let ada = world.enter("ada");
    let link = world.place("ada", "n1");
    let bob = world.enter("bob");
    let epoch = world.room.info.epoch;
    world.handle(Event::Found {
        participant: id("bob"),
        epoch,
        node: Some((id("n1"), id("eu"))),
    });
    world.say(&bob, OFFER);
    let answer = NodeToRoom::Answer {
        participant: id("bob"),
        attempt: Attempt(1),
        sdp: "v=0".into(),
    };
    world.node_says(&link, answer);
    (world, ada, bob, link)
}

fn told(effects: &[Effect]) -> Vec<Caps> {
    let caps = |effect: &Effect| match effect {
        Effect::Tell {
            message: RoomToNode::Caps { caps, .. } | RoomToNode::Offer { caps, .. },
            ..
        } => Some(*caps),
        _ => None,
    };
    effects.iter().filter_map(caps).collect()
}

fn muted() -> Caps {
    Caps {
        audio: false,
        captions: false,
        ..Caps::default()
    }
}

#[test]
fn what_the_host_decides_reaches_the_node_and_everybody() {
    let (mut world, ada, _, _) = call();
    let effects = world.say(&ada, MUTE_BOB);
    assert_eq!(told(&effects), [muted()]);
    let participant = id("bob");
    let caps = muted();
    assert_eq!(happened(&effects), [RoomEvent::Caps { participant, caps }]);
    // The same again is no news.
    assert_eq!(happened(&world.say(&ada, MUTE_BOB)), []);
}

#[test]
fn a_moderator_alone_decides_and_about_who_is_there() {
    let (mut world, ada, bob, _) = call();
    for command in [MUTE_BOB, REMOVE_BOB] {
        assert_eq!(error(&world.say(&bob, command)), Some(ErrorCode::Forbidden));
        let nobody = command.replace("bob", "nobody");
        let code = error(&world.say(&ada, &nobody));
        assert_eq!(code, Some(ErrorCode::UnknownParticipant));
    }
    let own = world.say(&ada, &REMOVE_BOB.replace("bob", "ada"));
    assert_eq!(error(&own), Some(ErrorCode::Forbidden));
    assert_eq!(world.room.people.len(), 2);
}

#[test]
fn a_decision_survives_a_restart_a_new_link_a_new_offer_and_a_return() {
    let (mut world, ada, bob, link) = call();
    world.say(&ada, MUTE_BOB);
    let (clients, links) = ([ada, bob.clone()], [link.clone()]);
    let restored = Room::restore(world.stored.clone(), &clients, &links, world.now);
    world.room = restored.expect("a room is stored").0;
    // The node comes back and may have missed it.
    world.handle(Event::NodeClosed { link: link.clone() });
    let again = world.room.expect_node(&link.node, link.epoch).unwrap();
    world.handle(Event::NodeOpened {
        link: again.clone(),
        region: id("eu"),
    });
    let ready = world.node_says(
        &again,
        NodeToRoom::Ready {
            version: VERSION,
            quic: "192.0.2.1:7000".into(),
            fingerprint: "00".repeat(32),
            sessions: vec![SessionRef {
                participant: id("bob"),
                attempt: Attempt(1),
            }],
        },
    );
    assert_eq!(told(&ready), [muted()]);
    assert_eq!(told(&world.say(&bob, &OFFER.replace('1', "2"))), [muted()]);
    // Whoever leaves and comes back is the same user.
    world.say(&bob, r#"{"type":"leave"}"#);
    world.admit_with("bob2", "bob", None);
    let (_, effects) = world.open(ticket("bob2"), None).unwrap();
    let joined = happened(&effects);
    assert!(
        matches!(&joined[..], [RoomEvent::Joined { participant }] if participant.caps == muted())
    );
}

#[test]
fn who_is_removed_loses_the_session_the_token_and_the_way_back_for_ten_minutes() {
    let (mut world, ada, bob, link) = call();
    world.admit_with("bob2", "bob", None);
    let effects = world.say(&ada, REMOVE_BOB);
    let closed = |effect: &Effect| matches!(effect, Effect::Tell { link: at, message: RoomToNode::Close { attempt: Attempt(1), .. } } if *at == link);
    assert!(effects.iter().any(closed));
    let hung_up = |effect: &Effect| matches!(effect, Effect::HangUp { client } if *client == bob);
    assert!(effects.iter().any(hung_up));
    let left = RoomEvent::Left {
        participant: id("bob"),
        reason: LeaveReason::Removed,
    };
    assert_eq!(happened(&effects), [left]);
    assert!(world.open(token("bob", 1), Some(0)).is_err());
    assert!(world.open(ticket("bob2"), None).is_err());
    let wait = 600_000;
    let barred = Err(NoTicket::Removed { wait });
    assert_eq!(
        world.room.may_join(&admission("next", "bob"), world.now),
        barred
    );
    // After a restart, too.
    let restored = Room::restore(world.stored.clone(), &[ada], &[link], world.now);
    let room = restored.expect("a room is stored").0;
    assert_eq!(room.may_join(&admission("next", "bob"), world.now), barred);
    assert_eq!(
        room.may_join(&admission("next", "bob"), world.now + wait),
        Ok(None)
    );
    assert_eq!(room.may_join(&admission("next", "cy"), world.now), Ok(None));
}

/// Bob's microphone and camera are on.
fn publish(world: &mut World, client: &Client) {
    let publishing =
        r#"{"type":"publishing","publishing":{"microphone":true,"camera":true,"screen":false}}"#;
    world.say(client, publishing);
}

fn turn_off(whom: &str, source: &str) -> String {
    format!(r#"{{"type":"turnOff","participant":"{whom}","source":"{source}"}}"#)
}

fn mute_all(mute: &str) -> String {
    format!(r#"{{"type":"muteAll","mute":"{mute}"}}"#)
}

/// Which clients are told that somebody is asked to unmute, and who.
fn asked(effects: &[Effect]) -> Vec<(&str, &str)> {
    let told = effects.iter().filter_map(|effect| match effect {
        Effect::Send {
            client,
            message: ServerMessage::AskedToUnmute { participant, .. },
        } => Some((client.participant.as_str(), participant.as_str())),
        _ => None,
    });
    told.collect()
}

#[test]
fn what_is_turned_off_softly_is_the_persons_to_turn_on_again() {
    let (mut world, ada, bob, _) = call();
    publish(&mut world, &bob);
    let effects = world.say(&ada, &turn_off("bob", "microphone"));
    let off = RoomEvent::TurnedOff {
        participants: vec![id("bob")],
        source: Source::Microphone,
        by: id("ada"),
    };
    assert_eq!(happened(&effects), [off]);
    assert_eq!(told(&effects), [], "the node lets it through");
    // What is off already stays so without a word.
    assert_eq!(happened(&world.say(&ada, &turn_off("bob", "screen"))), []);
    for (client, target, code) in [
        (&bob, "ada", ErrorCode::Forbidden),
        (&ada, "nobody", ErrorCode::UnknownParticipant),
    ] {
        let refused = world.say(client, &turn_off(target, "camera"));
        assert_eq!(error(&refused), Some(code));
    }
}

#[test]
fn what_was_turned_off_reaches_who_is_away_for_a_moment() {
    let (mut world, ada, bob, _) = call();
    publish(&mut world, &bob);
    let seq = world.room.log.seq();
    world.handle(Event::ClientClosed { client: bob });
    world.say(&ada, &turn_off("bob", "camera"));
    let (_, effects) = world.open(token("bob", 1), Some(seq)).unwrap();
    let replayed = |effect: &Effect| {
        matches!(
            effect,
            Effect::Send {
                message: ServerMessage::Event {
                    event: RoomEvent::TurnedOff { .. },
                    ..
                },
                ..
            }
        )
    };
    assert!(effects.iter().any(replayed));
}

#[test]
fn who_is_asked_to_unmute_is_allowed_to_and_decides() {
    let (mut world, ada, bob, _) = call();
    world.say(&ada, MUTE_BOB);
    let ask = r#"{"type":"askToUnmute","participant":"bob"}"#;
    let effects = world.say(&ada, ask);
    assert_eq!(told(&effects), [Caps::default()]);
    assert_eq!(asked(&effects), [("bob", "bob"), ("ada", "bob")]);
    // The room as it is set comes first.
    world.say(
        &ada,
        r#"{"type":"configure","change":{"speak":"moderators"}}"#,
    );
    assert_eq!(error(&world.say(&ada, ask)), Some(ErrorCode::Forbidden));
    let allow = r#"{"type":"setCaps","participant":"bob","caps":{"audio":true}}"#;
    assert_eq!(error(&world.say(&ada, allow)), Some(ErrorCode::Forbidden));
    world.say(
        &ada,
        r#"{"type":"configure","change":{"speak":"everybody"}}"#,
    );
    world.handle(Event::ClientClosed { client: bob });
    let away = world.say(&ada, ask);
    assert_eq!(error(&away), Some(ErrorCode::UnknownParticipant));
    assert_eq!(asked(&away), []);
}

#[test]
fn all_are_muted_but_those_who_keep_order() {
    let (mut world, ada, bob, _) = call();
    let eve = world.enter("eve");
    let dan = world.enter("dan");
    world.say(
        &ada,
        r#"{"type":"setRole","participant":"eve","role":"moderator"}"#,
    );
    for client in [&ada, &bob, &eve] {
        publish(&mut world, client);
    }
    let soft = happened(&world.say(&ada, &mute_all("soft")));
    assert!(
        matches!(&soft[..], [RoomEvent::TurnedOff { participants, .. }] if *participants == [id("bob")])
    );
    let heard = |world: &World| {
        let people = ["ada", "bob", "dan", "eve"].map(|name| &world.room.people[&id(name)]);
        people.map(|person| person.caps.audio)
    };
    world.say(&eve, &mute_all("hard"));
    assert_eq!(heard(&world), [true, false, false, true]);
    assert_eq!(
        error(&world.say(&dan, &mute_all("lifted"))),
        Some(ErrorCode::Forbidden)
    );
    world.say(&eve, &mute_all("lifted"));
    assert_eq!(heard(&world), [true; 4]);
    assert!(
        world
            .room
            .rulings
            .values()
            .all(|ruling| ruling.user == id("eve"))
    );
    let often: Vec<_> = (0..6)
        .map(|_| error(&world.say(&ada, &mute_all("hard"))))
        .collect();
    assert_eq!(
        often.iter().flatten().collect::<Vec<_>>(),
        [&ErrorCode::RateLimited; 2]
    );
}

#[test]
fn a_limit_leaves_the_rest_as_it_was_ruled() {
    let (mut world, ada, _, _) = call();
    world.say(&ada, r#"{"type":"configure","change":{"kind":"webinar"}}"#);
    world.say(
        &ada,
        r#"{"type":"setCaps","participant":"bob","caps":{"maxLayer":0,"maxBitrate":300000}}"#,
    );
    world.say(
        &ada,
        r#"{"type":"setRole","participant":"bob","role":"speaker"}"#,
    );
    let limited = Caps {
        max_layer: Some(0),
        max_bitrate: Some(300_000),
        ..Caps::default()
    };
    assert_eq!(world.room.people[&id("bob")].caps, limited);
    world.say(
        &ada,
        r#"{"type":"setCaps","participant":"bob","caps":{"maxLayer":null,"maxBitrate":null}}"#,
    );
    assert_eq!(world.room.people[&id("bob")].caps, Caps::default());
}

const WHO: [&str; 3] = ["ada", "bob", "eve"];

fn deed() -> impl Strategy<Value = (usize, String)> {
    let deed = (0..7usize, 0..WHO.len()).prop_map(|(deed, on)| {
        let on = WHO[on];
        match deed {
            0 => turn_off(on, "microphone"),
            1 => mute_all("soft"),
            2 => mute_all("hard"),
            3 => mute_all("lifted"),
            4 => format!(r#"{{"type":"askToUnmute","participant":"{on}"}}"#),
            5 => format!(
                r#"{{"type":"setCaps","participant":"{on}","caps":{{"audio":false,"maxLayer":1}}}}"#
            ),
            _ => format!(r#"{{"type":"setRole","participant":"{on}","role":"moderator"}}"#),
        }
    });
    (0..WHO.len(), deed)
}

proptest! {
    /// Whoever does what: a restart changes nothing of it.
    #[test]
    fn a_restart_forgets_no_deed(deeds in proptest::collection::vec(deed(), 1..30)) {
        let mut world = World::new();
        let clients = WHO.map(|name| world.enter(name));
        for (by, deed) in deeds {
            world.now += 5_000;
            publish(&mut world, &clients[by]);
            world.say(&clients[by], &deed);
            let restored = Room::restore(world.stored.clone(), &clients, &[], world.now);
            let restored = restored.expect("a room is stored").0;
            prop_assert_eq!(&restored.people, &world.room.people);
            prop_assert_eq!(&restored.rulings, &world.room.rulings);
            prop_assert_eq!(restored.log.seq(), world.room.log.seq());
        }
    }
}
