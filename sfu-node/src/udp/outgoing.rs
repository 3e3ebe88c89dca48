//! Datagrams on their way out: collected over a turn, then many messages in one system call (sendmmsg), each of them a run
//! of equal-sized datagrams that the kernel cuts (UDP_SEGMENT).
//!
//! Of the crates that wrap this call, quinn-udp sends one message at a time, nix has one control message for all messages of
//! a call (runs differ in the size of their segments), and rustix knows no UDP_SEGMENT. So it is libc, and [`Outgoing::send`]
//! is unsafe code.

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};

use socket2::SockAddr;

/// Messages of one system call. More gain nothing, and these structures live on the stack.
pub const MAX_MESSAGES: usize = 64;
/// Bytes collected before they are sent: about what stays in a core's own cache.
const MAX_BYTES: usize = 192 * 1_024;

/// Messages that wait for their system call.
#[derive(Default)]
pub struct Outgoing {
    bytes: Vec<u8>,
    messages: Vec<Message>,
}

/// Datagrams for one address.
#[derive(Debug)]
pub struct Message {
    to: SockAddr,
    contents: Range<usize>,
    /// The kernel cuts after every so many bytes; the last datagram may be shorter.
    segment: usize,
}

impl Message {
    /// How many datagrams it is cut into.
    pub fn datagrams(&self) -> u64 {
        self.contents.len().div_ceil(self.segment) as u64
    }
}

impl Outgoing {
    /// Adds a run that fits into one message: `contents`, cut after every `segment` bytes.
    pub fn push(&mut self, to: SocketAddr, contents: &[u8], segment: usize) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(contents);
        self.messages.push(Message {
            to: to.into(),
            contents: start..self.bytes.len(),
            segment: segment.max(1),
        });
    }

    /// Whether it is time to send.
    pub fn is_full(&self) -> bool {
        self.messages.len() >= MAX_MESSAGES || self.bytes.len() >= MAX_BYTES
    }

    /// The messages that wait, in order.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Replaces a message that the kernel did not want to cut by one for each of its datagrams.
    pub fn split(&mut self, index: usize) {
        let Message {
            to,
            contents,
            segment,
        } = self.messages.remove(index);
        let starts = contents.clone().step_by(segment);
        let datagrams = starts.map(|start| Message {
            to: to.clone(),
            contents: start..contents.end.min(start + segment),
            segment,
        });
        self.messages.splice(index..index, datagrams);
    }

    /// Forgets all messages, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.messages.clear();
    }

    /// Sends messages from number `first` on by one system call; returns how many the kernel took, at least one.
    ///
    /// # Errors
    /// The kernel refused the first one of them; nothing was sent.
    pub fn send(&self, socket: BorrowedFd<'_>, first: usize) -> io::Result<usize> {
        let rest = self.messages.get(first..).unwrap_or_default();
        let messages = &rest[..rest.len().min(MAX_MESSAGES)];
        // SAFETY: all of these are plain C structures, for which zeros are valid (null pointers of length 0).
        let (mut headers, mut slices, mut controls) = unsafe {
            (
                mem::zeroed::<[libc::mmsghdr; MAX_MESSAGES]>(),
                mem::zeroed::<[libc::iovec; MAX_MESSAGES]>(),
                mem::zeroed::<[SegmentSize; MAX_MESSAGES]>(),
            )
        };
        for (((message, header), slice), control) in messages
            .iter()
            .zip(&mut headers)
            .zip(&mut slices)
            .zip(&mut controls)
        {
            let contents = &self.bytes[message.contents.clone()];
            slice.iov_base = contents.as_ptr().cast_mut().cast();
            slice.iov_len = contents.len();
            let header = &mut header.msg_hdr;
            header.msg_name = message.to.as_ptr().cast_mut().cast();
            header.msg_namelen = message.to.len();
            header.msg_iov = slice;
            header.msg_iovlen = 1;
            if contents.len() > message.segment {
                control.header.cmsg_level = libc::SOL_UDP;
                control.header.cmsg_type = libc::UDP_SEGMENT;
                control.header.cmsg_len = (mem::offset_of!(SegmentSize, bytes) + 2) as _;
                control.bytes = message.segment as u16;
                header.msg_control = std::ptr::from_mut(control).cast();
                header.msg_controllen = mem::size_of::<SegmentSize>() as _;
            }
        }
        // SAFETY: the first `messages.len()` headers are filled in, and what they point to (addresses, contents, slices and
        // control messages) is borrowed or on this stack until the call returns. The kernel only reads it, apart from
        // `msg_len` in the headers, which are ours.
        let sent = unsafe {
            libc::sendmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                messages.len() as libc::c_uint,
                0,
            )
        };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }
}

/// The control message of a run (`cmsghdr` and its data as CMSG_DATA places it).
#[repr(C, align(8))]
struct SegmentSize {
    header: libc::cmsghdr,
    bytes: u16,
}
