//! One layer of a source, over every SSRC that it comes in. The newest counts (RFC 9143, 9.2), once it has proven itself.

use std::time::{Duration, Instant};

use protocol::media::Layer;

use super::super::numbers::Numbers;

/// A stream that another has followed counts again when that one has been silent for so long: its last packets may come late,
/// and two that send at once must not take turns. While one is heard, none takes its place twice within that time either.
const LATE: Duration = Duration::from_secs(1);
/// Most streams of a layer that are remembered after another has followed them.
const MAX_PAST: usize = 3;
/// Most streams for its repair that are remembered.
const MAX_REPAIRS: usize = 4;

/// A layer, or a source without layers.
#[derive(Debug)]
pub struct Encoding {
    /// Its m-line, by the place in the list of those.
    pub line: usize,
    pub layer: Layer,
    /// The stream that it comes in.
    current: Option<u32>,
    /// One that is named, of which nothing was decrypted yet.
    next: Option<u32>,
    /// Those that were followed by another, the latest last.
    past: Vec<u32>,
    /// Those that repair it; the last one does now.
    repairs: Vec<u32>,
    heard: Option<Instant>,
    /// When one stream last took the place of another.
    replaced: Option<Instant>,
    /// The stream for repair of which something was decrypted last.
    repaired: Option<u32>,
    numbers: Numbers,
}

/// A stream was followed by another.
#[derive(Debug, PartialEq, Eq)]
pub struct Followed {
    pub former: Option<u32>,
    /// What need not be remembered any more.
    pub forgotten: Vec<u32>,
}

impl Encoding {
    /// A layer of which nothing has come.
    pub fn new(line: usize, layer: Layer) -> Self {
        Self {
            line,
            layer,
            current: None,
            next: None,
            past: Vec::new(),
            repairs: Vec::new(),
            heard: None,
            replaced: None,
            repaired: None,
            numbers: Numbers::default(),
        }
    }

    /// The stream that it comes in, or is about to.
    pub fn main(&self) -> Option<u32> {
        self.current.or(self.next)
    }

    /// The stream that repairs it.
    pub fn repair(&self) -> Option<u32> {
        self.repairs.last().copied()
    }

    pub fn is_current(&self, ssrc: u32) -> bool {
        self.current == Some(ssrc)
    }

    /// Whether packets of a stream can be decrypted.
    pub fn is_open(&self, ssrc: u32) -> bool {
        self.current == Some(ssrc) || self.next == Some(ssrc)
    }

    /// Whether a stream that is not open may be opened.
    pub fn may_take_over(&self, now: Instant, ssrc: u32) -> bool {
        let is_long_ago = |at: Instant| now.saturating_duration_since(at) >= LATE;
        let is_new = !self.past.contains(&ssrc) && self.replaced.is_none_or(is_long_ago);
        is_new || self.heard.is_none_or(is_long_ago)
    }

    /// Opens a stream. Returns one that has lost its chance to be followed.
    pub fn open(&mut self, ssrc: u32) -> Option<u32> {
        let former = self.next.replace(ssrc);
        former.filter(|former| *former != ssrc)
    }

    /// Opens a stream for repair. Returns one that need not be remembered any more.
    pub fn open_repair(&mut self, ssrc: u32) -> Option<u32> {
        self.repairs.retain(|known| *known != ssrc);
        self.repairs.push(ssrc);
        (self.repairs.len() > MAX_REPAIRS).then(|| self.repairs.remove(0))
    }

    /// Something was decrypted of a stream that is not the current one: it is from now on. `None` if it was not open.
    pub fn follow(&mut self, now: Instant, ssrc: u32) -> Option<Followed> {
        self.next.take_if(|next| *next == ssrc)?;
        let former = self.current.replace(ssrc);
        let mut forgotten = Vec::new();
        if let Some(former) = former {
            self.replaced = Some(now);
            self.past.retain(|past| *past != ssrc);
            self.past.push(former);
            if self.past.len() > MAX_PAST {
                forgotten.push(self.past.remove(0));
            }
            // They repaired the one before.
            forgotten.append(&mut self.repairs);
        }
        Some(Followed { former, forgotten })
    }

    /// Something was decrypted of a stream for repair. Returns whether it is another than before.
    pub fn is_repaired(&mut self, ssrc: u32) -> bool {
        self.repaired.replace(ssrc) != Some(ssrc)
    }

    /// A packet of the current stream has come. Returns its number in the layer.
    pub fn number(&mut self, now: Instant, ssrc: u32, number: u64) -> u64 {
        self.heard = Some(now);
        self.numbers.extend(ssrc, number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Vec<u32> = Vec::new();

    /// Opens a stream, and hears it.
    fn hear(encoding: &mut Encoding, now: Instant, ssrc: u32) -> Option<Followed> {
        if !encoding.is_open(ssrc) && encoding.may_take_over(now, ssrc) {
            encoding.open(ssrc);
        }
        let followed = match encoding.is_current(ssrc) {
            true => None,
            false => Some(encoding.follow(now, ssrc)?),
        };
        encoding.number(now, ssrc, 1);
        followed
    }

    #[test]
    fn the_newest_stream_counts_once_something_of_it_was_decrypted() {
        let now = Instant::now();
        let mut encoding = Encoding::new(0, Layer(0));
        hear(&mut encoding, now, 1);
        assert_eq!(encoding.open(2), None);
        assert_eq!(encoding.open(3), Some(2), "it proved nothing");
        assert!(encoding.is_current(1) && encoding.is_open(1) && !encoding.is_open(2));
        let followed = Followed {
            former: Some(1),
            forgotten: NOTHING,
        };
        assert_eq!(hear(&mut encoding, now, 3), Some(followed));
        assert!(encoding.is_current(3) && !encoding.is_open(1));
    }

    #[test]
    fn one_that_was_followed_comes_back_when_its_successor_is_silent() {
        let now = Instant::now();
        let mut encoding = Encoding::new(0, Layer(0));
        hear(&mut encoding, now, 1);
        hear(&mut encoding, now, 2);
        hear(&mut encoding, now, 1);
        assert!(encoding.is_current(2), "a late packet");
        hear(&mut encoding, now + LATE, 1);
        assert!(encoding.is_current(1));
    }

    #[test]
    fn no_two_take_the_place_of_one_that_is_heard_within_a_second() {
        let now = Instant::now();
        let mut encoding = Encoding::new(0, Layer(0));
        hear(&mut encoding, now, 1);
        let mut followed = 0;
        for ssrc in 2..=1_000 {
            let at = now + LATE * ssrc / 100;
            followed += u32::from(hear(&mut encoding, at, ssrc).is_some());
        }
        // The first at once, and then one each second.
        assert_eq!(followed, 10);
    }

    #[test]
    fn so_many_are_remembered_and_no_more() {
        let now = Instant::now();
        let mut encoding = Encoding::new(0, Layer(0));
        let mut forgotten = 0;
        for ssrc in 1..=100 {
            let followed = hear(&mut encoding, now + LATE * ssrc, ssrc);
            forgotten += followed.map_or(0, |followed| followed.forgotten.len());
            forgotten += usize::from(encoding.open_repair(1_000 + ssrc).is_some());
        }
        assert_eq!(encoding.past, [97, 98, 99]);
        assert_eq!(encoding.repairs, [1_100], "that of the stream now");
        assert_eq!(forgotten, 96 + 99);
        for ssrc in 1..=10 {
            encoding.open_repair(ssrc);
        }
        assert_eq!(encoding.repairs.len(), MAX_REPAIRS);
    }
}
