//! The way to a shard. It takes what there is room for, and never makes the node wait: a shard that does not read is
//! given up, and disturbs no other.

use std::time::Duration;

use protocol::id::RoomId;
use sfu_core::Retelling;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::shard::ToShard;

/// A shard with so many messages waiting is given no new session: another node answers sooner. All other messages, of which
/// none may be lost, have the rest of the room.
const BUSY: usize = 1_024;
/// How long a link that greets waits for a shard. Sessions of one that says nothing count as lost, so no less than a
/// stumble; a room waits three seconds for the greeting.
const PATIENCE: Duration = Duration::from_secs(2);

/// A message was not taken: the shard reads no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overrun;

/// The node's end.
pub struct Inbox(Option<mpsc::Sender<ToShard>>);

/// A way in that keeps nobody: it is shut when the node gives the shard up.
pub type Door = mpsc::WeakSender<ToShard>;

impl Inbox {
    pub fn new(sender: mpsc::Sender<ToShard>) -> Self {
        Self(Some(sender))
    }

    /// Hands a message over. A shard that has ended says so itself.
    pub fn tell(&self, message: ToShard) -> Result<(), Overrun> {
        let Some(sender) = &self.0 else {
            return Ok(());
        };
        match sender.try_send(message) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(Overrun),
            _ => Ok(()),
        }
    }

    /// Whether so much waits that a new session would wait for long.
    pub fn is_busy(&self) -> bool {
        let waiting = |sender: &mpsc::Sender<_>| sender.max_capacity() - sender.capacity();
        self.0.as_ref().map(waiting) >= Some(BUSY)
    }

    /// A way in for those who ask.
    pub fn door(&self) -> Option<Door> {
        self.0.as_ref().map(mpsc::Sender::downgrade)
    }

    /// No more is said: the shard ends when it has read what there is.
    pub fn close(&mut self) {
        self.0 = None;
    }
}

/// What a room is told of all shards, which are asked side by side.
pub async fn retell(room: &RoomId, doors: &[Option<Door>]) -> Retelling {
    let mut asked = JoinSet::new();
    for door in doors.iter().flatten() {
        let (reply, told) = oneshot::channel();
        let room = room.clone();
        let Some(inbox) = door.upgrade() else {
            continue;
        };
        if inbox.try_send(ToShard::Retell { room, reply }).is_ok() {
            asked.spawn(timeout(PATIENCE, told));
        }
    }
    let answers = asked.join_all().await.into_iter();
    let mut whole = Retelling::default();
    for Retelling { sessions, words } in answers.filter_map(|answer| answer.ok()?.ok()) {
        whole.sessions.extend(sessions);
        whole.words.extend(words);
    }
    whole
}

#[cfg(test)]
mod tests {
    use protocol::node::{NodeToRoom, SessionRef};

    use super::*;

    #[test]
    fn a_shard_that_does_not_read_holds_up_nobody() {
        let (sender, _receiver) = mpsc::channel(BUSY + 1);
        let inbox = Inbox::new(sender);
        for waiting in 0..=BUSY {
            assert_eq!(inbox.is_busy(), waiting >= BUSY);
            assert_eq!(inbox.tell(ToShard::Stop), Ok(()));
        }
        assert_eq!(inbox.tell(ToShard::Stop), Err(Overrun));
    }

    #[tokio::test]
    async fn who_greets_learns_of_the_shards_that_answer() {
        let room: RoomId = "bako-tuvi".parse().unwrap();
        let held = SessionRef {
            participant: "ada".parse().unwrap(),
            attempt: Default::default(),
        };
        let (full, _unread) = mpsc::channel(1);
        full.try_send(ToShard::Stop).unwrap();
        let (living, mut read) = mpsc::channel(1);
        let (given_up, _gone) = mpsc::channel::<ToShard>(1);
        let mut inboxes = [full, living, given_up].map(Inbox::new);
        let doors = inboxes.each_ref().map(Inbox::door);
        inboxes[2].close();
        let answer = held.clone();
        let shard = tokio::spawn(async move {
            if let Some(ToShard::Retell { reply, .. }) = read.recv().await {
                let sessions = vec![answer];
                let words = vec![NodeToRoom::Signs {
                    heard: sessions.clone(),
                    silent: Vec::new(),
                }];
                reply.send(Retelling { sessions, words }).unwrap();
            }
        });
        let told = retell(&room, &doors).await;
        assert_eq!((told.sessions, told.words.len()), (vec![held], 1));
        shard.await.unwrap();
    }
}
