//! Settings: the host changes what is named, everybody is told, and a restart forgets nothing.

use protocol::client::{Audience, MAX_CHAT_LINES, RoomEvent, RoomKind, Settings, SettingsChange};

use super::{Room, World, happened};
use crate::room::check_settings;

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

#[test]
fn what_a_new_room_cannot_be_is_told_by_its_field() {
    let change = SettingsChange {
        chat_days: Some(0),
        chat_lines: Some(MAX_CHAT_LINES + 1),
        opens_at: Some(u64::MAX),
        ..SettingsChange::default()
    };
    let faults = check_settings(&change);
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "settings.chatDays",
            "settings.chatLines",
            "settings.opensAt"
        ]
    );
    assert_eq!(check_settings(&SettingsChange::default()), []);
}
