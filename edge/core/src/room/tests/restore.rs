//! Restoring: a room never loses what it stored, whatever has happened.

use proptest::prelude::*;

use super::{Client, Event, NodeLink, Room, World, happened, id, ticket, token};
use crate::room::Search;

#[derive(Debug, Clone)]
enum Step {
    Enter(u8),
    Close(u8),
    Resume(u8),
    Chat(u8, u8, Option<u8>),
    ChangeLine(u8, u64, u8),
    Leave(u8),
    Place,
    NoPlace,
    NodeDies,
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0u8..4;
    prop_oneof![
        who.clone().prop_map(Step::Enter),
        who.clone().prop_map(Step::Close),
        who.clone().prop_map(Step::Resume),
        (who.clone(), 0u8..6, proptest::option::of(who.clone()))
            .prop_map(|(who, nonce, to)| Step::Chat(who, nonce, to)),
        (who.clone(), 0u64..6, 0u8..4)
            .prop_map(|(who, line, change)| Step::ChangeLine(who, line, change)),
        who.prop_map(Step::Leave),
        Just(Step::Place),
        Just(Step::NoPlace),
        Just(Step::NodeDies),
        Just(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever happens, the room that is restored from what was stored is the room that stored it.
    #[test]
    fn what_is_stored_is_the_room(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        let mut clients: std::collections::BTreeMap<u8, Client> = Default::default();
        let mut link = None;
        for (turn, step) in steps.into_iter().enumerate() {
            world.now += 10;
            match step {
                Step::Enter(who) => {
                    let name = format!("p{who}-{turn}");
                    world.admit_with(&name, &format!("p{who}"), None);
                    // One user may be here only so often.
                    if let Ok((client, _)) = world.open(ticket(&name), None) {
                        clients.insert(who, client);
                    }
                }
                Step::Close(who) => if let Some(client) = clients.get(&who).cloned() {
                    world.handle(Event::ClientClosed { client });
                },
                Step::Resume(who) => if let Some(client) = clients.get_mut(&who) {
                    let token = token(client.participant.as_str(), client.connection);
                    if let Ok((resumed, _)) = world.open(token, Some(0)) {
                        *client = resumed;
                    }
                },
                Step::Chat(who, nonce, to) => if let Some(client) = clients.get(&who).cloned() {
                    let to = to.map_or(String::new(), |to| format!(r#","to":"p{to}""#));
                    world.say(&client, &format!(r#"{{"type":"chat","nonce":"{nonce}","text":"x"{to}}}"#));
                },
                Step::ChangeLine(who, line, change) => if let Some(client) = clients.get(&who).cloned() {
                    let change = match change {
                        0 => format!(r#""editChat","text":"{turn}""#),
                        1 => r#""deleteChat""#.to_owned(),
                        change => format!(r#""reactToChat","reaction":"heart","on":{}"#, change == 2),
                    };
                    let said = world.say(&client, &format!(r#"{{"id":"{line}","type":{change}}}"#));
                    prop_assert!(happened(&said).len() <= 1);
                },
                Step::Leave(who) => if let Some(client) = clients.remove(&who) {
                    world.say(&client, r#"{"type":"leave"}"#);
                },
                Step::Place => if let Some(Search { participant, epoch, .. }) = world.room.seeking.clone() {
                    world.handle(Event::Found { participant, epoch, place: Some((id("n1"), id("eu"))) });
                    if world.room.expect_node(&id("n1"), epoch).is_ok() {
                        link = Some(world.link("n1", epoch));
                    }
                },
                Step::NoPlace => if let Some(Search { participant, epoch, .. }) = world.room.seeking.clone() {
                    world.handle(Event::Found { participant, epoch, place: None });
                },
                Step::NodeDies => if let Some(link) = link.take() {
                    world.handle(Event::NodeClosed { link });
                },
                Step::Wait => if world.room.deadline().is_some() {
                    world.wait();
                    let now = world.now;
                    prop_assert!(world.room.deadline().is_none_or(|next| next > now), "it is due again");
                },
            }
            let mut stored = world.stored.clone();
            stored.records.sort_by_key(|record| { let key = record.key(); (key.kind, key.name) });
            let living: Vec<Client> = world.room.people.values()
                .map(|person| Client { participant: person.id.clone(), connection: person.connection })
                .collect();
            let links: Vec<NodeLink> = world.room.nodes.values()
                .map(|host| NodeLink { node: host.node.clone(), epoch: host.epoch, link: host.link })
                .collect();
            let (restored, effects) = Room::restore(stored, &living, &links, world.now)
                .expect("a room is stored");
            prop_assert!(effects.is_empty());
            prop_assert_eq!(restored.owed, world.room.owed);
            prop_assert_eq!(&restored.info, &world.room.info);
            prop_assert_eq!(&restored.people, &world.room.people);
            prop_assert_eq!(&restored.nodes, &world.room.nodes);
            prop_assert_eq!(restored.log.seq(), world.room.log.seq());
            prop_assert_eq!(&restored.polls, &world.room.polls);
            for user in (0..4).map(|who| id(&format!("p{who}"))) {
                prop_assert_eq!(restored.chat.history(&user), world.room.chat.history(&user));
            }
            for seq in 0..=world.room.log.seq() {
                prop_assert_eq!(restored.log.since(seq), world.room.log.since(seq));
            }
        }
    }
}
