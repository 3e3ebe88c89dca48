//! The whole node as a process, against an edge in this process: links, faults, private endpoint, exit codes.

mod support;

use std::io::Read;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Stdio};

use protocol::node::{NodeToRegion, NodeToRoom, RoomToNode, VERSION};
use tokio_tungstenite::tungstenite::Message;

use futures_util::SinkExt;
use support::{Edge, Node, command, open_room, plan, room_at};

#[tokio::test]
async fn a_node_registers_beats_and_comes_back_after_a_loss() {
    let (edge, address) = Edge::new().await;
    let node = Node::start(address);
    let ready = node.get("/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    for _ in 0..2 {
        let mut region = edge.registered().await;
        node.get_until("/readyz", |answer| answer.starts_with("HTTP/1.1 200"))
            .await;
        let beat = region.receive().await;
        assert!(matches!(beat, NodeToRegion::Heartbeat { .. }), "{beat:?}");
        // What a later edge may say, and what no edge says, change nothing.
        region
            .socket
            .send(Message::text("{\"type\":\"later\"}"))
            .await
            .unwrap();
        region.socket.send(Message::text("no JSON")).await.unwrap();
        let beat = region.receive().await;
        assert!(matches!(beat, NodeToRegion::Heartbeat { .. }), "{beat:?}");
        drop(region);
        node.get_until("/readyz", |answer| answer.starts_with("HTTP/1.1 503"))
            .await;
        // Without the edge, calls go on: no reason to end the process.
        let live = node.get("/livez").await;
        assert!(live.starts_with("HTTP/1.1 200"), "{live}");
        let private = node.field("metrics").trim_start_matches("http://");
        let private = private.trim_end_matches("/metrics").to_owned();
        for (what, code) in [("livez", 0), ("readyz", 1)] {
            let arguments = ["--private", &private, "--probe", what];
            let (said_by, said) = refused(&mut command(&arguments));
            assert_eq!(said_by, Some(code), "{what}: {said}");
        }
    }
}

#[tokio::test]
async fn a_room_link_lives_until_the_room_is_released() {
    let (edge, address) = Edge::new().await;
    let _node = Node::start(address);
    let mut region = edge.registered().await;
    region.send(&open_room(3)).await;
    let mut fingerprints = Vec::new();
    for _ in 0..2 {
        // The second time after a loss.
        let mut room = edge.link().await;
        assert_eq!(room.path, "/node/rooms/bako-tuvi?epoch=3");
        match room.receive().await {
            NodeToRoom::Ready {
                version: VERSION,
                quic,
                fingerprint,
                ..
            } => {
                assert!(quic.parse::<SocketAddr>().is_ok(), "{quic}");
                fingerprints.push(fingerprint);
            }
            other => panic!("{other:?} is not Ready"),
        }
    }
    assert_eq!(
        (fingerprints[0].len(), &fingerprints[0]),
        (64, &fingerprints[1])
    );
    // The same placement again changes nothing; a newer one takes the place of the old link.
    region.send(&open_room(3)).await;
    region.send(&open_room(4)).await;
    let mut room = edge.link().await;
    while room.path.ends_with("epoch=3") {
        room = edge.link().await;
    }
    assert_eq!(room.path, "/node/rooms/bako-tuvi?epoch=4");
    let ready = room.receive().await;
    assert!(matches!(ready, NodeToRoom::Ready { .. }), "{ready:?}");
    room.send(&RoomToNode::Release).await;
    assert!(
        room.next::<NodeToRoom>().await.is_none(),
        "a released room's link closes"
    );
}

#[tokio::test]
async fn a_node_whose_placement_is_refused_lets_go_of_the_room() {
    let (edge, address) = Edge::new().await;
    let node = Node::start(address);
    let mut region = edge.registered().await;
    region.send(&open_room(1)).await;
    edge.refuse(409).await;
    node.get_until("/metrics", |page| {
        page.contains("connect_link_refused_total{kind=\"room\",status=\"409\"} 1")
            && page.contains("connect_room_links 0")
    })
    .await;
}

/// Whether a metrics page counts this many shards with one peer each.
fn connected(shards: usize) -> impl Fn(&str) -> bool {
    move |page| {
        let lines = page
            .lines()
            .filter(|l| l.starts_with("connect_quic_peers{"));
        lines.filter(|line| line.ends_with(" 1")).count() == shards
    }
}

#[tokio::test]
async fn two_nodes_of_a_room_connect_as_planned_and_notice_a_death() {
    let ((edge_1, address_1), (edge_2, address_2)) = (Edge::new().await, Edge::new().await);
    let (first, mut second) = (
        Node::start_as("n1", address_1),
        Node::start_as("n2", address_2),
    );
    let (_region_1, mut room_1, peer_1) = room_at(&edge_1, "n1").await;
    let (_region_2, mut room_2, peer_2) = room_at(&edge_2, "n2").await;
    room_1.send(&plan(vec![peer_2.clone()])).await;
    room_2.send(&plan(vec![peer_1])).await;
    first.get_until("/metrics", connected(1)).await;
    second.get_until("/metrics", connected(1)).await;
    // The room has left the second node, and comes back.
    room_1.send(&plan(Vec::new())).await;
    first.get_until("/metrics", connected(0)).await;
    second.get_until("/metrics", connected(0)).await;
    room_1.send(&plan(vec![peer_2])).await;
    first.get_until("/metrics", connected(1)).await;
    // Killed without a goodbye.
    second.child.kill().unwrap();
    first.get_until("/metrics", connected(0)).await;
}

#[tokio::test]
async fn random_datagrams_disturb_nothing() {
    let (edge, address) = Edge::new().await;
    let node = Node::start(address);
    let mut region = edge.registered().await;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for length in [0, 1, 12, 20, 200, 1_400] {
        let noise: Vec<u8> = (0..length).map(|_| rand::random()).collect();
        socket.send_to(&noise, node.field("media")).unwrap();
        socket.send_to(&noise, node.field("quic")).unwrap();
    }
    let counted = |page: &str| {
        page.contains("connect_udp_datagrams_in_total{shard=\"0\"} 6")
            && page.contains("connect_drops_total{shard=\"0\",reason=\"unknown\"} 6")
    };
    node.get_until("/metrics", counted).await;
    let beat = region.receive().await;
    assert!(matches!(beat, NodeToRegion::Heartbeat { .. }), "{beat:?}");
}

#[tokio::test]
async fn a_node_that_is_asked_to_stop_says_so_and_ends() {
    let (edge, address) = Edge::new().await;
    let mut node = Node::start(address);
    let mut region = edge.registered().await;
    let pid = node.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    while !matches!(region.receive().await, NodeToRegion::Draining) {}
    assert!(
        region.next::<NodeToRegion>().await.is_none(),
        "the link closes"
    );
    assert_eq!(node.ended().await.code(), Some(0));
}

fn refused(command: &mut Command) -> (Option<i32>, String) {
    let mut child = command
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    (child.wait().unwrap().code(), said)
}

#[test]
fn a_bad_configuration_ends_with_2_and_says_what_is_wrong() {
    let (code, said) = refused(command(&[]).env_remove("CONNECT_NODE_KEY"));
    assert!(
        code == Some(2) && said.contains("CONNECT_NODE_KEY"),
        "{code:?} {said}"
    );
    let (code, said) = refused(&mut command(&["--media", "nowhere"]));
    assert!(
        code == Some(2) && said.contains("--media"),
        "{code:?} {said}"
    );
}

#[test]
fn an_address_in_use_ends_with_3_and_is_named() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, said) = refused(&mut command(&["--media", &address]));
    assert!(
        code == Some(3) && said.contains(&address),
        "{code:?} {said}"
    );
}
