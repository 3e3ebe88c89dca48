//! Datagrams on their way out: collected over a turn, then many messages in one system call (sendmmsg), each of them a run
//! of equal-sized datagrams that the kernel cuts (UDP_SEGMENT), from an address of its own (IP_PKTINFO).
//!
//! Of the crates that wrap this call, quinn-udp sends one message at a time, nix has one control message for all messages of
//! a call (runs differ in the size of their segments), and rustix knows no UDP_SEGMENT. So it is libc, and [`Outgoing::send`]
//! is unsafe code.

use std::io;
use std::mem;
use std::net::{IpAddr, SocketAddr};
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
    pub to: SocketAddr,
    name: SockAddr,
    /// The address of this machine that it leaves from; any if there is none.
    from: Option<IpAddr>,
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
    pub fn push(&mut self, to: SocketAddr, from: Option<IpAddr>, contents: &[u8], segment: usize) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(contents);
        self.messages.push(Message {
            to,
            name: to.into(),
            from,
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
            name,
            from,
            contents,
            segment,
        } = self.messages.remove(index);
        let starts = contents.clone().step_by(segment);
        let datagrams = starts.map(|start| Message {
            to,
            name: name.clone(),
            from,
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
                mem::zeroed::<[Control; MAX_MESSAGES]>(),
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
            header.msg_name = message.name.as_ptr().cast_mut().cast();
            header.msg_namelen = message.name.len();
            header.msg_iov = slice;
            header.msg_iovlen = 1;
            let (start, len) = control.fill(message, contents.len() > message.segment);
            if len > 0 {
                header.msg_control = std::ptr::from_mut(control)
                    .cast::<u8>()
                    .wrapping_add(start)
                    .cast();
                header.msg_controllen = len as _;
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

/// The control messages of a message, each a `cmsghdr` and its data as CMSG_DATA places it: either, both or none.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control {
    segment: Segment,
    source: Source,
}

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Segment {
    header: libc::cmsghdr,
    bytes: u16,
}

#[repr(C)]
#[derive(Clone, Copy)]
union Source {
    v4: SourceV4,
    v6: SourceV6,
}

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct SourceV4 {
    header: libc::cmsghdr,
    info: libc::in_pktinfo,
}

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct SourceV6 {
    header: libc::cmsghdr,
    info: libc::in6_pktinfo,
}

impl Control {
    /// Fills in, into zeros, what this message needs. Returns where that starts, and its length.
    fn fill(&mut self, message: &Message, is_run: bool) -> (usize, usize) {
        let source = match message.from {
            None => 0,
            Some(IpAddr::V4(ip)) => {
                let len = mem::offset_of!(SourceV4, info) + mem::size_of::<libc::in_pktinfo>();
                self.source.v4 = SourceV4 {
                    header: header(libc::IPPROTO_IP, libc::IP_PKTINFO, len),
                    info: libc::in_pktinfo {
                        ipi_ifindex: 0,
                        ipi_spec_dst: libc::in_addr {
                            s_addr: u32::from_ne_bytes(ip.octets()),
                        },
                        ipi_addr: libc::in_addr { s_addr: 0 },
                    },
                };
                mem::size_of::<SourceV4>()
            }
            Some(IpAddr::V6(ip)) => {
                let len = mem::offset_of!(SourceV6, info) + mem::size_of::<libc::in6_pktinfo>();
                self.source.v6 = SourceV6 {
                    header: header(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, len),
                    info: libc::in6_pktinfo {
                        ipi6_addr: libc::in6_addr {
                            s6_addr: ip.octets(),
                        },
                        ipi6_ifindex: 0,
                    },
                };
                mem::size_of::<SourceV6>()
            }
        };
        let start = mem::offset_of!(Self, source);
        if !is_run {
            return (start, source);
        }
        self.segment.header = header(
            libc::SOL_UDP,
            libc::UDP_SEGMENT,
            mem::offset_of!(Segment, bytes) + mem::size_of::<u16>(),
        );
        self.segment.bytes = message.segment as u16;
        (0, start + source)
    }
}

fn header(level: libc::c_int, kind: libc::c_int, len: usize) -> libc::cmsghdr {
    libc::cmsghdr {
        cmsg_len: len as _,
        cmsg_level: level,
        cmsg_type: kind,
    }
}
