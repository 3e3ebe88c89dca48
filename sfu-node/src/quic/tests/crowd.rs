//! A peer comes up, however many strangers come from however many networks meanwhile.

use std::net::Ipv4Addr;

use tokio::sync::Notify;

use super::*;

/// How many strangers a node shakes hands with at a time here.
const PLACES: usize = 8;
/// Round trips in which a peer comes up, and some.
const ROUNDS: usize = 20;

/// A way to `to` from an address of its own. What comes back waits until it is let through.
struct Way {
    address: SocketAddr,
    through: Notify,
    held: Notify,
}

impl Way {
    async fn new(from: Ipv4Addr, to: SocketAddr) -> Rc<Self> {
        let socket = tokio::net::UdpSocket::bind((from, 0)).await.unwrap();
        let way = Rc::new(Self {
            address: socket.local_addr().unwrap(),
            through: Notify::new(),
            held: Notify::new(),
        });
        let carried = way.clone();
        tokio::task::spawn_local(async move { carried.carry(socket, to).await });
        way
    }

    async fn carry(&self, socket: tokio::net::UdpSocket, to: SocketAddr) {
        let mut data = vec![0; 2_048];
        let (mut dialer, mut held) = (to, Vec::new());
        loop {
            tokio::select! {
                Ok((len, from)) = socket.recv_from(&mut data) => {
                    if from == to {
                        held.push(data[..len].to_vec());
                        self.held.notify_one();
                    } else {
                        dialer = from;
                        socket.send_to(&data[..len], to).await.unwrap();
                    }
                }
                () = self.through.notified() => {
                    for datagram in held.drain(..) {
                        socket.send_to(&datagram, dialer).await.unwrap();
                    }
                }
            }
        }
    }

    async fn answered(&self) {
        let answered = timeout(PATIENCE, self.held.notified());
        answered.await.expect("an answer in time");
    }
}

/// So many strangers, each from a network of its own, whose handshakes with `to` do not end.
async fn strangers(endpoint: &Endpoint, to: &Peer, hosts: std::ops::Range<usize>) -> Vec<Task> {
    let identity = Identity::generate().unwrap();
    let mut dials = Vec::new();
    for host in hosts {
        let way = Way::new([127, 1, (host >> 8) as u8, host as u8].into(), to.address).await;
        let tls = identity.client(to.id, Channel::Media).unwrap();
        let config = ClientConfig::new(Arc::new(tls));
        let connecting = endpoint.connect_with(config, way.address, NAME).unwrap();
        dials.push(tokio::task::spawn_local(async move { drop(connecting.await) }).into());
        way.answered().await;
    }
    dials
}

#[test]
fn strangers_of_any_number_of_networks_keep_no_peer_out() {
    in_a_shard(async {
        let mut b = Peer::with_few_places("b", PLACES);
        let mut a = Peer::new("a");
        let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
        let _before = strangers(&endpoint, &b, 0..PLACES).await;
        let way = Way::new([127, 2, 0, 1].into(), b.address).await;
        b.quic.set_peers(vec![PeerPlan {
            address: way.address.to_string(),
            ..a.plan(false)
        }]);
        a.quic.set_peers(vec![PeerPlan {
            address: way.address.to_string(),
            ..b.plan(true)
        }]);
        // More than there are places come anew in each of the peer's round trips.
        let (mut meanwhile, mut events) = (Vec::new(), Vec::new());
        for round in 1..=ROUNDS {
            tokio::select! {
                event = a.next() => {
                    events.push(event);
                    break;
                }
                () = way.answered() => {}
            }
            let first = round * 2 * PLACES;
            meanwhile.extend(strangers(&endpoint, &b, first..first + 2 * PLACES).await);
            way.through.notify_one();
        }
        assert_eq!(events, [Event::Up(b.id)], "the peer is up");
        assert_eq!(b.next().await, Event::Up(a.id));
    });
}
