//! What is told the owner's programs: all of it, in order, once more until it is taken, also after a restart; and nothing that they
//! do not want.

use protocol::client::LeaveReason;
use protocol::developer::{EventKind, WebhookMessage};

use super::{Effect, Event, Room, World, admission, id, ticket};
use crate::developer::webhooks::Happened;
use crate::room::Admission;
use crate::room::webhooks::{GIVEN_UP_AFTER, MOST};

const ALL: [EventKind; 5] = [
    EventKind::RoomStarted,
    EventKind::RoomEnded,
    EventKind::ParticipantJoined,
    EventKind::ParticipantLeft,
    EventKind::ChatMessage,
];

fn told(effects: &[Effect]) -> Vec<Happened> {
    let told = |effect: &Effect| match effect {
        Effect::TellDeveloper { owner, happened } => {
            assert_eq!(*owner, id("ada"));
            happened.clone()
        }
        _ => Vec::new(),
    };
    effects.iter().flat_map(told).collect()
}

fn kinds(effects: &[Effect]) -> Vec<EventKind> {
    told(effects).iter().map(|told| told.event).collect()
}

fn read(told: &Happened) -> WebhookMessage {
    let message: WebhookMessage = serde_json::from_str(&told.body).unwrap();
    assert_eq!((message.kind, message.timestamp), (told.event, told.at));
    assert_eq!(message.data.room.as_ref().unwrap().id, id("room"));
    message
}

impl World {
    fn wanting(events: &[EventKind]) -> Self {
        Self {
            wanted: Some(events.to_vec()),
            ..Self::new()
        }
    }

    fn comes(&mut self, name: &str) -> (super::Client, Vec<Effect>) {
        self.admit(name);
        self.open(ticket(name), None).unwrap()
    }

    fn untold(&self) -> usize {
        let records = self.stored.records.iter();
        let untold = records.filter(|record| record.table().name == "outbox");
        untold.count()
    }
}

#[test]
fn a_call_is_told_from_its_beginning_to_its_end() {
    use EventKind::*;
    let mut world = World::wanting(&ALL);
    let (ada, effects) = world.comes("ada");
    assert_eq!(kinds(&effects), [RoomStarted, ParticipantJoined]);
    let joined = read(&told(&effects)[1]);
    assert_eq!(joined.data.participant.unwrap().name, "ada");
    let (bob, effects) = world.comes("bob");
    assert_eq!(kinds(&effects), [ParticipantJoined]);
    let line = world.say(&bob, r#"{"type":"chat","nonce":"n","text":"hello"}"#);
    assert_eq!(kinds(&line), [ChatMessage]);
    assert_eq!(read(&told(&line)[0]).data.message.unwrap().text, "hello");
    let private = r#"{"type":"chat","nonce":"m","text":"hush","to":"ada"}"#;
    assert!(told(&world.say(&bob, private)).is_empty());
    let left = world.say(&ada, r#"{"type":"leave"}"#);
    assert_eq!(kinds(&left), [ParticipantLeft]);
    let data = read(&told(&left)[0]).data;
    assert_eq!(data.reason, Some(LeaveReason::Left));
    assert_eq!(data.participant.unwrap().name, "ada");
    let ended = world.say(&bob, r#"{"type":"leave"}"#);
    assert_eq!(kinds(&ended), [ParticipantLeft, RoomEnded]);
    assert_eq!(world.untold(), 0);
    let again = world.comes("ada").1;
    assert_eq!(kinds(&again), [RoomStarted, ParticipantJoined]);
    let all = [effects, line, left, ended, again].map(|effects| told(&effects));
    let ids: Vec<String> = all.concat().into_iter().map(|told| told.id).collect();
    let different: std::collections::BTreeSet<&String> = ids.iter().collect();
    assert_eq!(different.len(), ids.len());
}

#[test]
fn a_call_that_moves_does_not_end() {
    let mut world = World::wanting(&ALL);
    world.comes("ada");
    world.handle(Event::Admitted(Admission {
        move_here: true,
        ..admission("ada2", "ada")
    }));
    let moved = world.open(ticket("ada2"), None).unwrap().1;
    use EventKind::*;
    assert_eq!(kinds(&moved), [ParticipantLeft, ParticipantJoined]);
}

#[test]
fn what_nobody_wants_is_not_stored_until_it_is_asked_again() {
    let mut world = World::new();
    assert_eq!(kinds(&world.comes("ada").1).len(), 2, "it is not known yet");
    assert!(kinds(&world.comes("bob").1).is_empty());
    world.now += 60_000;
    world.wanted = Some(vec![EventKind::ParticipantLeft]);
    assert_eq!(kinds(&world.comes("cy").1), [EventKind::ParticipantJoined]);
    let (_, effects) = world.comes("di");
    assert!(kinds(&effects).is_empty(), "it is known now");
    world.handle(Event::Deleted);
}

#[test]
fn what_is_not_taken_is_told_again_in_order_also_after_a_restart() {
    let mut world = World::wanting(&ALL);
    world.wanted = None;
    let first = told(&world.comes("ada").1);
    assert_eq!(first.len(), 2);
    let (bob, effects) = world.comes("bob");
    assert!(told(&effects).is_empty(), "its time has not come");
    assert_eq!(world.untold(), 3);
    let due = world.room.deadline().unwrap();
    assert!(due <= world.now + 2_000, "{due}");
    world.now += 2_000;
    let again = told(&world.handle(Event::Alarm { pings: Vec::new() }));
    assert_eq!(again[..2], first);
    assert_eq!(again.len(), 3);
    // Its failures are further and further apart.
    world.now += 2_000;
    assert_eq!(
        told(&world.handle(Event::Alarm { pings: Vec::new() })),
        again
    );
    world.now += 2_000;
    assert!(told(&world.handle(Event::Alarm { pings: Vec::new() })).is_empty());
    let (room, effects) = Room::restore(world.stored.clone(), &[bob], &[], world.now).unwrap();
    world.room = room;
    world.store(&effects);
    world.wanted = Some(ALL.to_vec());
    assert_eq!(world.room.deadline(), Some(0), "at once");
    let rest = told(&world.handle(Event::Alarm { pings: Vec::new() }));
    assert_eq!(rest[..3], again);
    assert_eq!(world.untold(), 0);
}

#[test]
fn a_room_that_was_deleted_vanishes_once_its_end_was_told() {
    let mut world = World::wanting(&ALL);
    world.comes("ada");
    world.wanted = None;
    let deleted = world.handle(Event::Deleted);
    use EventKind::*;
    assert_eq!(kinds(&deleted), [ParticipantLeft, RoomEnded]);
    assert!(
        !deleted
            .iter()
            .any(|effect| matches!(effect, Effect::Vanish))
    );
    assert_eq!(world.untold(), 2);
    world.now += 2_000;
    world.wanted = Some(ALL.to_vec());
    let told = world.handle(Event::Alarm { pings: Vec::new() });
    assert_eq!(kinds(&told), [ParticipantLeft, RoomEnded]);
    assert!(told.iter().any(|effect| matches!(effect, Effect::Vanish)));
}

#[test]
fn a_fault_does_not_fill_the_room() {
    let mut world = World::wanting(&ALL);
    world.wanted = None;
    world.comes("ada");
    let person = world.room.people[&id("ada")].clone();
    for _ in 0..MOST + 50 {
        let room = &mut world.room;
        room.tell_of_leaving(&person, LeaveReason::Left, world.now, &mut Vec::new());
    }
    assert_eq!(world.room.outbox.lasting().0.len(), MOST);
}

/// Rings whenever an alarm is due, as often as this within the time, each time with a room that was restored: an object sleeps
/// between two alarms. Returns when it told, and how many it gave up.
fn rings_until(world: &mut World, end: u64) -> (Vec<u64>, u64) {
    let (mut told_at, mut given_up) = (Vec::new(), 0);
    while let Some(due) = world.room.deadline().filter(|due| *due <= end) {
        world.now = world.now.max(due);
        let effects = world.handle(Event::Alarm { pings: Vec::new() });
        if !told(&effects).is_empty() {
            told_at.push(world.now);
        }
        for effect in &effects {
            if let Effect::GaveUpTelling { count } = effect {
                given_up += count;
            }
        }
        assert!(
            told_at.len() < 1_000,
            "it tells for ever: {:?}",
            &told_at[990..]
        );
    }
    (told_at, given_up)
}

#[test]
fn what_nobody_takes_is_told_more_and_more_rarely_and_given_up_after_a_day() {
    let mut world = World::wanting(&ALL);
    world.wanted = None;
    let (ada, _) = world.comes("ada");
    world.say(&ada, r#"{"type":"leave"}"#);
    let began = world.now;
    assert_eq!(world.untold(), 4);
    let (told_at, given_up) = rings_until(&mut world, began + GIVEN_UP_AFTER + 10_000);
    assert!(
        (12..40).contains(&told_at.len()),
        "told {} times",
        told_at.len()
    );
    assert_eq!((world.untold(), given_up), (0, 4));
    // It begins anew with what happens next.
    world.comes("bob");
    assert_eq!(world.untold(), 2);
}

#[test]
fn a_sleep_does_not_make_it_tell_more_often() {
    let mut world = World::wanting(&ALL);
    world.wanted = None;
    world.comes("ada");
    world.now += 3_600_000;
    let (room, effects) = Room::restore(world.stored.clone(), &[], &[], world.now).unwrap();
    world.room = room;
    world.store(&effects);
    let told = told(&world.handle(Event::Alarm { pings: Vec::new() }));
    assert!(told.len() >= 2, "{told:?}");
    let due = world.room.outbox.due().unwrap();
    assert_eq!(due, world.now + 3_600_000);
}

#[test]
fn a_room_that_was_deleted_vanishes_also_if_nobody_takes_its_end() {
    let mut world = World::wanting(&ALL);
    world.comes("ada");
    world.wanted = None;
    world.handle(Event::Deleted);
    assert_eq!(world.untold(), 2);
    world.now += GIVEN_UP_AFTER;
    let effects = world.handle(Event::Alarm { pings: Vec::new() });
    let vanishes = |effect: &Effect| matches!(effect, Effect::Vanish);
    assert!(effects.iter().any(vanishes), "it stays for ever");
    assert_eq!(world.room.deadline(), None);
}
