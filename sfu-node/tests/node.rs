//! The whole node as a process, against an edge in this process: links, faults, private endpoint, exit codes.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use jsonwebtoken::{DecodingKey, Validation};
use protocol::node::{AUDIENCE, NodeToRegion, NodeToRoom, Peer, RegionToNode, RoomToNode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

const KEY: &str = "dGhpcyBpcyBhIGtleSBmb3IgdGVzdHMgb25seSEhISE";
const PATIENCE: Duration = Duration::from_secs(20);

/// A node's process; it ends with the test.
struct Node {
    child: Child,
    /// The fields of its `ready` line.
    ready: Vec<(String, String)>,
    directory: PathBuf,
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sfu-node"));
    command
        .env("CONNECT_NODE_KEY", KEY)
        .args(["--region", "eu-west"])
        .args(arguments);
    command
}

impl Node {
    fn start(edge: SocketAddr) -> Self {
        Self::start_as("n1", edge)
    }

    fn start_as(id: &str, edge: SocketAddr) -> Self {
        let name = format!("connect-node-{:016x}", rand::random::<u64>());
        let directory = std::env::temp_dir().join(name);
        let edge = format!("http://{edge}");
        let mut child = command(&["--edge", &edge, "--node-id", id, "--shards", "2"])
            .arg("--data-dir")
            .arg(&directory)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let mut words = line.split_whitespace();
        assert_eq!(words.next(), Some("ready"), "{line}");
        let fields = words.filter_map(|word| word.split_once('='));
        let ready = fields.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        Self {
            child,
            ready,
            directory,
        }
    }

    fn field(&self, name: &str) -> &str {
        let found = self.ready.iter().find(|(key, _)| key == name);
        &found
            .unwrap_or_else(|| panic!("{name} in the ready line"))
            .1
    }

    async fn get(&self, path: &str) -> String {
        let address = self
            .field("metrics")
            .trim_start_matches("http://")
            .trim_end_matches("/metrics");
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Asks until the answer satisfies.
    async fn get_until(&self, path: &str, satisfies: impl Fn(&str) -> bool) {
        let asked = async {
            let mut pace = tokio::time::interval(Duration::from_millis(50));
            while !satisfies(&self.get(path).await) {
                pace.tick().await;
            }
        };
        if timeout(PATIENCE, asked).await.is_err() {
            panic!("{path} does not satisfy: {}", self.get(path).await);
        }
    }

    async fn ended(&mut self) -> ExitStatus {
        let waited = async {
            let mut pace = tokio::time::interval(Duration::from_millis(20));
            loop {
                pace.tick().await;
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status;
                }
            }
        };
        timeout(PATIENCE, waited)
            .await
            .expect("the node ends in time")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// What an edge answers with where the node dials.
struct Edge(TcpListener);

/// A link that the node has dialed.
struct Link {
    path: String,
    socket: WebSocketStream<TcpStream>,
}

impl Edge {
    async fn new() -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (Self(listener), address)
    }

    /// The next link; its token must be in order.
    async fn link(&self) -> Link {
        let (stream, _) = timeout(PATIENCE, self.0.accept())
            .await
            .expect("a dial in time")
            .unwrap();
        let mut path = String::new();
        #[expect(
            clippy::result_large_err,
            reason = "the callback's type is the crate's"
        )]
        let check = |request: &Request, response: Response| {
            path = request.uri().to_string();
            let header = request.headers()["authorization"].to_str().unwrap();
            check_token(header.strip_prefix("Bearer ").unwrap());
            Ok::<_, ErrorResponse>(response)
        };
        let socket = accept_hdr_async(stream, check).await.unwrap();
        Link { path, socket }
    }

    /// Refuses the next link with an HTTP status.
    async fn refuse(&self, status: u16) {
        let (stream, _) = timeout(PATIENCE, self.0.accept())
            .await
            .expect("a dial in time")
            .unwrap();
        #[expect(
            clippy::result_large_err,
            reason = "the callback's type is the crate's"
        )]
        let refuse = |_: &Request, _: Response| {
            let mut refusal = ErrorResponse::new(None);
            *refusal.status_mut() = status.try_into().unwrap();
            Err(refusal)
        };
        assert!(accept_hdr_async(stream, refuse).await.is_err());
    }

    /// The control link, registered.
    async fn registered(&self) -> Link {
        let mut link = self.link().await;
        assert_eq!(link.path, "/node/regions/eu-west");
        let first = link.receive().await;
        assert!(
            matches!(first, NodeToRegion::Register { version: 1, .. }),
            "{first:?}"
        );
        link.send(&RegionToNode::Registered {
            heartbeat_seconds: 1,
        })
        .await;
        link
    }
}

fn check_token(token: &str) {
    let mut validation = Validation::default();
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "aud", "sub"]);
    let key = DecodingKey::from_secret(KEY.as_bytes());
    let claims = jsonwebtoken::decode::<serde_json::Value>(token, &key, &validation)
        .unwrap()
        .claims;
    assert!(claims["sub"] == "n1" || claims["sub"] == "n2", "{claims}");
    assert_eq!(claims["region"], "eu-west");
    assert!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap() <= 60);
}

impl Link {
    async fn send(&mut self, message: &impl Serialize) {
        let text = serde_json::to_string(message).unwrap();
        self.socket.send(Message::text(text)).await.unwrap();
    }

    async fn receive<T: DeserializeOwned>(&mut self) -> T {
        self.next().await.expect("a message before the link ends")
    }

    /// The next message; `None` when the link is closed.
    async fn next<T: DeserializeOwned>(&mut self) -> Option<T> {
        loop {
            match timeout(PATIENCE, self.socket.next())
                .await
                .expect("a message in time")?
            {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}

fn open_room(epoch: u32) -> RegionToNode {
    RegionToNode::OpenRoom {
        room: "bako-tuvi".parse().unwrap(),
        epoch: protocol::id::Epoch(epoch),
    }
}

#[tokio::test]
async fn a_node_registers_beats_and_comes_back_after_a_loss() {
    let (edge, address) = Edge::new().await;
    let node = Node::start(address);
    let health = node.get("/healthz").await;
    assert!(health.starts_with("HTTP/1.1 503"), "{health}");
    for _ in 0..2 {
        let mut region = edge.registered().await;
        node.get_until("/healthz", |answer| answer.starts_with("HTTP/1.1 200"))
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
        node.get_until("/healthz", |answer| answer.starts_with("HTTP/1.1 503"))
            .await;
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
                version: 1,
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

/// Opens the room at a node and returns its link, and how other nodes reach it.
async fn room_at(edge: &Edge, node: &str) -> (Link, Link, Peer) {
    let mut region = edge.registered().await;
    region.send(&open_room(1)).await;
    let mut room = edge.link().await;
    let NodeToRoom::Ready {
        quic, fingerprint, ..
    } = room.receive().await
    else {
        panic!("the first message is Ready");
    };
    let peer = Peer {
        node: node.parse().unwrap(),
        region: "eu-west".parse().unwrap(),
        quic,
        fingerprint,
    };
    (region, room, peer)
}

fn plan(peers: Vec<Peer>) -> RoomToNode {
    RoomToNode::Plan {
        epoch: protocol::id::Epoch(1),
        peers,
    }
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
