//! Gateways: who learns of whom, and who takes over.

use protocol::id::NodeId;
use protocol::node::{NodeToRoom, RoomToNode, VERSION};

use super::{Effect, Event, NodeLink, World, id};

/// A node of a region has the room, for somebody of the same name.
fn host(world: &mut World, node: &str, region: &str) -> (NodeLink, Vec<Effect>) {
    world.enter(&format!("p-{node}"));
    let epoch = world.room.info.epoch;
    world.handle(Event::Found {
        participant: id(&format!("p-{node}")),
        epoch,
        node: Some((id(node), id(region))),
    });
    let expected = world.room.expect_node(&id(node), epoch);
    let link = expected.expect("it is placed there");
    world.handle(Event::NodeOpened {
        link: link.clone(),
        region: id(region),
    });
    let ready = NodeToRoom::Ready {
        version: VERSION,
        quic: format!("{node}:7000"),
        fingerprint: "00".repeat(32),
        sessions: Vec::new(),
    };
    let effects = world.node_says(&link, ready);
    (link, effects)
}

/// The peers in each node's latest plan.
fn plans(effects: &[Effect]) -> Vec<(String, Vec<String>)> {
    let plan = |effect: &Effect| match effect {
        Effect::Tell {
            link,
            message: RoomToNode::Plan { peers, .. },
        } => {
            let peers = peers.iter().map(|peer| peer.node.to_string());
            Some((link.node.to_string(), peers.collect()))
        }
        _ => None,
    };
    effects.iter().filter_map(plan).collect()
}

fn expected(plans: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let owned = |names: &&[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let plans = plans.iter();
    plans
        .map(|(node, peers)| ((*node).to_owned(), owned(peers)))
        .collect()
}

fn world() -> (World, NodeLink, Vec<Effect>) {
    let mut world = World::new();
    host(&mut world, "e2", "eu");
    host(&mut world, "u1", "us");
    host(&mut world, "u2", "us");
    let (gateway, effects) = host(&mut world, "e1", "eu");
    (world, gateway, effects)
}

#[test]
fn a_gateway_knows_the_other_regions_gateways_and_the_others_their_own_region() {
    let (_, _, effects) = world();
    let all = [
        ("e1", &["e2", "u1"][..]),
        ("e2", &["e1"]),
        ("u1", &["e1", "u2"]),
        ("u2", &["u1"]),
    ];
    assert_eq!(plans(&effects), expected(&all));
}

#[test]
fn the_next_takes_over_when_a_gateway_goes() {
    let (mut world, gateway, _) = world();
    world.handle(Event::NodeClosed { link: gateway });
    let mut effects = Vec::new();
    while world.room.nodes.contains_key(&id::<NodeId>("e1")) {
        effects = world.wait();
    }
    let all = [("e2", &["u1"][..]), ("u1", &["e2", "u2"]), ("u2", &["u1"])];
    assert_eq!(plans(&effects), expected(&all));
}
