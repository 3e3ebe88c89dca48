//! Settings: the host changes what is named, everybody is told, and a restart forgets nothing.

use protocol::client::{Audience, RoomEvent, RoomKind, Settings};

use super::{Room, World, happened};

const CHANGE: &str = r#"{"type":"configure","change":{"share":"moderators"}}"#;

#[test]
fn what_is_not_named_stays_as_it_is() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.say(&ada, r#"{"type":"configure","change":{"kind":"webinar"}}"#);
    let effects = world.say(&ada, CHANGE);
    let settings = Settings {
        kind: RoomKind::Webinar,
        share: Audience::Moderators,
        ..Settings::default()
    };
    let told = RoomEvent::Settings {
        settings: settings.clone(),
    };
    assert_eq!(happened(&effects)[0], told);
    // The same again is no news.
    assert_eq!(happened(&world.say(&ada, CHANGE)), []);
    let restored = Room::restore(world.stored.clone(), &[ada], &[], world.now);
    assert_eq!(
        restored.expect("a room is stored").0.info.settings,
        settings
    );
}
