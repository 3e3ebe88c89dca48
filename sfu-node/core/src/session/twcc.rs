//! The transport-wide number of an incoming packet, read for str0m by the ids of the packet's own m-line: it answers them, and
//! has one map of ids for the whole session.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use str0m::rtp::{Extension, ExtensionMap, ExtensionSerializer, ExtensionValues};

use super::extmap::MAX_TWCC_ID;
use super::offer::short_mid;

/// No m-line is at this place.
const NONE: u8 = u8::MAX;

/// What str0m reads off the packet that it is given next.
#[derive(Debug, Clone, Default)]
pub struct Reader(Arc<Next>);

#[derive(Debug)]
struct Next {
    /// The id of the number on the packet's m-line, or 0.
    id: AtomicU8,
    /// The place of its m-line, if it is padding for repair whose stream has not begun: str0m takes that as it stands, when it
    /// says so itself. Senders try out a path with it before all media.
    early: AtomicU8,
}

impl Default for Next {
    fn default() -> Self {
        Self {
            id: AtomicU8::new(0),
            early: AtomicU8::new(NONE),
        }
    }
}

impl Reader {
    /// The map of a session that reads nothing but this.
    pub fn extension_map(&self) -> ExtensionMap {
        let mut map = ExtensionMap::empty();
        for id in 1..=MAX_TWCC_ID {
            let number = Number {
                id,
                next: self.0.clone(),
            };
            map.set(id, Extension::with_serializer("urn:connect:number", number));
        }
        map
    }

    /// The next packet has its number under this id.
    pub fn expect(&self, id: Option<u8>) {
        self.0.id.store(id.unwrap_or(0), Ordering::Relaxed);
        self.0.early.store(NONE, Ordering::Relaxed);
    }

    /// The same, for padding on the m-line of this place whose stream has not begun.
    pub fn expect_early(&self, id: Option<u8>, place: u8) {
        self.expect(id);
        self.0.early.store(place, Ordering::Relaxed);
    }
}

/// What reads the element of one id.
#[derive(Debug)]
struct Number {
    id: u8,
    next: Arc<Next>,
}

impl ExtensionSerializer for Number {
    /// The node's packets are written elsewhere.
    fn write_to(&self, _buf: &mut [u8], _values: &ExtensionValues) -> usize {
        0
    }

    fn parse_value(&self, data: &[u8], values: &mut ExtensionValues) -> bool {
        if self.next.id.load(Ordering::Relaxed) != self.id {
            return false;
        }
        values.transport_cc = data.first_chunk().copied().map(u16::from_be_bytes);
        let place = self.next.early.load(Ordering::Relaxed);
        if place != NONE {
            values.mid = Some(short_mid(place.into()));
            values.rid_repair = Some("r".into());
        }
        true
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        true
    }
}
