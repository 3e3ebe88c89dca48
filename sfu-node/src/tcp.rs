//! ICE over TCP, for networks that let no UDP through: clients dial the media port (RFC 6544), datagrams are framed
//! (RFC 4571). All of it runs in the shard's own thread.

mod connection;
mod strangers;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::site::Site;
use crate::task::Task;
use connection::{Connection, Taken};
use strangers::Strangers;

/// Connections of a shard. Whoever can use UDP needs none.
const MAX_CONNECTIONS: usize = 1_024;
/// Connections from one address: an office behind one NAT without UDP.
const MAX_FROM_ONE: usize = 128;
/// Datagrams that wait for the shard.
const MAX_INBOX: usize = 4_096;
/// What the kernel holds for a slow client, in bytes; media in there is too old soon.
const SEND_BUFFER: usize = 64 * 1_024;
/// Bytes sent and never acknowledged for so long end a connection.
const USER_TIMEOUT: Duration = Duration::from_secs(20);
/// Connections that the kernel holds until they are accepted.
const BACKLOG: i32 = 256;
/// After an error of `accept` (out of descriptors, mostly) it is tried again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What went through since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections now.
    pub connections: u64,
    pub accepted: u64,
    /// Connections refused because there were too many.
    pub refused: u64,
    pub datagrams_in: u64,
    pub datagrams_out: u64,
    /// Datagrams lost because a client was slow, or the shard.
    pub dropped: u64,
}

/// Binds a listening socket; `only` its family if both have one of their own.
pub fn bind(address: SocketAddr, only: bool) -> io::Result<StdListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(only)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// A datagram that has come.
#[derive(Debug)]
pub struct Received {
    pub from: SocketAddr,
    /// When it was read.
    pub at: std::time::Instant,
    pub datagram: Vec<u8>,
}

/// What the shard and the connections' tasks share.
#[derive(Default)]
struct Shared {
    inbox: RefCell<VecDeque<Received>>,
    arrived: Notify,
    connections: RefCell<HashMap<SocketAddr, Rc<Connection>>>,
    counters: Cell<Counters>,
    strangers: Strangers,
}

impl Shared {
    fn count(&self, change: impl FnOnce(&mut Counters)) {
        let mut counters = self.counters.get();
        change(&mut counters);
        self.counters.set(counters);
    }

    fn received(&self, from: SocketAddr, at: std::time::Instant, datagram: &[u8]) {
        let mut inbox = self.inbox.borrow_mut();
        if inbox.len() >= MAX_INBOX {
            self.count(|counters| counters.dropped += 1);
            return;
        }
        self.count(|counters| counters.datagrams_in += 1);
        inbox.push_back(Received {
            from,
            at,
            datagram: datagram.to_vec(),
        });
        self.arrived.notify_one();
    }

    /// Whether one more connection from there is too much.
    fn is_full(&self, from: IpAddr) -> bool {
        let connections = self.connections.borrow();
        let same = connections
            .keys()
            .filter(|address| Site::from(address.ip()) == Site::from(from));
        connections.len() >= MAX_CONNECTIONS || same.count() >= MAX_FROM_ONE
    }
}

/// The TCP side of a shard's media port.
pub struct Tcp {
    shared: Rc<Shared>,
    /// Connections with something to write at the end of the turn.
    unwritten: Vec<Rc<Connection>>,
    _listening: Vec<Task>,
}

impl Tcp {
    /// Takes over bound sockets. Needs the runtime that it will run in.
    pub fn new(listeners: impl IntoIterator<Item = StdListener>) -> io::Result<Self> {
        let shared = Rc::new(Shared::default());
        let listen = |listener| {
            let listener = TcpListener::from_std(listener)?;
            Ok(tokio::task::spawn_local(accept(listener, shared.clone())).into())
        };
        Ok(Self {
            _listening: listeners
                .into_iter()
                .map(listen)
                .collect::<io::Result<_>>()?,
            shared,
            unwritten: Vec::new(),
        })
    }

    /// Waits until there is something to receive.
    pub async fn readable(&self) {
        if self.shared.inbox.borrow().is_empty() {
            self.shared.arrived.notified().await;
        }
    }

    /// The next received datagram.
    pub fn receive(&mut self) -> Option<Received> {
        self.shared.inbox.borrow_mut().pop_front()
    }

    /// Takes datagrams, cut after every `segment` bytes, for the next [`Tcp::flush`].
    pub fn send(&mut self, to: SocketAddr, contents: &[u8], segment: usize) {
        let connection = self.shared.connections.borrow().get(&to).cloned();
        for datagram in contents.chunks(segment.max(1)) {
            let taken = connection.as_ref().map(|to| to.send(datagram));
            self.shared.count(|counters| match taken {
                Some(Taken::Queued) => counters.datagrams_out += 1,
                Some(Taken::Dropped) | None => counters.dropped += 1,
            });
        }
        let last = self.unwritten.last();
        if let Some(connection) = connection
            && last.is_none_or(|last| !Rc::ptr_eq(last, &connection))
        {
            self.unwritten.push(connection);
        }
    }

    /// A session has reached its client there: the connection is its own.
    pub fn reached(&mut self, client: SocketAddr) {
        if let Some(connection) = self.shared.connections.borrow().get(&client) {
            connection.make_known();
        }
    }

    /// Writes all that was taken, as far as clients are ready for it.
    pub fn flush(&mut self) {
        for connection in self.unwritten.drain(..) {
            connection.write();
        }
    }

    /// What went through so far.
    pub fn counters(&self) -> Counters {
        self.shared.counters.get()
    }
}

async fn accept(listener: TcpListener, shared: Rc<Shared>) {
    loop {
        if let Some(until) = shared.strangers.wait_to_accept(Instant::now()) {
            sleep_until(until).await;
        }
        match listener.accept().await {
            Ok((stream, from)) if shared.is_full(from.ip().to_canonical()) => {
                shared.count(|counters| counters.refused += 1);
                drop(stream);
            }
            Ok((stream, from)) => {
                if let Err(error) = configure(&stream) {
                    tracing::debug!(%error, "a connection was gone before it began");
                    continue;
                }
                tokio::task::spawn_local(serve(stream, from, shared.clone()));
            }
            Err(error) => {
                tracing::debug!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn configure(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))
}

async fn serve(stream: TcpStream, from: SocketAddr, shared: Rc<Shared>) {
    // As the media port's UDP side names an IPv4 client of a socket for both families.
    let from = SocketAddr::new(from.ip().to_canonical(), from.port());
    let connection = Rc::new(Connection::new(stream));
    let table = &shared.connections;
    table.borrow_mut().insert(from, connection.clone());
    let now = Instant::now();
    shared
        .strangers
        .enter(now, from.ip().into(), connection.clone());
    shared.count(|counters| {
        counters.accepted += 1;
        counters.connections += 1;
    });
    let end = connection.run(from, &shared).await;
    tracing::debug!(%end, "connection ended");
    shared.strangers.leave(&connection);
    // A client that dials again from the same port has taken the place already.
    let mut connections = table.borrow_mut();
    if connections
        .get(&from)
        .is_some_and(|now| Rc::ptr_eq(now, &connection))
    {
        connections.remove(&from);
    }
    shared.count(|counters| counters.connections -= 1);
}

#[cfg(test)]
mod tests;
