//! A node's process, and an edge in this process for it to dial.

#![allow(dead_code, reason = "each test file takes what it needs")]

pub mod client;
pub mod hung_thread;
pub mod way;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use jsonwebtoken::{DecodingKey, Validation};
use protocol::node::{AUDIENCE, NodeToRegion, NodeToRoom, Peer, RegionToNode, RoomToNode, VERSION};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

pub const KEY: &str = "dGhpcyBpcyBhIGtleSBmb3IgdGVzdHMgb25seSEhISE";
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A node's process; it ends with the test.
pub struct Node {
    pub child: Child,
    /// The fields of its `ready` line.
    ready: Vec<(String, String)>,
    directory: PathBuf,
}

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sfu-node"));
    command
        .env("CONNECT_NODE_KEY", KEY)
        .args(["--region", "eu-west"])
        .args(arguments);
    command
}

impl Node {
    pub fn start(edge: SocketAddr) -> Self {
        Self::start_as("n1", edge)
    }

    pub fn start_as(id: &str, edge: SocketAddr) -> Self {
        Self::start_with(id, edge, &["--shards", "2"])
    }

    pub fn start_with(id: &str, edge: SocketAddr, arguments: &[&str]) -> Self {
        let name = format!("connect-node-{:016x}", rand::random::<u64>());
        let directory = std::env::temp_dir().join(name);
        let edge = format!("http://{edge}");
        let mut child = command(&["--edge", &edge, "--node-id", id])
            .args(arguments)
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

    pub fn field(&self, name: &str) -> &str {
        let found = self.ready.iter().find(|(key, _)| key == name);
        &found
            .unwrap_or_else(|| panic!("{name} in the ready line"))
            .1
    }

    pub async fn get(&self, path: &str) -> String {
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
    pub async fn get_until(&self, path: &str, satisfies: impl Fn(&str) -> bool) {
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

    pub async fn ended(&mut self) -> ExitStatus {
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
pub struct Edge(pub TcpListener);

/// A link that the node has dialed.
pub struct Link {
    pub path: String,
    pub socket: WebSocketStream<TcpStream>,
}

impl Edge {
    pub async fn new() -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (Self(listener), address)
    }

    /// The next link; its token must be in order.
    pub async fn link(&self) -> Link {
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
    pub async fn refuse(&self, status: u16) {
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
    pub async fn registered(&self) -> Link {
        let mut link = self.link().await;
        assert_eq!(link.path, "/node/regions/eu-west");
        let first = link.receive().await;
        assert!(
            matches!(
                first,
                NodeToRegion::Register {
                    version: VERSION,
                    ..
                }
            ),
            "{first:?}"
        );
        link.send(&RegionToNode::Registered {
            heartbeat_seconds: 1,
        })
        .await;
        link
    }
}

pub fn check_token(token: &str) {
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
    pub async fn send(&mut self, message: &impl Serialize) {
        let text = serde_json::to_string(message).unwrap();
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub async fn receive<T: DeserializeOwned>(&mut self) -> T {
        self.next().await.expect("a message before the link ends")
    }

    /// The next message; `None` when the link is closed.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Option<T> {
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

pub fn open_room(epoch: u32) -> RegionToNode {
    RegionToNode::OpenRoom {
        room: "bako-tuvi".parse().unwrap(),
        epoch: protocol::id::Epoch(epoch),
        trail: None,
    }
}

/// Opens the room at a node and returns its link, and how other nodes reach it.
pub async fn room_at(edge: &Edge, node: &str) -> (Link, Link, Peer) {
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

pub fn plan(peers: Vec<Peer>) -> RoomToNode {
    RoomToNode::Plan {
        epoch: protocol::id::Epoch(1),
        peers,
        breakouts: Vec::new(),
    }
}
