//! Datagrams on their way in: many messages in one system call (recvmmsg), each of them a datagram or a run of equal-sized ones
//! that the kernel has joined (UDP_GRO), with the time that it arrived and the address of this machine that it came to.
//!
//! quinn-udp, which sets the socket up, does not hand on the kernel's time stamps, and rustix has no such call. So it is libc,
//! and [`Incoming::receive`] is unsafe code.

use std::io;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::stamps::Stamps;

/// Messages of one system call.
pub const BATCH: usize = 32;
/// Room for one message, in bytes: the longest run fits.
const BUFFER: usize = 1 << 16;
/// Room for what the kernel says of a message, in bytes: twice what all of it takes.
const CONTROL: usize = 256;

/// A message that has come.
#[derive(Debug, Clone, Copy)]
pub struct Message {
    pub from: SocketAddr,
    /// The address of this machine that it came to.
    pub to: Option<IpAddr>,
    pub arrived: Instant,
    len: usize,
    /// It was cut after every so many bytes; the last datagram may be shorter.
    segment: usize,
}

/// The latest batch of messages, and room for the next one.
pub struct Incoming {
    buffers: Box<[u8]>,
    names: Box<[libc::sockaddr_storage; BATCH]>,
    controls: Box<[Control; BATCH]>,
    messages: Vec<Message>,
    stamps: Stamps,
}

/// What the kernel says of a message, aligned as its structures are.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

impl Incoming {
    /// Room for the batches of a socket, whose messages the kernel stamps from now on.
    pub fn new(socket: BorrowedFd<'_>) -> Self {
        let on: libc::c_int = 1;
        // SAFETY: the option's value is an int, which lives until the call returns.
        let outcome = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_TIMESTAMPNS,
                ptr::from_ref(&on).cast(),
                mem::size_of_val(&on) as libc::socklen_t,
            )
        };
        if outcome != 0 {
            let error = io::Error::last_os_error();
            tracing::info!(%error, "no time stamps of the kernel here: datagrams arrive when they are read");
        }
        Self {
            buffers: vec![0; BATCH * BUFFER].into_boxed_slice(),
            // SAFETY: a plain C structure, for which zeros are valid.
            names: Box::new(unsafe { mem::zeroed() }),
            controls: Box::new([Control([0; CONTROL]); BATCH]),
            messages: Vec::with_capacity(BATCH),
            stamps: Stamps::default(),
        }
    }

    /// The messages of the latest batch, and their datagrams.
    pub fn batch(&self) -> impl Iterator<Item = (&Message, impl Iterator<Item = &[u8]>)> {
        let buffers = self.buffers.chunks_exact(BUFFER);
        self.messages.iter().zip(buffers).map(|(message, buffer)| {
            // An empty datagram is one, too.
            let empty = (message.len == 0).then_some(&[][..]);
            let joined = buffer[..message.len].chunks(message.segment.max(1));
            (message, empty.into_iter().chain(joined))
        })
    }

    /// Receives the next batch without waiting for it. Returns whether it is full, so that there may be more.
    ///
    /// # Errors
    /// There is none, or the socket is broken.
    pub fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<bool> {
        self.messages.clear();
        // SAFETY: all of these are plain C structures, for which zeros are valid (null pointers of length 0).
        let (mut headers, mut slices) = unsafe {
            (
                mem::zeroed::<[libc::mmsghdr; BATCH]>(),
                mem::zeroed::<[libc::iovec; BATCH]>(),
            )
        };
        for ((((header, slice), name), control), buffer) in headers
            .iter_mut()
            .zip(&mut slices)
            .zip(self.names.iter_mut())
            .zip(self.controls.iter_mut())
            .zip(self.buffers.chunks_exact_mut(BUFFER))
        {
            slice.iov_base = buffer.as_mut_ptr().cast();
            slice.iov_len = buffer.len();
            let header = &mut header.msg_hdr;
            header.msg_name = ptr::from_mut(name).cast();
            header.msg_namelen = mem::size_of_val(name) as libc::socklen_t;
            header.msg_iov = slice;
            header.msg_iovlen = 1;
            header.msg_control = control.0.as_mut_ptr().cast();
            header.msg_controllen = CONTROL as _;
        }
        // SAFETY: each header points to a name, a slice, a buffer and a control buffer of its own, with their true sizes, which
        // are borrowed or on this stack until the call returns. Without a time-out, and not blocking as the socket is set.
        let received = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                BATCH as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                ptr::null_mut(),
            )
        };
        let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
        let (now, wall) = (Instant::now(), clock_gettime(ClockId::Realtime));
        let wall = since_epoch(wall.tv_sec, wall.tv_nsec);
        self.stamps.look(now, wall, received == BATCH);
        for (header, name) in headers.iter().zip(self.names.iter()).take(received) {
            let len = header.msg_len as usize;
            // SAFETY: the kernel has filled the header in, and what it points to still lives.
            let said = unsafe { Said::read(&header.msg_hdr) };
            self.messages.push(Message {
                from: address(name).unwrap_or_else(|| (Ipv6Addr::UNSPECIFIED, 0).into()),
                to: said.to.map(|ip| ip.to_canonical()),
                arrived: self.stamps.arrival(said.stamp),
                len,
                segment: said.segment.unwrap_or(len),
            });
        }
        Ok(received == BATCH)
    }
}

/// What the kernel says of a message.
#[derive(Default)]
struct Said {
    /// When it arrived, on the wall clock.
    stamp: Option<Duration>,
    segment: Option<usize>,
    to: Option<IpAddr>,
}

impl Said {
    /// Reads a header's control messages.
    ///
    /// # Safety
    /// The header was filled in by the kernel, and its control buffer still lives.
    unsafe fn read(header: &libc::msghdr) -> Self {
        let mut said = Self::default();
        // SAFETY: as the caller promises, so that these functions stay within the buffer.
        let mut next = unsafe { libc::CMSG_FIRSTHDR(header) };
        while !next.is_null() {
            // SAFETY: it is the start of a control message that is whole.
            let (control, data) = unsafe { (&*next, libc::CMSG_DATA(next)) };
            match (control.cmsg_level, control.cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                    // SAFETY: this is what the kernel writes under this type, here and below.
                    let stamp = unsafe { data.cast::<libc::timespec>().read_unaligned() };
                    said.stamp = Some(since_epoch(stamp.tv_sec, stamp.tv_nsec));
                }
                (libc::SOL_UDP, libc::UDP_GRO) => {
                    // SAFETY: see above.
                    let segment = unsafe { data.cast::<libc::c_int>().read_unaligned() };
                    said.segment = usize::try_from(segment).ok();
                }
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    // SAFETY: see above. For a datagram to all hosts, too, the address to answer from.
                    let info = unsafe { data.cast::<libc::in_pktinfo>().read_unaligned() };
                    let bytes = info.ipi_spec_dst.s_addr.to_ne_bytes();
                    said.to = Some(Ipv4Addr::from(bytes).into());
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    // SAFETY: see above.
                    let info = unsafe { data.cast::<libc::in6_pktinfo>().read_unaligned() };
                    said.to = Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into());
                }
                _ => {}
            }
            // SAFETY: as for the first one.
            next = unsafe { libc::CMSG_NXTHDR(header, next) };
        }
        said
    }
}

fn since_epoch(seconds: i64, nanoseconds: i64) -> Duration {
    let (seconds, nanoseconds) = (u64::try_from(seconds), u32::try_from(nanoseconds));
    Duration::new(seconds.unwrap_or_default(), nanoseconds.unwrap_or_default())
}

/// An IPv4 address seen through a socket for both families is an IPv4 address.
fn address(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    let name = ptr::from_ref(name);
    // SAFETY: the storage is as large and as aligned as any address, and its family says which one it holds.
    let address = unsafe {
        match libc::c_int::from((*name).ss_family) {
            libc::AF_INET => {
                let v4 = &*name.cast::<libc::sockaddr_in>();
                let ip = Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes());
                SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into()
            }
            libc::AF_INET6 => {
                let v6 = &*name.cast::<libc::sockaddr_in6>();
                let (ip, port) = (v6.sin6_addr.s6_addr.into(), u16::from_be(v6.sin6_port));
                // Whole: a link-local address is reached by its scope.
                SocketAddrV6::new(ip, port, v6.sin6_flowinfo, v6.sin6_scope_id).into()
            }
            _ => return None,
        }
    };
    Some(canonical(address))
}

fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), address.port()),
        IpAddr::V6(_) => address,
    }
}
