//! Connections: what others see of somebody whose media or WebSocket fails, when they are told, and when it is the end.

use protocol::client::{Connection, LeaveReason, RoomEvent, ServerMessage};
use protocol::id::Attempt;
use protocol::media::Codec;
use protocol::node::{NodeToRoom, SessionRef};

use super::{
    Admission, Client, Effect, Event, NodeLink, OFFER, Room, World, admission, id, ticket, token,
};
use crate::room::Ping;

impl World {
    /// Ada is in the room, and her media flows.
    fn in_call() -> (Self, Client, NodeLink) {
        let mut world = World::new();
        let ada = world.enter("ada");
        let link = world.place("ada", "n1");
        world.say(&ada, OFFER);
        world.node_says(&link, answered());
        assert!(told(&world.node_says(&link, connected(1))).is_empty());
        (world, ada, link)
    }

    fn alarm(&mut self, pings: &[(&Client, u64)]) -> Vec<Effect> {
        let ping = |(client, at): &(&Client, u64)| Ping {
            client: (*client).clone(),
            at: *at,
        };
        let pings = pings.iter().map(ping).collect();
        self.handle(Event::Alarm { pings })
    }

    /// Time passes to the next deadline, at which the client pinged just before.
    pub(super) fn wait_pinging(&mut self, client: &Client) -> Vec<Effect> {
        self.now = self.room.deadline().expect("something is due");
        self.alarm(&[(client, self.now - 1)])
    }

    /// What somebody who comes now is shown of Ada.
    fn shown(&self) -> Connection {
        self.room.people[&id("ada")].view().connection
    }
}

fn answered() -> NodeToRoom {
    NodeToRoom::Answer {
        participant: id("ada"),
        attempt: Attempt(1),
        sdp: "v=0".into(),
    }
}

pub(super) fn connected(attempt: u32) -> NodeToRoom {
    NodeToRoom::Connected {
        participant: id("ada"),
        attempt: Attempt(attempt),
    }
}

pub(super) fn silent(attempt: u32) -> NodeToRoom {
    NodeToRoom::Silent {
        participant: id("ada"),
        attempt: Attempt(attempt),
    }
}

pub(super) fn heard(attempt: u32) -> NodeToRoom {
    NodeToRoom::Heard {
        participant: id("ada"),
        attempt: Attempt(attempt),
    }
}

pub(super) fn over(attempt: u32) -> NodeToRoom {
    NodeToRoom::Disconnected {
        participant: id("ada"),
        attempt: Attempt(attempt),
    }
}

fn events(effects: &[Effect]) -> impl Iterator<Item = &RoomEvent> {
    effects.iter().filter_map(|effect| match effect {
        Effect::Broadcast {
            message: ServerMessage::Event { event, .. },
            ..
        } => Some(event),
        _ => None,
    })
}

/// What everybody is told of Ada's connection.
pub(super) fn told(effects: &[Effect]) -> Vec<Connection> {
    let connection = |event: &RoomEvent| match event {
        RoomEvent::Connection { connection, .. } => Some(*connection),
        _ => None,
    };
    events(effects).filter_map(connection).collect()
}

pub(super) fn is_gone(effects: &[Effect]) -> bool {
    let lost = |event: &RoomEvent| {
        matches!(
            event,
            RoomEvent::Left {
                reason: LeaveReason::ConnectionLost,
                ..
            }
        )
    };
    events(effects).any(lost)
}

#[test]
fn a_silence_is_told_at_once_and_ends_the_stay_after_thirty_seconds() {
    let (mut world, ada, link) = World::in_call();
    assert_eq!(world.room.deadline(), None, "a quiet call sleeps");
    world.now = 100_000;
    let effects = world.node_says(&link, silent(1));
    assert_eq!(told(&effects), [Connection::Reconnecting]);
    assert_eq!(world.shown(), Connection::Reconnecting);
    assert!(told(&world.node_says(&link, silent(1))).is_empty(), "once");
    // The browser's processes stand still: its WebSocket is open, and its last ping was before the silence.
    world.now = world.room.deadline().expect("the end is due");
    assert_eq!(world.now, 128_000);
    let effects = world.alarm(&[(&ada, 97_000)]);
    assert!(is_gone(&effects));
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::HangUp { client } if *client == ada))
    );
    assert!(world.room.people.is_empty());
}

#[test]
fn who_is_heard_again_in_time_is_the_same_and_nothing_is_due() {
    let (mut world, ada, link) = World::in_call();
    world.now = 50_000;
    world.node_says(&link, silent(1));
    world.now = 70_000;
    assert_eq!(
        told(&world.node_says(&link, heard(1))),
        [Connection::Connected]
    );
    assert_eq!(
        (world.shown(), world.room.deadline()),
        (Connection::Connected, None)
    );
    assert!(
        !is_gone(&world.alarm(&[(&ada, 10)])),
        "media is sign enough"
    );
}

#[test]
fn a_word_that_was_lost_with_a_link_is_made_good_by_the_next_one() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let link = world.place("ada", "n1");
    world.say(&ada, OFFER);
    world.node_says(&link, answered());
    // The node said that she is connected on a link that broke. On the next it says of everybody whether they are heard.
    world.wait_pinging(&ada);
    assert_eq!(world.shown(), Connection::Connecting);
    let of = |attempt| {
        let session = |name| SessionRef {
            participant: id(name),
            attempt: Attempt(attempt),
        };
        vec![session("bob"), session("ada")]
    };
    let signs = |heard, silent| NodeToRoom::Signs { heard, silent };
    let heard = signs(of(1), Vec::new());
    let older = world.node_says(&link, signs(of(0), Vec::new()));
    assert!(older.is_empty(), "another session");
    assert_eq!(
        told(&world.node_says(&link, heard.clone())),
        [Connection::Connected]
    );
    assert!(world.node_says(&link, heard).is_empty(), "no news");
    assert_eq!(
        told(&world.node_says(&link, signs(Vec::new(), of(1)))),
        [Connection::Reconnecting]
    );
}

#[test]
fn who_pings_stays_however_long_the_media_is_blocked() {
    let (mut world, ada, link) = World::in_call();
    world.now = 50_000;
    world.node_says(&link, silent(1));
    for _ in 0..20 {
        assert!(!is_gone(&world.wait_pinging(&ada)));
    }
    assert!(world.now > 500_000);
    assert_eq!(world.shown(), Connection::Reconnecting);
    // The pings end, too.
    let last = world.now - 1;
    world.now = world.room.deadline().expect("the end is due");
    assert!(is_gone(&world.alarm(&[(&ada, last)])));
    assert_eq!(world.now, last + 30_000);
}

#[test]
fn what_a_client_says_is_as_good_as_a_ping() {
    let (mut world, ada, link) = World::in_call();
    world.now = 50_000;
    world.node_says(&link, silent(1));
    world.now = 70_000;
    world.say(&ada, r#"{"type":"mediaFailed","attempt":7}"#);
    assert_eq!(world.room.deadline(), Some(100_000));
}

#[test]
fn a_newcomer_without_media_is_connecting_after_two_seconds() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let link = world.place("ada", "n1");
    world.say(&ada, OFFER);
    assert_eq!(world.shown(), Connection::Connected);
    world.node_says(&link, answered());
    let effects = world.wait_pinging(&ada);
    assert_eq!(
        (world.now, told(&effects)),
        (2_000, vec![Connection::Connecting])
    );
    // She tries another way; that she has come is not told anew.
    let again = world.say(&ada, r#"{"type":"mediaFailed","attempt":1}"#);
    assert!(told(&again).is_empty());
    world.say(&ada, &OFFER.replace(":1,", ":2,"));
    assert_eq!(
        told(&world.node_says(&link, connected(2))),
        [Connection::Connected]
    );
}

#[test]
fn a_first_offer_that_comes_late_has_its_two_seconds() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let link = world.place("ada", "n1");
    world.now = 10_000;
    assert!(told(&world.say(&ada, OFFER)).is_empty());
    world.node_says(&link, answered());
    let effects = world.wait_pinging(&ada);
    assert_eq!(
        (world.now, told(&effects)),
        (12_000, vec![Connection::Connecting])
    );
}

#[test]
fn a_lost_websocket_with_living_media_says_nothing_and_ends_nothing() {
    let (mut world, ada, link) = World::in_call();
    world.now = 5_000;
    let effects = world.handle(Event::ClientClosed { client: ada });
    assert!(told(&effects).is_empty());
    assert_eq!(world.room.deadline(), None);
    world.now = 200_000;
    // The media ends as well: thirty seconds from then.
    assert_eq!(
        told(&world.node_says(&link, silent(1))),
        [Connection::Reconnecting]
    );
    assert!(is_gone(&world.wait()));
    assert_eq!(world.now, 228_000);
}

#[test]
fn a_failover_within_two_seconds_is_not_told_and_a_longer_one_is() {
    let (mut world, ada, link) = World::in_call();
    world.now = 10_000;
    world.handle(Event::NodeClosed { link });
    let effects = world.wait();
    assert!(told(&effects).is_empty(), "the node is given up");
    let next = world.place("ada", "n2");
    world.now += 500;
    world.say(&ada, &OFFER.replace(":1,", ":2,"));
    assert!(told(&world.node_says(&next, connected(2))).is_empty());
    // This time no node is left.
    world.handle(Event::NodeClosed { link: next });
    let lost = world.now;
    let mut seen = Vec::new();
    while seen.is_empty() {
        seen = told(&world.wait_pinging(&ada));
        if let Some(search) = world.room.seeking.clone() {
            world.handle(Event::Found {
                participant: search.participant,
                epoch: search.epoch,
                node: None,
            });
        }
    }
    assert_eq!(
        (seen, world.now),
        (vec![Connection::Reconnecting], lost + 700 + 2_000)
    );
}

#[test]
fn a_restart_of_the_room_says_nothing_of_those_whose_media_flows() {
    let (mut world, _, link) = World::in_call();
    world.now = 10_000;
    let restored = Room::restore(world.stored.clone(), &[], &[link], world.now);
    let (room, effects) = restored.expect("a room is stored");
    world.room = room;
    world.store(&effects);
    assert_eq!(world.room.deadline(), None);
    world
        .open(token("ada", 1), Some(1))
        .expect("the token is good");
    assert_eq!(world.shown(), Connection::Connected);
}

#[test]
fn a_doubt_outlives_a_restart_of_the_room() {
    let (mut world, ada, link) = World::in_call();
    world.now = 10_000;
    assert!(told(&world.node_says(&link, over(1))).is_empty());
    world.now = 11_000;
    let living = std::slice::from_ref(&ada);
    let restored = Room::restore(world.stored.clone(), living, &[link], world.now);
    world.room = restored.expect("a room is stored").0;
    let effects = world.wait_pinging(&ada);
    assert_eq!(
        (world.now, told(&effects)),
        (12_000, vec![Connection::Reconnecting])
    );
}

#[test]
fn who_has_no_media_is_known_by_the_websocket() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.place("ada", "n1");
    world.now = 10_000;
    world.handle(Event::ClientClosed { client: ada });
    let effects = world.wait();
    assert_eq!(
        (world.now, told(&effects)),
        (12_000, vec![Connection::Reconnecting])
    );
    let (back, effects) = world
        .open(token("ada", 1), None)
        .expect("the token is good");
    assert_eq!(told(&effects), [Connection::Connected]);
    world.now = 20_000;
    world.handle(Event::ClientClosed { client: back });
    world.wait();
    assert!(is_gone(&world.wait()));
    assert_eq!(world.now, 50_000);
}

#[test]
fn who_has_no_media_and_never_pings_has_promised_nothing() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.place("ada", "n1");
    for _ in 0..5 {
        assert!(!is_gone(&world.wait()));
    }
    assert!(world.now >= 150_000);
    // Who pings once has.
    let pinged = world.now + 1;
    world.now = world.room.deadline().expect("a look is due");
    assert!(!is_gone(&world.alarm(&[(&ada, pinged)])));
    world.now = world.room.deadline().expect("the end is due");
    assert!(is_gone(&world.alarm(&[(&ada, pinged)])));
}

#[test]
fn a_ping_on_an_older_websocket_is_no_sign() {
    let (mut world, ada, link) = World::in_call();
    let (_, _) = world
        .open(token("ada", 1), None)
        .expect("the token is good");
    world.now = 50_000;
    world.node_says(&link, silent(1));
    world.now = 78_000;
    assert!(is_gone(&world.alarm(&[(&ada, 77_000)])));
}

#[test]
fn everybody_learns_which_video_codecs_somebody_decodes() {
    let mut world = World::new();
    let many = [Codec::Vp9, Codec::Opus, Codec::Vp8, Codec::Vp9].repeat(1_000);
    world.handle(Event::Admitted(Admission {
        decodes: many,
        ..admission("ada", "ada")
    }));
    world.open(ticket("ada"), None).expect("the ticket is good");
    let view = world.room.people[&id("ada")].view();
    assert_eq!(view.decodes, [Codec::Vp8, Codec::Vp9]);
}
