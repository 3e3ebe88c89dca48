//! Guests: they come where the room lets them, and go on as an account without leaving.

use proptest::prelude::*;
use protocol::client::{ErrorCode, Role, RoomEvent};
use protocol::id::UserId;

use super::{Client, Room, World, admission, error, happened, id, token};
use crate::room::NoTicket;

const FORBID: &str = r#"{"type":"configure","change":{"guests":false}}"#;
const MUTE: &str = r#"{"type":"setCaps","participant":"guest1","caps":{"audio":false,"video":true,"screen":true,"maxLayer":null,"maxBitrate":null}}"#;

fn take(name: &str) -> String {
    format!(r#"{{"type":"takeAccount","token":"token of {name}"}}"#)
}

fn chat(nonce: &str) -> String {
    format!(r#"{{"type":"chat","nonce":"{nonce}","text":"hello"}}"#)
}

fn user_of(world: &World, name: &str) -> UserId {
    world.room.people[&id(name)].user.clone()
}

/// What the room is for whoever comes next.
fn whole(room: &Room) -> String {
    let chat = room.chat.history(&room.reader(&id("ada")));
    format!(
        "{:?} {:?} {:?} {:?}",
        room.info, room.people, room.rulings, chat
    )
}

fn restored(world: &World, clients: &[Client]) -> Room {
    let restored = Room::restore(world.stored.clone(), clients, &[], world.now);
    restored.expect("a room is stored").0
}

#[test]
fn a_room_may_be_closed_to_guests_and_who_is_inside_stays() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.enter("guest1");
    assert_eq!(world.room.people[&id("guest1")].role, Role::Guest);
    assert!(world.room.door().guests);
    world.say(&ada, FORBID);
    let refused = Err(NoTicket::NoGuests);
    assert_eq!(world.room.may_be_guest(), Err(NoTicket::NoGuests));
    let next = admission("guest2", "guest2");
    assert_eq!(world.room.may_join(&next, world.now), refused);
    assert_eq!(world.room.may_join(&admission("bob", "bob"), 0), Ok(None));
    assert!(world.room.people.contains_key(&id("guest1")));
    assert!(world.open(token("guest1", 1), Some(0)).is_ok());
    assert!(!restored(&world, &[]).door().guests);
}

#[test]
fn who_is_ruled_on_stays_who_they_were() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let guests = ["guest1", "guest2", "guest3"].map(|name| world.enter(name).participant);
    let guests = guests.map(|guest| world.room.people[&guest].user.clone());
    assert_eq!(world.room.stays_guest(&guests, world.now), None);
    let mute = r#"{"type":"setCaps","participant":"guest3","caps":{"audio":false}}"#;
    world.say(&ada, mute);
    assert_eq!(world.room.stays_guest(&guests, world.now), Some(&guests[2]));
    world.say(&ada, r#"{"type":"ban","participant":"guest2"}"#);
    assert_eq!(world.room.stays_guest(&guests, world.now), Some(&guests[1]));
    assert_eq!(world.room.stays_guest(&guests[..1], world.now), None);
}

#[test]
fn a_guest_goes_on_as_an_account_with_all_that_was_theirs() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let guest = world.enter("guest1");
    world.admit_with("guest1b", "guest1", None);
    world.say(&guest, &chat("n1"));
    world.say(&ada, MUTE);
    let effects = world.say(&guest, &take("bob"));
    let events = happened(&effects);
    assert_eq!(
        events[0],
        RoomEvent::Account {
            participant: id("guest1"),
            user: id("bob"),
            name: "bob".into()
        }
    );
    assert!(events.iter().any(|event| matches!(
        event,
        RoomEvent::Role {
            role: Role::Speaker,
            ..
        }
    )));
    // The other page of the same guest, too.
    assert_eq!(user_of(&world, "guest1b"), id("bob"));
    // Muted as before, now and when the account comes anew.
    assert!(!world.room.people[&id("guest1")].caps.audio);
    world.enter("bob");
    assert!(!world.room.people[&id("bob")].caps.audio);
    // The same line again is the same line.
    assert_eq!(happened(&world.say(&guest, &chat("n1"))), []);
    assert_eq!(
        world.room.chat.history(&world.room.reader(&id("bob")))[0].user,
        Some(id("bob"))
    );
    // After a restart it is so still, and the resume token is good as before.
    let clients = [ada, guest, world.room.people[&id("bob")].client()];
    world.room = restored(&world, &clients);
    assert_eq!(user_of(&world, "guest1"), id("bob"));
    let (guest, _) = world.open(token("guest1", 1), Some(0)).expect("as before");
    // Taken once, there is nothing more to take.
    let again = world.say(&guest, &take("bob"));
    assert_eq!(error(&again), Some(ErrorCode::Forbidden));
}

#[test]
fn a_raised_hand_a_wish_and_a_vote_are_the_accounts() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let guest = world.enter("guest1");
    let draft =
        r#"{"question":"?","options":["a","b"],"multiple":false,"anonymous":false,"shows":"live"}"#;
    world.say(
        &ada,
        &format!(r#"{{"type":"createPoll","nonce":"p","draft":{draft}}}"#),
    );
    world.say(&ada, r#"{"type":"configure","change":{"kind":"webinar"}}"#);
    world.say(&guest, r#"{"type":"vote","poll":1,"choices":[1]}"#);
    world.say(&guest, r#"{"type":"raiseHand"}"#);
    world.say(&guest, r#"{"type":"askToSpeak","on":true}"#);
    world.say(&guest, &take("bob"));
    world.room = restored(&world, &[ada, guest]);
    assert_eq!(user_of(&world, "guest1"), id("bob"));
    let own = [world.room.hands(), world.room.wishes()];
    assert_eq!(own, [vec![id("guest1")], vec![id("guest1")]]);
    let votes = world.room.polls.votes_of(&id("bob"));
    assert_eq!(votes.len(), 1);
    assert_eq!(votes[0].choices, [1]);
}

#[test]
fn an_account_is_taken_by_a_good_token_and_by_nobody_who_was_removed() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.enter("bob");
    world.say(&ada, r#"{"type":"remove","participant":"bob"}"#);
    let guest = world.enter("guest1");
    for bad in [
        take("bob"),
        r#"{"type":"takeAccount","token":"forged"}"#.into(),
    ] {
        let effects = world.say(&guest, &bad);
        assert_eq!(error(&effects), Some(ErrorCode::Forbidden), "{bad}");
        assert_eq!(happened(&effects), []);
    }
    assert_eq!(user_of(&world, "guest1"), id("guest1"));
    let effects = world.say(&ada, &take("bob"));
    assert_eq!(error(&effects), Some(ErrorCode::Forbidden));
}

#[test]
fn a_guest_who_is_the_owner_after_all_is_the_host_and_not_muted() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let guest = world.enter("guest1");
    world.say(&ada, MUTE);
    world.say(&guest, &take("ada"));
    let person = &world.room.people[&id("guest1")];
    assert_eq!((person.role, person.caps.audio), (Role::Host, true));
    assert!(world.room.rulings.is_empty());
}

proptest! {
    #[test]
    fn whatever_guests_become_a_restart_changes_nothing(deeds in proptest::collection::vec((0..3_usize, 0..6_usize), 0..30)) {
        let mut world = World::new();
        let people = ["ada", "guest1", "guest2"];
        let clients: Vec<Client> = people.iter().map(|name| world.enter(name)).collect();
        for (who, deed) in deeds {
            let said = match deed {
                0 => take("bob"),
                1 => take("ada"),
                2 => chat(&format!("n{who}")),
                3 => MUTE.to_owned(),
                4 => FORBID.to_owned(),
                _ => r#"{"type":"setRole","participant":"guest1","role":"moderator"}"#.to_owned(),
            };
            world.now += 1_000;
            world.say(&clients[who], &said);
        }
        prop_assert_eq!(whole(&restored(&world, &clients)), whole(&world.room));
    }
}
