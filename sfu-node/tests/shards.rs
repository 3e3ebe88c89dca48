//! A room that is larger than a shard: its people sit on several shards of the node, and hear each other all the same.

mod support;

use protocol::id::Attempt;
use protocol::media::Caps;
use protocol::node::{NodeToRoom, RoomToNode};
use support::client::{Client, live_until};
use support::{Edge, Node, room_at};

/// How many packets are enough to say that somebody is heard.
const HEARD: usize = 25;

/// Whether each shard holds this many sessions.
fn seated(sessions: [usize; 2]) -> impl Fn(&str) -> bool {
    move |page| {
        let line =
            |shard, n| page.contains(&format!("connect_sessions{{shard=\"{shard}\"}} {n}\n"));
        let [a, b] = sessions;
        line(0, a) && line(1, b) || line(0, b) && line(1, a)
    }
}

#[tokio::test]
async fn people_on_two_shards_hear_each_other_and_are_moderated_where_they_sit() {
    let (edge, address) = Edge::new().await;
    let small = ["--shards", "2", "--max-sessions-per-shard", "1"];
    let node = Node::start_with("n1", address, &small);
    let (_region, mut room, _) = room_at(&edge, "n1").await;
    let (mut ada, mut bob) = (Client::new(1).await, Client::new(2).await);
    ada.join(&mut room).await;
    bob.join(&mut room).await;
    live_until(&mut ada, &mut bob, |ada, bob| {
        ada.heard_of(2) >= HEARD && bob.heard_of(1) >= HEARD
    })
    .await;
    node.get_until("/metrics", seated([1, 1])).await;

    // Muted at the shard where she sits, wherever that is; he is heard on.
    let muted = Caps {
        audio: false,
        ..Caps::default()
    };
    for (participant, caps) in [("p1", muted), ("p2", Caps::default())] {
        let participant = participant.parse().unwrap();
        room.send(&RoomToNode::Caps { participant, caps }).await;
    }
    loop {
        (ada.heard, bob.heard) = Default::default();
        live_until(&mut ada, &mut bob, |ada, _| ada.heard_of(2) >= HEARD).await;
        if bob.heard_of(1) == 0 {
            break;
        }
    }

    // A third finds no place; when somebody goes, the shard lets go of the room.
    let mut cy = Client::new(3).await;
    let refused = cy.offered(&mut room).await;
    assert!(matches!(refused, NodeToRoom::Refused { .. }), "{refused:?}");
    for participant in ["p1", "p2"] {
        room.send(&RoomToNode::Close {
            participant: participant.parse().unwrap(),
            attempt: Attempt(1),
        })
        .await;
    }
    node.get_until("/metrics", seated([0, 0])).await;
    // The home shard keeps the room, the other does not.
    let rooms = |page: &str| {
        let line = |shard, n| page.contains(&format!("connect_rooms{{shard=\"{shard}\"}} {n}\n"));
        line(0, 1) && line(1, 0) || line(0, 0) && line(1, 1)
    };
    node.get_until("/metrics", rooms).await;
}
