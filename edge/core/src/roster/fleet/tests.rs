//! The table of nodes: who takes a session, who is asked again, and what stands where after any sequence of events.

use proptest::prelude::*;

use super::*;
use crate::roster::LEASE;

const NOW: u64 = 1_000;

fn id(name: &str) -> NodeId {
    name.parse().unwrap()
}

fn ids(names: &[&str]) -> Vec<NodeId> {
    names.iter().map(|name| id(name)).collect()
}

fn load(cpu: f32, sessions: u32) -> Load {
    Load {
        cpu,
        sessions,
        max_sessions: 10,
        ..Load::default()
    }
}

fn fleet(nodes: &[(&str, Load)]) -> Fleet {
    let mut fleet = Fleet::default();
    for (name, load) in nodes {
        fleet.register(id(name), Member::new(*load, NOW));
    }
    fleet
}

fn request(placed: &[&str], avoid: &[&str], given_up: &[&str]) -> Request {
    Request {
        placed: ids(placed),
        avoid: ids(avoid),
        given_up: ids(given_up),
    }
}

fn node(name: &str) -> Choice {
    Choice::Node(id(name))
}

#[test]
fn who_drains_or_is_silent_gets_nothing() {
    let mut fleet = fleet(&[("a", load(0.0, 0)), ("b", load(0.0, 0))]);
    fleet.drain(&id("b"));
    let placed = request(&["b"], &[], &[]);
    assert_eq!(fleet.assign(&placed, NOW, [0, 0]), node("a"));
    assert_eq!(fleet.assign(&placed, NOW + LEASE, [0, 0]), Choice::Nobody);
    // Who is heard again takes sessions again.
    fleet.report(&id("a"), load(0.0, 1), NOW + LEASE);
    assert_eq!(fleet.assign(&placed, NOW + LEASE, [0, 0]), node("a"));
}

#[test]
fn none_is_told_apart_from_not_known() {
    let awaited = |name: &str, until| Remembered {
        node: id(name),
        awaited_until: Some(until),
    };
    // The nodes that are here, with their sessions; who is awaited; and the answer.
    let cases = [
        (vec![], vec![], Choice::Nobody),
        (vec![], vec![awaited("a", NOW + 1)], Choice::NotKnown),
        (vec![], vec![awaited("a", NOW)], Choice::Nobody),
        (vec![("b", 0)], vec![awaited("a", NOW + 1)], node("b")),
        // What is full is known to be full; who is missing may have room.
        (vec![("b", 10)], vec![], Choice::Nobody),
        (
            vec![("b", 10)],
            vec![awaited("a", NOW + 1)],
            Choice::NotKnown,
        ),
    ];
    for (here, missing, answer) in cases {
        let here: Vec<_> = here
            .into_iter()
            .map(|(name, n)| (name, load(0.0, n)))
            .collect();
        let mut fleet = fleet(&here);
        missing.iter().for_each(|known| fleet.await_back(known));
        let chosen = fleet.assign(&request(&[], &[], &[]), NOW, [0, 0]);
        assert_eq!(chosen, answer, "{here:?} {missing:?}");
    }
}

#[test]
fn who_was_given_up_by_those_who_ask_is_not_awaited() {
    let mut fleet = fleet(&[("a", load(0.0, 0))]);
    fleet.await_back(&Remembered::broken(id("a"), NOW));
    let ask = |fleet: &mut Fleet, given_up: &[&str]| {
        fleet.assign(&request(&["a"], &["a"], given_up), NOW, [0, 0])
    };
    assert_eq!(ask(&mut fleet, &[]), Choice::NotKnown);
    assert_eq!(ask(&mut fleet, &["a"]), Choice::Nobody);
    fleet.register(id("a"), Member::new(load(0.0, 0), NOW));
    assert_eq!(ask(&mut fleet, &[]), node("a"));
}

#[test]
fn who_was_given_up_serves_only_if_no_region_has_another() {
    // What is avoided, what of that is given up, and what each round comes to.
    let cases: [(&[&str], &[&str], &[Choice]); 4] = [
        (&[], &[], &[node("a")]),
        (&["a", "b"], &[], &[node("a")]),
        (&["a"], &["a"], &[node("b"), node("b")]),
        (&["a", "b"], &["a", "b"], &[Choice::Nobody, node("a")]),
    ];
    for (avoid, given_up, answers) in cases {
        let ask = |request: Request| {
            let mut fleet = fleet(&[("a", load(0.0, 0)), ("b", load(0.0, 0))]);
            fleet.assign(&request, NOW, [0, 0])
        };
        let choices: Vec<Choice> = request(&[], avoid, given_up).rounds().map(ask).collect();
        assert_eq!(choices, answers, "{avoid:?} {given_up:?}");
    }
}

#[test]
fn the_room_stays_together_unless_its_node_is_far_busier_than_the_others() {
    // How busy its node and the other one are, and which one the next person is at.
    for (host, other, next) in [
        (2, 0, "b"),
        (3, 0, "a"),
        (8, 6, "b"),
        (9, 5, "a"),
        (10, 9, "a"),
    ] {
        let mut fleet = fleet(&[("a", load(0.0, other)), ("b", load(0.0, host))]);
        let placed = request(&["b"], &[], &[]);
        assert_eq!(
            fleet.assign(&placed, NOW, [0, 0]),
            node(next),
            "{host} {other}"
        );
    }
}

#[test]
fn an_avoided_node_is_the_last_resort() {
    let avoiding = request(&[], &["a"], &[]);
    let mut both = fleet(&[("a", load(0.1, 0)), ("b", load(0.8, 9))]);
    assert_eq!(both.assign(&avoiding, NOW, [0, 0]), node("b"));
    assert_eq!(both.assign(&avoiding, NOW, [0, 0]), node("a"));
    assert_eq!(fleet(&[]).assign(&avoiding, NOW, [0, 0]), Choice::Nobody);
}

#[test]
fn a_herd_does_not_fall_on_the_node_that_was_empty_a_second_ago() {
    let many = |cpu, sessions| Load {
        max_sessions: 1_000,
        ..load(cpu, sessions)
    };
    // One has just started, and all are asked for between two of its reports.
    let mut fleet = fleet(&[
        ("old", many(0.05, 50)),
        ("older", many(0.05, 50)),
        ("new", many(0.0, 0)),
    ]);
    let mut taken = BTreeMap::<NodeId, u32>::new();
    for join in 0..150_u32 {
        let random = [join.wrapping_mul(2_654_435_761), join.wrapping_mul(40_503)];
        if let Choice::Node(node) = fleet.assign(&request(&[], &[], &[]), NOW, random) {
            *taken.entry(node).or_default() += 1;
        }
    }
    assert_eq!(taken.values().sum::<u32>(), 150);
    assert!(taken[&id("new")] <= 100, "{taken:?}");
    assert!(
        taken[&id("old")] >= 20 && taken[&id("older")] >= 20,
        "{taken:?}"
    );
}

#[test]
fn a_join_counts_once_its_report_shows_it_as_what_was_reported() {
    let mut fleet = fleet(&[("a", load(0.0, 7))]);
    let ask = |fleet: &mut Fleet, now| fleet.assign(&request(&[], &[], &[]), now, [0, 0]);
    for _ in 0..3 {
        assert_eq!(ask(&mut fleet, NOW), node("a"));
    }
    assert_eq!(ask(&mut fleet, NOW), Choice::Nobody);
    // Two of them are there, and one has left: there is place for one more.
    fleet.report(&id("a"), load(0.0, 9), NOW + 1_000);
    assert_eq!(ask(&mut fleet, NOW + 1_000), Choice::Nobody);
    fleet.report(&id("a"), load(0.0, 8), NOW + 2_000);
    assert_eq!(ask(&mut fleet, NOW + 2_000), node("a"));
    // Who has not come after a while counts no more.
    fleet.report(&id("a"), load(0.0, 8), NOW + 2_000 + UNDER_WAY);
    assert_eq!(ask(&mut fleet, NOW + 2_000 + UNDER_WAY), node("a"));
}

#[test]
fn a_node_takes_so_many_joins_between_two_reports_and_is_asked_again_after_the_next() {
    let few = Load {
        max_joins_per_interval: 2,
        ..load(0.0, 0)
    };
    let mut fleet = fleet(&[("a", few)]);
    let ask = |fleet: &mut Fleet| fleet.assign(&request(&["a"], &[], &[]), NOW, [0, 0]);
    assert_eq!([ask(&mut fleet), ask(&mut fleet)], [node("a"), node("a")]);
    assert_eq!(ask(&mut fleet), Choice::NotKnown);
    fleet.report(&id("a"), few, NOW + 1_000);
    assert_eq!(ask(&mut fleet), node("a"));
}

#[test]
fn the_way_is_measured_to_a_node_that_takes_sessions() {
    let mut fleet = fleet(&[("a", load(0.0, 10))]);
    assert!(fleet.probe(3).is_empty());
    let reached = Member::new(load(0.0, 0), NOW).reached_at(vec!["192.0.2.1:4000".into()]);
    fleet.register(id("b"), reached);
    assert_eq!(fleet.probe(3), ["192.0.2.1:4000"]);
}

/// Something that happens to the table.
#[derive(Debug, Clone)]
enum Deed {
    Register(u8, u32),
    Report(u8, u32),
    Drain(u8),
    Remove(u8),
    Miss(u8),
    Assign(Vec<u8>, Vec<u8>, [u32; 2]),
    Wait(u16),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let some = || proptest::collection::vec(0..6_u8, 0..3);
    let deed = prop_oneof![
        (0..6_u8, 0..12_u32).prop_map(|(node, sessions)| Deed::Register(node, sessions)),
        (0..6_u8, 0..12_u32).prop_map(|(node, sessions)| Deed::Report(node, sessions)),
        (0..6_u8).prop_map(Deed::Drain),
        (0..6_u8).prop_map(Deed::Remove),
        (0..6_u8).prop_map(Deed::Miss),
        (some(), some(), any::<[u32; 2]>()).prop_map(|(a, b, random)| Deed::Assign(a, b, random)),
        (0..2_000_u16).prop_map(Deed::Wait),
    ];
    proptest::collection::vec(deed, 0..80)
}

proptest! {
    #[test]
    fn the_worst_of_three_is_never_taken(random: [u32; 2]) {
        let mut fleet = fleet(&[("a", load(0.1, 0)), ("b", load(0.2, 0)), ("c", load(0.3, 0))]);
        prop_assert_ne!(fleet.assign(&request(&[], &[], &[]), NOW, random), node("c"));
    }

    #[test]
    fn whatever_happens_a_session_goes_to_a_node_that_takes_it(deeds in deeds()) {
        let name = |number: &u8| id(&format!("n{number}"));
        let mut fleet = Fleet::default();
        let mut now = NOW;
        for deed in deeds {
            match deed {
                Deed::Register(n, sessions) => fleet.register(name(&n), Member::new(load(0.0, sessions), now)),
                Deed::Report(n, sessions) => { fleet.report(&name(&n), load(0.0, sessions), now); }
                Deed::Drain(n) => { fleet.drain(&name(&n)); }
                Deed::Remove(n) => fleet.remove(&name(&n)),
                Deed::Miss(n) => fleet.await_back(&Remembered::broken(name(&n), now)),
                Deed::Wait(time) => now += u64::from(time),
                Deed::Assign(placed, given_up, random) => {
                    let request = Request {
                        placed: placed.iter().map(name).collect(),
                        avoid: vec![],
                        given_up: given_up.iter().map(name).collect(),
                    };
                    let fit = |entry: &&Entry| {
                        let here = !entry.member.draining && !entry.member.is_silent(now);
                        here && entry.load().has_headroom() && !request.given_up.contains(&entry.node)
                    };
                    let fit: Vec<NodeId> = fleet.entries.iter().filter(fit).map(|entry| entry.node.clone()).collect();
                    match fleet.assign(&request, now, random) {
                        Choice::Node(node) => prop_assert!(fit.contains(&node)),
                        Choice::Nobody | Choice::NotKnown => prop_assert!(fit.is_empty()),
                    }
                }
            }
            for (at, place) in fleet.open.iter().enumerate() {
                prop_assert_eq!(fleet.entries[*place].open, Some(at));
            }
            for (place, entry) in fleet.entries.iter().enumerate() {
                prop_assert_eq!(fleet.places[&entry.node], place);
                prop_assert!(entry.open.is_none_or(|at| fleet.open[at] == place));
            }
            prop_assert_eq!(fleet.places.len(), fleet.entries.len());
            prop_assert_eq!(fleet.busy, fleet.entries.iter().filter(|entry| entry.busy).count());
        }
    }
}
