//! What the directory is told: the latest, until it has it.

use super::{Effect, Event, World, id};
use crate::room::record::Record;
use crate::room::{Report, Room};

fn reports(effects: &[Effect]) -> Vec<Report> {
    let report = |effect: &Effect| match effect {
        Effect::Report(report) => Some(report.clone()),
        _ => None,
    };
    effects.iter().filter_map(report).collect()
}

fn is_owed(world: &World) -> bool {
    let mut records = world.stored.records.iter();
    records.any(|record| matches!(record, Record::Owed(_)))
}

/// A room that nobody is in, whose directory does not answer since somebody was.
fn unheard() -> World {
    let mut world = World::new();
    assert!(!is_owed(&world));
    world.directory_is_away = true;
    let ada = world.enter("ada");
    world.say(&ada, r#"{"type":"leave"}"#);
    assert!(is_owed(&world));
    world
}

fn answer(world: &mut World, taken: Option<Report>) -> Vec<Effect> {
    world.handle(Event::Reported { taken })
}

/// Until the next report; what else falls due happens.
fn next_report(world: &mut World) -> Report {
    loop {
        if let Some(report) = reports(&world.wait()).pop() {
            return report;
        }
    }
}

#[test]
fn a_report_is_repeated_ever_more_slowly_until_it_is_taken() {
    let mut world = unheard();
    answer(&mut world, None);
    let (mut before, mut waits) = (0, Vec::new());
    for _ in 0..10 {
        next_report(&mut world);
        waits.push((world.now - before) / 1_000);
        before = world.now;
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]);
    let latest = next_report(&mut world);
    answer(&mut world, Some(latest));
    assert!(!is_owed(&world));
    assert_eq!(world.room.deadline(), None);
}

#[test]
fn only_the_latest_report_settles() {
    let mut world = unheard();
    world.enter("bob");
    let one = Report::Room(world.room.entry());
    world.enter("cy");
    answer(&mut world, Some(one));
    assert!(is_owed(&world));
    let two = Report::Room(world.room.entry());
    answer(&mut world, Some(two));
    assert!(!is_owed(&world));
}

#[test]
fn a_room_that_was_restored_still_owes_its_report() {
    let mut world = unheard();
    let restored = Room::restore(world.stored.clone(), &[], &[], world.now);
    world.room = restored.expect("a room is stored").0;
    assert_eq!(next_report(&mut world), Report::Room(world.room.entry()));
}

#[test]
fn a_deleted_room_is_remembered_as_gone_until_the_directory_knows() {
    let mut world = unheard();
    let ada = world.enter("ada");
    world.say(&ada, r#"{"type":"chat","nonce":"n","text":"x"}"#);
    let gone = Report::Gone(id("room"));
    let told = reports(&world.handle(Event::Deleted));
    assert_eq!(told, std::slice::from_ref(&gone));
    assert!(world.room.is_gone());
    let records = world.stored.records.iter();
    let tables: Vec<_> = records.map(|record| record.table().name).collect();
    assert_eq!(tables, ["room", "owed"]);
    assert!(world.stored.lines.is_empty());
    let restored = Room::restore(world.stored.clone(), &[], &[], world.now);
    world.room = restored.expect("it is remembered").0;
    assert_eq!(next_report(&mut world), gone);
    let effects = answer(&mut world, Some(gone));
    assert!(matches!(effects.as_slice(), [.., Effect::Vanish]));
}
