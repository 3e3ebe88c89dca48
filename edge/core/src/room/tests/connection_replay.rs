//! What was told of a connection: whoever follows the events knows what a snapshot says, and no silence is forgotten.

use proptest::prelude::*;
use protocol::client::Connection;
use protocol::node::NodeToRoom;

use super::connection::{connected, heard, is_gone, over, silent, told};
use super::{Event, OFFER, Room, World, id, token};
use crate::room::record::Record;

/// What happens to Ada, her node and her room.
#[derive(Debug, Clone, Copy)]
enum Step {
    Offers,
    NodeSays(fn(u32) -> NodeToRoom),
    SocketBreaks,
    Resumes,
    Waits { is_pinging: bool },
    RoomRestarts,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Offers),
        Just(Step::NodeSays(connected)),
        Just(Step::NodeSays(silent)),
        Just(Step::NodeSays(heard)),
        Just(Step::NodeSays(over)),
        Just(Step::SocketBreaks),
        Just(Step::Resumes),
        any::<bool>().prop_map(|is_pinging| Step::Waits { is_pinging }),
        Just(Step::RoomRestarts),
    ]
}

proptest! {
    /// Who follows the events knows what a snapshot says, and nothing is due twice or forgotten.
    #[test]
    fn snapshot_and_events_agree_and_every_silence_ends(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        let mut ada = world.enter("ada");
        let link = world.place("ada", "n1");
        let mut attempt = 1;
        let mut followed = Connection::Connected;
        for step in steps {
            world.now += 700;
            let effects = match step {
                Step::Offers => {
                    attempt += 1;
                    world.say(&ada, &OFFER.replace(":1,", &format!(":{attempt},")))
                }
                Step::NodeSays(message) => world.node_says(&link, message(attempt)),
                Step::SocketBreaks => world.handle(Event::ClientClosed { client: ada.clone() }),
                Step::Resumes => match world.open(token("ada", ada.connection), None) {
                    Ok((client, effects)) => {
                        ada = client;
                        effects
                    }
                    Err(_) => Vec::new(),
                },
                Step::Waits { is_pinging } => match world.room.deadline() {
                    Some(_) if is_pinging => world.wait_pinging(&ada),
                    Some(_) => world.wait(),
                    None => Vec::new(),
                },
                Step::RoomRestarts => {
                    let living = [ada.clone()];
                    let links = [link.clone()];
                    let restored = Room::restore(world.stored.clone(), &living, &links, world.now);
                    let (room, effects) = restored.expect("a room is stored");
                    world.room = room;
                    effects
                }
            };
            world.store(&effects);
            for connection in told(&effects) {
                prop_assert_ne!(connection, followed, "told twice");
                followed = connection;
            }
            let Some(person) = world.room.people.get(&id("ada")) else {
                prop_assert!(is_gone(&effects));
                return Ok(());
            };
            prop_assert_eq!(person.view().connection, followed);
            let kept = |record: &Record| matches!(record, Record::Person(kept) if kept == person);
            prop_assert!(world.stored.records.iter().any(kept), "not stored");
            // Who is not told to be connected has an end, or a next look, ahead.
            let due = world.room.deadline();
            prop_assert!(followed == Connection::Connected || due.is_some());
        }
    }
}
