//! What the owner has done through the API: the deeds, whom they spare, how often, and what of it is noted; and who comes by a
//! token of theirs.

use protocol::client::{CloseReason, Deed, LeaveReason, Noted, Role, RoomEvent, ServerMessage};
use protocol::client::{RoomKind, SettingsChange};
use protocol::developer::{MAX_DATA_BYTES, Moderation, SendDataRequest};

use super::{Admission, Effect, Event, World, admission, happened, id, ticket};
use crate::room::{Command, NoCommand, NoTicket};

impl World {
    fn command(&mut self, command: Command) -> Result<Vec<Effect>, NoCommand> {
        self.room.may_be_commanded(&command, self.now)?;
        Ok(self.handle(Event::Commanded {
            by: "Backend".into(),
            command,
        }))
    }

    fn moderate(&mut self, moderation: Moderation) -> Result<Vec<Effect>, NoCommand> {
        self.command(Command::Moderate(moderation))
    }

    fn admit_as(&mut self, name: &str, granted: Option<Role>) -> Result<(), NoTicket> {
        let admission = || Admission {
            guest: true,
            granted,
            ..admission(name, name)
        };
        self.room.may_join(&admission(), self.now)?;
        self.handle(Event::Admitted(admission()));
        Ok(())
    }

    fn role_of(&self, name: &str) -> Option<Role> {
        Some(self.room.people.get(&id(name))?.role)
    }
}

fn noted(effects: &[Effect]) -> Vec<Noted> {
    let noted = |effect: &Effect| match effect {
        Effect::Note(noted) => Some(noted.clone()),
        _ => None,
    };
    effects.iter().filter_map(noted).collect()
}

fn closed(effects: &[Effect]) -> Vec<CloseReason> {
    let closed = |effect: &Effect| match effect {
        Effect::Send {
            message: ServerMessage::Closed { reason },
            ..
        } => Some(*reason),
        _ => None,
    };
    effects.iter().filter_map(closed).collect()
}

fn bob() -> protocol::id::ParticipantId {
    id("bob")
}

#[test]
fn a_mute_holds_until_it_is_lifted_and_is_noted_under_the_keys_name() {
    let mut world = World::new();
    world.enter("ada");
    world.enter("bob");
    let participant = bob();
    let effects = world.moderate(Moderation::Mute { participant }).unwrap();
    let [noted] = noted(&effects).try_into().unwrap();
    assert_eq!(
        (noted.by.name.as_str(), noted.by.user, noted.by.participant),
        ("Backend", id("ada"), None)
    );
    assert_eq!(noted.on.unwrap().name, "bob");
    assert!(!world.room.people[&bob()].caps.audio);
    let again = world.moderate(Moderation::Mute { participant: bob() });
    assert!(
        self::noted(&again.unwrap()).is_empty(),
        "it is no other deed"
    );
    world
        .moderate(Moderation::Unmute { participant: bob() })
        .unwrap();
    assert!(world.room.people[&bob()].caps.audio);
}

#[test]
fn who_is_removed_or_banned_is_out_and_the_owner_is_spared() {
    let mut world = World::new();
    world.enter("ada");
    world.enter("bob");
    for (moderation, error) in [
        (
            Moderation::Remove {
                participant: id("nobody"),
            },
            NoCommand::Nobody,
        ),
        (
            Moderation::Mute {
                participant: id("nobody"),
            },
            NoCommand::Nobody,
        ),
        (
            Moderation::Remove {
                participant: id("ada"),
            },
            NoCommand::Owner,
        ),
        (
            Moderation::Ban {
                participant: id("ada"),
            },
            NoCommand::Owner,
        ),
    ] {
        assert_eq!(world.moderate(moderation).err(), Some(error));
    }
    let removed = world.moderate(Moderation::Remove { participant: bob() });
    assert_eq!(closed(&removed.unwrap()), [CloseReason::Removed]);
    let join = admission("bob2", "bob");
    assert!(matches!(
        world.room.may_join(&join, world.now),
        Err(NoTicket::Removed { .. })
    ));
    world
        .moderate(Moderation::Unban { user: id("bob") })
        .unwrap();
    world.enter("bob");
    let banned = world.moderate(Moderation::Ban { participant: bob() });
    assert_eq!(noted(&banned.unwrap())[0].deed, Deed::Banned);
    assert_eq!(world.room.may_join(&join, world.now), Err(NoTicket::Banned));
}

#[test]
fn a_call_that_is_ended_is_over_for_all_and_the_room_stays() {
    let mut world = World::new();
    world.enter("ada");
    world.enter("bob");
    world.admit("eve");
    let ended = world.moderate(Moderation::End).unwrap();
    assert_eq!(closed(&ended), [CloseReason::Ended, CloseReason::Ended]);
    assert_eq!(noted(&ended)[0].deed, Deed::Ended);
    let left = |event: &RoomEvent| matches!(event, RoomEvent::Left { reason, .. } if *reason == LeaveReason::RoomClosed);
    assert_eq!(
        happened(&ended).iter().filter(|event| left(event)).count(),
        2
    );
    assert!(world.room.people.is_empty() && !world.room.is_gone());
    assert!(
        world.open(ticket("eve"), None).is_err(),
        "tickets of before are over, too"
    );
    world.moderate(Moderation::Lock).unwrap();
    assert_eq!(
        world.room.may_join(&admission("bob", "bob"), 0),
        Err(NoTicket::Locked)
    );
    world.moderate(Moderation::Unlock).unwrap();
    world.enter("bob");
}

#[test]
fn data_goes_to_all_or_to_one_and_not_without_end() {
    let mut world = World::new();
    world.enter("ada");
    let client = world.enter("bob");
    let data = |text: &str, to: Option<&str>| {
        Command::SendData(SendDataRequest {
            data: text.into(),
            to: to.map(id),
        })
    };
    let all = world.command(data("x", None)).unwrap();
    assert!(matches!(
        all.as_slice(),
        [Effect::Broadcast { except: None, message: ServerMessage::Data { data } }] if data == "x"
    ));
    let one = world.command(data("y", Some("bob"))).unwrap();
    assert!(matches!(
        one.as_slice(),
        [Effect::Send { client: to, message: ServerMessage::Data { data } }] if *to == client && data == "y"
    ));
    let long = "x".repeat(MAX_DATA_BYTES);
    for (command, error) in [
        (data("", None), NoCommand::Size),
        (data(&format!("{long}x"), None), NoCommand::Size),
        (data("x", Some("eve")), NoCommand::Nobody),
    ] {
        assert_eq!(world.command(command).err(), Some(error));
    }
    for _ in 0..16 {
        if let Err(refused) = world.command(data(&long, None)) {
            assert!(matches!(refused, NoCommand::TooMuch { wait } if wait > 0));
        }
    }
    let refused = world.command(data(&long, None)).err();
    let Some(NoCommand::TooMuch { wait }) = refused else {
        panic!("{refused:?}");
    };
    world.now += wait;
    world.command(data(&long, None)).unwrap();
    world.now += 100_000;
    world.handle(Event::ClientClosed { client });
    let away = world.command(data("x", Some("bob"))).err();
    assert_eq!(away, Some(NoCommand::Away));
}

#[test]
fn a_change_of_the_settings_is_noted_once() {
    let mut world = World::new();
    let change = SettingsChange {
        lobby: Some(true),
        ..SettingsChange::default()
    };
    let effects = world.command(Command::Configure(change.clone())).unwrap();
    assert!(
        matches!(&noted(&effects)[0].deed, Deed::Settings { changed } if changed["lobby"] == "true")
    );
    assert!(world.room.settings().lobby);
    let again = world.command(Command::Configure(change)).unwrap();
    assert!(again.is_empty());
}

#[test]
fn who_comes_by_a_token_is_what_it_says_until_a_ruling_says_otherwise() {
    for (kind, granted, expected) in [
        (RoomKind::Meeting, None, Role::Guest),
        (RoomKind::Meeting, Some(Role::Viewer), Role::Viewer),
        (RoomKind::Meeting, Some(Role::Speaker), Role::Speaker),
        (RoomKind::Meeting, Some(Role::Moderator), Role::Moderator),
        (RoomKind::Meeting, Some(Role::Host), Role::Host),
        (RoomKind::Webinar, None, Role::Viewer),
        (RoomKind::Webinar, Some(Role::Speaker), Role::Speaker),
    ] {
        let mut world = World::new();
        let change = SettingsChange {
            kind: Some(kind),
            ..SettingsChange::default()
        };
        world.command(Command::Configure(change)).unwrap();
        world.admit_as("gil", granted).unwrap();
        assert_eq!(world.role_of("gil"), Some(expected), "{kind:?} {granted:?}");
        let host = world.enter("ada");
        world.open(ticket("gil"), None).unwrap();
        world.say(
            &host,
            r#"{"type":"setRole","participant":"gil","role":"viewer"}"#,
        );
        assert_eq!(world.role_of("gil"), Some(Role::Viewer), "{granted:?}");
    }
}

#[test]
fn a_token_stands_for_account_and_password_and_that_of_a_keeper_for_the_lobby() {
    let mut world = World::new();
    let change = SettingsChange {
        guests: Some(false),
        ..SettingsChange::default()
    };
    world.command(Command::Configure(change)).unwrap();
    assert_eq!(world.admit_as("gil", None), Err(NoTicket::NoGuests));
    assert_eq!(world.admit_as("gil", Some(Role::Guest)), Ok(()));
    world.room.info.password = Some("hash".into());
    let asked = |world: &World, guest, granted| {
        let join = Admission {
            guest,
            granted,
            ..admission("eve", "eve")
        };
        world.room.may_join(&join, 0).map(|hash| hash.is_some())
    };
    assert_eq!(asked(&world, false, None), Ok(true));
    assert_eq!(asked(&world, true, Some(Role::Guest)), Ok(false));
    // What somebody is in every room, by the word of who vouches for them, lets them into none.
    assert_eq!(asked(&world, false, Some(Role::Speaker)), Ok(true));
    let change = SettingsChange {
        lobby: Some(true),
        ..SettingsChange::default()
    };
    world.command(Command::Configure(change)).unwrap();
    world.admit_as("guest", Some(Role::Guest)).unwrap();
    world.admit_as("keeper", Some(Role::Moderator)).unwrap();
    assert!(world.room.is_outside(&id("guest")) && !world.room.is_outside(&id("keeper")));
}
