//! Clients reach the node over UDP and over TCP, by IPv4 and by IPv6, and hear each other whichever way they came.

mod support;

use std::net::SocketAddr;

use tokio::time::timeout;

use support::client::Client;
use support::way::Way;
use support::{Edge, Node, PATIENCE, room_at};

/// How many packets are enough to say that somebody is heard.
const HEARD: usize = 25;

#[tokio::test]
async fn clients_over_udp_and_tcp_and_both_families_hear_each_other() {
    let (edge, address) = Edge::new().await;
    let both = ["--media", "127.0.0.1:0,[::1]:0", "--shards", "1"];
    let node = Node::start_with("n1", address, &both);
    let media = node.field("media").split(',');
    let media: Vec<SocketAddr> = media.map(|address| address.parse().unwrap()).collect();
    let [v4, v6] = media[..] else {
        panic!("two addresses: {media:?}");
    };
    let (_region, mut room, _) = room_at(&edge, "n1").await;
    let ways = [
        Way::udp(v4).await,
        Way::udp(v6).await,
        Way::tcp(v4).await,
        Way::tcp(v6).await,
    ];
    let mut clients = Vec::new();
    for (number, way) in (0..).zip(ways) {
        let mut client = Client::over(number, way);
        let answer = client.join(&mut room).await;
        for at in [v4, v6] {
            let place = format!(" {} {} typ host", at.ip(), at.port());
            let mut candidates = answer.lines().filter(|line| line.contains(&place));
            let (first, second) = (candidates.next(), candidates.next());
            let both = [first, second].map(Option::unwrap_or_default).concat();
            assert!(both.contains(" udp "), "{answer}");
            assert!(
                both.contains(" tcp ") && both.contains(" tcptype passive"),
                "{answer}"
            );
        }
        clients.push(client);
    }
    let [a, b, c, d] = &mut clients[..] else {
        panic!("four clients");
    };
    let content = |client: &Client, own: u8| {
        let mut others = (0..4).filter(|number| *number != own);
        others.all(|number| client.heard_of(number) >= HEARD)
    };
    let talking = async {
        while !(content(a, 0) && content(b, 1) && content(c, 2) && content(d, 3)) {
            tokio::join!(a.turn(), b.turn(), c.turn(), d.turn());
        }
    };
    timeout(PATIENCE, talking).await.expect("all are heard");
    node.get_until("/metrics", |page| {
        page.contains("connect_tcp_connections{shard=\"0\"} 2")
    })
    .await;
    // Whoever hangs up is gone.
    drop(clients);
    node.get_until("/metrics", |page| {
        page.contains("connect_tcp_connections{shard=\"0\"} 0")
    })
    .await;
}
