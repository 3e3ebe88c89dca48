//! A checker of every outgoing stream, in debug builds alone: it looks at the bytes that are about to be sealed, and at where they
//! come from, and knows nothing of how they were numbered.
//!
//! What it holds: no number twice, but for the same bytes; none missing that the source did not leave out; no time that runs back;
//! no frame that looks whole and is not; transport-wide numbers without a hole.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hasher};
use std::time::{Duration, Instant};

use protocol::media::MediaKind;

use super::slot::Entered;
use crate::packet::rtp::RtpPacket;
use crate::packet::{Packet, Vp8};

/// Packets of a stream that are remembered: as many as late ones are told from doubles by.
const MEMORY: u64 = 1_024;
/// Holes of a stream that are watched; more at once are an outage.
const MAX_HOLES: usize = 256;
/// What came for a hole has left after this long: nothing waits for longer to depart.
const LONGEST_WAIT: Duration = Duration::from_millis(600);
/// Picture ids are compared modulo the narrow ones.
const PICTURES: u16 = 0x7F;

/// What must never leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    #[error("what was written is no RTP packet, or has another number than it was given")]
    Malformed,
    #[error("number {0} was sent before, and not the same bytes")]
    Twice(u64),
    #[error("number {0} is missing, and its source has not left it out")]
    Missing(u64),
    #[error("number {0} is missing, and what belongs there came and was not sent")]
    Withheld(u64),
    #[error("with number {0} the time runs back, or as the source's does not")]
    Time(u64),
    #[error("number {0} is not what follows in its source, and no decoder can start with it")]
    Cut(u64),
    #[error("with number {0} the picture id does not go on")]
    Picture(u64),
    #[error("transport-wide number {found} came where {expected} was next")]
    TransportWide { expected: u16, found: u16 },
}

/// A packet that was sent.
#[derive(Debug, Clone, Copy)]
struct Seen {
    number: u64,
    timestamp: u32,
    picture: Option<u16>,
    /// The same as its source had them.
    entered: Entered,
    source_timestamp: u32,
    source_picture: Option<u16>,
    /// Of its bytes as they were sealed.
    digest: u64,
}

/// A number that was left out because its source did.
#[derive(Debug, Clone, Copy)]
struct Hole {
    number: u64,
    source: u64,
    /// When it was first noticed that the source has brought it after all.
    came: Option<Instant>,
}

/// What was seen of one stream.
#[derive(Debug)]
struct Trail {
    kind: MediaKind,
    /// By number, modulo its length.
    seen: Vec<Option<Seen>>,
    newest: Option<Seen>,
    holes: VecDeque<Hole>,
}

/// What was seen of a subscriber's streams.
#[derive(Debug)]
pub struct Audit {
    trails: Vec<Trail>,
    /// The next number of each stream for repair, by SSRC.
    repairs: HashMap<u32, u64>,
    /// The next transport-wide number.
    transport_wide: Option<u16>,
}

/// A packet before it is sealed.
#[derive(Debug, Clone, Copy)]
pub struct Clear<'a> {
    pub bytes: &'a [u8],
    /// The extended number that it is to be sealed with.
    pub number: u64,
}

impl Audit {
    /// Streams of these kinds, of which nothing was sent.
    pub fn new(kinds: impl Iterator<Item = MediaKind>) -> Self {
        let trail = |kind| Trail {
            kind,
            seen: Vec::new(),
            newest: None,
            holes: VecDeque::new(),
        };
        Self {
            trails: kinds.map(trail).collect(),
            repairs: HashMap::new(),
            transport_wide: None,
        }
    }

    /// A packet leaves with this transport-wide number.
    #[inline(never)]
    pub fn transport_wide(&mut self, found: u16) -> Result<(), Violation> {
        let expected = self.transport_wide.replace(found.wrapping_add(1));
        match expected.filter(|expected| *expected != found) {
            Some(expected) => Err(Violation::TransportWide { expected, found }),
            None => Ok(()),
        }
    }

    /// A packet of media leaves a slot. `came` tells whether a number of its source is there.
    #[inline(never)]
    pub fn media(
        &mut self,
        now: Instant,
        slot: usize,
        clear: Clear<'_>,
        (entered, packet): (&Entered, &Packet),
        came: impl Fn(u64) -> bool,
    ) -> Result<(), Violation> {
        let read = RtpPacket::read(clear.bytes).ok_or(Violation::Malformed)?;
        if read.header.sequence != clear.number as u16 {
            return Err(Violation::Malformed);
        }
        let picture = |vp8: Option<Vp8>| Some(vp8?.picture_id?.value & PICTURES);
        let vp8 = packet.vp8.and(read.payload()).and_then(Vp8::parse);
        self.trails[slot].note(
            now,
            Seen {
                number: clear.number,
                timestamp: read.header.timestamp,
                picture: picture(vp8),
                entered: *entered,
                source_timestamp: packet.timestamp,
                source_picture: picture(packet.vp8),
                digest: 0,
            },
            came,
        )
    }

    /// A slot's packet of this number was sealed.
    #[inline(never)]
    pub fn sealed(&mut self, slot: usize, number: u64, sealed: &[u8]) {
        if let Some(seen) = self.trails[slot].at_mut(number) {
            seen.digest = digest(sealed);
        }
    }

    /// A slot's packet of this number leaves once more.
    #[inline(never)]
    pub fn repeated(&mut self, slot: usize, number: u64, sealed: &[u8]) -> Result<(), Violation> {
        let seen = self.trails[slot].at_mut(number);
        match seen.is_some_and(|seen| seen.digest == digest(sealed)) {
            true => Ok(()),
            false => Err(Violation::Twice(number)),
        }
    }

    /// What belongs to this number of a slot leaves as repair.
    #[inline(never)]
    pub fn repaired(&mut self, slot: usize, number: u64) {
        let holes = &mut self.trails[slot].holes;
        holes.retain(|hole| hole.number != number);
    }

    /// A packet of a stream for repair leaves with this extended number.
    #[inline(never)]
    pub fn repair(&mut self, bytes: &[u8], number: u64) -> Result<(), Violation> {
        let header = RtpPacket::read(bytes).ok_or(Violation::Malformed)?.header;
        if header.sequence != number as u16 {
            return Err(Violation::Malformed);
        }
        let expected = self.repairs.insert(header.ssrc, number + 1);
        match expected.unwrap_or(number).cmp(&number) {
            Ordering::Equal => Ok(()),
            Ordering::Less => Err(Violation::Missing(number - 1)),
            Ordering::Greater => Err(Violation::Twice(number)),
        }
    }
}

impl Trail {
    fn at_mut(&mut self, number: u64) -> Option<&mut Seen> {
        let seen = self.seen.get_mut((number % MEMORY) as usize)?.as_mut();
        seen.filter(|seen| seen.number == number)
    }

    fn at(&self, number: u64) -> Option<Seen> {
        let seen = self.seen.get((number % MEMORY) as usize)?;
        seen.filter(|seen| seen.number == number)
    }

    fn note(
        &mut self,
        now: Instant,
        seen: Seen,
        came: impl Fn(u64) -> bool,
    ) -> Result<(), Violation> {
        self.seen.resize(MEMORY as usize, None);
        if self.at(seen.number).is_some() {
            return Err(Violation::Twice(seen.number));
        }
        if let Some(before) = self.at(seen.number.wrapping_sub(1)) {
            self.follows(&before, &seen)?;
        }
        if let Some(after) = self.at(seen.number + 1) {
            self.follows(&seen, &after)?;
        }
        match self.newest {
            Some(newest) if newest.number > seen.number => {
                self.holes.retain(|hole| hole.number != seen.number);
            }
            newest => {
                if let Some(newest) = newest {
                    self.goes_ahead(&newest, &seen)?;
                }
                self.newest = Some(seen);
            }
        }
        self.seen[(seen.number % MEMORY) as usize] = Some(seen);
        self.look_at_holes(now, came)
    }

    /// Of two packets with numbers one after the other the second is what follows the first in its source, or a decoder starts with
    /// it and is told so by another time.
    fn follows(&self, first: &Seen, second: &Seen) -> Result<(), Violation> {
        let number = second.number;
        let step = second.timestamp.wrapping_sub(first.timestamp) as i32;
        let pictures = difference(first.picture, second.picture);
        if is_next(first, second) {
            let source_step = second.source_timestamp.wrapping_sub(first.source_timestamp) as i32;
            if step != source_step {
                return Err(Violation::Time(number));
            }
            let as_source = difference(first.source_picture, second.source_picture);
            return match pictures == as_source {
                true => Ok(()),
                false => Err(Violation::Picture(number)),
            };
        }
        if !second.entered.starts {
            return Err(Violation::Cut(number));
        }
        let is_back = match self.kind {
            MediaKind::Video => step <= 0,
            MediaKind::Audio => step < 0,
        };
        if is_back {
            return Err(Violation::Time(number));
        }
        match pictures {
            Some(step) if step != 1 => Err(Violation::Picture(number)),
            _ => Ok(()),
        }
    }

    /// A packet is ahead of the newest: what is left out between them, its source has left out.
    fn goes_ahead(&mut self, newest: &Seen, seen: &Seen) -> Result<(), Violation> {
        let skipped = seen.number - newest.number - 1;
        let is_same = seen.entered.key == newest.entered.key
            && seen.entered.stretch == newest.entered.stretch
            && seen.entered.sequence.wrapping_sub(newest.entered.sequence) == skipped + 1;
        if !is_same {
            self.holes.clear();
            return match skipped {
                0 => Ok(()),
                _ => Err(Violation::Missing(newest.number + 1)),
            };
        }
        let holes = (1..=skipped).map(|n| Hole {
            number: newest.number + n,
            source: newest.entered.sequence + n,
            came: None,
        });
        let room = MAX_HOLES - self.holes.len();
        self.holes.extend(holes.take(room));
        Ok(())
    }

    /// What the source has brought late for a hole must have left in a while.
    fn look_at_holes(&mut self, now: Instant, came: impl Fn(u64) -> bool) -> Result<(), Violation> {
        for hole in &mut self.holes {
            if !came(hole.source) {
                hole.came = None;
                continue;
            }
            let since = *hole.came.get_or_insert(now);
            if now.saturating_duration_since(since) > LONGEST_WAIT {
                return Err(Violation::Withheld(hole.number));
            }
        }
        let reach = self.newest.map_or(0, |newest| newest.number);
        self.holes.retain(|hole| hole.number + MEMORY > reach);
        Ok(())
    }
}

/// Whether one packet is what its source sent after the other.
fn is_next(first: &Seen, second: &Seen) -> bool {
    let (first, second) = (&first.entered, &second.entered);
    (first.key, first.stretch, first.sequence + 1) == (second.key, second.stretch, second.sequence)
}

/// By how much picture ids go up.
fn difference(first: Option<u16>, second: Option<u16>) -> Option<u16> {
    Some(second?.wrapping_sub(first?) & PICTURES)
}

fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests;
