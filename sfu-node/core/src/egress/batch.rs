//! Datagrams for one address, laid out back to back and cut into runs that the kernel can send as one message each.

use std::ops::Range;

/// Most datagrams of a run: Linux takes at most 64 segments in one message (UDP_MAX_SEGMENTS of older kernels).
const MAX_SEGMENTS: usize = 64;
/// Most bytes of a run: a UDP message of 65,535 with its headers.
const MAX_RUN_BYTES: usize = 65_000;

/// Datagrams for one address.
#[derive(Debug, Default)]
pub struct Batch {
    pub bytes: Vec<u8>,
    ends: Vec<usize>,
    /// How many datagrams have been handed out.
    taken: usize,
}

impl Batch {
    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.taken = 0;
    }

    /// What was appended to `bytes` since the last call is one datagram.
    pub fn end_datagram(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// Drops what was appended to `bytes` since the last datagram.
    pub fn discard_rest(&mut self) {
        self.bytes.truncate(self.ends.last().copied().unwrap_or(0));
    }

    /// Whether there is no datagram in it.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The next run: its bytes and the size of its segments. All have this size but the last, which may be shorter.
    pub fn next_run(&mut self) -> Option<(Range<usize>, usize)> {
        let start_of = |i: usize| if i == 0 { 0 } else { self.ends[i - 1] };
        let first = self.taken;
        if first == self.ends.len() {
            return None;
        }
        let start = start_of(first);
        let segment = self.ends[first] - start;
        let mut last = first;
        while last + 1 < self.ends.len()
            && last + 1 - first < MAX_SEGMENTS
            && self.ends[last] - start_of(last) == segment
            && self.ends[last + 1] - self.ends[last] <= segment
            && self.ends[last + 1] - start <= MAX_RUN_BYTES
        {
            last += 1;
        }
        self.taken = last + 1;
        Some((start..self.ends[last], segment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(sizes: &[usize]) -> Vec<(usize, usize)> {
        let mut batch = Batch::default();
        for size in sizes {
            batch.bytes.extend(std::iter::repeat_n(0, *size));
            batch.end_datagram();
        }
        std::iter::from_fn(|| {
            batch
                .next_run()
                .map(|(range, segment)| (range.len(), segment))
        })
        .collect()
    }

    #[test]
    fn equal_datagrams_make_one_run_that_a_shorter_one_may_end() {
        assert_eq!(runs(&[100, 100, 100]), [(300, 100)]);
        assert_eq!(runs(&[100, 100, 40, 100]), [(240, 100), (100, 100)]);
        assert_eq!(runs(&[40, 100]), [(40, 40), (100, 100)]);
        assert_eq!(runs(&[]), []);
    }

    #[test]
    fn a_run_keeps_to_the_limits_of_the_kernel() {
        assert_eq!(runs(&[10; 65]), [(640, 10), (10, 10)]);
        assert!(
            runs(&[1_200; 64])
                .iter()
                .all(|(len, _)| *len <= MAX_RUN_BYTES)
        );
    }

    #[test]
    fn a_discarded_rest_leaves_the_datagrams_before_it() {
        let mut batch = Batch::default();
        batch.bytes.extend([1; 10]);
        batch.end_datagram();
        batch.bytes.extend([2; 5]);
        batch.discard_rest();
        assert_eq!(batch.bytes.len(), 10);
        assert_eq!(batch.next_run(), Some((0..10, 10)));
    }
}
