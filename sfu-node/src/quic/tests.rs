//! Real endpoints on loopback.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use protocol::cascade::CascadeMessage;
use protocol::media::{Codec, Source, TrackId};
use tokio::runtime::{Builder, LocalOptions};
use tokio::time::timeout;

use super::*;

mod crowd;

const PATIENCE: Duration = Duration::from_secs(10);

struct Peer {
    quic: Quic,
    id: PeerId,
    address: SocketAddr,
}

impl Peer {
    fn new(name: &str) -> Self {
        Self::over(transport(), Handshakes::default(), name)
    }

    /// One that shakes hands with few strangers at a time.
    fn with_few_places(name: &str, places: usize) -> Self {
        Self::over(transport(), Handshakes::up_to(places), name)
    }

    /// One whose paths carry the smallest packets that QUIC knows, for good.
    fn on_narrow_paths(name: &str) -> Self {
        let mut transport = transport();
        transport.initial_mtu(1_200).mtu_discovery_config(None);
        Self::over(transport, Handshakes::default(), name)
    }

    fn over(transport: TransportConfig, handshakes: Handshakes, name: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let identity = Identity::generate().unwrap();
        let id = identity.id;
        let quic = Quic::over(
            transport,
            handshakes,
            socket,
            identity,
            name.parse().unwrap(),
        );
        let quic = quic.unwrap();
        Self { quic, id, address }
    }

    /// How another node's plan names this one.
    fn plan(&self, dial: bool) -> PeerPlan {
        PeerPlan {
            id: self.id,
            address: self.address.to_string(),
            dial,
        }
    }

    async fn next(&self) -> Event {
        timeout(PATIENCE, self.quic.readable())
            .await
            .expect("an event in time");
        self.quic.next().expect("an event")
    }
}

/// Two peers that are connected; the first one has dialed.
async fn pair() -> (Peer, Peer) {
    connected(Peer::new("a"), Peer::new("b")).await
}

async fn connected(mut a: Peer, mut b: Peer) -> (Peer, Peer) {
    b.quic.set_peers(vec![a.plan(false)]);
    a.quic.set_peers(vec![b.plan(true)]);
    assert_eq!(a.next().await, Event::Up(b.id));
    assert_eq!(b.next().await, Event::Up(a.id));
    (a, b)
}

fn in_a_shard(test: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())
        .unwrap();
    runtime.block_on(test);
}

#[test]
fn pinned_peers_exchange_messages_and_datagrams() {
    in_a_shard(async {
        let (a, b) = pair().await;
        let message = CascadeMessage::Keyframe { flow: 7 };
        for (from, to) in [(&a, &b), (&b, &a)] {
            from.quic.send_message(to.id, message.clone());
            assert_eq!(to.next().await, Event::Message(from.id, message.clone()));
            // The largest RTP packet of a browser passes from the start.
            let datagram = vec![0x80; 1_210];
            from.quic.send_datagram(to.id, &datagram);
            assert_eq!(to.next().await, Event::Datagram(from.id, datagram.into()));
        }
        let expected = Counters {
            peers: 1,
            ..Counters::default()
        };
        assert_eq!((a.quic.counters(), b.quic.counters()), (expected, expected));
    });
}

#[test]
fn packets_larger_than_the_path_takes_arrive_whole() {
    in_a_shard(async {
        let (a, b) = connected(Peer::on_narrow_paths("a"), Peer::on_narrow_paths("b")).await;
        for (from, to) in [(&a, &b), (&b, &a)] {
            for (large, len) in [(1, 1_250), (2, 4_000)] {
                let datagram: Vec<u8> = (0..len).map(|at| (at % 251) as u8 + 1).collect();
                from.quic.send_datagram(to.id, &datagram);
                assert_eq!(to.next().await, Event::Datagram(from.id, datagram.into()));
                assert_eq!(from.quic.counters().fragmented, large);
            }
            // No packet is as large: it is counted. The path has room for it.
            from.quic.paths();
            from.quic.send_datagram(to.id, &[0x80; 20_000]);
            assert_eq!(from.quic.counters().drops.too_large, 1);
        }
    });
}

#[test]
fn a_peer_that_does_not_know_of_fragments_gets_none() {
    in_a_shard(async {
        let mut peer = Peer::on_narrow_paths("b");
        let identity = Identity::generate().unwrap();
        peer.quic.set_peers(vec![PeerPlan {
            id: identity.id,
            address: String::new(),
            dial: false,
        }]);
        let _connection = later_release(&identity, &peer).await;
        assert_eq!(peer.next().await, Event::Up(identity.id));
        peer.quic.send_datagram(identity.id, &[0x80; 1_450]);
        let Counters {
            fragmented, drops, ..
        } = peer.quic.counters();
        assert_eq!((fragmented, drops.too_large), (0, 1));
    });
}

#[test]
fn an_unpinned_dial_is_refused_and_disturbs_nobody() {
    in_a_shard(async {
        let (a, b) = pair().await;
        let mut stranger = Peer::new("stranger");
        stranger.quic.set_peers(vec![b.plan(true)]);
        let refused = async {
            while b.quic.counters().rejected_dials == 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, refused).await.expect("a refusal in time");
        a.quic.send_datagram(b.id, b"still here");
        assert_eq!(
            b.next().await,
            Event::Datagram(a.id, Bytes::from_static(b"still here"))
        );
        assert!(stranger.quic.next().is_none());
        stranger.quic.send_datagram(b.id, b"nobody there");
        assert_eq!(stranger.quic.counters().drops.no_peer, 1);
    });
}

#[test]
fn an_impostor_at_the_address_of_a_peer_is_refused() {
    in_a_shard(async {
        let (mut a, mut impostor) = (Peer::new("a"), Peer::new("impostor"));
        let expected = Identity::generate().unwrap().id;
        impostor.quic.set_peers(vec![a.plan(false)]);
        a.quic.set_peers(vec![PeerPlan {
            id: expected,
            ..impostor.plan(true)
        }]);
        let failed = async {
            while a.quic.counters().failed_dials == 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, failed)
            .await
            .expect("a failed dial in time");
        assert!(a.quic.next().is_none() && impostor.quic.next().is_none());
    });
}

#[test]
fn whoever_leaves_the_plan_is_hung_up_on_and_may_come_back() {
    in_a_shard(async {
        let (mut a, mut b) = pair().await;
        b.quic.set_peers(Vec::new());
        assert_eq!(b.next().await, Event::Down(a.id));
        assert_eq!(a.next().await, Event::Down(b.id));
        a.quic.send_datagram(b.id, b"too late");
        assert_eq!(a.quic.counters().drops.no_peer, 1);
        // It keeps dialing for as long as its own plan says so.
        b.quic.set_peers(vec![a.plan(false)]);
        assert_eq!(b.next().await, Event::Up(a.id));
        assert_eq!(a.next().await, Event::Up(b.id));
        a.quic.set_peers(Vec::new());
        assert_eq!(a.next().await, Event::Down(b.id));
    });
}

/// A node of a later release, by hand: it dials `to`, says hello, and returns its control stream.
async fn later_release(
    identity: &Identity,
    to: &Peer,
) -> (
    Endpoint,
    [Connection; 2],
    (quinn::SendStream, quinn::RecvStream),
) {
    let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let dial = async |channel| {
        let tls = identity.client(to.id, channel).unwrap();
        let config = ClientConfig::new(Arc::new(tls));
        let connecting = endpoint.connect_with(config, to.address, NAME).unwrap();
        connecting.await.unwrap()
    };
    let media = dial(Channel::Media).await;
    let control = dial(Channel::Control).await;
    let (mut sender, receiver) = control.open_bi().await.unwrap();
    let hello = r#"{"type":"hello","version":2,"node":"later","features":["weather"]}"#;
    say(&mut sender, hello).await;
    (endpoint, [media, control], (sender, receiver))
}

async fn say(sender: &mut quinn::SendStream, text: &str) {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    sender.write_all(&length).await.unwrap();
    sender.write_all(text.as_bytes()).await.unwrap();
}

#[test]
fn a_node_of_another_release_is_understood_as_far_as_it_goes() {
    in_a_shard(async {
        let mut peer = Peer::new("b");
        let identity = Identity::generate().unwrap();
        peer.quic.set_peers(vec![PeerPlan {
            id: identity.id,
            address: String::new(),
            dial: false,
        }]);
        let (_endpoint, _connections, (mut sender, _receiver)) =
            later_release(&identity, &peer).await;
        assert_eq!(peer.next().await, Event::Up(identity.id));
        let expected = [
            // Unknown messages, wrong types and nonsense are skipped; unknown fields are ignored.
            (r#"{"type":"forecast","rain":0.5}"#, None),
            (r#"{"type":"unwant","flow":"seven"}"#, None),
            ("[]", None),
            (
                r#"{"type":"keyframe","flow":7,"why":{"late":true}}"#,
                Some(CascadeMessage::Keyframe { flow: 7 }),
            ),
            // What an earlier release does not say yet.
            (
                r#"{"type":"announce","room":"r","track":{"participant":"p","source":"camera"},"codec":"vp8","layers":3}"#,
                Some(CascadeMessage::Announce {
                    room: "r".parse().unwrap(),
                    track: TrackId {
                        participant: "p".parse().unwrap(),
                        source: Source::Camera,
                    },
                    codec: Codec::Vp8,
                    layers: 3,
                    attempt: None,
                    hops: 0,
                }),
            ),
        ];
        for (text, message) in expected {
            say(&mut sender, text).await;
            if let Some(message) = message {
                assert_eq!(peer.next().await, Event::Message(identity.id, message));
            }
        }
    });
}

/// A network before `to`: each datagram takes 20 ms, and one in ten is lost. Returns its address.
async fn lossy_network(to: SocketAddr) -> SocketAddr {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let socket = Rc::new(socket);
    tokio::task::spawn_local(async move {
        let mut data = vec![0; 2_048];
        let mut rng: rand::rngs::SmallRng = rand::SeedableRng::seed_from_u64(1);
        let mut dialer = to;
        while let Ok((len, from)) = socket.recv_from(&mut data).await {
            let next = if from == to { dialer } else { to };
            if from != to {
                dialer = from;
            }
            if rand::Rng::random_bool(&mut rng, 0.1) {
                continue;
            }
            let (socket, data) = (socket.clone(), data[..len].to_vec());
            tokio::task::spawn_local(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                let _ = socket.send_to(&data, next).await;
            });
        }
    });
    address
}

#[test]
fn media_flows_on_over_a_path_that_loses_one_packet_in_ten() {
    const PACKETS: usize = 1_000;
    in_a_shard(async {
        let (mut a, mut b) = (Peer::new("a"), Peer::new("b"));
        let address = lossy_network(b.address).await.to_string();
        b.quic.set_peers(vec![a.plan(false)]);
        a.quic.set_peers(vec![PeerPlan {
            address,
            ..b.plan(true)
        }]);
        assert_eq!(a.next().await, Event::Up(b.id));
        assert_eq!(b.next().await, Event::Up(a.id));
        let mut pace = tokio::time::interval(Duration::from_millis(4));
        // What a busy machine is late with does not become a burst.
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut received = 0;
        // 2 Mbit/s for four seconds.
        for _ in 0..PACKETS {
            pace.tick().await;
            a.quic.paths();
            a.quic.send_datagram(b.id, &[0x80; 1_000]);
            received += std::iter::from_fn(|| b.quic.next()).count();
        }
        assert!(received > PACKETS * 3 / 4, "{received} of {PACKETS} arrive");
    });
}

#[test]
fn what_a_shard_sends_before_its_pause_is_there_right_after_that_of_another() {
    let (say_plan, plan) = std::sync::mpsc::channel();
    let (say_other, other_plan) = std::sync::mpsc::channel::<PeerPlan>();
    let (command, mut commands) = mpsc::unbounded_channel::<u8>();
    let (say_sent, sent) = std::sync::mpsc::channel();
    let (wake, pause) = std::sync::mpsc::channel();
    let sender = std::thread::spawn(move || {
        in_a_shard(async {
            let mut a = Peer::new("a");
            say_plan.send(a.plan(false)).unwrap();
            let other = other_plan.recv().unwrap();
            let to = other.id;
            a.quic.set_peers(vec![other]);
            a.next().await;
            while let Some(number) = commands.recv().await {
                a.quic.send_datagram(to, &[number; 1_000]);
                crate::task::let_run().await;
                say_sent.send(()).unwrap();
                // None of its tasks runs before it is woken.
                pause.recv().unwrap();
            }
        });
    });
    in_a_shard(async {
        let mut b = Peer::new("b");
        let other = plan.recv().unwrap();
        let from = other.id;
        b.quic.set_peers(vec![other]);
        say_other.send(b.plan(true)).unwrap();
        b.next().await;
        // Not 0: a datagram that begins with it is a fragment.
        for number in 1..=20 {
            command.send(number).unwrap();
            // Nor does one of this thread while it waits here.
            sent.recv().unwrap();
            crate::task::let_take(b.quic.tasks()).await;
            let datagram = Bytes::from(vec![number; 1_000]);
            assert_eq!(b.quic.next(), Some(Event::Datagram(from, datagram)));
            wake.send(()).unwrap();
        }
        drop(command);
    });
    sender.join().unwrap();
}
