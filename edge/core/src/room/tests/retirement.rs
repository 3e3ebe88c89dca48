//! A room that nobody has used for long goes; one that is permanent, or in use, stays.

use super::{Client, Effect, Event, World, error, id};
use crate::room::record::Record;
use crate::room::{Report, Room};

const DAY: u64 = 86_400_000;
const UNUSED: u64 = 90 * DAY;

fn world() -> World {
    let mut world = World::new();
    assert!(world.room.retires_after(UNUSED, 0).is_empty());
    world
}

fn configure(world: &mut World, host: &Client, change: &str) {
    let said = world.say(
        host,
        &format!(r#"{{"type":"configure","change":{change}}}"#),
    );
    assert_eq!(error(&said), None);
}

fn kinds(world: &World) -> Vec<&'static str> {
    let records = world.stored.records.iter();
    records.map(|record| record.table().name).collect()
}

#[test]
fn a_room_goes_as_long_after_the_last_has_left_as_is_configured() {
    let mut world = world();
    assert_eq!(world.room.deadline(), Some(UNUSED));
    world.now = 5 * DAY;
    let ada = world.enter("ada");
    world.say(&ada, r#"{"type":"chat","nonce":"n","text":"x"}"#);
    // Nobody's time runs while somebody is there.
    assert_eq!(world.room.retires_at(), None);
    world.now = 40 * DAY;
    world.say(&ada, r#"{"type":"leave"}"#);
    assert_eq!(world.room.deadline(), Some(40 * DAY + UNUSED));
    world.now = 40 * DAY + UNUSED - 1;
    world.handle(Event::Alarm { pings: Vec::new() });
    assert!(!world.room.is_gone());

    let effects = world.wait();
    assert!(world.room.is_gone() && world.room.is_retired());
    let told = effects
        .iter()
        .any(|effect| matches!(effect, Effect::Report(Report::Gone(gone)) if *gone == id("room")));
    assert!(told);
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::Vanish))
    );
    assert_eq!(kinds(&world), ["room"]);
    assert!(world.stored.lines.is_empty());
    let stored = serde_json::to_string(&world.stored.records).unwrap();
    assert!(!stored.contains("Room"), "its name is gone: {stored}");
    assert_eq!(world.room.deadline(), None);
}

#[test]
fn a_retired_room_is_remembered_as_that() {
    let mut world = world();
    world.directory_is_away = true;
    world.wait();
    assert!(world.room.is_retired());
    assert_eq!(kinds(&world), ["room", "owed"]);
    let restored = Room::restore(world.stored.clone(), &[], &[], world.now);
    world.room = restored.expect("it is remembered").0;
    world.room.retires_after(UNUSED, world.now);
    world.directory_is_away = false;
    world.wait();
    assert_eq!(kinds(&world), ["room"]);
    assert!(world.room.is_gone() && world.room.is_retired());
    assert_eq!(world.room.deadline(), None);
}

#[test]
fn a_permanent_room_stays_until_it_is_none_any_more() {
    let mut world = world();
    let ada = world.enter("ada");
    configure(&mut world, &ada, r#"{"permanent":true}"#);
    world.say(&ada, r#"{"type":"leave"}"#);
    assert_eq!(world.room.deadline(), None);
    world.now = 2 * UNUSED;
    let ada = world.enter("ada");
    configure(&mut world, &ada, r#"{"permanent":false}"#);
    world.say(&ada, r#"{"type":"leave"}"#);
    assert_eq!(world.room.deadline(), Some(3 * UNUSED));
}

#[test]
fn who_only_asks_for_a_ticket_holds_the_room_for_as_long_as_that_is_good() {
    let mut world = world();
    world.now = UNUSED - 1;
    world.admit("ada");
    world.now = UNUSED;
    world.handle(Event::Alarm { pings: Vec::new() });
    assert!(!world.room.is_gone());
    world.wait();
    assert!(world.room.is_gone());
}

#[test]
fn a_room_of_a_former_release_has_its_time_from_now_on() {
    let mut world = World::new();
    for record in &mut world.stored.records {
        if let Record::Info(info) = record {
            info.used_at = None;
        }
    }
    let restored = Room::restore(world.stored.clone(), &[], &[], DAY);
    world.room = restored.expect("a room is stored").0;
    let effects = world.room.retires_after(UNUSED, DAY);
    assert!(matches!(
        effects.as_slice(),
        [Effect::Save(Record::Info(_))]
    ));
    assert_eq!(world.room.deadline(), Some(DAY + UNUSED));
}

#[test]
fn the_directory_is_told_how_a_listed_room_is_and_nothing_of_what_it_does_not_show() {
    let mut world = world();
    let ada = world.enter("ada");
    let told = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::Report(Report::Room(entry)) => {
                Some((entry.listed, entry.locked, entry.password))
            }
            _ => None,
        })
    };
    let mut set = |change: &str| {
        let said = world.say(&ada, change);
        assert_eq!(error(&said), None);
        told(&said)
    };
    let configure = |change: &str| format!(r#"{{"type":"configure","change":{change}}}"#);
    assert_eq!(set(&configure(r#"{"locked":true}"#)), None);
    assert_eq!(
        set(&configure(r#"{"listed":true}"#)),
        Some((true, true, false))
    );
    assert_eq!(
        set(&configure(r#"{"locked":false}"#)),
        Some((true, false, false))
    );
    let password = r#"{"type":"setPassword","password":"secret"}"#;
    assert_eq!(set(password), Some((true, false, true)));
    assert_eq!(
        set(&configure(r#"{"listed":false}"#)),
        Some((false, false, true))
    );
}
