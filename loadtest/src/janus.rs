//! A Janus VideoRoom as Debian ships it, measured by the same bots: what the media node is compared with.
//!
//! Who sends and watches is two peer connections there, so here it is two bots.

mod door;

use std::fmt::Write;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use protocol::id::ParticipantId;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::node::Node;
use crate::plan::{Plan, Sends, Slots, Watch};
pub use door::JanusDoor;
use door::Role;

const PROGRAM: &str = "janus";
const ROOM: u32 = 1;
/// How long it may take to listen.
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
        let to_room = |role| JanusDoor::new(self.address, role);
        let (mut publishers, mut subscribers) = (Vec::new(), Vec::new());
        for (participant, plan) in plans {
            let feed = door::feed(&participant);
            if let Watch::These(watched) = &plan.watch
                && !watched.is_empty()
            {
                let feeds = watched.iter().map(door::feed).collect();
                let plan = Plan {
                    sends: Sends::Nothing,
                    ..plan.clone()
                };
                subscribers.push((plan, to_room(Role::Subscriber(feeds))));
            }
            if plan.sends != Sends::Nothing {
                let plan = Plan {
                    slots: none,
                    watch: Watch::These(Vec::new()),
                    ..plan
                };
                publishers.push((plan, to_room(Role::Publisher(feed))));
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
