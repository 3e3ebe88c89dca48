//! Links to the edge: WebSockets that this node dials, greets on, keeps alive and dials again.

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::{Fuse, FusedFuture};
use futures_util::{FutureExt, SinkExt, StreamExt};
use protocol::id::{NodeId, Region};
use protocol::node::{AUDIENCE, Claims, MAX_TOKEN_SECONDS};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::http::uri::InvalidUri;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::backoff::Backoff;
use crate::key::{KeyError, NodeKey};
use crate::task::Task;

/// How long a token lives, in seconds: less than the edge allows, so that its clock may be behind ours.
const TOKEN_SECONDS: u64 = MAX_TOKEN_SECONDS - 15;
/// How long a dial may take, TLS and upgrade included.
const DIAL_PATIENCE: Duration = Duration::from_secs(5);
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// A link on which nothing has come for so long, not even a pong, is in doubt: the edge is asked beside it. One that answers
/// there has lost the link. One that does not is away or stalls, and then the link may well be good for longer.
const SILENCE: Duration = Duration::from_secs(12);
/// What an edge answers to anybody.
const ANYBODY: &str = "/.well-known/jwks.json";
/// Fast first: most losses are a restart of the other end, and clients wait.
const FIRST_REDIAL: Duration = Duration::from_millis(100);
const SLOWEST_REDIAL: Duration = Duration::from_secs(5);
/// Messages waiting for a link that is down or slow: two of each of the people that a node is made for, of whom all may be told
/// at once.
const MAX_OUTGOING: usize = 2_048;
/// Longest message of the edge, in bytes: an offer and its wrapping.
const MAX_MESSAGE_BYTES: usize = protocol::client::MAX_MESSAGE_BYTES * 2;

/// The edge, and this node's proof of who it is.
pub struct Edge {
    base: String,
    key: NodeKey,
    /// Where the key is read anew from for each link: whoever changes it there breaks none.
    key_file: Option<PathBuf>,
    node: NodeId,
    region: Region,
}

/// Why a link is not up.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("no token could be signed: {0}")]
    Token(#[from] jsonwebtoken::errors::Error),
    #[error("the link's address is malformed: {0}")]
    Address(#[from] InvalidUri),
    #[error("no answer within {} s", DIAL_PATIENCE.as_secs())]
    NoAnswer,
    #[error("nothing heard for {} s, though the edge answers elsewhere", SILENCE.as_secs())]
    Silent,
    #[error("messages were lost, which a new greeting makes good")]
    Lossy,
    #[error("closed by the edge")]
    Closed,
    #[error("a message could not be written as JSON: {0}")]
    Encode(#[from] serde_json::Error),
    #[error(transparent)]
    WebSocket(Box<tungstenite::Error>),
}

impl From<tungstenite::Error> for LinkError {
    fn from(error: tungstenite::Error) -> Self {
        Self::WebSocket(Box::new(error))
    }
}

impl LinkError {
    /// The HTTP status with which the edge refused the link.
    fn status(&self) -> Option<u16> {
        match self {
            Self::WebSocket(error) => match &**error {
                tungstenite::Error::Http(response) => Some(response.status().as_u16()),
                _ => None,
            },
            _ => None,
        }
    }
}

/// What a link reports.
#[derive(Debug)]
pub enum LinkEvent<T> {
    /// It is open, and greeted.
    Up,
    Message(T),
    /// It is lost; it is being dialed again.
    Down,
    /// The edge refused it with this HTTP status; it is being dialed again.
    Refused(u16),
}

/// What is said on each connection before anything else.
pub struct Greeting<Out> {
    /// The first message.
    pub first: Out,
    /// How it is now, of all that may have been lost before: after what still waits from then, and however much it is.
    pub then: Vec<Out>,
}

impl<Out> From<Out> for Greeting<Out> {
    fn from(first: Out) -> Self {
        let then = Vec::new();
        Self { first, then }
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Edge {
    /// The edge at `base` (`ws://` or `wss://`, without a trailing slash).
    pub fn new(
        base: String,
        key: NodeKey,
        key_file: Option<PathBuf>,
        node: NodeId,
        region: Region,
    ) -> Self {
        Self {
            base,
            key,
            key_file,
            node,
            region,
        }
    }

    async fn dial(&self, path: &str) -> Result<Socket, LinkError> {
        let request = ClientRequestBuilder::new(format!("{}{path}", self.base).parse()?)
            .with_header("Authorization", format!("Bearer {}", self.token()?));
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let dial = connect_async_with_config(request, Some(limits), true);
        let (socket, _) = tokio::time::timeout(DIAL_PATIENCE, dial)
            .await
            .map_err(|_| LinkError::NoAnswer)??;
        Ok(socket)
    }

    /// Whether the edge answers at all. A proxy that does so in its place has an error of the server to tell.
    async fn is_awake(&self) -> bool {
        match self.dial(ANYBODY).await {
            Ok(_) => true,
            Err(error) => error.status().is_some_and(|status| status < 500),
        }
    }

    fn token(&self) -> Result<String, LinkError> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let claims = Claims {
            sub: self.node.clone(),
            region: self.region.clone(),
            aud: AUDIENCE.to_owned(),
            iat: now,
            exp: now + TOKEN_SECONDS,
            key_until: 0,
        };
        Ok(self.key().sign(claims)?)
    }

    /// The key of now. While there is none in its file, the one of the start serves.
    fn key(&self) -> NodeKey {
        let file = self.key_file.as_ref();
        let text = file.map(std::fs::read_to_string).transpose();
        match text
            .map_err(KeyError::from)
            .and_then(|text| text.as_deref().map(NodeKey::parse).transpose())
        {
            Ok(key) => key.unwrap_or_else(|| self.key.clone()),
            Err(error) => {
                tracing::warn!(%error, "no new key");
                self.key.clone()
            }
        }
    }
}

/// A link; dropping it ends it at once.
pub struct Link<Out> {
    outgoing: Outgoing<Out>,
    task: Task,
}

/// The way to a link's task.
struct Outgoing<Out> {
    messages: mpsc::Sender<Out>,
    /// A message found no room.
    lossy: Arc<Notify>,
}

impl<Out> Outgoing<Out> {
    fn send(&self, message: Out) -> Result<(), LinkFull> {
        self.messages.try_send(message).map_err(|_| {
            self.lossy.notify_one();
            LinkFull
        })
    }
}

/// The link's queue is full: the message was not taken.
#[derive(Debug, thiserror::Error)]
#[error("{MAX_OUTGOING} messages wait for the edge already")]
pub struct LinkFull;

impl<Out: Serialize + Send + Sync + 'static> Link<Out> {
    /// Opens the link at `path` and keeps it open. `greet` makes the greeting of each connection; `report` takes what happens.
    pub fn open<In, Greet, Greets, Report, Reporting>(
        edge: Arc<Edge>,
        path: String,
        greet: Greet,
        report: Report,
    ) -> Self
    where
        In: DeserializeOwned + Send + 'static,
        Greet: Fn() -> Greets + Send + Sync + 'static,
        Greets: Future<Output = Greeting<Out>> + Send,
        Report: Fn(LinkEvent<In>) -> Reporting + Send + Sync + 'static,
        Reporting: Future<Output = ()> + Send,
    {
        let (outgoing, mut messages) = mpsc::channel(MAX_OUTGOING);
        let lossy = Arc::new(Notify::new());
        let lost = lossy.clone();
        let task = tokio::spawn(async move {
            let mut backoff = Backoff::new(FIRST_REDIAL, SLOWEST_REDIAL);
            loop {
                match edge.dial(&path).await {
                    Ok(socket) => {
                        let began = Instant::now();
                        let is_awake = || edge.is_awake();
                        match serve(socket, &mut messages, &lost, &greet, &report, is_awake).await {
                            Ok(()) => return,
                            Err(error) => tracing::info!(path, %error, "link lost"),
                        }
                        report(LinkEvent::Down).await;
                        if began.elapsed() > SLOWEST_REDIAL {
                            backoff.reset();
                        }
                    }
                    Err(error) => {
                        tracing::info!(path, %error, "link not up");
                        if let Some(status) = error.status() {
                            report(LinkEvent::Refused(status)).await;
                        }
                        if messages.is_closed() {
                            return;
                        }
                    }
                }
                tokio::time::sleep(backoff.wait()).await;
            }
        });
        Self {
            outgoing: Outgoing {
                messages: outgoing,
                lossy,
            },
            task: task.into(),
        }
    }

    /// Queues a message; it survives a loss of the link. After one that finds no room, the link is greeted anew.
    pub fn send(&self, message: Out) -> Result<(), LinkFull> {
        self.outgoing.send(message)
    }

    /// Queues messages for whoever holds no link. It keeps [`close`](Self::close) waiting as long as it lives.
    pub fn sender(&self) -> impl FnMut(Out) -> Result<(), LinkFull> + Send + use<Out> {
        let outgoing = Outgoing {
            messages: self.outgoing.messages.clone(),
            lossy: self.outgoing.lossy.clone(),
        };
        move |message| outgoing.send(message)
    }

    /// Sends what is queued, says goodbye and ends.
    pub async fn close(self) {
        drop(self.outgoing);
        self.task.finished().await;
    }
}

/// Serves one connection. `Ok` means that this side is done with the link.
async fn serve<In, Out, Stream, Greets, Reporting, Awake>(
    mut socket: WebSocketStream<Stream>,
    messages: &mut mpsc::Receiver<Out>,
    lossy: &Notify,
    greet: &(impl Fn() -> Greets + Sync),
    report: &(impl Fn(LinkEvent<In>) -> Reporting + Sync),
    is_awake: impl Fn() -> Awake,
) -> Result<(), LinkError>
where
    In: DeserializeOwned,
    Out: Serialize,
    Stream: AsyncRead + AsyncWrite + Unpin,
    Awake: Future<Output = bool>,
    Greets: Future<Output = Greeting<Out>> + Send,
    Reporting: Future<Output = ()> + Send,
{
    // The greeting says how it is now, so that it makes good what was lost before.
    let _ = lossy.notified().now_or_never();
    let waiting = messages.len();
    let Greeting { first, then } = greet().await;
    send(&mut socket, &first).await?;
    // Older words would undo what the greeting says.
    for _ in 0..waiting {
        if let Ok(message) = messages.try_recv() {
            send(&mut socket, &message).await?;
        }
    }
    for message in then {
        send(&mut socket, &message).await?;
    }
    report(LinkEvent::Up).await;
    let mut heard = Instant::now();
    let mut ping = tokio::time::interval(PING_INTERVAL);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut beside = pin!(Fuse::terminated());
    loop {
        tokio::select! {
            // What is to be said in doubt is kept for a link that is none.
            message = messages.recv(), if heard.elapsed() <= SILENCE => match message {
                Some(message) => send(&mut socket, &message).await?,
                None => {
                    socket.close(None).await?;
                    return Ok(());
                }
            },
            () = lossy.notified(), if heard.elapsed() <= SILENCE => return Err(LinkError::Lossy),
            received = socket.next() => {
                heard = Instant::now();
                beside.set(Fuse::terminated());
                match received.ok_or(LinkError::Closed)?? {
                    Message::Text(text) => match serde_json::from_str(&text) {
                        Ok(message) => report(LinkEvent::Message(message)).await,
                        // A newer edge may say what this release does not know.
                        Err(error) => tracing::debug!(%error, "message skipped"),
                    },
                    Message::Close(_) => return Err(LinkError::Closed),
                    _ => {}
                }
            }
            awake = &mut beside => if awake {
                return Err(LinkError::Silent);
            },
            _ = ping.tick() => {
                if heard.elapsed() > SILENCE && beside.is_terminated() {
                    beside.set(is_awake().fuse());
                }
                socket.send(Message::Ping(Default::default())).await?;
            }
        }
    }
}

async fn send<Stream: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<Stream>,
    message: &impl Serialize,
) -> Result<(), LinkError> {
    let text = serde_json::to_string(message)?;
    Ok(socket.send(Message::text(text)).await?)
}

#[cfg(test)]
mod tests;
