//! Datagrams that a path's packets are too small for: cut into fragments, and put together again.
//!
//! A packet of a client may be larger than what QUIC has found out of a path so far, or than the path ever takes. What is put
//! together comes from a peer that may be at fault: it costs no more than a few datagrams' memory, and a fragment that
//! does not fit is nothing but lost.

use std::collections::VecDeque;

use protocol::cascade::{FRAGMENT, MOST_FRAGMENTS};

/// What stands before a fragment's part.
const HEADER: usize = 5;
/// Datagrams of which fragments are missing. With more, the oldest is given up.
const MOST_OPEN: usize = 16;
/// A datagram that is so many behind the newest is given up: what would come of it now, its decoder has no use for.
const LATE: u16 = 64;

/// A fragment, to be sent as the header and then the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment<'a> {
    pub header: [u8; HEADER],
    pub body: &'a [u8],
}

/// Cuts a datagram into fragments of at most `room` bytes each, of much the same size. `None` if that takes too many.
pub fn fragments(
    number: u16,
    datagram: &[u8],
    room: usize,
) -> Option<impl Iterator<Item = Fragment<'_>>> {
    let room = room.checked_sub(HEADER).filter(|room| *room > 0)?;
    let count = datagram.len().div_ceil(room).max(2);
    if count > MOST_FRAGMENTS || datagram.len() < count {
        return None;
    }
    let size = datagram.len().div_ceil(count);
    let bodies = datagram.chunks(size);
    let count = bodies.len() as u8;
    Some((0..).zip(bodies).map(move |(index, body)| {
        let [high, low] = number.to_be_bytes();
        Fragment {
            header: [FRAGMENT as u8, high, low, index, count],
            body,
        }
    }))
}

/// What became of a datagram that was taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Assembled {
    /// It is no fragment.
    Whole,
    /// The last fragment of this one.
    Completed(Vec<u8>),
    /// Others of its datagram are missing.
    Kept,
    /// It makes no sense.
    Malformed,
}

/// A peer's datagrams of which fragments are missing.
#[derive(Debug, Default)]
pub struct Assembly {
    open: VecDeque<Open>,
    given_up: u64,
}

#[derive(Debug)]
struct Open {
    number: u16,
    parts: Vec<Option<Vec<u8>>>,
}

impl Assembly {
    /// Takes a datagram.
    pub fn take(&mut self, datagram: &[u8]) -> Assembled {
        let [first, rest @ ..] = datagram else {
            return Assembled::Whole;
        };
        if u64::from(*first) != FRAGMENT {
            return Assembled::Whole;
        }
        let [high, low, index, count, body @ ..] = rest else {
            return Assembled::Malformed;
        };
        let (index, count) = (usize::from(*index), usize::from(*count));
        if !(2..=MOST_FRAGMENTS).contains(&count) || index >= count || body.is_empty() {
            return Assembled::Malformed;
        }
        self.put(u16::from_be_bytes([*high, *low]), index, count, body)
    }

    /// How many datagrams were given up because fragments of them did not come.
    pub fn given_up(&self) -> u64 {
        self.given_up
    }

    fn put(&mut self, number: u16, index: usize, count: usize, body: &[u8]) -> Assembled {
        self.give_up(|open| number.wrapping_sub(open.number) as i16 > LATE as i16);
        self.give_up(|open| open.number == number && open.parts.len() != count);
        let place = match self.open.iter().position(|open| open.number == number) {
            Some(place) => place,
            None => self.begin(number, count),
        };
        let parts = &mut self.open[place].parts;
        // The first holds: a path may deliver a packet twice.
        parts[index].get_or_insert_with(|| body.to_vec());
        if parts.iter().any(Option::is_none) {
            return Assembled::Kept;
        }
        let parts = self
            .open
            .remove(place)
            .map_or(Vec::new(), |open| open.parts);
        let whole: Vec<u8> = parts.into_iter().flatten().flatten().collect();
        match whole.first() {
            Some(first) if u64::from(*first) != FRAGMENT => Assembled::Completed(whole),
            _ => Assembled::Malformed,
        }
    }

    fn begin(&mut self, number: u16, count: usize) -> usize {
        if self.open.len() >= MOST_OPEN {
            self.open.pop_front();
            self.given_up += 1;
        }
        let parts = vec![None; count];
        self.open.push_back(Open { number, parts });
        self.open.len() - 1
    }

    fn give_up(&mut self, hopeless: impl Fn(&Open) -> bool) {
        let before = self.open.len();
        self.open.retain(|open| !hopeless(open));
        self.given_up += (before - self.open.len()) as u64;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn datagram(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at % 251) as u8 + 1).collect()
    }

    fn wire(number: u16, datagram: &[u8], room: usize) -> Vec<Vec<u8>> {
        let fragments = fragments(number, datagram, room).expect("few enough");
        let bytes = |one: Fragment| [&one.header[..], one.body].concat();
        fragments.map(bytes).collect()
    }

    #[test]
    fn whatever_the_order_and_the_copies_the_datagram_comes_whole() {
        let sent = datagram(4_000);
        let mut fragments = wire(7, &sent, 1_150);
        assert_eq!(fragments.len(), 4);
        assert!(fragments.iter().all(|one| one.len() <= 1_150));
        fragments.swap(0, 3);
        fragments.insert(1, fragments[0].clone());
        let mut assembly = Assembly::default();
        let last = fragments.pop().unwrap();
        for one in &fragments {
            assert_eq!(assembly.take(one), Assembled::Kept);
        }
        assert_eq!(assembly.take(&last), Assembled::Completed(sent));
        assert_eq!((assembly.open.len(), assembly.given_up()), (0, 0));
    }

    #[test]
    fn what_is_too_large_or_has_no_room_is_not_cut() {
        assert!(fragments(0, &datagram(9_161), 1_150).is_none());
        assert!(fragments(0, &datagram(100), HEADER).is_none());
        assert!(fragments(0, &datagram(1), 100).is_none());
    }

    #[test]
    fn what_stays_incomplete_is_given_up() {
        let mut assembly = Assembly::default();
        for number in 0..100 {
            let first = &wire(number, &datagram(2_000), 1_150)[0];
            assert_eq!(assembly.take(first), Assembled::Kept);
            assert!(assembly.open.len() <= MOST_OPEN);
        }
        let given_up = assembly.given_up();
        assert_eq!(given_up, 100 - MOST_OPEN as u64);
        // Far ahead: all others are of no use any more.
        assembly.take(&wire(300, &datagram(2_000), 1_150)[0]);
        assert_eq!((assembly.open.len(), assembly.given_up()), (1, 100));
        // The same number for a datagram of another size.
        assembly.take(&wire(300, &datagram(3_000), 1_150)[1]);
        assert_eq!((assembly.open.len(), assembly.given_up()), (1, 101));
    }

    #[test]
    fn fragments_of_fragments_are_nonsense() {
        let inner = wire(1, &datagram(2_000), 1_150).remove(0);
        let mut assembly = Assembly::default();
        let [first, second] = &wire(2, &inner, 700)[..] else {
            panic!("two fragments");
        };
        assert_eq!(assembly.take(first), Assembled::Kept);
        assert_eq!(assembly.take(second), Assembled::Malformed);
    }

    proptest! {
        #[test]
        fn nothing_that_comes_makes_it_panic_or_grow(
            all in proptest::collection::vec(proptest::collection::vec(0u8..12, 0..12), 0..200),
        ) {
            let mut assembly = Assembly::default();
            for datagram in all {
                assembly.take(&datagram);
                prop_assert!(assembly.open.len() <= MOST_OPEN);
                prop_assert!(assembly.open.iter().all(|open| open.parts.len() <= MOST_FRAGMENTS));
            }
        }

        #[test]
        fn every_datagram_that_is_cut_comes_whole(len in 2usize..9_000, room in 1_150usize..1_500) {
            let sent = datagram(len);
            let mut assembly = Assembly::default();
            let mut assembled = Assembled::Kept;
            for one in wire(9, &sent, room) {
                prop_assert!(one.len() <= room);
                assembled = assembly.take(&one);
            }
            prop_assert_eq!(assembled, Assembled::Completed(sent));
        }
    }
}
