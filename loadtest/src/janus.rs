//! A Janus VideoRoom as Debian ships it, measured by the same bots: what the media node is compared with.
//!
//! Its signaling is a WebSocket a handle. A publisher offers; a subscriber asks for feeds and answers Janus' offer. Who
//! sends and watches is two peer connections there, so here it is two bots.

use std::fmt::Write;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use protocol::client::{ClientMessage, Offer, ServerMessage};
use protocol::id::ParticipantId;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::node::Node;
use crate::plan::{Plan, Sends, Slots, Watch};
use crate::signaling::{Door, EnterError, MAX_WAITING, Seat};

const PROGRAM: &str = "janus";
const ROOM: u32 = 1;
/// How long it may take to listen, and a subscriber may wait for its publishers.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// What it does not need here; Debian installs it with all of them.
const UNUSED: [(&str, &str); 2] = [
    (
        "plugins",
        "libjanus_audiobridge.so,libjanus_duktape.so,libjanus_echotest.so,libjanus_lua.so,libjanus_nosip.so,\
         libjanus_recordplay.so,libjanus_sip.so,libjanus_streaming.so,libjanus_textroom.so,libjanus_videocall.so,\
         libjanus_voicemail.so",
    ),
    (
        "transports",
        "libjanus_http.so,libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so,libjanus_rabbitmq.so",
    ),
];

/// A running Janus with one room. It is killed when this goes.
pub struct Janus {
    _child: Child,
    address: SocketAddr,
    folder: PathBuf,
    pub node: Node,
}

impl Janus {
    /// Starts it with media on this address, which must not be loopback: libnice leaves that out.
    ///
    /// # Errors
    /// It is not installed, or does not listen.
    pub async fn start(media: IpAddr) -> io::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let folder = std::env::temp_dir().join(format!("connect-janus-{:016x}", fastrand::u64(..)));
        write_configuration(&folder, media, address)?;
        let mut command = Command::new(PROGRAM);
        command
            .arg("--configs-folder")
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let child = command.spawn()?;
        let node = Node {
            id: PROGRAM.into(),
            region: String::new(),
            pid: child.id(),
            metrics: None,
        };
        let started = Instant::now();
        while let Err(error) = TcpStream::connect(address).await {
            if started.elapsed() > PATIENCE {
                return Err(error);
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
        Ok(Self {
            _child: child,
            address,
            folder,
            node,
        })
    }

    /// The doors of a shape's bots: first all who send, then all who watch.
    pub fn doors(&self, plans: Vec<(ParticipantId, Plan)>) -> Vec<(Plan, JanusDoor)> {
        let none = Slots { audio: 0, video: 0 };
        let door = |role| JanusDoor {
            address: self.address,
            role,
            link: None,
        };
        let (mut publishers, mut subscribers) = (Vec::new(), Vec::new());
        for (participant, plan) in plans {
            let feed = feed(&participant);
            if let Watch::These(watched) = &plan.watch
                && !watched.is_empty()
            {
                let feeds = watched.iter().map(self::feed).collect();
                let plan = Plan {
                    sends: Sends::Nothing,
                    ..plan.clone()
                };
                subscribers.push((plan, door(Role::Subscriber(feeds))));
            }
            if plan.sends != Sends::Nothing {
                let plan = Plan {
                    slots: none,
                    watch: Watch::These(Vec::new()),
                    ..plan
                };
                publishers.push((plan, door(Role::Publisher(feed))));
            }
        }
        publishers.extend(subscribers);
        publishers
    }
}

impl Drop for Janus {
    fn drop(&mut self) {
        // What stays is a few small files in the folder for temporary ones.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The number of a participant's feed: `p7` has 8, as 0 is none.
fn feed(participant: &ParticipantId) -> u64 {
    let name = participant.to_string();
    let number: u64 = name.trim_start_matches('p').parse().unwrap_or_default();
    number + 1
}

fn write_configuration(folder: &Path, media: IpAddr, signaling: SocketAddr) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut unused = String::new();
    for (kind, names) in UNUSED {
        // Writing into a string cannot fail.
        let _ = writeln!(unused, "{kind}: {{\n disable = \"{names}\"\n}}");
    }
    let general = format!(
        "general: {{\n configs_folder = \"{}\"\n debug_level = 1\n session_timeout = 0\n}}\n\
         nat: {{\n ice_enforce_list = \"{media}\"\n}}\n{unused}",
        folder.display()
    );
    let websockets = format!(
        "general: {{\n ws = true\n ws_ip = \"{}\"\n ws_port = {}\n}}\n",
        signaling.ip(),
        signaling.port()
    );
    let room = format!(
        "room-{ROOM}: {{\n publishers = 1000\n bitrate = 0\n fir_freq = 0\n audiocodec = \"opus\"\n \
         videocodec = \"vp8\"\n notify_joining = false\n}}\n"
    );
    for (name, text) in [
        ("janus.jcfg", general),
        ("janus.transport.websockets.jcfg", websockets),
        ("janus.plugin.videoroom.jcfg", room),
    ] {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}

/// What a peer connection is for.
enum Role {
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

fn sdp_of(event: &Value) -> Result<String, EnterError> {
    let sdp = event["jsep"]["sdp"].as_str();
    sdp.map(str::to_owned).ok_or_else(|| EnterError::Refused {
        what: "the VideoRoom",
        status: 0,
        detail: format!("no SDP: {event}"),
    })
}
