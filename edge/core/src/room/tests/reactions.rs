//! Reactions: everybody sees them, nothing of them is stored, and they come so often.

use protocol::client::{ErrorCode, Reaction, ServerMessage};

use super::{Effect, World, error, id};

const CLAP: &str = r#"{"type":"react","reaction":"clap"}"#;

#[test]
fn a_reaction_is_shown_to_all_and_not_stored() {
    let mut world = World::new();
    world.enter("ada");
    let bob = world.enter("bob");
    let seq = world.room.log.seq();
    let effects = world.say(&bob, CLAP);
    let [
        Effect::Broadcast {
            except: None,
            message,
        },
    ] = &effects[..]
    else {
        panic!("it is told, and nothing else is done");
    };
    assert!(
        matches!(message, ServerMessage::Reacted { participant, reaction: Reaction::Clap }
        if *participant == id("bob"))
    );
    assert_eq!(world.room.log.seq(), seq);
    let unknown = world.say(&bob, r#"{"type":"react","reaction":"<b>"}"#);
    assert_eq!(error(&unknown), Some(ErrorCode::Malformed));
}

#[test]
fn reactions_come_so_often_and_no_more() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let refused = (0..20).find_map(|turn| error(&world.say(&ada, CLAP)).map(|code| (turn, code)));
    assert_eq!(refused, Some((10, ErrorCode::RateLimited)));
    world.now += 1_000;
    assert_eq!(error(&world.say(&ada, CLAP)), None);
}

#[test]
fn a_room_shows_so_many_reactions_of_all_and_no_more() {
    let mut world = World::new();
    let people: Vec<_> = (0..20).map(|n| world.enter(&format!("p{n}"))).collect();
    let clap_all = |world: &mut World| -> Vec<Option<ErrorCode>> {
        let said = people.iter().flat_map(|person| [person; 5]);
        said.map(|person| error(&world.say(person, CLAP))).collect()
    };
    let limited = Some(ErrorCode::RateLimited);
    let told = clap_all(&mut world);
    assert_eq!(told.iter().filter(|error| error.is_none()).count(), 50);
    assert_eq!(told.last(), Some(&limited), "who is refused is told so");
    world.now += 1_000;
    let told = clap_all(&mut world);
    assert_eq!(told.iter().filter(|error| error.is_none()).count(), 10);
}
