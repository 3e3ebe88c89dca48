//! A shard that hangs: its people are told, the others go on, and who supervises the node learns of it.

mod support;

use protocol::id::Attempt;
use protocol::media::Caps;
use protocol::node::{NodeToRegion, NodeToRoom, RoomToNode};
use support::client::{Client, live_until};
use support::hung_thread::hang;
use support::{Edge, Node, room_at};

/// How many packets are enough to say that somebody is heard.
const HEARD: usize = 25;
/// More messages than a busy shard lets wait, and than wait for the node itself.
const FLOOD: usize = 4_000;

#[tokio::test]
async fn a_hung_shard_holds_up_nobody_and_is_given_up() {
    let (edge, address) = Edge::new().await;
    let small = ["--shards", "2", "--max-sessions-per-shard", "1"];
    let mut node = Node::start_with("n1", address, &small);
    let (mut region, mut room, _) = room_at(&edge, "n1").await;
    let (mut ada, mut bob) = (Client::new(1).await, Client::new(2).await);
    ada.join(&mut room).await;
    node.get_until("/metrics", |page| {
        (0..2).any(|shard| page.contains(&sessions(shard, 1)))
    })
    .await;
    let page = node.get("/metrics").await;
    let others = if page.contains(&sessions(0, 1)) { 1 } else { 0 };
    bob.join(&mut room).await;
    live_until(&mut ada, &mut bob, |ada, bob| {
        ada.heard_of(2) >= HEARD && bob.heard_of(1) >= HEARD
    })
    .await;
    let live = node.get("/livez").await;
    assert!(live.starts_with("HTTP/1.1 200"), "{live}");

    let hung = hang(node.child.id(), &format!("shard-{others}"));
    for _ in 0..FLOOD {
        let (participant, caps) = ("p2".parse().unwrap(), Caps::default());
        room.send(&RoomToNode::Caps { participant, caps }).await;
    }
    // Heartbeats go on meanwhile, and the room hears what is lost.
    for _ in 0..3 {
        let beat = region.receive().await;
        assert!(matches!(beat, NodeToRegion::Heartbeat { .. }), "{beat:?}");
    }
    loop {
        if let NodeToRoom::Disconnected { participant, .. } = room.receive().await {
            assert_eq!(participant.as_str(), "p2");
            break;
        }
    }
    let live = node.get("/livez").await;
    assert!(live.starts_with("HTTP/1.1 503"), "{live}");
    assert!(
        live.ends_with(&format!("shard {others} is lost\n")),
        "{live}"
    );
    let ready = node.get("/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    // The region places nobody else on it, also when it registers anew.
    while match region.receive().await {
        NodeToRegion::Heartbeat { load } => load.has_headroom(),
        _ => true,
    } {}
    drop(region);
    let mut region = edge.link().await;
    match region.receive().await {
        NodeToRegion::Register { load, .. } => assert!(!load.has_headroom(), "{load:?}"),
        other => panic!("{other:?} is not Register"),
    }
    // A link that is dialed again is greeted without it.
    drop(room);
    let mut room = edge.link().await;
    let ready = room.receive().await;
    let NodeToRoom::Ready { sessions, .. } = ready else {
        panic!("{ready:?} is not Ready");
    };
    let held: Vec<_> = sessions
        .iter()
        .map(|one| one.participant.as_str())
        .collect();
    assert_eq!(held, ["p1"]);

    // When its last session is over, the process makes room for a whole one.
    room.send(&RoomToNode::Close {
        participant: "p1".parse().unwrap(),
        attempt: Attempt(1),
    })
    .await;
    while !matches!(region.receive().await, NodeToRegion::Draining) {}
    // The kernel reports the end of a process when nobody holds a thread of it.
    drop(hung);
    assert_eq!(node.ended().await.code(), Some(1));
}

/// The line of the metrics that says how many sessions a shard has.
fn sessions(shard: u16, count: usize) -> String {
    format!("connect_sessions{{shard=\"{shard}\"}} {count}\n")
}
