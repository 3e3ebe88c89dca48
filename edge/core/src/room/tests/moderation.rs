//! Moderation: the owner's decisions reach the node, outlive restarts and returns, and are the owner's alone.

use protocol::client::{ErrorCode, LeaveReason, RoomEvent};
use protocol::id::Attempt;
use protocol::media::Caps;
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
        place: Some((id("n1"), id("eu"))),
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
        ..Caps::default()
    }
}

#[test]
fn what_the_owner_decides_reaches_the_node_and_everybody() {
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
fn the_owner_alone_decides_and_about_who_is_there() {
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
        Ok(())
    );
    assert_eq!(room.may_join(&admission("next", "cy"), world.now), Ok(()));
}
