//! A stand-in for the edge, on the node's side only: one region, one room, and nobody's accounts. By it a media node is
//! measured alone.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use protocol::client::{ClientMessage, ErrorCode, Offer, ServerMessage};
use protocol::id::{Epoch, NodeId, ParticipantId, Region, RoomId};
use protocol::media::Caps;
use protocol::node::{NodeToRegion, NodeToRoom, Peer, RegionToNode, RoomToNode};
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use crate::signaling::{Door, EnterError, MAX_WAITING, Seat};

const HEARTBEAT_SECONDS: u32 = 30;

/// The stand-in, listening.
pub struct StandIn {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    ready: watch::Receiver<Option<Peer>>,
}

struct Shared {
    room: RoomId,
    region: Region,
    node: NodeId,
    to_node: mpsc::Sender<RoomToNode>,
    people: Mutex<HashMap<ParticipantId, mpsc::Sender<ServerMessage>>>,
}

impl StandIn {
    /// Listens on loopback for a node of this name and region, and places one room on it.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start(room: RoomId, region: Region, node: NodeId) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (to_node, for_node) = mpsc::channel(MAX_WAITING);
        let (says_ready, ready) = watch::channel(None);
        let shared = Arc::new(Shared {
            room,
            region,
            node,
            to_node,
            people: Mutex::default(),
        });
        tokio::spawn(serve(listener, shared.clone(), for_node, says_ready));
        Ok(Self {
            address,
            shared,
            ready,
        })
    }

    /// Waits until the node has dialed the room's link. Returns how other nodes reach it.
    ///
    /// # Errors
    /// It did not within `patience`.
    pub async fn ready(&self, patience: Duration) -> Result<Peer, EnterError> {
        let mut ready = self.ready.clone();
        let waited = tokio::time::timeout(patience, ready.wait_for(Option::is_some)).await;
        let ready = waited.map_err(|_| EnterError::Gone)?;
        let peer = ready.map_err(|_| EnterError::Gone)?.clone();
        peer.ok_or(EnterError::Gone)
    }

    /// Tells the node that these are the other nodes of its room.
    ///
    /// # Errors
    /// It is gone.
    pub async fn share_with(&self, peers: Vec<Peer>) -> Result<(), EnterError> {
        let epoch = Epoch(2);
        let plan = RoomToNode::Plan {
            epoch,
            peers,
            breakouts: Vec::new(),
        };
        let sent = self.shared.to_node.send(plan).await;
        sent.map_err(|_| EnterError::Gone)
    }

    /// A door for one participant.
    pub fn door(&self, participant: ParticipantId) -> StandInDoor {
        StandInDoor {
            shared: self.shared.clone(),
            participant,
        }
    }
}

/// One bot's way to the node.
pub struct StandInDoor {
    shared: Arc<Shared>,
    participant: ParticipantId,
}

impl Door for StandInDoor {
    async fn enter(self, offer: Offer) -> Result<Seat, EnterError> {
        let (to_room, mut said) = mpsc::channel(MAX_WAITING);
        let (tell, from_room) = mpsc::channel(MAX_WAITING);
        let Self {
            shared,
            participant,
        } = self;
        shared.people().insert(participant.clone(), tell);
        let you = participant.clone();
        shared.offer(&participant, offer).await?;
        tokio::spawn(async move {
            while let Some(message) = said.recv().await {
                if let ClientMessage::Offer {
                    attempt,
                    sdp,
                    sources,
                } = message
                {
                    let offer = Offer {
                        attempt,
                        sdp,
                        sources,
                    };
                    if shared.offer(&participant, offer).await.is_err() {
                        break;
                    }
                }
            }
            shared.people().remove(&participant);
        });
        Ok(Seat {
            you,
            to_room,
            from_room,
            asked: Duration::ZERO,
            opened: Duration::ZERO,
        })
    }
}

impl Shared {
    fn people(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<ParticipantId, mpsc::Sender<ServerMessage>>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn offer(&self, participant: &ParticipantId, offer: Offer) -> Result<(), EnterError> {
        let offer = RoomToNode::Offer {
            participant: participant.clone(),
            attempt: offer.attempt,
            sdp: offer.sdp,
            sources: offer.sources,
            caps: Caps::default(),
            breakout: None,
            trail: None,
        };
        self.to_node.send(offer).await.map_err(|_| EnterError::Gone)
    }

    /// How other nodes' plans name this one.
    fn as_peer(&self, quic: String, fingerprint: String) -> Peer {
        Peer {
            node: self.node.clone(),
            region: self.region.clone(),
            quic,
            fingerprint,
        }
    }

    /// Passes on what the node says to whom it concerns.
    fn pass_on(&self, message: NodeToRoom) {
        let (participant, message) = match message {
            NodeToRoom::Answer {
                participant,
                attempt,
                sdp,
            } => {
                let (node, region) = (self.node.clone(), self.region.clone());
                let answer = ServerMessage::Answer {
                    attempt,
                    sdp,
                    node,
                    region,
                };
                (participant, answer)
            }
            NodeToRoom::Refused {
                participant,
                message,
                ..
            } => {
                let error = ServerMessage::Error {
                    code: ErrorCode::BadOffer,
                    message,
                    nonce: None,
                    of: None,
                    retry_after_ms: None,
                };
                (participant, error)
            }
            NodeToRoom::Disconnected {
                participant,
                attempt,
            } => {
                let reason = "the node lost the session".into();
                (participant, ServerMessage::Renegotiate { attempt, reason })
            }
            NodeToRoom::Ready { .. }
            | NodeToRoom::IceRestarted { .. }
            | NodeToRoom::Connected { .. }
            | NodeToRoom::Silent { .. }
            | NodeToRoom::Heard { .. }
            | NodeToRoom::Signs { .. } => return,
        };
        if let Some(tell) = self.people().get(&participant) {
            // A bot that does not listen has left.
            let _ = tell.try_send(message);
        }
    }
}

/// Takes the node's links: first the region's, then the room's.
async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut for_node: mpsc::Receiver<RoomToNode>,
    ready: watch::Sender<Option<Peer>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let Ok((path, socket)) = accept(stream).await else {
            continue;
        };
        if path.starts_with("/node/regions/") {
            let shared = shared.clone();
            tokio::spawn(async move { region_link(socket, &shared).await });
        } else if room_link(socket, &shared, &mut for_node, &ready)
            .await
            .is_ok()
        {
            return;
        }
    }
}

async fn accept(stream: TcpStream) -> Result<(String, WebSocketStream<TcpStream>), Error> {
    let mut path = String::new();
    #[expect(
        clippy::result_large_err,
        reason = "the callback's type is the crate's"
    )]
    let note = |request: &Request, response: Response| {
        path = request.uri().path().to_owned();
        Ok::<_, ErrorResponse>(response)
    };
    let socket = accept_hdr_async(stream, note).await?;
    Ok((path, socket))
}

async fn send(
    socket: &mut WebSocketStream<TcpStream>,
    message: &impl Serialize,
) -> Result<(), Error> {
    match serde_json::to_string(message) {
        Ok(text) => socket.send(Message::text(text)).await,
        Err(error) => Err(Error::Io(error.into())),
    }
}

/// Registers the node and places the room.
async fn region_link(mut socket: WebSocketStream<TcpStream>, shared: &Shared) -> Result<(), Error> {
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else {
            continue;
        };
        if let Ok(NodeToRegion::Register { .. }) = serde_json::from_str(&text) {
            let registered = RegionToNode::Registered {
                heartbeat_seconds: HEARTBEAT_SECONDS,
            };
            send(&mut socket, &registered).await?;
            let open = RegionToNode::OpenRoom {
                room: shared.room.clone(),
                epoch: Epoch(1),
                trail: None,
            };
            send(&mut socket, &open).await?;
        }
    }
    Ok(())
}

/// Carries offers and answers; returns when the bench is over.
async fn room_link(
    mut socket: WebSocketStream<TcpStream>,
    shared: &Shared,
    for_node: &mut mpsc::Receiver<RoomToNode>,
    ready: &watch::Sender<Option<Peer>>,
) -> Result<(), Error> {
    loop {
        tokio::select! {
            message = for_node.recv() => match message {
                Some(message) => send(&mut socket, &message).await?,
                None => return Ok(()),
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                    Ok(NodeToRoom::Ready { quic, fingerprint, .. }) => {
                        let peer = shared.as_peer(quic, fingerprint);
                        drop(ready.send(Some(peer)));
                    }
                    Ok(message) => shared.pass_on(message),
                    // Of a later version.
                    Err(_) => {}
                },
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Err(Error::ConnectionClosed),
            },
        }
    }
}
