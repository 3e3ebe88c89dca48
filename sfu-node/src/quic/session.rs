//! A peer while it is there: two connections, one stream of messages, datagrams both ways.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use protocol::cascade::{CascadeMessage, MAX_MESSAGE_BYTES, VERSION};
use protocol::id::NodeId;
use quinn::{
    Connection, ConnectionError, ReadExactError, RecvStream, SendStream, VarInt, WriteError,
};
use sfu_core::{Assembled, Assembly, PeerId};
use tokio::sync::{Notify, mpsc};

use super::datagrams::{Datagrams, Drops, Outlet, Path, Unsent};

/// How long a peer may take for its `Hello`.
const HELLO_PATIENCE: Duration = Duration::from_secs(5);
/// Events waiting for the shard. Media beyond is dropped; a peer whose messages go beyond is cut off.
const MAX_EVENTS: usize = 8_192;
/// Messages waiting for a peer that does not read them; beyond, it is cut off. Every track of every shared room is
/// announced at once when a peer comes up, and a full node has some ten thousand.
const MAX_OUTGOING: usize = 65_536;

/// What peers do.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// Both connections are up and the peer has said `Hello`.
    Up(PeerId),
    /// It is gone; it may come back.
    Down(PeerId),
    /// A control message.
    Message(PeerId, CascadeMessage),
    /// A media datagram.
    Datagram(PeerId, Bytes),
}

/// Why a session with a peer ended.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("connection lost: {0}")]
    Lost(#[from] ConnectionError),
    #[error("control stream ended: {0}")]
    Read(#[from] ReadExactError),
    #[error("control stream stopped: {0}")]
    Write(#[from] WriteError),
    #[error("a control message of {0} bytes; at most {MAX_MESSAGE_BYTES} are allowed")]
    TooLong(usize),
    #[error("a message could not be written as JSON: {0}")]
    Encode(serde_json::Error),
    #[error("no Hello within {} s", HELLO_PATIENCE.as_secs())]
    Silent,
    #[error("the first message was no Hello")]
    NoHello,
    #[error("the peer sends messages faster than they can be taken")]
    Flood,
    #[error("the peer does not take its messages")]
    Stuck,
}

/// Which side opens the control stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Dialing,
    Waiting,
}

/// What the sessions of a shard share with it.
pub struct Shared {
    pub node: NodeId,
    events: RefCell<VecDeque<Event>>,
    filled: Notify,
    links: RefCell<HashMap<PeerId, Link>>,
    drops: Cell<Drops>,
    pub failed_dials: Cell<u64>,
    datagrams: Datagrams,
}

/// The sending end of a session that is up.
struct Link {
    media: Outlet,
    outgoing: mpsc::Sender<CascadeMessage>,
}

impl Shared {
    pub fn new(node: NodeId) -> Self {
        Self {
            node,
            events: RefCell::default(),
            filled: Notify::new(),
            links: RefCell::default(),
            drops: Cell::default(),
            failed_dials: Cell::default(),
            datagrams: Datagrams::default(),
        }
    }

    /// Waits until there is an event.
    pub async fn filled(&self) {
        while self.events.borrow().is_empty() {
            self.filled.notified().await;
        }
    }

    /// The next event.
    pub fn next(&self) -> Option<Event> {
        self.events.borrow_mut().pop_front()
    }

    /// How many peers are there.
    pub fn peers(&self) -> usize {
        self.links.borrow().len()
    }

    /// The round-trip time to each peer, as its media connection measures it.
    pub fn round_trips(&self) -> Vec<(PeerId, Duration)> {
        let links = self.links.borrow();
        links
            .iter()
            .map(|(peer, link)| (*peer, link.media.connection.rtt()))
            .collect()
    }

    /// How the paths to all peers are now. What may wait for them follows.
    pub fn paths(&self) -> Vec<(PeerId, Path)> {
        let links = self.links.borrow();
        let path = |(peer, link): (&PeerId, &Link)| (*peer, link.media.look());
        links.iter().map(path).collect()
    }

    /// Media datagrams dropped so far.
    pub fn drops(&self) -> Drops {
        self.drops.get()
    }

    /// Sends a media datagram, or drops it.
    pub fn send_datagram(&self, peer: PeerId, data: &[u8]) {
        let links = self.links.borrow();
        let Some(link) = links.get(&peer) else {
            return self.dropped(|drops| &mut drops.no_peer);
        };
        if let Err(unsent) = self.datagrams.send(&link.media, data) {
            self.dropped(|drops| match unsent {
                Unsent::NoPeer => &mut drops.no_peer,
                Unsent::TooLarge => &mut drops.too_large,
                Unsent::Late => &mut drops.late,
            });
        }
    }

    /// Datagrams that went in fragments so far.
    pub fn fragmented(&self) -> u64 {
        self.datagrams.fragmented.get()
    }

    /// Sends a control message. A peer that is not there gets none: its next `Up` starts from nothing.
    pub fn send_message(&self, peer: PeerId, message: CascadeMessage) {
        let links = self.links.borrow();
        let Some(link) = links.get(&peer) else { return };
        if link.outgoing.try_send(message).is_err() {
            tracing::warn!(?peer, error = %SessionError::Stuck, "peer cut off");
            hang_up(&link.media.connection);
        }
    }

    fn push(&self, event: Event) {
        self.events.borrow_mut().push_back(event);
        self.filled.notify_one();
    }

    fn is_full(&self) -> bool {
        self.events.borrow().len() >= MAX_EVENTS
    }

    fn dropped(&self, field: impl FnOnce(&mut Drops) -> &mut u64) {
        let mut drops = self.drops.get();
        *field(&mut drops) += 1;
        self.drops.set(drops);
    }
}

/// Runs a session until one of its connections ends. Dropping the future hangs up.
pub async fn run(
    shared: Rc<Shared>,
    peer: PeerId,
    side: Side,
    media: Connection,
    control: Connection,
) -> Result<(), SessionError> {
    let connections = HangUp(media.clone(), control.clone());
    let greeting = greet(&control, side, &shared.node);
    let Greeted {
        sender,
        receiver,
        takes_fragments,
    } = tokio::select! {
        greeted = tokio::time::timeout(HELLO_PATIENCE, greeting) => {
            greeted.map_err(|_| SessionError::Silent)??
        }
        // A peer that learns of us between our two dials refuses the first, and has no use for the second alone.
        lost = media.closed() => return Err(SessionError::Lost(lost)),
    };
    let (outgoing, messages) = mpsc::channel(MAX_OUTGOING);
    let link = Link {
        media: Outlet::new(media.clone(), takes_fragments),
        outgoing,
    };
    let _presence = Presence::announce(shared.clone(), peer, link);
    let ended = tokio::select! {
        ended = read_datagrams(&shared, peer, &media) => ended,
        ended = read_messages(&shared, peer, receiver) => ended,
        ended = write_messages(messages, sender) => ended,
    };
    drop(connections);
    ended
}

/// Hangs up both connections when dropped.
struct HangUp(Connection, Connection);

impl Drop for HangUp {
    fn drop(&mut self) {
        hang_up(&self.0);
        hang_up(&self.1);
    }
}

/// Closes a connection; there is nothing to explain to a peer.
pub fn hang_up(connection: &Connection) {
    connection.close(VarInt::from_u32(0), b"");
}

/// A peer is up as long as this lives.
struct Presence {
    shared: Rc<Shared>,
    peer: PeerId,
    media: usize,
}

impl Presence {
    fn announce(shared: Rc<Shared>, peer: PeerId, link: Link) -> Self {
        let presence = Self {
            peer,
            media: link.media.connection.stable_id(),
            shared,
        };
        presence.shared.links.borrow_mut().insert(peer, link);
        presence.shared.push(Event::Up(peer));
        presence
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut links = self.shared.links.borrow_mut();
        // A newer session of the same peer may have taken the place.
        if links
            .get(&self.peer)
            .is_some_and(|link| link.media.connection.stable_id() == self.media)
        {
            links.remove(&self.peer);
            self.shared.push(Event::Down(self.peer));
        }
    }
}

/// The control stream, after both sides' first words.
struct Greeted {
    sender: SendStream,
    receiver: RecvStream,
    takes_fragments: bool,
}

async fn greet(control: &Connection, side: Side, node: &NodeId) -> Result<Greeted, SessionError> {
    let (mut sender, mut receiver) = match side {
        Side::Dialing => control.open_bi().await?,
        Side::Waiting => control.accept_bi().await?,
    };
    let hello = CascadeMessage::Hello {
        version: VERSION,
        node: node.clone(),
        fragments: true,
    };
    write(&mut sender, &hello).await?;
    match read(&mut receiver).await? {
        Some(CascadeMessage::Hello { fragments, .. }) => Ok(Greeted {
            sender,
            receiver,
            takes_fragments: fragments,
        }),
        _ => Err(SessionError::NoHello),
    }
}

async fn read_datagrams(
    shared: &Shared,
    peer: PeerId,
    media: &Connection,
) -> Result<(), SessionError> {
    let mut assembly = Assembly::default();
    loop {
        let data = media.read_datagram().await?;
        let before = assembly.given_up();
        let whole = match assembly.take(&data) {
            Assembled::Whole => Some(data),
            Assembled::Completed(data) => Some(data.into()),
            Assembled::Kept => None,
            Assembled::Malformed => {
                shared.dropped(|drops| &mut drops.incomplete);
                None
            }
        };
        for _ in before..assembly.given_up() {
            shared.dropped(|drops| &mut drops.incomplete);
        }
        let Some(data) = whole else { continue };
        if shared.is_full() {
            shared.dropped(|drops| &mut drops.overflow);
        } else {
            shared.push(Event::Datagram(peer, data));
        }
    }
}

async fn read_messages(
    shared: &Shared,
    peer: PeerId,
    mut receiver: RecvStream,
) -> Result<(), SessionError> {
    loop {
        let Some(message) = read(&mut receiver).await? else {
            continue;
        };
        if shared.is_full() {
            return Err(SessionError::Flood);
        }
        shared.push(Event::Message(peer, message));
    }
}

async fn write_messages(
    mut messages: mpsc::Receiver<CascadeMessage>,
    mut sender: SendStream,
) -> Result<(), SessionError> {
    while let Some(message) = messages.recv().await {
        write(&mut sender, &message).await?;
    }
    Ok(())
}

/// The next message; `None` for one that this release does not understand, which is skipped.
async fn read(receiver: &mut RecvStream) -> Result<Option<CascadeMessage>, SessionError> {
    let mut length = [0; 4];
    receiver.read_exact(&mut length).await?;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_MESSAGE_BYTES {
        return Err(SessionError::TooLong(length));
    }
    let mut text = vec![0; length];
    receiver.read_exact(&mut text).await?;
    match serde_json::from_slice(&text) {
        Ok(CascadeMessage::Unknown) => Ok(None),
        Ok(message) => Ok(Some(message)),
        Err(error) => {
            tracing::debug!(%error, "control message skipped");
            Ok(None)
        }
    }
}

async fn write(sender: &mut SendStream, message: &CascadeMessage) -> Result<(), SessionError> {
    let text = serde_json::to_vec(message).map_err(SessionError::Encode)?;
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(4 + text.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&text);
    sender.write_all(&frame).await?;
    Ok(())
}
