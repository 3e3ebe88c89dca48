//! Batched UDP: many datagrams per system call in, many runs of equal-sized datagrams per system call out.

mod outgoing;

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket as StdSocket};
use std::ops::Add;
use std::os::fd::AsFd;

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use outgoing::Outgoing;

/// Kernel buffers, in bytes: a few hundred milliseconds of a busy shard, so that a late wake-up loses nothing. The
/// kernel grants what `net.core.rmem_max` and `wmem_max` allow.
const SOCKET_BUFFER: usize = 8 << 20;
/// The largest payload of one IPv4 UDP message, in bytes: a GSO run must fit in it.
const MAX_MESSAGE: usize = 65_507;
/// Room for one coalesced message (GRO), in bytes.
const RECEIVE_BUFFER: usize = 1 << 16;

/// What went through a socket since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    pub datagrams_in: u64,
    /// System calls that brought in datagrams.
    pub reads: u64,
    pub datagrams_out: u64,
    /// Messages that left, each a run of datagrams for one address.
    pub messages_out: u64,
    /// System calls that sent messages.
    pub writes: u64,
    /// Datagrams dropped because the kernel's buffer was full: stale media is never queued.
    pub would_block: u64,
    /// Datagrams that the kernel refused for another reason.
    pub send_errors: u64,
}

impl Add for Counters {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            datagrams_in: self.datagrams_in + other.datagrams_in,
            reads: self.reads + other.reads,
            datagrams_out: self.datagrams_out + other.datagrams_out,
            messages_out: self.messages_out + other.messages_out,
            writes: self.writes + other.writes,
            would_block: self.would_block + other.would_block,
            send_errors: self.send_errors + other.send_errors,
        }
    }
}

/// Binds a non-blocking UDP socket with large buffers; `only` its family if both have one of their own.
pub fn bind(address: SocketAddr, only: bool) -> io::Result<StdSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(only)?;
    }
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(SOCKET_BUFFER)?;
    socket.set_send_buffer_size(SOCKET_BUFFER)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// A UDP socket with its buffers.
pub struct Udp {
    /// Watched for input alone: the runtime's own socket also wakes up each time the kernel has sent something.
    socket: AsyncFd<StdSocket>,
    state: UdpSocketState,
    buffers: Box<[u8]>,
    outgoing: Outgoing,
    /// Datagrams of one message; 1 where the kernel cannot segment.
    segments: usize,
    counters: Counters,
}

impl Udp {
    /// Takes over a bound socket. Needs the runtime that it will be polled in.
    pub fn new(socket: StdSocket) -> io::Result<Self> {
        let state = UdpSocketState::new((&socket).into())?;
        // SAFETY: a socket of the standard library keeps its one descriptor open until it is dropped.
        let socket = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) };
        Ok(Self {
            socket: socket?,
            segments: state.max_gso_segments(),
            state,
            buffers: vec![0; BATCH_SIZE * RECEIVE_BUFFER].into_boxed_slice(),
            outgoing: Outgoing::default(),
            counters: Counters::default(),
        })
    }

    /// Waits until there is something to receive.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await.map(drop)
    }

    /// What went through so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Receives one batch and calls `each` per datagram. Returns whether there may be more.
    ///
    /// # Errors
    /// The socket is broken; a mere lack of datagrams is `Ok(false)`.
    pub fn receive(&mut self, mut each: impl FnMut(SocketAddr, &[u8])) -> io::Result<bool> {
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        let mut chunks = self.buffers.chunks_exact_mut(RECEIVE_BUFFER);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        // Straight from the kernel: what the runtime knows may be older than the shard's last pause.
        let mut received = self
            .state
            .recv(self.socket.get_ref().into(), &mut slices, &mut metas);
        if is_would_block(&received) {
            // Once more, so that the runtime learns that it is empty.
            received = self.socket.try_io(Interest::READABLE, |socket| {
                self.state.recv(socket.into(), &mut slices, &mut metas)
            });
        }
        let messages = match received {
            Ok(messages) => messages,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            // An ICMP error of an earlier send, reported here: that peer is gone, the socket is well.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(true),
            Err(error) => return Err(error),
        };
        self.counters.reads += 1;
        for (meta, slice) in metas.iter().zip(&slices).take(messages) {
            let from = canonical(meta.addr);
            // An empty datagram is one, too.
            let empty = (meta.len == 0).then_some(&[][..]);
            let coalesced = slice[..meta.len].chunks(meta.stride.max(1));
            for datagram in empty.into_iter().chain(coalesced) {
                self.counters.datagrams_in += 1;
                each(from, datagram);
            }
        }
        // Fewer than there was room for: that was all, and asking for the rest would cost a call, or two.
        Ok(messages == BATCH_SIZE)
    }

    /// Takes `contents`, cut after every `segment` bytes, for the next [`Udp::flush`].
    pub fn send(&mut self, to: SocketAddr, contents: &[u8], segment: usize) {
        let segment = segment.max(1);
        if to.port() == 0 {
            // The kernel's answer (EINVAL) is the same as for missing segmentation: it must not end that.
            self.counters.send_errors += contents.len().div_ceil(segment) as u64;
            return;
        }
        let most = self.segments.min(MAX_MESSAGE / segment).max(1);
        for run in contents.chunks(most * segment) {
            self.outgoing.push(to, run, segment);
            if self.outgoing.is_full() {
                self.flush();
            }
        }
    }

    /// Sends all that was taken. What cannot be sent now is dropped and counted: stale media is never queued.
    pub fn flush(&mut self) {
        let mut next = 0;
        while next < self.outgoing.messages().len() {
            let outcome = self.outgoing.send(self.socket.get_ref().as_fd(), next);
            match outcome {
                Ok(sent) => {
                    let messages = &self.outgoing.messages()[next..next + sent];
                    let datagrams = messages.iter().map(|message| message.datagrams());
                    self.counters.datagrams_out += datagrams.sum::<u64>();
                    self.counters.messages_out += sent as u64;
                    self.counters.writes += 1;
                    next += sent;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let rest = self.outgoing.messages()[next..].iter();
                    self.counters.would_block +=
                        rest.map(|message| message.datagrams()).sum::<u64>();
                    break;
                }
                Err(error) => next += self.refused(next, &error),
            }
        }
        self.outgoing.clear();
    }

    /// The kernel refused a message: either it cannot segment, which shows at the first run, or this one cannot be sent.
    /// Returns how many messages to go on by.
    fn refused(&mut self, index: usize, error: &io::Error) -> usize {
        let datagrams = self.outgoing.messages()[index].datagrams();
        let cannot_cut = matches!(error.raw_os_error(), Some(libc::EIO | libc::EINVAL));
        if cannot_cut && datagrams > 1 {
            if self.segments > 1 {
                tracing::info!(%error, "no UDP segmentation here, sending one by one");
                self.segments = 1;
            }
            self.outgoing.split(index);
            return 0;
        }
        tracing::debug!(%error, "a datagram could not be sent");
        self.counters.send_errors += datagrams;
        1
    }
}

fn is_would_block<T>(outcome: &io::Result<T>) -> bool {
    matches!(outcome, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// An IPv4 address seen through a dual-stack socket is an IPv4 address.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), address.port()),
        // Whole: a link-local address is reached by its scope.
        IpAddr::V6(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn socket() -> (Udp, SocketAddr) {
        let socket = bind("127.0.0.1:0".parse().unwrap(), true).unwrap();
        let address = socket.local_addr().unwrap();
        (Udp::new(socket).unwrap(), address)
    }

    async fn receive(udp: &mut Udp, datagrams: usize) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut all = Vec::new();
        while all.len() < datagrams {
            tokio::time::timeout(PATIENCE, udp.readable())
                .await
                .unwrap()
                .unwrap();
            while udp
                .receive(|from, data| all.push((from, data.to_vec())))
                .unwrap()
            {}
        }
        all
    }

    #[tokio::test]
    async fn a_run_arrives_cut_as_it_was_given() {
        let ((mut a, from), (mut b, to)) = (socket(), socket());
        // More than one message can hold, and a short last datagram.
        let run: Vec<u8> = (0..1_100 * 100 + 7).map(|i| (i / 1_100) as u8).collect();
        a.send(to, &run, 1_100);
        a.flush();
        let received = receive(&mut b, 101).await;
        let expected = run.chunks(1_100).map(|chunk| (from, chunk.to_vec()));
        assert!(received.into_iter().eq(expected));
        assert_eq!(a.counters().datagrams_out, 101);
        assert_eq!(b.counters().datagrams_in, 101);
        assert_eq!(a.counters().writes, 1);
        if a.segments > 1 {
            assert!(a.counters().messages_out < 5, "{:?}", a.counters());
        }
    }

    #[tokio::test]
    async fn runs_of_different_sizes_for_different_addresses_leave_together() {
        let ((mut a, from), (mut b, to_b), (mut c, to_c)) = (socket(), socket(), socket());
        for _ in 0..100 {
            a.send(to_b, &[1; 250], 100);
            a.send(to_c, &[2; 70], 30);
            a.send(to_b, &[3; 40], 40);
        }
        a.flush();
        let expected = [(100, 1), (100, 1), (50, 1), (40, 3)];
        let expected = expected.map(|(len, byte): (usize, u8)| (from, vec![byte; len]));
        let received = receive(&mut b, 400).await;
        assert!(received.chunks(4).all(|chunk| chunk == expected));
        let received = receive(&mut c, 300).await;
        assert!(received.iter().all(|(_, data)| data[0] == 2));
        assert_eq!(a.counters().datagrams_out, 700);
        assert!(a.counters().writes <= 5, "{:?}", a.counters());
    }

    #[tokio::test]
    async fn where_the_kernel_cannot_segment_datagrams_leave_one_by_one() {
        let ((mut a, from), (mut b, to)) = (socket(), socket());
        a.outgoing.push(to, &[1; 250], 100);
        a.refused(0, &io::Error::from_raw_os_error(libc::EIO));
        assert_eq!(a.segments, 1);
        a.send(to, &[2; 150], 100);
        a.flush();
        let expected = [(100, 1), (100, 1), (50, 1), (100, 2), (50, 2)];
        let expected = expected.map(|(len, byte): (usize, u8)| (from, vec![byte; len]));
        assert_eq!(receive(&mut b, 5).await, expected);
        assert_eq!(a.counters().messages_out, 5);
    }

    #[tokio::test]
    async fn a_datagram_to_nowhere_is_counted_and_harms_nothing() {
        let ((mut a, from), (mut b, to)) = (socket(), socket());
        a.send("[2001:db8::1]:9".parse().unwrap(), b"wrong family", 1_200);
        a.flush();
        assert_eq!(a.counters().send_errors, 1);
        a.send("[2001:db8::1]:9".parse().unwrap(), b"wrong family", 1_200);
        a.send(to, b"still here", 1_200);
        a.flush();
        assert_eq!(receive(&mut b, 1).await, [(from, b"still here".to_vec())]);
        assert_eq!(a.counters().send_errors, 2);
    }
}
