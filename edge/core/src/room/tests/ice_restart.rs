//! A client whose network changes seeks its path anew, by way of the room.

use protocol::client::{IceCredentials, ServerMessage};
use protocol::id::Attempt;
use protocol::node::{NodeToRoom, RoomToNode};

use super::{Effect, OFFER, World, id, renegotiations};

const RESTART: &str = r#"{"type":"restartIce","attempt":1,"sdp":"v=0"}"#;

fn restarts(effects: &[Effect]) -> usize {
    let restart = |effect: &&Effect| {
        matches!(
            effect,
            Effect::Tell {
                message: RoomToNode::RestartIce { .. },
                ..
            }
        )
    };
    effects.iter().filter(restart).count()
}

#[test]
fn a_restart_goes_to_the_node_and_its_credentials_come_back() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let link = world.place("ada", "n1");
    assert_eq!(
        restarts(&world.say(&ada, RESTART)),
        0,
        "there is no session"
    );
    world.say(&ada, OFFER);
    assert_eq!(restarts(&world.say(&ada, RESTART)), 1);
    let restarted = |participant: &str| NodeToRoom::IceRestarted {
        participant: id(participant),
        attempt: Attempt(1),
        credentials: IceCredentials {
            ufrag: "u".into(),
            pwd: "p".into(),
        },
    };
    let effects = world.node_says(&link, restarted("ada"));
    assert!(matches!(
        effects.as_slice(),
        [Effect::Send { client, message: ServerMessage::IceRestarted { credentials, .. } }]
            if *client == ada && credentials.pwd == "p"
    ));
    assert!(world.node_says(&link, restarted("eve")).is_empty());
}

#[test]
fn a_node_that_answers_no_restart_is_left_and_sooner_for_two() {
    let mut world = World::new();
    let (ada, bob) = (world.enter("ada"), world.enter("bob"));
    let link = world.place("ada", "n1");
    world.find("bob", "n1");
    for client in [&ada, &bob] {
        world.say(client, OFFER);
        let participant = client.participant.clone();
        let attempt = Attempt(1);
        let sdp = "v=0".into();
        let answer = NodeToRoom::Answer {
            participant: participant.clone(),
            attempt,
            sdp,
        };
        world.node_says(&link, answer);
        let connected = NodeToRoom::Connected {
            participant,
            attempt,
        };
        world.node_says(&link, connected);
    }
    world.now = 1_000;
    world.say(&ada, RESTART);
    assert_eq!(world.room.deadline(), Some(1_800));
    world.now = 1_100;
    world.say(&bob, RESTART);
    let effects = world.wait();
    assert_eq!((world.now, renegotiations(&effects)), (1_400, 2));
    let avoids =
        |effect: &Effect| matches!(effect, Effect::Seek { avoid, .. } if *avoid == [id("n1")]);
    assert!(effects.iter().any(avoids));
}

#[test]
fn without_a_way_to_the_node_a_new_offer_is_asked_for() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let link = world.place("ada", "n1");
    world.say(&ada, OFFER);
    world
        .room
        .handle(world.now, super::Event::NodeClosed { link });
    let effects = world.say(&ada, RESTART);
    assert_eq!((restarts(&effects), renegotiations(&effects)), (0, 1));
}
