//! The protocol of a Janus VideoRoom, on a WebSocket a handle: a publisher offers; a subscriber asks for feeds and answers
//! Janus' offer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use protocol::client::{ClientMessage, Offer, ServerMessage};
use protocol::id::ParticipantId;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::ROOM;
use crate::signaling::{Door, EnterError, MAX_WAITING, Seat};

/// How long a subscriber may wait for its publishers.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// What a peer connection is for.
pub(super) enum Role {
    /// It sends this feed.
    Publisher(u64),
    /// It receives these feeds.
    Subscriber(Vec<u64>),
}

/// One bot's way to the room.
pub struct JanusDoor {
    address: SocketAddr,
    role: Role,
    link: Option<Link>,
}

impl JanusDoor {
    pub(super) fn new(address: SocketAddr, role: Role) -> Self {
        Self {
            address,
            role,
            link: None,
        }
    }
}

impl Door for JanusDoor {
    async fn remote_offer(&mut self) -> Result<Option<String>, EnterError> {
        let mut link = Link::open(self.address).await?;
        let Role::Subscriber(feeds) = &self.role else {
            self.link = Some(link);
            return Ok(None);
        };
        link.wait_for(feeds).await?;
        let streams: Vec<Value> = feeds.iter().map(|feed| json!({ "feed": feed })).collect();
        let join =
            json!({ "request": "join", "ptype": "subscriber", "room": ROOM, "streams": streams });
        let event = link.ask(join, None).await?;
        let offer = sdp_of(&event)?;
        self.link = Some(link);
        Ok(Some(offer))
    }

    async fn enter(self, offer: Offer) -> Result<Seat, EnterError> {
        let mut link = self.link.ok_or(EnterError::Gone)?;
        let (to_room, said) = mpsc::channel(MAX_WAITING);
        let (tell, from_room) = mpsc::channel(MAX_WAITING);
        match self.role {
            Role::Publisher(feed) => {
                let join = json!({ "request": "joinandconfigure", "ptype": "publisher", "room": ROOM, "id": feed });
                let event = link.ask(join, Some(("offer", &offer.sdp))).await?;
                let answer = ServerMessage::Answer {
                    attempt: offer.attempt,
                    sdp: sdp_of(&event)?,
                    node: "janus".parse()?,
                    region: "here".parse()?,
                };
                // There is room for it, and somebody to take it.
                let _ = tell.try_send(answer);
            }
            Role::Subscriber(_) => {
                let start = json!({ "request": "start" });
                link.ask(start, Some(("answer", &offer.sdp))).await?;
            }
        }
        link.completed().await?;
        tokio::spawn(hold(link, said, tell));
        Ok(Seat {
            you: format!("p{}", fastrand::u32(..)).parse()?,
            to_room,
            from_room,
            asked: Duration::ZERO,
            opened: Duration::ZERO,
        })
    }
}

/// Keeps a link until the bot leaves or Janus goes.
async fn hold(
    mut link: Link,
    mut said: mpsc::Receiver<ClientMessage>,
    _tell: mpsc::Sender<ServerMessage>,
) {
    loop {
        tokio::select! {
            message = said.recv() => {
                if message.is_none() {
                    return;
                }
            }
            received = link.socket.next() => {
                if !matches!(received, Some(Ok(_))) {
                    return;
                }
            }
        }
    }
}

/// A WebSocket with one session and one handle of the VideoRoom.
struct Link {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: u64,
    handle: u64,
    transactions: u64,
}

impl Link {
    async fn open(address: SocketAddr) -> Result<Self, EnterError> {
        let mut request = format!("ws://{address}/")
            .into_client_request()
            .map_err(Box::new)?;
        let name = HeaderValue::from_static("janus-protocol");
        request.headers_mut().insert("Sec-WebSocket-Protocol", name);
        let (socket, _) = connect_async(request).await.map_err(Box::new)?;
        let mut link = Self {
            socket,
            session: 0,
            handle: 0,
            transactions: 0,
        };
        let id = |answer: Value| answer["data"]["id"].as_u64().unwrap_or_default();
        link.session = id(link.request(json!({ "janus": "create" })).await?);
        let attach = json!({ "janus": "attach", "plugin": "janus.plugin.videoroom" });
        link.handle = id(link.request(attach).await?);
        Ok(link)
    }

    /// Sends a message to the room; returns its answer.
    async fn ask(&mut self, body: Value, jsep: Option<(&str, &str)>) -> Result<Value, EnterError> {
        let mut message = json!({ "janus": "message", "body": body });
        if let Some((kind, sdp)) = jsep {
            message["jsep"] = json!({ "type": kind, "sdp": sdp });
        }
        self.request(message).await
    }

    /// All of our candidates stand in the SDP.
    async fn completed(&mut self) -> Result<(), EnterError> {
        let trickle = json!({ "janus": "trickle", "candidate": { "completed": true } });
        self.send(trickle).await
    }

    /// Waits until all of these feeds send.
    async fn wait_for(&mut self, feeds: &[u64]) -> Result<(), EnterError> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let list = json!({ "request": "listparticipants", "room": ROOM });
            let answer = self.ask(list, None).await?;
            let there = answer["plugindata"]["data"]["participants"]
                .as_array()
                .map_or(&[][..], Vec::as_slice);
            let sends = |feed: &&u64| {
                there.iter().any(|other| {
                    other["id"].as_u64() == Some(**feed)
                        && other["publisher"].as_bool() == Some(true)
                })
            };
            if feeds.iter().filter(sends).count() == feeds.len() {
                return Ok(());
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
        Err(EnterError::Gone)
    }

    async fn send(&mut self, mut message: Value) -> Result<(), EnterError> {
        self.transactions += 1;
        message["transaction"] = json!(self.transactions.to_string());
        if self.session > 0 {
            message["session_id"] = json!(self.session);
        }
        if self.handle > 0 {
            message["handle_id"] = json!(self.handle);
        }
        let text = Message::text(message.to_string());
        Ok(self.socket.send(text).await.map_err(Box::new)?)
    }

    /// Sends a request and waits for its answer, which for some is an event after an acknowledgment.
    async fn request(&mut self, message: Value) -> Result<Value, EnterError> {
        self.send(message).await?;
        let own = self.transactions.to_string();
        loop {
            let received = self.socket.next().await.ok_or(EnterError::Gone)?;
            let Message::Text(text) = received.map_err(Box::new)? else {
                continue;
            };
            let answer: Value = serde_json::from_str(&text).unwrap_or_default();
            let of_it = answer["transaction"].as_str() == Some(&own);
            if !of_it || answer["janus"] == "ack" {
                continue;
            }
            let reason = [&answer["error"], &answer["plugindata"]["data"]["error"]];
            if let Some(reason) = reason.into_iter().find(|reason| !reason.is_null()) {
                return Err(EnterError::Refused {
                    what: "the VideoRoom",
                    status: answer["error"]["code"].as_u64().unwrap_or_default() as u16,
                    detail: reason.to_string(),
                });
            }
            return Ok(answer);
        }
    }
}

/// The number of a participant's feed: `p7` has 8, as 0 is none.
pub(super) fn feed(participant: &ParticipantId) -> u64 {
    let name = participant.to_string();
    let number: u64 = name.trim_start_matches('p').parse().unwrap_or_default();
    number + 1
}

fn sdp_of(event: &Value) -> Result<String, EnterError> {
    let sdp = event["jsep"]["sdp"].as_str();
    sdp.map(str::to_owned).ok_or_else(|| EnterError::Refused {
        what: "the VideoRoom",
        status: 0,
        detail: format!("no SDP: {event}"),
    })
}
