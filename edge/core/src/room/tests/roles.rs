//! Roles: one table says who may do what, who is what follows from the room and its rulings, and a room that is left by its
//! host falls to the next.

use std::fmt::Write as _;
use std::fs;

use proptest::prelude::*;
use protocol::client::{
    Audience, ErrorCode, Role, RoomEvent, RoomKind, ServerMessage, SettingsChange,
};
use protocol::media::Caps;
use protocol::node::RoomToNode;

use super::{Client, Effect, Event, OFFER, Room, World, error, happened, id, ticket};
use crate::room::roles::Right;

const ROLES: [Role; 5] = [
    Role::Host,
    Role::Moderator,
    Role::Speaker,
    Role::Guest,
    Role::Viewer,
];
const RIGHTS: [Right; 14] = [
    Right::Speak,
    Right::ShowCamera,
    Right::ShareScreen,
    Right::Chat,
    Right::WriteNotes,
    Right::FeedCaptions,
    Right::Vote,
    Right::RaiseHand,
    Right::React,
    Right::HoldPolls,
    Right::HoldBreakouts,
    Right::Moderate,
    Right::Configure,
    Right::ReadAudit,
];
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/roles.md");

/// The table as `docs/roles.md` shows it; `UPDATE_ROLES=1` writes it there.
#[test]
fn who_may_do_what_is_as_the_documentation_says() {
    let mut table = String::from(
        "| | host | moderator | speaker | guest | viewer |\n|---|---|---|---|---|---|\n",
    );
    for right in RIGHTS {
        write!(table, "| {} |", words(right)).unwrap();
        for role in ROLES {
            let mark = if right.is_of(role) { " yes |" } else { " |" };
            table.push_str(mark);
        }
        table.push('\n');
    }
    println!("{table}");
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let (before, rest) = document.split_once("<!-- table -->\n").unwrap();
    let (shown, after) = rest.split_once("<!-- end -->").unwrap();
    if std::env::var_os("UPDATE_ROLES").is_some() {
        let fresh = format!("{before}<!-- table -->\n{table}<!-- end -->{after}");
        return fs::write(DOCUMENT, fresh).unwrap();
    }
    assert_eq!(shown, table, "UPDATE_ROLES=1 cargo test -p edge-core roles");
}

fn words(right: Right) -> &'static str {
    match right {
        Right::Speak => "be heard",
        Right::ShowCamera => "be seen",
        Right::ShareScreen => "share a screen",
        Right::Chat => "write in the chat",
        Right::WriteNotes => "write in the shared notes",
        Right::FeedCaptions => "feed captions",
        Right::Vote => "vote in polls",
        Right::RaiseHand => "raise a hand",
        Right::React => "show a reaction",
        Right::HoldPolls => "make, close and delete polls",
        Right::HoldBreakouts => "hold breakout rooms, go into any",
        Right::Moderate => "mute, stop, send out, bring on stage",
        Right::Configure => "make moderators, change the settings",
        Right::ReadAudit => "read what moderators did",
    }
}

fn role_of(world: &World, name: &str) -> Role {
    world.room.people[&id(name)].role
}

fn caps_of(world: &World, name: &str) -> Caps {
    world.room.people[&id(name)].caps
}

fn set_role(name: &str, role: &str) -> String {
    format!(r#"{{"type":"setRole","participant":"{name}","role":"{role}"}}"#)
}

fn leave(world: &mut World, client: &Client) {
    world.say(client, r#"{"type":"leave"}"#);
}

fn configure(world: &mut World, host: &Client, change: &SettingsChange) {
    let change = serde_json::to_string(change).unwrap();
    let text = format!(r#"{{"type":"configure","change":{change}}}"#);
    assert_eq!(error(&world.say(host, &text)), None);
}

#[test]
fn who_comes_is_what_the_room_makes_of_them() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.enter("bob");
    world.enter("guest-1");
    let roles = |world: &World| ["ada", "bob", "guest-1"].map(|name| role_of(world, name));
    assert_eq!(roles(&world), [Role::Host, Role::Speaker, Role::Guest]);
    let kind = Some(RoomKind::Webinar);
    configure(
        &mut world,
        &ada,
        &SettingsChange {
            kind,
            ..Default::default()
        },
    );
    assert_eq!(roles(&world), [Role::Host, Role::Viewer, Role::Viewer]);
    let nothing = Caps {
        audio: false,
        video: false,
        screen: false,
        captions: false,
        ..Caps::default()
    };
    assert_eq!(caps_of(&world, "bob"), nothing);
    let watches =
        |world: &World| ["ada", "bob"].map(|user| world.room.details(&id(user), None).watches);
    assert_eq!(watches(&world), [false, true]);
    // On stage and back, without coming anew.
    let effects = world.say(&ada, &set_role("bob", "speaker"));
    let (participant, role, caps) = (id("bob"), Role::Speaker, Caps::default());
    let told = [
        RoomEvent::Role { participant, role },
        RoomEvent::Caps {
            participant: id("bob"),
            caps,
        },
    ];
    assert_eq!(happened(&effects), told);
    assert_eq!(watches(&world), [false, false]);
    world.say(&ada, &set_role("bob", "viewer"));
    assert_eq!(caps_of(&world, "bob"), nothing);
}

#[test]
fn roles_are_given_by_who_has_more() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let bob = world.enter("bob");
    world.enter("eve");
    let refused = |effects: &[_]| error(effects) == Some(ErrorCode::Forbidden);
    assert!(refused(&world.say(&bob, &set_role("eve", "viewer"))));
    for role in ["host", "guest"] {
        assert!(refused(&world.say(&ada, &set_role("eve", role))), "{role}");
    }
    assert!(refused(&world.say(&ada, &set_role("ada", "speaker"))));
    world.say(&ada, &set_role("bob", "moderator"));
    assert_eq!(role_of(&world, "bob"), Role::Moderator);
    assert!(refused(&world.say(&bob, &set_role("eve", "moderator"))));
    assert_eq!(error(&world.say(&bob, &set_role("eve", "viewer"))), None);
    // Nobody rules on those who are as much.
    let mute_ada = r#"{"type":"setCaps","participant":"ada","caps":{"audio":false,"video":true}}"#;
    assert!(refused(&world.say(&bob, mute_ada)));
    let configure = r#"{"type":"configure","change":{"kind":"webinar"}}"#;
    assert!(refused(&world.say(&bob, configure)));
}

#[test]
fn a_room_falls_to_the_oldest_moderator_and_then_to_the_oldest_speaker() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.now += 1;
    world.enter("guest-1");
    world.now += 1;
    let bob = world.enter("bob");
    world.now += 1;
    let eve = world.enter("eve");
    world.say(&ada, &set_role("eve", "moderator"));
    leave(&mut world, &ada);
    assert_eq!(role_of(&world, "eve"), Role::Host);
    leave(&mut world, &eve);
    assert_eq!(role_of(&world, "bob"), Role::Host);
    // The owner has it back as soon as they come.
    let ada = world.enter("ada");
    assert_eq!(role_of(&world, "ada"), Role::Host);
    assert_eq!(role_of(&world, "bob"), Role::Speaker);
    leave(&mut world, &ada);
    leave(&mut world, &bob);
    assert_eq!(
        role_of(&world, "guest-1"),
        Role::Guest,
        "a guest decides about nothing"
    );
}

#[test]
fn a_host_who_is_lost_hands_over_when_they_are_gone_with_what_is_at_the_door() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.enter("bob");
    world.say(&ada, r#"{"type":"configure","change":{"lobby":true}}"#);
    world.admit("cy");
    world.open(ticket("cy"), None).expect("a place at the door");
    world.handle(Event::ClientClosed { client: ada });
    assert_eq!(role_of(&world, "bob"), Role::Speaker, "she may come back");
    let mut effects = Vec::new();
    while world.room.people.contains_key(&id("ada")) {
        effects = world.wait();
    }
    assert_eq!(role_of(&world, "bob"), Role::Host);
    let knocks = |effect: &Effect| {
        matches!(effect, Effect::Send { client, message: ServerMessage::Knocking { people } }
            if client.participant == id("bob") && people.len() == 1)
    };
    assert!(effects.iter().any(knocks), "the new host sees who waits");
}

#[test]
fn whoever_is_host_on_one_page_is_not_ruled_on_by_another() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let mut enter = |name: &str, user: &str| {
        world.admit_with(name, user, None);
        world
            .open(ticket(name), None)
            .expect("the ticket is good")
            .0
    };
    let eve = enter("eve-1", "eve");
    enter("eve-2", "eve");
    let mallory = enter("mallory", "mallory");
    leave(&mut world, &ada);
    assert_eq!(role_of(&world, "eve-1"), Role::Host);
    world.say(&eve, &set_role("mallory", "moderator"));
    let remove = r#"{"type":"remove","participant":"eve-2"}"#;
    let refused = error(&world.say(&mallory, remove));
    assert_eq!(refused, Some(ErrorCode::Forbidden));
    assert_eq!(role_of(&world, "eve-1"), Role::Host);
}

#[test]
fn a_room_falls_to_nobody_without_an_account() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.enter("guest-1");
    world.say(&ada, &set_role("guest-1", "viewer"));
    world.say(&ada, &set_role("guest-1", "speaker"));
    assert_eq!(role_of(&world, "guest-1"), Role::Guest, "as they came");
    world.say(&ada, &set_role("guest-1", "moderator"));
    leave(&mut world, &ada);
    assert_eq!(role_of(&world, "guest-1"), Role::Moderator);
}

#[test]
fn a_room_that_waits_for_its_owner_has_no_host() {
    let mut world = World::new();
    world.enter("bob");
    assert_eq!(role_of(&world, "bob"), Role::Speaker);
    let ada = world.enter("ada");
    leave(&mut world, &ada);
    assert_eq!(role_of(&world, "bob"), Role::Host);
}

#[test]
fn an_audience_of_moderators_keeps_the_others_quiet() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let bob = world.enter("bob");
    let alone = Some(Audience::Moderators);
    let change = SettingsChange {
        chat: alone,
        share: alone,
        speak: alone,
        ..SettingsChange::default()
    };
    configure(&mut world, &ada, &change);
    let hushed = Caps {
        audio: false,
        screen: false,
        ..Caps::default()
    };
    assert_eq!(caps_of(&world, "bob"), hushed);
    assert_eq!(caps_of(&world, "ada"), Caps::default());
    let line = r#"{"type":"chat","nonce":"1","text":"x"}"#;
    assert_eq!(error(&world.say(&bob, line)), Some(ErrorCode::Forbidden));
    assert_eq!(error(&world.say(&ada, line)), None);
}

/// What a node was told that somebody may send, the last time.
fn told_caps(effects: &[Effect], name: &str) -> Option<Caps> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::Tell {
            message: RoomToNode::Caps { participant, caps },
            ..
        } if *participant == id(name) => Some(*caps),
        _ => None,
    })
}

/// Each of the three settings by itself, for each role: in the room, and at the node that has the media.
#[test]
fn who_may_chat_share_and_speak_is_set_and_holds_by_role_at_the_node_too() {
    let alone = Some(Audience::Moderators);
    let settings = [
        SettingsChange {
            chat: alone,
            ..SettingsChange::default()
        },
        SettingsChange {
            share: alone,
            ..SettingsChange::default()
        },
        SettingsChange {
            captions: alone,
            ..SettingsChange::default()
        },
        SettingsChange {
            speak: alone,
            ..SettingsChange::default()
        },
    ];
    for change in settings {
        let mut world = World::new();
        let names = ["ada", "mia", "bob", "guest1", "vic"];
        let clients = names.map(|name| world.enter(name));
        world.say(&clients[0], &set_role("mia", "moderator"));
        world.say(&clients[0], &set_role("vic", "viewer"));
        world.place("ada", "n1");
        for (name, client) in names.iter().zip(&clients) {
            world.find(name, "n1");
            world.say(client, OFFER);
        }
        let text = serde_json::to_string(&change).unwrap();
        let said = format!(r#"{{"type":"configure","change":{text}}}"#);
        let effects = world.say(&clients[0], &said);
        for (name, client) in names.iter().zip(&clients) {
            let role = role_of(&world, name);
            let keeps_order = role >= Role::Moderator;
            let open = |to: Option<Audience>| keeps_order || to.is_none();
            let sends = role > Role::Viewer;
            let caps = Caps {
                audio: sends && open(change.speak),
                video: sends,
                screen: sends && open(change.share),
                captions: sends && open(change.captions),
                ..Caps::default()
            };
            assert_eq!(caps_of(&world, name), caps, "{name}, {text}");
            let is_news = sends && !keeps_order && change.chat.is_none();
            assert_eq!(
                told_caps(&effects, name),
                is_news.then_some(caps),
                "{name}, {text}"
            );
            let line = format!(r#"{{"type":"chat","nonce":"{name}","text":"x"}}"#);
            let refused = (!open(change.chat)).then_some(ErrorCode::Forbidden);
            assert_eq!(error(&world.say(client, &line)), refused, "{name}, {text}");
            // Nobody is given one by one what the room's setting keeps from them.
            let ask = format!(r#"{{"type":"askToUnmute","participant":"{name}"}}"#);
            let refused = (!caps.audio).then_some(ErrorCode::Forbidden);
            assert_eq!(
                error(&world.say(&clients[0], &ask)),
                refused,
                "{name}, {text}"
            );
        }
    }
}

#[derive(Debug, Clone)]
enum Deed {
    Enter(usize),
    Leave(usize),
    SetRole(usize, usize, usize),
    Kind(usize, bool),
    Restart,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let who = 0..NAMES.len();
    let deed = prop_oneof![
        3 => who.clone().prop_map(Deed::Enter),
        2 => who.clone().prop_map(Deed::Leave),
        3 => (who.clone(), who.clone(), 0..3usize).prop_map(|(by, on, role)| Deed::SetRole(by, on, role)),
        1 => (who, any::<bool>()).prop_map(|(by, webinar)| Deed::Kind(by, webinar)),
        1 => Just(Deed::Restart),
    ];
    proptest::collection::vec(deed, 1..40)
}

const NAMES: [&str; 4] = ["ada", "bob", "eve", "guest-1"];

proptest! {
    /// Whatever was done: a room with its owner has that host alone, no room has two, and a restart changes nobody.
    #[test]
    fn a_room_has_one_host_at_most_and_forgets_no_role(deeds in deeds()) {
        let mut world = World::new();
        let mut here: Vec<Option<Client>> = vec![None; NAMES.len()];
        for deed in deeds {
            world.now += 1_000;
            match deed {
                Deed::Enter(who) if here[who].is_none() => here[who] = Some(world.enter(NAMES[who])),
                Deed::Leave(who) => {
                    if let Some(client) = here[who].take() {
                        leave(&mut world, &client);
                    }
                }
                Deed::SetRole(by, on, role) => {
                    if let Some(client) = here[by].clone() {
                        world.say(&client, &set_role(NAMES[on], ["viewer", "speaker", "moderator"][role]));
                    }
                }
                Deed::Kind(by, webinar) => {
                    if let Some(client) = here[by].clone() {
                        let kind = if webinar { "webinar" } else { "meeting" };
                        world.say(&client, &format!(r#"{{"type":"configure","change":{{"kind":"{kind}"}}}}"#));
                    }
                }
                Deed::Restart => {
                    let before: Vec<_> = world.room.people.values().map(|p| (p.id.clone(), p.role, p.caps)).collect();
                    let clients: Vec<Client> = here.iter().flatten().cloned().collect();
                    let restored = Room::restore(world.stored.clone(), &clients, &[], world.now);
                    world.room = restored.expect("a room is stored").0;
                    world.handle(Event::Alarm { pings: Vec::new() });
                    let after: Vec<_> = world.room.people.values().map(|p| (p.id.clone(), p.role, p.caps)).collect();
                    prop_assert_eq!(before, after);
                }
                Deed::Enter(_) => {}
            }
            let hosts: Vec<_> = world.room.people.values().filter(|p| p.role == Role::Host).collect();
            prop_assert!(hosts.len() <= 1);
            if here[0].is_some() {
                prop_assert_eq!(&hosts[0].id, &id("ada"));
            }
        }
    }
}
