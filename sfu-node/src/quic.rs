//! QUIC between nodes: whom to be connected with comes from the plan, everything else follows from it.
//!
//! All of it runs in the shard's own thread: a datagram goes from socket to engine without crossing one.

mod congestion;
mod datagrams;
mod handshakes;
mod identity;
mod session;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::pending;
use std::io;
use std::net::UdpSocket;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use protocol::cascade::CascadeMessage;
use protocol::id::NodeId;
use quinn::crypto::rustls::HandshakeData;
use quinn::{
    ClientConfig, ConnectError, Connection, ConnectionError, Endpoint, EndpointConfig, IdleTimeout,
    Incoming, ServerConfig, TransportConfig, VarInt,
};
use rustls::pki_types::CertificateDer;
use sfu_core::{PeerId, PeerPlan};
use tokio::sync::mpsc;

use crate::backoff::Backoff;
use crate::task::Task;
use congestion::DelayBased;
use handshakes::{Dial, Handshake, Handshakes};
use identity::{Channel, NAME, Pins};
use session::{Shared, Side, hang_up};

pub use datagrams::{Drops, Path};
pub use identity::{Identity, IdentityError};
pub use session::Event;

/// A peer that has been silent for so long is gone.
const IDLE_TIMEOUT_MS: u32 = 4_000;
/// Keeps a connection without media from looking gone.
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// Datagrams received and not yet taken, in bytes.
const DATAGRAM_RECEIVE_BUFFER: usize = 1 << 20;
/// The packet size to begin with, in bytes: a browser's largest RTP packet fits, and so does the packet into common
/// tunnels. Path MTU discovery raises it, black-hole detection lowers it.
const INITIAL_MTU: u16 = 1_350;
const FIRST_REDIAL: Duration = Duration::from_millis(100);
const SLOWEST_REDIAL: Duration = Duration::from_secs(3);
/// Addresses that a peer's name may have.
const MOST_ADDRESSES: usize = 8;
/// Of a peer: what drives each of its two connections, and the session.
const TASKS_OF_PEER: usize = 3;
/// How long the farewell to peers may take.
const FAREWELL: Duration = Duration::from_millis(200);

/// Why QUIC could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum QuicError {
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("QUIC could not take its socket: {0}")]
    Socket(#[from] io::Error),
}

/// Why a dial failed.
#[derive(Debug, thiserror::Error)]
enum DialError {
    #[error("address cannot be resolved: {0}")]
    Resolve(#[from] io::Error),
    #[error("address has no entry of this socket's family")]
    NoAddress,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Connection(#[from] ConnectionError),
}

/// What the metrics page says about QUIC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Peers that are up now.
    pub peers: u64,
    /// Dials refused because the certificate is not pinned.
    pub rejected_dials: u64,
    /// Dials of ours that came to nothing.
    pub failed_dials: u64,
    /// Datagrams that the path's packets were too small for, and that went in fragments.
    pub fragmented: u64,
    pub drops: Drops,
}

/// A shard's QUIC endpoint and its peers.
pub struct Quic {
    endpoint: Endpoint,
    transport: Arc<TransportConfig>,
    identity: Identity,
    shared: Rc<Shared>,
    pins: Arc<Pins>,
    peers: HashMap<PeerId, (PeerPlan, Task)>,
    doors: Doors,
    handshakes: Rc<Handshakes>,
    _acceptor: Task,
}

/// Where accepted connections of the peers that dial us go.
type Doors = Rc<RefCell<HashMap<PeerId, mpsc::Sender<(Channel, Connection)>>>>;

impl Quic {
    /// Listens on `socket`. Must be called inside the shard's runtime.
    pub fn new(socket: UdpSocket, identity: Identity, node: NodeId) -> Result<Self, QuicError> {
        Self::over(transport(), Handshakes::default(), socket, identity, node)
    }

    fn over(
        transport: TransportConfig,
        handshakes: Handshakes,
        socket: UdpSocket,
        identity: Identity,
        node: NodeId,
    ) -> Result<Self, QuicError> {
        let transport = Arc::new(transport);
        let pins = Arc::new(Pins::default());
        let mut server = ServerConfig::with_crypto(Arc::new(identity.server(pins.clone())?));
        server.transport_config(transport.clone());
        let endpoint = Endpoint::new(
            EndpointConfig::default(),
            Some(server),
            socket,
            Arc::new(quinn::TokioRuntime),
        )?;
        let (doors, handshakes) = (Doors::default(), Rc::new(handshakes));
        let accepting = accept(endpoint.clone(), handshakes.clone(), doors.clone());
        let acceptor = tokio::task::spawn_local(accepting);
        Ok(Self {
            endpoint,
            transport,
            identity,
            shared: Rc::new(Shared::new(node)),
            pins,
            peers: HashMap::new(),
            doors,
            handshakes,
            _acceptor: acceptor.into(),
        })
    }

    /// Connects with these peers and no others.
    pub fn set_peers(&mut self, plan: Vec<PeerPlan>) {
        let waiting = plan.iter().filter(|peer| !peer.dial).map(|peer| peer.id);
        self.pins.set(waiting.collect());
        self.peers.retain(|_, (peer, _)| plan.contains(peer));
        self.doors
            .borrow_mut()
            .retain(|id, _| self.peers.contains_key(id));
        for peer in plan {
            if self.peers.contains_key(&peer.id) {
                continue;
            }
            match self.start(&peer) {
                Ok(task) => drop(self.peers.insert(peer.id, (peer, task))),
                Err(error) => tracing::error!(peer = ?peer.id, %error, "peer cannot be dialed"),
            }
        }
    }

    /// Waits until [`next`](Self::next) has something.
    pub async fn readable(&self) {
        self.shared.filled().await;
    }

    /// How many peers there are connections with.
    pub fn peers(&self) -> usize {
        self.shared.peers()
    }

    /// How many tasks take in what peers send.
    pub fn tasks(&self) -> usize {
        self.peers() * TASKS_OF_PEER
    }

    /// What peers did next.
    pub fn next(&self) -> Option<Event> {
        self.shared.next()
    }

    /// Sends a media datagram; on a path that is full, it is dropped.
    pub fn send_datagram(&self, peer: PeerId, data: &[u8]) {
        self.shared.send_datagram(peer, data);
    }

    /// Sends a control message.
    pub fn send_message(&self, peer: PeerId, message: CascadeMessage) {
        self.shared.send_message(peer, message);
    }

    /// How the paths to all peers are now.
    pub fn paths(&self) -> Vec<(PeerId, Path)> {
        self.shared.paths()
    }

    /// The round-trip time to each peer.
    pub fn round_trips(&self) -> Vec<(PeerId, Duration)> {
        self.shared.round_trips()
    }

    /// The counters.
    pub fn counters(&self) -> Counters {
        Counters {
            peers: self.shared.peers() as u64,
            rejected_dials: self.pins.rejected(),
            failed_dials: self.shared.failed_dials.get(),
            fragmented: self.shared.fragmented(),
            drops: self.shared.drops(),
        }
    }

    /// Says goodbye to all peers, so that they need not wait for a time-out.
    pub async fn close(self) {
        self.endpoint.close(VarInt::from_u32(0), b"");
        let _ = tokio::time::timeout(FAREWELL, self.endpoint.wait_idle()).await;
    }

    fn start(&self, peer: &PeerPlan) -> Result<Task, IdentityError> {
        let shared = self.shared.clone();
        if !peer.dial {
            let (door, connections) = mpsc::channel(4);
            self.doors.borrow_mut().insert(peer.id, door);
            let (id, address) = (peer.id, peer.address.clone());
            let handshakes = self.handshakes.clone();
            let waiting = tokio::task::spawn_local(async move {
                tokio::select! {
                    () = keep_places(handshakes, address) => {}
                    () = wait_for(shared, id, connections) => {}
                }
            });
            return Ok(waiting.into());
        }
        let client = |channel| {
            let tls = self.identity.client(peer.id, channel)?;
            let mut config = ClientConfig::new(Arc::new(tls));
            config.transport_config(self.transport.clone());
            Ok::<_, IdentityError>(config)
        };
        let dialer = Dialer {
            endpoint: self.endpoint.clone(),
            address: peer.address.clone(),
            media: client(Channel::Media)?,
            control: client(Channel::Control)?,
        };
        Ok(tokio::task::spawn_local(keep_dialing(shared, peer.id, dialer)).into())
    }
}

fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_TIMEOUT_MS))))
        .keep_alive_interval(Some(KEEP_ALIVE))
        .initial_mtu(INITIAL_MTU)
        .datagram_send_buffer_size(datagrams::MOST_QUEUED)
        .congestion_controller_factory(Arc::new(DelayBased))
        .datagram_receive_buffer_size(Some(DATAGRAM_RECEIVE_BUFFER))
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(0));
    transport
}

/// What it takes to dial a peer.
struct Dialer {
    endpoint: Endpoint,
    address: String,
    media: ClientConfig,
    control: ClientConfig,
}

impl Dialer {
    async fn dial(&self) -> Result<(Connection, Connection), DialError> {
        let ours = self.endpoint.local_addr()?;
        let address = tokio::net::lookup_host(&self.address)
            .await?
            .find(|address| ours.is_ipv6() || address.is_ipv4())
            .ok_or(DialError::NoAddress)?;
        let connect =
            |config: &ClientConfig| self.endpoint.connect_with(config.clone(), address, NAME);
        let (media, control) = (connect(&self.media)?, connect(&self.control)?);
        Ok(tokio::try_join!(media, control)?)
    }
}

async fn keep_dialing(shared: Rc<Shared>, peer: PeerId, dialer: Dialer) {
    let mut backoff = Backoff::new(FIRST_REDIAL, SLOWEST_REDIAL);
    loop {
        match dialer.dial().await {
            Ok((media, control)) => {
                let began = tokio::time::Instant::now();
                let ended = session::run(shared.clone(), peer, Side::Dialing, media, control).await;
                tracing::info!(?peer, ?ended, "peer gone");
                if began.elapsed() > SLOWEST_REDIAL {
                    backoff.reset();
                }
            }
            Err(error) => {
                shared.failed_dials.update(|dials| dials + 1);
                tracing::debug!(?peer, %error, "peer cannot be reached");
            }
        }
        tokio::time::sleep(backoff.wait()).await;
    }
}

/// Keeps places for the handshakes of a peer that is to dial from this address.
async fn keep_places(handshakes: Rc<Handshakes>, address: String) {
    let mut backoff = Backoff::new(FIRST_REDIAL, SLOWEST_REDIAL);
    let _places: Vec<_> = loop {
        match tokio::net::lookup_host(&address).await {
            Ok(found) => {
                let found = found.take(MOST_ADDRESSES);
                break found.map(|at| handshakes.expect(at.ip())).collect();
            }
            // Until then it is a stranger.
            Err(error) => tracing::debug!(%error, "a peer's address cannot be resolved"),
        }
        tokio::time::sleep(backoff.wait()).await;
    };
    pending::<()>().await;
}

/// Runs sessions with a peer that dials; a connection that arrives anew ends the session before it.
async fn wait_for(
    shared: Rc<Shared>,
    peer: PeerId,
    mut connections: mpsc::Receiver<(Channel, Connection)>,
) {
    let (mut media, mut control) = (None, None);
    while let Some((channel, connection)) = connections.recv().await {
        let mut newest = Some((channel, connection));
        while let Some((channel, connection)) = newest.take() {
            match channel {
                Channel::Media => media = Some(connection),
                Channel::Control => control = Some(connection),
            }
            // Half of an attempt that the peer has given up is no partner for the next one.
            media.take_if(|c| c.close_reason().is_some());
            control.take_if(|c| c.close_reason().is_some());
            let (Some(m), Some(c)) = (&media, &control) else {
                continue;
            };
            let session = session::run(shared.clone(), peer, Side::Waiting, m.clone(), c.clone());
            tokio::select! {
                ended = session => tracing::info!(?peer, ?ended, "peer gone"),
                next = connections.recv() => newest = next,
            }
            (media, control) = (None, None);
        }
    }
}

async fn accept(endpoint: Endpoint, handshakes: Rc<Handshakes>, doors: Doors) {
    while let Some(incoming) = endpoint.accept().await {
        let is_proven = incoming.remote_address_validated() || !incoming.may_retry();
        match handshakes.begin(incoming.remote_address().ip(), is_proven) {
            Dial::Begun(handshake) => {
                tokio::task::spawn_local(admit(incoming, handshake, doors.clone()));
            }
            // Fails only where `may_retry` says so.
            Dial::Unproven => drop(incoming.retry()),
            // A peer dials again.
            Dial::Refused => incoming.ignore(),
        }
    }
}

async fn admit(incoming: Incoming, mut handshake: Handshake, doors: Doors) {
    let connection = match incoming.accept() {
        Ok(connecting) => tokio::select! {
            connection = connecting => connection,
            () = handshake.given_up() => return tracing::debug!("handshake given up"),
        },
        Err(error) => Err(error),
    };
    drop(handshake);
    let connection = match connection {
        Ok(connection) => connection,
        Err(error) => return tracing::debug!(%error, "dial refused"),
    };
    let door = peer_of(&connection)
        .and_then(|(peer, channel)| Some((doors.borrow().get(&peer)?.clone(), channel)));
    match door {
        Some((door, channel)) if door.try_send((channel, connection.clone())).is_ok() => {}
        // It left the plan during the handshake, or dials faster than it can be served.
        _ => hang_up(&connection),
    }
}

/// Who dialed, and for what.
fn peer_of(connection: &Connection) -> Option<(PeerId, Channel)> {
    let identity = connection.peer_identity()?;
    let chain = identity.downcast_ref::<Vec<CertificateDer<'static>>>()?;
    let handshake = connection.handshake_data()?;
    let alpn = handshake
        .downcast_ref::<HandshakeData>()?
        .protocol
        .as_deref()?;
    Some((identity::fingerprint(chain.first()?), Channel::of(alpn)?))
}
