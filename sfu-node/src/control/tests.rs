//! Links in the eyes of a node: who dials, and how long a silent edge is borne. In virtual time, over pipes.

use std::sync::atomic::{AtomicUsize, Ordering};

use jsonwebtoken::{DecodingKey, Validation};
use protocol::id::Attempt;
use protocol::node::{Load, NodeToRegion, NodeToRoom, RegionToNode, RoomToNode};
use tokio::io::DuplexStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;

#[test]
fn a_token_says_who_dials_for_less_than_a_minute() {
    let secret = "0123456789012345678901234567890123456789012";
    let edge = Edge::new(
        "ws://127.0.0.1:1".into(),
        NodeKey::parse(secret).unwrap(),
        None,
        "n1".parse().unwrap(),
        "eu-west".parse().unwrap(),
    );
    let mut validation = Validation::default();
    validation.set_audience(&[AUDIENCE]);
    let token = edge.token().unwrap();
    let key = DecodingKey::from_secret(secret.as_bytes());
    let claims = jsonwebtoken::decode::<Claims>(&token, &key, &validation)
        .unwrap()
        .claims;
    assert_eq!(
        (claims.sub.as_str(), claims.region.as_str()),
        ("n1", "eu-west")
    );
    assert!(claims.exp - claims.iat <= MAX_TOKEN_SECONDS);
}

/// A node's end of a link, with what the node hears, and the edge's end.
struct Pair {
    node: WebSocketStream<DuplexStream>,
    edge: WebSocketStream<DuplexStream>,
}

impl Pair {
    async fn new() -> Self {
        let (near, far) = tokio::io::duplex(64 * 1024);
        Self {
            node: WebSocketStream::from_raw_socket(near, Role::Client, None).await,
            edge: WebSocketStream::from_raw_socket(far, Role::Server, None).await,
        }
    }
}

/// Reads what the node has sent so far, and answers its pings with it.
async fn read(edge: &mut WebSocketStream<DuplexStream>) -> Vec<String> {
    let mut said = Vec::new();
    let instant = Duration::from_millis(1);
    while let Ok(Some(Ok(message))) = tokio::time::timeout(instant, edge.next()).await {
        if let Message::Text(text) = message {
            said.push(text.to_string());
        }
    }
    let _ = edge.flush().await;
    said
}

/// Serves a link of a node that has a heartbeat every second, beside an edge that does what is given.
async fn serve_beside<Doing: Future>(
    node: WebSocketStream<DuplexStream>,
    is_awake: impl Fn() -> bool,
    edge: impl FnOnce() -> Doing,
) -> Result<Doing::Output, LinkError> {
    serve_beating(node, Duration::from_secs(1), is_awake, edge).await
}

/// The same with another pace.
async fn serve_beating<Doing: Future>(
    node: WebSocketStream<DuplexStream>,
    beat: Duration,
    is_awake: impl Fn() -> bool,
    edge: impl FnOnce() -> Doing,
) -> Result<Doing::Output, LinkError> {
    let (messages, mut taken) = mpsc::channel(MAX_OUTGOING);
    let lossy = Arc::new(Notify::new());
    let outgoing = Outgoing {
        messages,
        lossy: lossy.clone(),
    };
    let beating = async {
        loop {
            let load = Load::default();
            let _ = outgoing.send(NodeToRegion::Heartbeat { load });
            tokio::time::sleep(beat).await;
        }
    };
    let greet = || async { Greeting::from(NodeToRegion::Draining) };
    let report = |_: LinkEvent<RegionToNode>| async {};
    let awake = || async {
        tokio::time::sleep(DIAL_PATIENCE).await;
        is_awake()
    };
    tokio::select! {
        served = serve(node, &mut taken, &lossy, &greet, &report, awake) => Err(served.expect_err("it serves on")),
        done = edge() => Ok(done),
        () = beating => unreachable!("the heart beats on"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_edge_that_stalls_for_a_minute_keeps_its_link() {
    let Pair { node, mut edge } = Pair::new().await;
    let asked = AtomicUsize::new(0);
    let is_awake = || {
        asked.fetch_add(1, Ordering::Relaxed);
        false
    };
    let heard = serve_beside(node, is_awake, || async {
        read(&mut edge).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        // What waited comes at once, and then one a second again.
        let waited = read(&mut edge).await.len();
        tokio::time::sleep(Duration::from_secs(10)).await;
        (waited, read(&mut edge).await.len())
    })
    .await;
    let (waited, after) = heard.expect("the link is the same");
    assert!(waited >= 12, "{waited} heartbeats");
    assert!(waited + after >= 60, "none is lost: {waited} and {after}");
    assert!(asked.load(Ordering::Relaxed) > 1, "the node has its doubts");
}

#[tokio::test(start_paused = true)]
async fn a_link_that_the_edge_has_lost_is_dialed_again() {
    let Pair { node, edge } = Pair::new().await;
    let served = serve_beside(node, || true, std::future::pending::<()>).await;
    assert!(matches!(served, Err(LinkError::Silent)), "{served:?}");
    drop(edge);
}

#[tokio::test(start_paused = true)]
async fn an_edge_that_answers_pings_is_not_doubted() {
    let Pair { node, mut edge } = Pair::new().await;
    let is_awake = || panic!("nobody asks");
    let served = serve_beside(node, is_awake, || async {
        for _ in 0..60 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            read(&mut edge).await;
        }
    })
    .await;
    served.expect("the link is up");
}

#[tokio::test(start_paused = true)]
async fn a_link_that_lost_messages_in_a_stall_is_greeted_anew_after_it() {
    let Pair { node, mut edge } = Pair::new().await;
    let often = Duration::from_millis(10);
    let served = serve_beating(
        node,
        often,
        || false,
        || async {
            read(&mut edge).await;
            tokio::time::sleep(Duration::from_secs(60)).await;
            read(&mut edge).await;
            tokio::time::sleep(Duration::from_secs(10)).await;
        },
    )
    .await;
    assert!(matches!(served, Err(LinkError::Lossy)), "{served:?}");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_people_are_told_of_with_a_greeting_and_the_link_stays_up() {
    let Pair { node, mut edge } = Pair::new().await;
    let (messages, mut taken) = mpsc::channel(MAX_OUTGOING);
    let lossy = Arc::new(Notify::new());
    let outgoing = Outgoing {
        messages,
        lossy: lossy.clone(),
    };
    let word = |participant: usize| NodeToRoom::Silent {
        participant: format!("p{participant}").parse().unwrap(),
        attempt: Attempt(1),
    };
    // So much was said before, and for some of it there was no room.
    while outgoing.send(word(0)).is_ok() {}
    let first = NodeToRoom::Signs {
        heard: Vec::new(),
        silent: Vec::new(),
    };
    let greet = || async {
        Greeting {
            first: first.clone(),
            then: (1..=1_000).map(word).collect(),
        }
    };
    let report = |_: LinkEvent<RoomToNode>| async {};
    let awake = || async { false };
    let mut said = Vec::new();
    let reading = async {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            said.extend(read(&mut edge).await);
        }
    };
    tokio::select! {
        served = serve(node, &mut taken, &lossy, &greet, &report, awake) => panic!("it serves on, not {served:?}"),
        () = reading => {}
    }
    let before = std::iter::repeat_n(word(0), MAX_OUTGOING);
    let whole = [first.clone()].into_iter().chain(before);
    let whole = whole.chain((1..=1_000).map(word));
    let whole: Vec<_> = whole
        .map(|word| serde_json::to_string(&word).unwrap())
        .collect();
    assert!(said == whole, "{} of {}", said.len(), whole.len());
}
