//! Datagrams in a byte stream: each after its length in two bytes (RFC 4571).

/// The longest datagram that a client may send. Theirs fit into an Ethernet frame.
pub const MAX_DATAGRAM: usize = 2_048;
/// What is read at once.
const BUFFER: usize = 8 * MAX_DATAGRAM;

/// A frame that is longer than any datagram of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {0} bytes; at most {MAX_DATAGRAM} are allowed")]
pub struct FrameTooLong(usize);

/// Cuts a stream into its datagrams.
pub struct Frames {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Default for Frames {
    /// Nothing read yet.
    fn default() -> Self {
        Self {
            buffer: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
        }
    }
}

impl Frames {
    /// Where to read into. Never empty after [`Frames::next_datagram`] has given out all that is whole.
    pub fn space(&mut self) -> &mut [u8] {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        &mut self.buffer[self.end..]
    }

    /// So many bytes were read into [`Frames::space`].
    pub fn filled(&mut self, bytes: usize) {
        self.end = (self.end + bytes).min(self.buffer.len());
    }

    /// The next datagram that is there as a whole. Empty frames are skipped.
    ///
    /// # Errors
    /// The stream makes no sense any more.
    pub fn next_datagram(&mut self) -> Result<Option<&[u8]>, FrameTooLong> {
        while let Some((prefix, rest)) = self.buffer[self.start..self.end].split_first_chunk() {
            let len = usize::from(u16::from_be_bytes(*prefix));
            if len > MAX_DATAGRAM {
                return Err(FrameTooLong(len));
            }
            if rest.len() < len {
                break;
            }
            let from = self.start + prefix.len();
            self.start = from + len;
            if len > 0 {
                return Ok(Some(&self.buffer[from..from + len]));
            }
        }
        Ok(None)
    }
}

/// Appends a datagram as a frame. Returns false, and appends nothing, if it is longer than a frame can be.
pub fn write(out: &mut Vec<u8>, datagram: &[u8]) -> bool {
    let Ok(len) = u16::try_from(datagram.len()) else {
        return false;
    };
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(datagram);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a stream in pieces of this size.
    fn read(stream: &[u8], piece: usize) -> Result<Vec<Vec<u8>>, FrameTooLong> {
        let mut frames = Frames::default();
        let mut datagrams = Vec::new();
        for mut piece in stream.chunks(piece) {
            while !piece.is_empty() {
                let space = frames.space();
                let taken = piece.len().min(space.len());
                space[..taken].copy_from_slice(&piece[..taken]);
                frames.filled(taken);
                piece = &piece[taken..];
                while let Some(datagram) = frames.next_datagram()? {
                    datagrams.push(datagram.to_vec());
                }
            }
        }
        Ok(datagrams)
    }

    #[test]
    fn datagrams_come_out_whole_however_the_stream_is_cut() {
        let datagrams: Vec<Vec<u8>> = [1, 700, MAX_DATAGRAM, 3, 1_200]
            .iter()
            .cycle()
            .take(50)
            .enumerate()
            .map(|(number, len)| vec![number as u8; *len])
            .collect();
        let mut stream = Vec::new();
        for datagram in &datagrams {
            assert!(write(&mut stream, datagram));
            // An empty frame between them says nothing.
            assert!(write(&mut stream, &[]));
        }
        for piece in [1, 2, 3, 1_000, 5_000, stream.len()] {
            assert_eq!(read(&stream, piece).as_ref(), Ok(&datagrams), "{piece}");
        }
    }

    #[test]
    fn a_frame_longer_than_a_datagram_ends_the_stream() {
        let mut stream = Vec::new();
        assert!(write(&mut stream, &[7; 10]));
        assert!(write(&mut stream, &[7; MAX_DATAGRAM + 1]));
        assert_eq!(read(&stream, 4_096), Err(FrameTooLong(MAX_DATAGRAM + 1)));
    }

    #[test]
    fn what_no_frame_can_hold_is_not_written() {
        let mut out = Vec::new();
        assert!(!write(&mut out, &[0; 65_536]));
        assert!(out.is_empty());
    }
}
