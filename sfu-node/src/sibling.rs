//! Between the shards of a node: what QUIC is between nodes, over channels in memory. Datagrams go in parcels, one for each
//! turn of a shard's loop, so that a thread is woken for many packets at once; what a busy shard has no room for is dropped.

use std::collections::{HashMap, VecDeque};
use std::future::pending;

use bytes::Bytes;
use protocol::cascade::CascadeMessage;
use sfu_core::PeerId;
use tokio::sync::mpsc;

/// Parcels waiting for a shard. At a turn every few milliseconds this is more than a packet may wait.
const MAX_PARCELS: usize = 64;

/// What another shard did.
#[derive(Debug, PartialEq)]
pub enum Event {
    Message(PeerId, CascadeMessage),
    Datagram(PeerId, Bytes),
    /// Its thread has ended, for good.
    Gone(PeerId),
}

/// The datagrams of one turn, laid out back to back.
#[derive(Debug)]
struct Parcel {
    from: PeerId,
    bytes: Bytes,
    ends: Vec<usize>,
}

/// The way to another shard.
struct Way {
    messages: mpsc::UnboundedSender<(PeerId, CascadeMessage)>,
    parcels: mpsc::Sender<Parcel>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// A shard's end of the channels to all others.
pub struct Siblings {
    id: PeerId,
    ways: HashMap<PeerId, Way>,
    messages: mpsc::UnboundedReceiver<(PeerId, CascadeMessage)>,
    parcels: mpsc::Receiver<Parcel>,
    ready: VecDeque<Event>,
    dropped: u64,
}

/// Joins shards, each with each.
pub fn mesh(ids: &[PeerId]) -> Vec<Siblings> {
    let (mut doors, mut ends) = (Vec::new(), Vec::new());
    for id in ids {
        let (message_door, messages) = mpsc::unbounded_channel();
        let (parcel_door, parcels) = mpsc::channel(MAX_PARCELS);
        doors.push((*id, message_door, parcel_door));
        ends.push((*id, messages, parcels));
    }
    let join = |(id, messages, parcels)| Siblings {
        id,
        ways: doors
            .iter()
            .filter(|(other, _, _)| *other != id)
            .map(|(other, messages, parcels)| {
                let way = Way {
                    messages: messages.clone(),
                    parcels: parcels.clone(),
                    bytes: Vec::new(),
                    ends: Vec::new(),
                };
                (*other, way)
            })
            .collect(),
        messages,
        parcels,
        ready: VecDeque::new(),
        dropped: 0,
    };
    ends.into_iter().map(join).collect()
}

impl Siblings {
    /// The other shards.
    pub fn ids(&self) -> Vec<PeerId> {
        self.ways.keys().copied().collect()
    }

    /// Whether this is another shard of the node.
    pub fn is(&self, peer: PeerId) -> bool {
        self.ways.contains_key(&peer)
    }

    /// Waits until [`next`](Self::next) has something.
    pub async fn readable(&mut self) {
        if !self.ready.is_empty() {
            return;
        }
        tokio::select! {
            Some((from, message)) = self.messages.recv() => {
                self.ready.push_back(Event::Message(from, message));
            }
            Some(parcel) = self.parcels.recv() => self.open(parcel),
            // A node of one shard, or the last one alive.
            else => pending().await,
        }
    }

    /// What other shards did next.
    pub fn next(&mut self) -> Option<Event> {
        if self.ready.is_empty() {
            if let Ok((from, message)) = self.messages.try_recv() {
                return Some(Event::Message(from, message));
            }
            if let Ok(parcel) = self.parcels.try_recv() {
                self.open(parcel);
            }
        }
        self.ready.pop_front()
    }

    fn open(&mut self, parcel: Parcel) {
        let mut start = 0;
        for end in parcel.ends {
            let datagram = parcel.bytes.slice(start..end);
            self.ready.push_back(Event::Datagram(parcel.from, datagram));
            start = end;
        }
    }

    /// Sends a control message; they are neither lost nor reordered.
    pub fn send_message(&mut self, to: PeerId, message: CascadeMessage) {
        let Some(way) = self.ways.get(&to) else {
            return;
        };
        if way.messages.send((self.id, message)).is_err() {
            self.ways.remove(&to);
            self.ready.push_back(Event::Gone(to));
        }
    }

    /// Puts a media datagram into the parcel for another shard.
    pub fn send_datagram(&mut self, to: PeerId, data: &[u8]) {
        if let Some(way) = self.ways.get_mut(&to) {
            way.bytes.extend_from_slice(data);
            way.ends.push(way.bytes.len());
        }
    }

    /// Sends the parcels of this turn.
    pub fn flush(&mut self) {
        for way in self.ways.values_mut().filter(|way| !way.ends.is_empty()) {
            let parcel = Parcel {
                from: self.id,
                bytes: std::mem::take(&mut way.bytes).into(),
                ends: std::mem::take(&mut way.ends),
            };
            let count = parcel.ends.len() as u64;
            if way.parcels.try_send(parcel).is_err() {
                self.dropped += count;
            }
        }
    }

    /// Datagrams that another shard had no room for.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PeerId = PeerId([1; 32]);
    const B: PeerId = PeerId([2; 32]);

    fn pair() -> (Siblings, Siblings) {
        let mut ends = mesh(&[A, B]).into_iter();
        (ends.next().expect("two"), ends.next().expect("two"))
    }

    #[tokio::test]
    async fn messages_and_parcels_arrive() {
        let (mut a, mut b) = pair();
        a.send_datagram(B, b"one");
        a.send_datagram(B, b"and another");
        a.flush();
        let message = CascadeMessage::Unwant { flow: 7 };
        a.send_message(B, message.clone());
        b.readable().await;
        let mut events = Vec::new();
        while let Some(event) = b.next() {
            events.push(event);
        }
        assert_eq!(events.len(), 3);
        assert!(events.contains(&Event::Message(A, message)));
        assert!(events.contains(&Event::Datagram(A, Bytes::from_static(b"and another"))));
    }

    #[test]
    fn what_finds_no_room_is_dropped_and_counted() {
        let (mut a, mut b) = pair();
        for _ in 0..MAX_PARCELS + 5 {
            a.send_datagram(B, b"x");
            a.flush();
        }
        assert_eq!(a.dropped(), 5);
        assert!(b.next().is_some());
    }

    #[test]
    fn a_shard_that_has_ended_is_gone() {
        let (mut a, b) = pair();
        drop(b);
        a.send_message(B, CascadeMessage::Unwant { flow: 1 });
        assert_eq!(a.next(), Some(Event::Gone(B)));
        assert!(!a.is(B));
    }
}
