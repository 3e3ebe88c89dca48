//! Restoring: a room never loses what it stored, whatever has happened and whatever its people have done.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use protocol::client::ClientMessage;

use super::audit::types;
use super::{Client, Event, NodeLink, Record, Room, World, admission, id, key, ticket, token};
use crate::room::Search;
use crate::table::Cell;

/// What people do: each message of the protocol, in each way that matters. `@0` to `@3` are the participants of the four who
/// are there, `#` is a small number: an attempt, a line, a poll, a nonce.
const DEEDS: [&str; 73] = [
    r##"{"type":"offer","attempt":#,"sdp":"v=0","sources":[]}"##,
    r##"{"type":"restartIce","attempt":#,"sdp":"v=0"}"##,
    r##"{"type":"publishing","publishing":{"microphone":true,"camera":false,"screen":true,"codec":null}}"##,
    r##"{"type":"chat","nonce":"#","text":"x"}"##,
    r##"{"type":"chat","nonce":"#","text":"x","to":"p1"}"##,
    r##"{"type":"chat","nonce":"#","text":"x","replyTo":"#","mentions":["ada","p2","guest-3"]}"##,
    r##"{"type":"editChat","id":"#","text":"# edited"}"##,
    r##"{"type":"deleteChat","id":"#"}"##,
    r##"{"type":"reactToChat","id":"#","reaction":"heart","on":true}"##,
    r##"{"type":"reactToChat","id":"#","reaction":"heart","on":false}"##,
    r##"{"type":"chatHistory","before":"#","limit":10}"##,
    r##"{"type":"readChat","id":"#"}"##,
    r##"{"type":"typing"}"##,
    r##"{"type":"mediaFailed","attempt":#}"##,
    r##"{"type":"setCaps","participant":"@1","caps":{"audio":false,"maxLayer":1}}"##,
    r##"{"type":"setCaps","participant":"@3","caps":{"audio":true,"video":false}}"##,
    r##"{"type":"turnOff","participant":"@1","source":"microphone"}"##,
    r##"{"type":"askToUnmute","participant":"@1"}"##,
    r##"{"type":"muteAll","mute":"soft"}"##,
    r##"{"type":"muteAll","mute":"hard"}"##,
    r##"{"type":"muteAll","mute":"lifted"}"##,
    r##"{"type":"remove","participant":"@2"}"##,
    r##"{"type":"setRole","participant":"@1","role":"moderator"}"##,
    r##"{"type":"setRole","participant":"@1","role":"speaker"}"##,
    r##"{"type":"setRole","participant":"@3","role":"viewer"}"##,
    r##"{"type":"configure","change":{"kind":"webinar","listed":true,"permanent":true}}"##,
    r##"{"type":"configure","change":{"kind":"meeting","listed":false,"permanent":false}}"##,
    r##"{"type":"configure","change":{"chat":"moderators","share":"moderators","speak":"moderators"}}"##,
    r##"{"type":"configure","change":{"chat":"everybody","share":"everybody","speak":"everybody"}}"##,
    r##"{"type":"configure","change":{"lobby":true,"guests":false}}"##,
    r##"{"type":"configure","change":{"lobby":false,"guests":true,"locked":false,"capacity":0,"opensAt":0}}"##,
    r##"{"type":"configure","change":{"locked":true,"capacity":3,"opensAt":300}}"##,
    r##"{"type":"configure","change":{"chatDays":1,"chatLines":2}}"##,
    r##"{"type":"createPoll","nonce":"#","draft":{"question":"?","options":["a","b"]}}"##,
    r##"{"type":"createPoll","nonce":"#","draft":{"question":"?","options":["a","b"],"multiple":true,"anonymous":true,"shows":"atClosing"}}"##,
    r##"{"type":"vote","poll":#,"choices":[0]}"##,
    r##"{"type":"vote","poll":#,"choices":[1]}"##,
    r##"{"type":"vote","poll":#,"choices":[]}"##,
    r##"{"type":"closePoll","poll":#}"##,
    r##"{"type":"deletePoll","poll":#}"##,
    r##"{"type":"showVotes","poll":#}"##,
    r##"{"type":"raiseHand"}"##,
    r##"{"type":"lowerHand","participant":"@1"}"##,
    r##"{"type":"lowerAllHands"}"##,
    r##"{"type":"askToSpeak","on":true}"##,
    r##"{"type":"askToSpeak","on":false}"##,
    r##"{"type":"refuseToSpeak","participant":"@3"}"##,
    r##"{"type":"refuseToSpeak","participant":null}"##,
    r##"{"type":"react","reaction":"clap"}"##,
    r##"{"type":"spotlight","participant":"@1","on":true}"##,
    r##"{"type":"spotlight","participant":"@1","on":false}"##,
    r##"{"type":"openBreakouts","draft":{"names":["a","b"],"assignment":"automatic","seconds":30}}"##,
    r##"{"type":"openBreakouts","draft":{"names":["c"],"assignment":"free","assigned":[{"participant":"@1","nth":0}]}}"##,
    r##"{"type":"moveToBreakout","participant":"@1","breakout":#}"##,
    r##"{"type":"moveToBreakout","participant":"@1","breakout":null}"##,
    r##"{"type":"closeBreakouts"}"##,
    r##"{"type":"limitBreakouts","seconds":60}"##,
    r##"{"type":"noMedia","attempt":#}"##,
    r##"{"type":"ban","participant":"@2"}"##,
    r##"{"type":"unban","user":"p2"}"##,
    r##"{"type":"admit","participant":"@1"}"##,
    r##"{"type":"admit","participant":null}"##,
    r##"{"type":"refuse","participant":null}"##,
    r##"{"type":"setPassword","password":"secret"}"##,
    r##"{"type":"setPassword","password":null}"##,
    r##"{"type":"takeAccount","token":"token of p1"}"##,
    r##"{"type":"openNotes","after":0}"##,
    r##"{"type":"writeNotes","nonce":"#","update":"AAA="}"##,
    r##"{"type":"pointInNotes","at":null}"##,
    r##"{"type":"closeNotes"}"##,
    r##"{"type":"moveHere"}"##,
    r##"{"type":"pageGone"}"##,
    r##"{"type":"leave"}"##,
];

/// The owner, two with accounts, and a guest.
const PEOPLE: [&str; 4] = ["ada", "p1", "p2", "guest-3"];

#[derive(Debug, Clone)]
enum Step {
    /// Somebody joins, once more or moving the call here.
    Enter(u8, bool),
    Close(u8),
    Resume(u8),
    Deed(u8, usize, u8),
    Place,
    NoPlace,
    NodeDies,
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0u8..4;
    // Whoever keeps order has the most that they may do.
    let doer = prop_oneof![Just(0u8), who.clone()];
    prop_oneof![
        4 => (who.clone(), any::<bool>()).prop_map(|(who, moves)| Step::Enter(who, moves)),
        1 => who.clone().prop_map(Step::Close),
        1 => who.prop_map(Step::Resume),
        12 => (doer, 0..DEEDS.len(), 1u8..4).prop_map(|(who, deed, number)| Step::Deed(who, deed, number)),
        1 => Just(Step::Place),
        1 => Just(Step::NoPlace),
        1 => Just(Step::NodeDies),
        1 => Just(Step::Wait),
    ]
}

type Clients = BTreeMap<u8, Client>;

/// The deed as it is said now.
fn said(deed: usize, number: u8, clients: &Clients) -> String {
    let mut text = DEEDS[deed].replace('#', &number.to_string());
    for who in 0..PEOPLE.len() as u8 {
        let id = clients
            .get(&who)
            .map_or("nobody", |client| client.participant.as_str());
        text = text.replace(&format!("@{who}"), id);
    }
    text
}

/// All that is to outlive a restart. A new field of the room has to be named here.
fn lasting(room: &Room) -> impl PartialEq + std::fmt::Debug {
    let Room {
        info,
        people,
        nodes,
        rulings,
        waiting,
        moved,
        log,
        chat,
        polls,
        breakouts,
        read,
        owed,
        outbox,
        seats: _,
        retires_after: _,
        negotiations: _,
        paces: _,
        conducts: _,
        writing: _,
        seeking: _,
        signs: _,
        retries: _,
        unsure: _,
        astray: _,
        told: _,
        questions: _,
        doubts: _,
        failed: _,
        avoid: _,
        missed: _,
        password_turn: _,
        turned_down: _,
        trails: _,
    } = room;
    let history = |user: &&str| chat.history(&room.reader(&id(user)));
    let lines: Vec<_> = PEOPLE.iter().map(history).collect();
    (
        (info.clone(), people.clone(), nodes.clone(), rulings.clone()),
        (
            waiting.clone(),
            moved.clone(),
            format!("{log:?}"),
            chat.latest(),
            lines,
        ),
        (format!("{polls:?}"), breakouts.clone(), read.clone(), *owed),
        outbox.lasting(),
    )
}

/// The room that is made of what is stored, its people and nodes being connected as before.
fn restored(world: &World) -> Room {
    let mut stored = world.stored.clone();
    // As they are read: by table and key.
    let records = std::mem::take(&mut stored.records).into_iter();
    let mut keyed: Vec<(&str, Vec<Cell>, Record)> = records
        .map(|record| (record.table().name, key(&record).cells, record))
        .collect();
    keyed.sort_by(|a, b| {
        let order = (a.0, &a.1).partial_cmp(&(b.0, &b.1));
        order.expect("no number is none")
    });
    stored.records = keyed.into_iter().map(|(.., record)| record).collect();
    let room = &world.room;
    let waiting = room.waiting.values().map(|waiting| &waiting.person);
    let people = room.people.values().chain(waiting);
    let clients: Vec<Client> = people.map(|person| person.client()).collect();
    let nodes = room.nodes.values();
    let links: Vec<NodeLink> = nodes
        .map(|placed| NodeLink {
            node: placed.node.clone(),
            epoch: placed.epoch,
            link: placed.link,
        })
        .collect();
    let (restored, effects) =
        Room::restore(stored, &clients, &links, world.now).expect("a room is stored");
    assert!(effects.is_empty());
    restored
}

fn enter(world: &mut World, who: u8, moves: bool, turn: usize) -> Option<Client> {
    let user = PEOPLE[usize::from(who)];
    let name = format!("{user}-{turn}");
    let mut admission = admission(&name, user);
    admission.move_here = moves;
    world.room.may_join(&admission, world.now).ok()?;
    world.handle(Event::Admitted(admission));
    Some(world.open(ticket(&name), None).ok()?.0)
}

/// Takes a step; `link` is that of the node.
fn take(
    world: &mut World,
    step: Step,
    turn: usize,
    clients: &mut Clients,
    link: &mut Option<NodeLink>,
) {
    match step {
        Step::Enter(who, moves) => {
            if let Some(client) = enter(world, who, moves, turn) {
                clients.insert(who, client);
            }
        }
        Step::Close(who) => {
            if let Some(client) = clients.get(&who).cloned() {
                world.handle(Event::ClientClosed { client });
            }
        }
        Step::Resume(who) => {
            if let Some(client) = clients.get_mut(&who) {
                let token = token(client.participant.as_str(), client.connection);
                if let Ok((resumed, _)) = world.open(token, Some(0)) {
                    *client = resumed;
                }
            }
        }
        Step::Deed(who, deed, number) => {
            if let Some(client) = clients.get(&who).cloned() {
                world.say(&client, &said(deed, number, clients));
            }
        }
        Step::Place => {
            let search = world.room.seeking.clone();
            if let Some(Search {
                participant, epoch, ..
            }) = search
            {
                let node = Some((id("n1"), id("eu")));
                world.handle(Event::Found {
                    participant,
                    epoch,
                    node,
                });
                if world.room.expect_node(&id("n1"), epoch).is_ok() {
                    *link = Some(world.link("n1", epoch));
                }
            }
        }
        Step::NoPlace => {
            let search = world.room.seeking.clone();
            if let Some(Search {
                participant, epoch, ..
            }) = search
            {
                world.handle(Event::Found {
                    participant,
                    epoch,
                    node: None,
                });
            }
        }
        Step::NodeDies => {
            if let Some(link) = link.take() {
                world.handle(Event::NodeClosed { link });
            }
        }
        Step::Wait => {
            if world.room.deadline().is_some() {
                world.wait();
                let next = world.room.deadline();
                assert!(next.is_none_or(|next| next > world.now), "it is due again");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever happens, the room that is restored from what was stored is the room that stored it.
    #[test]
    fn what_is_stored_is_the_room(steps in proptest::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        let (mut clients, mut link) = (Clients::new(), None);
        for (turn, step) in steps.into_iter().enumerate() {
            world.now += 10;
            take(&mut world, step, turn, &mut clients, &mut link);
            let restored = restored(&world);
            prop_assert_eq!(lasting(&restored), lasting(&world.room));
            prop_assert_eq!(&restored.polls, &world.room.polls);
        }
    }
}

#[test]
fn each_message_of_the_protocol_is_among_the_deeds() {
    let tag = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
        value["type"].as_str().expect("a type").to_owned()
    };
    let mut done = BTreeSet::new();
    for deed in 0..DEEDS.len() {
        let text = said(deed, 1, &Clients::new());
        let message: Result<ClientMessage, _> = serde_json::from_str(&text);
        assert!(message.is_ok(), "{text}");
        done.insert(tag(&text));
    }
    let known: BTreeSet<String> = types().into_iter().collect();
    assert_eq!(done, known);
}
