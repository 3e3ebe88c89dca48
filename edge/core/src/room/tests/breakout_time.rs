//! Breakout rooms and time: how long they are open, and how long one waits for a node that has them.

use protocol::client::{ErrorCode, RoomEvent};
use protocol::node::BREAKOUTS;

use super::breakout_places::{again, sought};
use super::breakouts::{CLOSE, automatic, meeting, open, relink, with_media};
use super::{Event, NodeLink, World, error, happened};

#[test]
fn their_time_is_prolonged_and_shortened_by_who_keeps_order() {
    let (mut world, ada, others) = meeting(&["bob"]);
    let limit = |seconds: &str| format!(r#"{{"type":"limitBreakouts","seconds":{seconds}}}"#);
    let none = world.say(&ada, &limit("60"));
    assert_eq!(error(&none), Some(ErrorCode::UnknownBreakout));
    world.say(&ada, &open(&["Red"], r#""assignment":"free","seconds":60"#));
    let refused = world.say(&others[0], &limit("600"));
    assert_eq!(error(&refused), Some(ErrorCode::Forbidden));
    for wrong in ["9", "86401"] {
        let refused = world.say(&ada, &limit(wrong));
        assert_eq!(error(&refused), Some(ErrorCode::Malformed), "{wrong}");
    }
    let told = |world: &mut World, seconds: &str| {
        let happened = happened(&world.say(&ada, &limit(seconds)));
        happened.iter().find_map(|event| match event {
            RoomEvent::Breakouts { breakouts } => breakouts.as_ref().map(|open| open.ends_at),
            _ => None,
        })
    };
    world.now += 50_000;
    let ends_at = world.now + 120_000;
    assert_eq!(told(&mut world, "120"), Some(Some(ends_at)));
    while world.now < ends_at - 1 {
        world.now = (world.now + 15_000).min(ends_at - 1);
        world.handle(Event::Alarm { pings: Vec::new() });
        assert!(world.room.breakouts.is_open());
    }
    assert_eq!(told(&mut world, "null"), Some(None));
    assert_eq!(told(&mut world, "10"), Some(Some(world.now + 10_000)));
    world.now += 10_000;
    let over = world.handle(Event::Alarm { pings: Vec::new() });
    assert!(happened(&over).contains(&RoomEvent::Breakouts { breakouts: None }));
    assert!(!world.room.breakouts.is_open());
}

#[test]
fn a_node_that_knows_no_breakouts_is_sought_after_twice_as_long_each_time() {
    let (mut world, ada, _) = meeting(&[]);
    let link = with_media(&mut world, &[&ada]);
    world.say(&ada, &automatic(&["Red"]));
    let mut waits = Vec::new();
    let opens = |world: &mut World| {
        let epoch = world.room.info.epoch;
        let link = NodeLink {
            epoch,
            ..link.clone()
        };
        relink(world, &link, Vec::new(), BREAKOUTS - 1)
    };
    for _ in 0..5 {
        opens(&mut world);
        world.say(&ada, r#"{"type":"typing"}"#);
        let at = world.now;
        again(&mut world);
        waits.push((world.now - at) / 1_000);
        world.find("ada", "n1");
    }
    assert_eq!(waits, [1, 2, 4, 8, 16]);
    opens(&mut world);
    // Without them, it will do.
    assert!(sought(&world.say(&ada, CLOSE)).is_some());
}
