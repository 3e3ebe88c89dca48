//! Polls: one user has one vote, what is acknowledged is stored, and an anonymous poll tells nobody who voted for what.

use std::collections::BTreeMap;

use proptest::prelude::*;
use protocol::client::{ErrorCode, NamedVote, OwnVote, Poll, RoomEvent, ServerMessage};
use protocol::id::PollId;

use super::{Client, Effect, Room, World, error, happened, id, ticket, token};
use crate::poll::{MAX_KEPT, MAX_OPEN};
use crate::room::record::Record;

fn create(nonce: &str, more: &str) -> String {
    let draft = format!(r#"{{"question":"Tea?","options":["yes","no","later"]{more}}}"#);
    format!(r#"{{"type":"createPoll","nonce":"{nonce}","draft":{draft}}}"#)
}

fn vote(poll: u32, choices: &str) -> String {
    format!(r#"{{"type":"vote","poll":{poll},"choices":[{choices}]}}"#)
}

fn deed(of: &str, poll: u32) -> String {
    format!(r#"{{"type":"{of}","poll":{poll}}}"#)
}

fn created(effects: &[Effect]) -> Option<PollId> {
    effects.iter().find_map(|effect| match effect {
        Effect::Send {
            message: ServerMessage::PollCreated { poll, .. },
            ..
        } => Some(*poll),
        _ => None,
    })
}

/// What a client is told of its user's votes.
fn own(effects: &[Effect], of: &Client) -> Option<Vec<OwnVote>> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::Send {
            client,
            message: ServerMessage::OwnVotes { votes },
        } if client == of => Some(votes.clone()),
        _ => None,
    })
}

fn named(effects: &[Effect]) -> Option<Vec<NamedVote>> {
    effects.iter().find_map(|effect| match effect {
        Effect::Send {
            message: ServerMessage::PollVotes { votes, .. },
            ..
        } => Some(votes.clone()),
        _ => None,
    })
}

fn shown(world: &World, poll: u32) -> Poll {
    world.room.polls.view(PollId(poll)).expect("it is there")
}

fn counts(world: &World, poll: u32) -> Option<Vec<u32>> {
    shown(world, poll).results.counts
}

fn restart(world: &mut World, clients: &[Client]) {
    let restored = Room::restore(world.stored.clone(), clients, &[], world.now);
    world.room = restored.expect("a room is stored").0;
}

#[test]
fn a_poll_is_made_once_and_a_vote_counts_once_whichever_participant_sends_it() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let bob = world.enter("bob");
    let effects = world.say(&ada, &create("n1", ""));
    assert_eq!(created(&effects), Some(PollId(1)));
    assert!(matches!(&happened(&effects)[..], [RoomEvent::Poll { poll }] if poll.nonce == "n1"));
    assert_eq!(
        created(&world.say(&ada, &create("n1", ""))),
        Some(PollId(1))
    );
    assert_eq!(world.room.polls.views().len(), 1);
    let voted = world.say(&bob, &vote(1, "0"));
    let first = OwnVote {
        poll: PollId(1),
        choices: vec![0],
    };
    assert_eq!(own(&voted, &bob), Some(vec![first.clone()]));
    let saved = voted.iter().position(
        |effect| matches!(effect, Effect::Save(Record::Ballot(ballot)) if ballot.user == id("bob")),
    );
    assert!(saved.is_some_and(|at| at == 0), "it is stored first");
    // The same again is told to whom it is from, and is no news.
    let again = world.say(&bob, &vote(1, "0"));
    assert_eq!(own(&again, &bob), Some(vec![first]));
    assert_eq!(happened(&again), []);
    // Another tab of the same user changes the one vote, and the first tab knows.
    world.admit_with("tab", "bob", None);
    let (tab, came) = world.open(ticket("tab"), None).expect("a good ticket");
    assert_eq!(own(&came, &tab).map(|votes| votes.len()), Some(1));
    let changed = world.say(&tab, &vote(1, "2"));
    assert_eq!(
        own(&changed, &bob).map(|votes| votes[0].choices.clone()),
        Some(vec![2])
    );
    assert_eq!(counts(&world, 1), Some(vec![0, 0, 1]));
    // And takes it back.
    world.say(&tab, &vote(1, ""));
    assert_eq!(shown(&world, 1).results.voters, 0);
}

#[test]
fn what_is_no_poll_or_no_vote_is_refused_with_a_reason() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let bob = world.enter("bob");
    let long = |bytes: usize| "x".repeat(bytes);
    let of = |question: &str, options: &[&str]| {
        let options = serde_json::to_string(options).unwrap();
        format!(
            r#"{{"type":"createPoll","nonce":"n","draft":{{"question":"{question}","options":{options}}}}}"#
        )
    };
    let many: Vec<String> = (0..21).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (said, code) in [
        (of("?", &["a"]), ErrorCode::Malformed),
        (of("?", &many), ErrorCode::Malformed),
        (of("?", &["a", " a "]), ErrorCode::Malformed),
        (of("?", &["a", " "]), ErrorCode::Malformed),
        (of(" ", &["a", "b"]), ErrorCode::Malformed),
        (of(&long(1_001), &["a", "b"]), ErrorCode::TooLarge),
        (of("?", &["a", &long(301)]), ErrorCode::TooLarge),
        (create("", ""), ErrorCode::Malformed),
        (create(&long(65), ""), ErrorCode::Malformed),
        (vote(7, "0"), ErrorCode::UnknownPoll),
        (deed("closePoll", 7), ErrorCode::UnknownPoll),
        (deed("deletePoll", 7), ErrorCode::UnknownPoll),
        (deed("showVotes", 7), ErrorCode::UnknownPoll),
    ] {
        assert_eq!(error(&world.say(&ada, &said)), Some(code), "{said:.90}");
    }
    assert_eq!(
        created(&world.say(&ada, &of(&long(1_000), &many[..20]))),
        Some(PollId(1))
    );
    world.say(&ada, &create("m", r#","multiple":true"#));
    for (said, code) in [
        (vote(1, "20"), ErrorCode::Malformed),
        (vote(1, "0,1"), ErrorCode::Malformed),
        (vote(2, "0,3"), ErrorCode::Malformed),
        (create("mine", ""), ErrorCode::Forbidden),
        (deed("closePoll", 1), ErrorCode::Forbidden),
        (deed("deletePoll", 1), ErrorCode::Forbidden),
    ] {
        assert_eq!(error(&world.say(&bob, &said)), Some(code), "{said}");
    }
    world.say(&bob, &vote(2, "2,0,2"));
    assert_eq!(counts(&world, 2), Some(vec![1, 0, 1]));
    world.say(&ada, &deed("closePoll", 2));
    let late = world.say(&bob, &vote(2, "1"));
    assert_eq!(error(&late), Some(ErrorCode::PollClosed));
    assert_eq!(counts(&world, 2), Some(vec![1, 0, 1]));
    assert_eq!(happened(&world.say(&ada, &deed("closePoll", 2))), []);
}

#[test]
fn a_moderator_holds_polls_and_a_viewer_votes() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let bob = world.enter("bob");
    let eve = world.enter("eve");
    for (name, role) in [("bob", "moderator"), ("eve", "viewer")] {
        let said = format!(r#"{{"type":"setRole","participant":"{name}","role":"{role}"}}"#);
        world.say(&ada, &said);
    }
    assert!(created(&world.say(&bob, &create("n", ""))).is_some());
    world.say(&eve, &vote(1, "1"));
    assert_eq!(counts(&world, 1), Some(vec![0, 1, 0]));
    world.say(&bob, &deed("deletePoll", 1));
    assert_eq!(world.room.polls.views(), []);
    let gone = world.say(&eve, &vote(1, "1"));
    assert_eq!(error(&gone), Some(ErrorCode::UnknownPoll));
    // What was made once is not made again, even if it is gone by now.
    world.say(&bob, &create("n", ""));
    assert_eq!(world.room.polls.views(), []);
}

#[test]
fn results_are_told_when_the_poll_says() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let bob = world.enter("bob");
    world.say(&ada, &create("n", r#","shows":"atClosing""#));
    let effects = world.say(&bob, &vote(1, "1"));
    let [RoomEvent::PollResults { results, .. }] = &happened(&effects)[..] else {
        panic!("everybody hears that somebody voted");
    };
    assert_eq!((results.voters, results.counts.clone()), (1, None));
    let early = world.say(&ada, &deed("showVotes", 1));
    assert_eq!(error(&early), Some(ErrorCode::Forbidden));
    let closed = world.say(&ada, &deed("closePoll", 1));
    assert!(matches!(&happened(&closed)[..], [RoomEvent::Poll { poll }]
        if poll.results.counts == Some(vec![0, 1, 0]) && poll.closed_at.is_some()));
    let votes = named(&world.say(&bob, &deed("showVotes", 1))).expect("now they are told");
    let bobs = NamedVote {
        user: id("bob"),
        name: "bob".into(),
        choices: vec![1],
    };
    assert_eq!(votes, [bobs]);
}

#[test]
fn nobody_learns_who_voted_for_what_in_an_anonymous_poll() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.say(&ada, &create("n", r#","anonymous":true"#));
    let mut told = Vec::new();
    for (voters, name) in ["bob", "zoe", "mia"].into_iter().enumerate() {
        let client = world.enter(name);
        let effects = world.say(&client, &vote(1, "1"));
        // What goes to others than the voter, and what is kept to be sent again, names nobody and says nothing of the time.
        for effect in &effects {
            match effect {
                Effect::Send { client: to, .. } => assert_eq!(*to, client),
                Effect::Broadcast { message, .. } => {
                    told.push(serde_json::to_string(message).unwrap());
                }
                _ => {}
            }
        }
        let enough = voters == 2;
        assert_eq!(counts(&world, 1), enough.then(|| vec![0, 3, 0]));
    }
    assert_eq!(told.len(), 3);
    for text in told {
        assert!(
            ["bob", "zoe", "mia"]
                .iter()
                .all(|name| !text.contains(name)),
            "{text}"
        );
    }
    let asked = world.say(&ada, &deed("showVotes", 1));
    assert_eq!(error(&asked), Some(ErrorCode::Forbidden));
    // Once nobody needs them any more, not even the room knows.
    world.say(&ada, &deed("closePoll", 1));
    let ballots = |record: &&Record| matches!(record, Record::Ballot(_));
    assert_eq!(world.stored.records.iter().filter(ballots).count(), 0);
    restart(&mut world, &[ada]);
    assert_eq!(counts(&world, 1), Some(vec![0, 3, 0]));
}

#[test]
fn polls_are_bounded_and_the_oldest_that_is_closed_goes() {
    let mut world = World::new();
    let ada = world.enter("ada");
    for number in 0..MAX_OPEN {
        assert!(created(&world.say(&ada, &create(&number.to_string(), ""))).is_some());
    }
    let more = world.say(&ada, &create("more", ""));
    assert_eq!(error(&more), Some(ErrorCode::TooMany));
    world.say(&ada, &vote(2, "1"));
    world.say(&ada, &deed("closePoll", 2));
    for number in MAX_OPEN..MAX_KEPT + 1 {
        world.now += 60_000;
        let effects = world.say(&ada, &create(&number.to_string(), ""));
        assert!(created(&effects).is_some(), "{number}");
        let gone = RoomEvent::PollDeleted { poll: PollId(2) };
        assert_eq!(happened(&effects).contains(&gone), number == MAX_KEPT);
        world.say(&ada, &deed("closePoll", number as u32 + 1));
    }
    assert_eq!(world.room.polls.views().len(), MAX_KEPT);
    let kept = |record: &&Record| matches!(record, Record::Poll(_) | Record::Ballot(_));
    assert_eq!(world.stored.records.iter().filter(kept).count(), MAX_KEPT);
}

#[test]
fn who_comes_back_is_told_what_they_chose_and_a_poll_of_a_later_release_keeps_its_place() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.say(&ada, &create("n", ""));
    world.say(&ada, &vote(1, "2"));
    let unreadable = ("polls".to_owned(), "9".to_owned());
    world.stored.unreadable.push(unreadable);
    restart(&mut world, &[]);
    let seq = world.room.log.seq();
    let (ada, back) = world
        .open(token("ada", 1), Some(seq))
        .expect("a good token");
    assert_eq!(
        own(&back, &ada).map(|votes| votes[0].choices.clone()),
        Some(vec![2])
    );
    assert_eq!(
        created(&world.say(&ada, &create("next", ""))),
        Some(PollId(10))
    );
}

#[test]
fn a_guest_who_takes_an_account_still_has_one_vote_and_an_anonymous_poll_does_not_tell_by_that() {
    let mut world = World::new();
    let ada = world.enter("ada");
    let bob = world.enter("bob");
    let guest = world.enter("guest1");
    for (nonce, more) in [
        ("moved", ""),
        ("both", ""),
        ("secret", r#","anonymous":true"#),
    ] {
        world.say(&ada, &create(nonce, more));
    }
    for poll in 1..=3 {
        world.say(&guest, &vote(poll, "0"));
        if poll > 1 {
            world.say(&bob, &vote(poll, "1"));
        }
    }
    world.say(&ada, &vote(3, "2"));
    let effects = world.say(&guest, r#"{"type":"takeAccount","token":"token of bob"}"#);
    let told = |event: &RoomEvent| match event {
        RoomEvent::PollResults { poll, .. } => Some(poll.0),
        _ => None,
    };
    let told: Vec<u32> = happened(&effects).iter().filter_map(told).collect();
    assert_eq!(told, [2], "nothing else has changed for anybody");
    assert_eq!(counts(&world, 1), Some(vec![1, 0, 0]));
    assert_eq!(counts(&world, 2), Some(vec![0, 1, 0]));
    assert_eq!(counts(&world, 3), Some(vec![1, 1, 1]));
    let own = own(&effects, &guest).expect("they are told");
    let chosen: Vec<_> = own.iter().map(|vote| vote.choices[0]).collect();
    assert_eq!(chosen, [0, 1, 1]);
    let before = world.room.polls.views();
    restart(&mut world, &[ada, bob, guest]);
    assert_eq!(world.room.polls.views(), before);
}

#[test]
fn votes_come_so_often_and_no_more() {
    let mut world = World::new();
    let ada = world.enter("ada");
    world.say(&ada, &create("n", ""));
    let refused = (0..40).find_map(|turn| {
        let effects = world.say(&ada, &vote(1, ["0", "1"][turn % 2]));
        error(&effects).map(|code| (turn, code))
    });
    assert_eq!(refused, Some((29, ErrorCode::RateLimited)));
    // What stands there already costs nothing.
    assert_eq!(error(&world.say(&ada, &vote(1, "0"))), None);
}

const NAMES: [(&str, &str); 5] = [
    ("ada", "ada"),
    ("bob", "bob"),
    ("bob-2", "bob"),
    ("eve", "eve"),
    ("guest-1", "guest-1"),
];
const DRAFTS: [&str; 4] = [
    "",
    r#","multiple":true"#,
    r#","anonymous":true"#,
    r#","shows":"atClosing","multiple":true"#,
];

#[derive(Debug, Clone)]
enum Deed {
    Create(usize, u8, usize),
    Vote(usize, u32, Vec<u8>),
    Close(usize, u32),
    Delete(usize, u32),
    Leave(usize),
    Restart,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let who = 0..NAMES.len();
    let choices = proptest::collection::vec(0..4u8, 0..3);
    let deed = prop_oneof![
        3 => (0..2usize, any::<u8>(), 0..DRAFTS.len()).prop_map(|(who, nonce, draft)| Deed::Create(who, nonce, draft)),
        8 => (who.clone(), 1..8u32, choices).prop_map(|(who, poll, choices)| Deed::Vote(who, poll, choices)),
        2 => (0..2usize, 1..8u32).prop_map(|(who, poll)| Deed::Close(who, poll)),
        1 => (0..2usize, 1..8u32).prop_map(|(who, poll)| Deed::Delete(who, poll)),
        1 => who.prop_map(Deed::Leave),
        1 => Just(Deed::Restart),
    ];
    proptest::collection::vec(deed, 1..80)
}

proptest! {
    /// Whatever was done: each poll has the votes that were acknowledged, once a user, and a restart changes nothing.
    #[test]
    fn acknowledged_votes_are_counted_once_and_survive(deeds in deeds()) {
        let mut world = World::new();
        let mut here: BTreeMap<usize, Client> = BTreeMap::new();
        let mut acknowledged: BTreeMap<u32, BTreeMap<&str, Vec<u8>>> = BTreeMap::new();
        for deed in deeds {
            world.now += 10_000;
            let mut client = |world: &mut World, who: usize| {
                here.entry(who).or_insert_with(|| {
                    let (name, user) = NAMES[who];
                    world.admit_with(name, user, None);
                    world.open(ticket(name), None).expect("a good ticket").0
                }).clone()
            };
            match deed {
                Deed::Create(who, nonce, draft) => {
                    let by = client(&mut world, who);
                    world.say(&by, &create(&nonce.to_string(), DRAFTS[draft]));
                }
                Deed::Vote(who, poll, choices) => {
                    let by = client(&mut world, who);
                    let text = serde_json::to_string(&choices).unwrap();
                    let effects = world.say(&by, &vote(poll, text.trim_matches(['[', ']'])));
                    if let Some(votes) = own(&effects, &by) {
                        let own = votes.into_iter().find(|vote| vote.poll == PollId(poll));
                        let votes = acknowledged.entry(poll).or_default();
                        let choices = own.map(|vote| vote.choices).unwrap_or_default();
                        votes.insert(NAMES[who].1, choices);
                    }
                }
                Deed::Close(who, poll) => {
                    let by = client(&mut world, who);
                    world.say(&by, &self::deed("closePoll", poll));
                }
                Deed::Delete(who, poll) => {
                    let by = client(&mut world, who);
                    world.say(&by, &self::deed("deletePoll", poll));
                }
                Deed::Leave(who) => if let Some(client) = here.remove(&who) {
                    world.say(&client, r#"{"type":"leave"}"#);
                },
                Deed::Restart => {
                    let clients: Vec<Client> = here.values().cloned().collect();
                    let restored = Room::restore(world.stored.clone(), &clients, &[], world.now);
                    let room = restored.expect("a room is stored").0;
                    prop_assert_eq!(&room.polls, &world.room.polls);
                    world.room = room;
                }
            }
            for poll in world.room.polls.views() {
                let none = BTreeMap::new();
                let votes = acknowledged.get(&poll.id.0).unwrap_or(&none);
                let votes: Vec<_> = votes.values().filter(|choices| !choices.is_empty()).collect();
                prop_assert_eq!(poll.results.voters as usize, votes.len());
                if let Some(counts) = poll.results.counts {
                    for (option, count) in counts.into_iter().enumerate() {
                        let chose = votes.iter().filter(|choices| choices.contains(&(option as u8)));
                        prop_assert_eq!(count as usize, chose.count());
                    }
                }
            }
        }
    }
}
