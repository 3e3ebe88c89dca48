//! One client's connection: a task reads it, the shard writes it as far as it takes bytes, the task writes the rest.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use sfu_core::framing::{self, FrameTooLong, Frames};
use sfu_core::{is_media, is_stun};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::Shared;
use super::strangers::{BYTES_AT_ONCE, BYTES_OF_ONE};

/// A connection that no session has known for so long is not a client's.
const PATIENCE: Duration = Duration::from_secs(5);
/// A client that has been silent for so long is gone: consent alone is asked for every five seconds (RFC 7675, 5.1).
const IDLE: Duration = Duration::from_secs(30);
/// Bytes that wait for a slow client before media is dropped: about 100 ms at 5 Mbit/s. The kernel holds as much again.
const MAX_MEDIA_WAITING: usize = 64 * 1_024;
/// Bytes that wait before the client is given up; only STUN, DTLS and what is carried in it get so far.
const MAX_WAITING: usize = 256 * 1_024;
/// Reads of one connection before the others get their turn.
const READS_PER_TURN: usize = 8;
/// Datagrams of one connection in such a turn: ten times what its reads hold of media. Shorter ones, many of them, are no
/// client's, and would fill what all clients share.
const DATAGRAMS_PER_TURN: usize = 1_024;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub enum End {
    #[error("the client hung up")]
    HungUp,
    #[error("no session knows it")]
    Stranger,
    #[error("it sent more than {BYTES_OF_ONE} bytes before a session knew it")]
    Pushy,
    #[error("no session knew it, and another one needed its place")]
    Displaced,
    #[error("the client was silent")]
    Idle,
    #[error("the client takes nothing any more")]
    Stuck,
    #[error(transparent)]
    Frame(#[from] FrameTooLong),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What became of a datagram for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Queued,
    Dropped,
}

/// The writing side, shared by the shard and the connection's task.
pub struct Connection {
    stream: TcpStream,
    waiting: RefCell<Vec<u8>>,
    /// The task is to look after what waits, or after a connection that is stuck.
    stalled: Notify,
    standing: Cell<Standing>,
}

/// What is known of whoever is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Stranger,
    /// A session has sent something: what comes may be a client's.
    Answered,
    /// A stranger whose place another one needs.
    Displaced,
    /// A session has reached its client here.
    Known,
    /// It takes nothing any more.
    Stuck,
}

impl Connection {
    pub fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            waiting: RefCell::default(),
            stalled: Notify::new(),
            standing: Cell::new(Standing::Stranger),
        }
    }

    /// Whether no session has reached its client here.
    pub fn is_stranger(&self) -> bool {
        match self.standing.get() {
            Standing::Stranger | Standing::Answered | Standing::Displaced => true,
            Standing::Known | Standing::Stuck => false,
        }
    }

    /// A session has reached its client here.
    pub fn make_known(&self) {
        if self.is_stranger() {
            self.standing.set(Standing::Known);
            // The task may be waiting for what a stranger may take.
            self.stalled.notify_one();
        }
    }

    /// Another one needs the place.
    pub fn give_up(&self) {
        if self.is_stranger() {
            self.standing.set(Standing::Displaced);
            self.stalled.notify_one();
        }
    }

    /// Takes a datagram for the next [`Connection::write`]. Media is dropped rather than queued behind too much.
    pub fn send(&self, datagram: &[u8]) -> Taken {
        let mut waiting = self.waiting.borrow_mut();
        if self.standing.get() == Standing::Stranger {
            self.standing.set(Standing::Answered);
        }
        if is_media(datagram) && waiting.len() + datagram.len() > MAX_MEDIA_WAITING {
            return Taken::Dropped;
        }
        if waiting.len() + datagram.len() > MAX_WAITING {
            self.standing.set(Standing::Stuck);
            self.stalled.notify_one();
            return Taken::Dropped;
        }
        match framing::write(&mut waiting, datagram) {
            true => Taken::Queued,
            false => Taken::Dropped,
        }
    }

    /// Gives the kernel what waits, as far as it takes it. The task sees to the rest.
    pub fn write(&self) {
        let mut waiting = self.waiting.borrow_mut();
        let mut written = 0;
        while written < waiting.len() {
            match self.stream.try_write(&waiting[written..]) {
                Ok(0) | Err(_) => break,
                Ok(bytes) => written += bytes,
            }
        }
        waiting.drain(..written);
        if !waiting.is_empty() {
            self.stalled.notify_one();
        }
    }

    /// Reads until the connection ends.
    pub async fn run(&self, from: SocketAddr, shared: &Rc<Shared>) -> End {
        let opened = Instant::now();
        let mut frames = Frames::default();
        let mut heard = opened;
        let mut left = BYTES_OF_ONE;
        loop {
            let stranger = self.is_stranger();
            let deadline = if stranger {
                opened + PATIENCE
            } else {
                heard + IDLE
            };
            let pause = shared.strangers.wait_to_read(Instant::now());
            let pause = pause.filter(|_| stranger);
            let next = pause.map_or(deadline, |pause| pause.min(deadline));
            tokio::select! {
                ready = self.stream.readable(), if pause.is_none() => {
                    heard = Instant::now();
                    let read = ready.map_err(End::Io).and_then(|()| match stranger {
                        true => self.read_of_stranger(from, &mut frames, shared, &mut left),
                        false => self.read(from, &mut frames, shared),
                    });
                    if let Err(end) = read {
                        return end;
                    }
                }
                () = self.can_go_on_writing() => self.write(),
                () = sleep_until(next) => {}
            }
            let is_due = deadline <= Instant::now();
            match self.standing.get() {
                Standing::Stuck => return End::Stuck,
                Standing::Displaced => return End::Displaced,
                Standing::Stranger | Standing::Answered if is_due => return End::Stranger,
                Standing::Known if !stranger && is_due && heard + IDLE <= Instant::now() => {
                    return End::Idle;
                }
                _ => {}
            }
        }
    }

    async fn can_go_on_writing(&self) {
        if self.waiting.borrow().is_empty() || self.standing.get() == Standing::Stuck {
            self.stalled.notified().await;
        }
        if self.waiting.borrow().is_empty() {
            return;
        }
        // An error shows at the next read.
        let _ = self.stream.writable().await;
    }

    /// Reads a little, of which there is not much in all.
    fn read_of_stranger(
        &self,
        from: SocketAddr,
        frames: &mut Frames,
        shared: &Shared,
        left: &mut usize,
    ) -> Result<(), End> {
        let bytes = self.fill(frames, BYTES_AT_ONCE)?.unwrap_or(0);
        shared.strangers.read(Instant::now(), bytes);
        *left = left.checked_sub(bytes).ok_or(End::Pushy)?;
        self.pass_on(from, frames, shared, &mut 0)
    }

    fn read(&self, from: SocketAddr, frames: &mut Frames, shared: &Shared) -> Result<(), End> {
        let mut taken = 0;
        for _ in 0..READS_PER_TURN {
            if self.fill(frames, usize::MAX)?.is_none() {
                break;
            }
            self.pass_on(from, frames, shared, &mut taken)?;
        }
        Ok(())
    }

    /// Reads what is there, at most so much; `None` when there is nothing.
    fn fill(&self, frames: &mut Frames, most: usize) -> Result<Option<usize>, End> {
        let space = frames.space();
        let most = most.min(space.len());
        match self.stream.try_read(&mut space[..most]) {
            Ok(0) => Err(End::HungUp),
            Ok(bytes) => {
                frames.filled(bytes);
                Ok(Some(bytes))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Hands the shard the datagrams that are whole; `taken` counts those of a turn.
    fn pass_on(
        &self,
        from: SocketAddr,
        frames: &mut Frames,
        shared: &Shared,
        taken: &mut usize,
    ) -> Result<(), End> {
        let at = std::time::Instant::now();
        while let Some(datagram) = frames.next_datagram()? {
            *taken += 1;
            // Who has not shown by STUN that it is a session's client is not heard with anything else.
            let is_answered = matches!(self.standing.get(), Standing::Answered | Standing::Known);
            let welcome = is_answered || is_stun(datagram);
            if welcome && *taken <= DATAGRAMS_PER_TURN {
                shared.received(from, at, datagram);
            } else {
                shared.count(|counters| counters.dropped += 1);
            }
        }
        Ok(())
    }
}
