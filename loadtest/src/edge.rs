//! A client of the edge: accounts, rooms, and the signaling WebSocket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use protocol::api::{CreateRoomRequest, JoinRequest, JoinResponse, RegisterRequest, Room, Session};
use protocol::client::{ClientMessage, Offer, RoomKind, ServerMessage, SettingsChange};
use protocol::id::{Region, RoomId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::signaling::{Door, EnterError, MAX_WAITING, Seat};

/// How often a client lets the room know that it is there.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// A request that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// The API of an edge.
pub struct Edge {
    http: reqwest::Client,
    base: String,
    /// Part of every account's address, so that runs do not meet each other's accounts.
    run: String,
}

impl Edge {
    /// The API at `base`, e.g. `http://localhost:8787`.
    ///
    /// # Errors
    /// There is no TLS to be had.
    pub fn new(base: &str) -> Result<Self, EnterError> {
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .build()
            .map_err(|error| EnterError::Http {
                what: "setting up HTTP",
                error,
            })?;
        Ok(Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            run: format!("{:016x}", fastrand::u64(..)),
        })
    }

    /// Makes the account of bot number `number`; returns its token.
    ///
    /// # Errors
    /// The edge is out of reach, or refuses.
    pub async fn register(&self, number: u32) -> Result<String, EnterError> {
        let account = RegisterRequest {
            email: format!("bot-{}-{number}@example.com", self.run),
            password: "a password of no secret".into(),
            name: format!("Bot {number}"),
        };
        let session: Session = self
            .post("the registration", "/api/auth/register", None, &account)
            .await?;
        Ok(session.token)
    }

    /// Makes a room of this kind.
    ///
    /// # Errors
    /// The edge is out of reach, or refuses.
    pub async fn create_room(
        &self,
        token: &str,
        name: &str,
        kind: RoomKind,
    ) -> Result<RoomId, EnterError> {
        let request = CreateRoomRequest {
            regions: Vec::new(),
            name: name.into(),
            settings: SettingsChange {
                kind: Some(kind),
                ..SettingsChange::default()
            },
        };
        let room: Room = self
            .post("creating the room", "/api/rooms", Some(token), &request)
            .await?;
        Ok(room.id)
    }

    async fn post<T: DeserializeOwned>(
        &self,
        what: &'static str,
        path: &str,
        token: Option<&str>,
        body: &impl Serialize,
    ) -> Result<T, EnterError> {
        let failed = |error| EnterError::Http { what, error };
        let mut request = self.http.post(format!("{}{path}", self.base)).json(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(EnterError::Refused {
                what,
                status: status.as_u16(),
                detail: answer.text().await.unwrap_or_default(),
            });
        }
        answer.json().await.map_err(failed)
    }
}

/// One bot's way into a room through the edge.
pub struct EdgeDoor {
    pub edge: Arc<Edge>,
    pub token: String,
    pub room: RoomId,
    pub region: Option<Region>,
}

impl Door for EdgeDoor {
    async fn enter(self, offer: Offer) -> Result<Seat, EnterError> {
        let started = Instant::now();
        let hints = JoinRequest {
            region: self.region,
            offer: Some(offer),
            ..JoinRequest::default()
        };
        let path = format!("/api/rooms/{}/join", self.room);
        let joined: JoinResponse = self
            .edge
            .post("the join", &path, Some(&self.token), &hints)
            .await?;
        let asked = started.elapsed();
        // http → ws, https → wss.
        let url = format!("{}{}", self.edge.base, joined.url).replacen("http", "ws", 1);
        let (socket, _) = connect_async(url).await.map_err(Box::new)?;
        let opened = started.elapsed() - asked;
        let (to_room, outgoing) = mpsc::channel(MAX_WAITING);
        let (incoming, from_room) = mpsc::channel(MAX_WAITING);
        tokio::spawn(pump(socket, outgoing, incoming));
        Ok(Seat {
            you: joined.participant,
            to_room,
            from_room,
            asked,
            opened,
        })
    }
}

/// Carries messages until either end is gone.
async fn pump(
    mut socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    mut outgoing: mpsc::Receiver<ClientMessage>,
    incoming: mpsc::Sender<ServerMessage>,
) {
    let mut pings = tokio::time::interval(PING_INTERVAL);
    loop {
        let sent = tokio::select! {
            message = outgoing.recv() => {
                let Some(text) = message.and_then(|m| serde_json::to_string(&m).ok()) else {
                    // The bot has left: so says the close, too.
                    let _ = socket.close(None).await;
                    return;
                };
                socket.send(Message::text(text)).await
            }
            _ = pings.tick() => socket.send(Message::text("ping")).await,
            received = socket.next() => {
                match received {
                    Some(Ok(Message::Text(text))) => {
                        // A pong, or what a later edge says, is no message to us.
                        if let Ok(message) = serde_json::from_str(&text)
                            && incoming.send(message).await.is_err()
                        {
                            return;
                        }
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => {}
                }
                Ok(())
            }
        };
        if sent.is_err() {
            return;
        }
    }
}
