//! Batched UDP: many datagrams per system call in, many runs of equal-sized datagrams per system call out.

mod incoming;
mod outgoing;
mod stamps;
mod uncut;

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket as StdSocket};
use std::ops::Add;
use std::os::fd::AsFd;
use std::time::Instant;

use quinn_udp::UdpSocketState;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use incoming::Incoming;
pub use incoming::Message;
use outgoing::Outgoing;
use uncut::Uncut;

/// Kernel buffers, in bytes: a few hundred milliseconds of a busy shard, so that a late wake-up loses nothing. The
/// kernel grants what `net.core.rmem_max` and `wmem_max` allow.
const SOCKET_BUFFER: usize = 8 << 20;
/// The largest payload of one IPv4 UDP message, in bytes: a GSO run must fit in it.
const MAX_MESSAGE: usize = 65_507;

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
    /// Whether it has all addresses of this machine, so that an answer is to leave from the one that was asked.
    has_any_address: bool,
    incoming: Incoming,
    outgoing: Outgoing,
    /// Datagrams of one message; 1 where the kernel cannot segment.
    segments: usize,
    uncut: Uncut,
    counters: Counters,
}

impl Udp {
    /// Takes over a bound socket. Needs the runtime that it will be polled in.
    pub fn new(socket: StdSocket) -> io::Result<Self> {
        let state = UdpSocketState::new((&socket).into())?;
        let has_any_address = socket.local_addr()?.ip().is_unspecified();
        // SAFETY: a socket of the standard library keeps its one descriptor open until it is dropped.
        let socket = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) };
        let socket = socket?;
        Ok(Self {
            has_any_address,
            incoming: Incoming::new(socket.get_ref().as_fd()),
            outgoing: Outgoing::default(),
            segments: state.max_gso_segments(),
            uncut: Uncut::default(),
            socket,
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
    pub fn receive(&mut self, mut each: impl FnMut(&Message, &[u8])) -> io::Result<bool> {
        // Straight from the kernel: what the runtime knows may be older than the shard's last pause.
        let mut received = self.incoming.receive(self.socket.get_ref().as_fd());
        if is_would_block(&received) {
            // Once more, so that the runtime learns that it is empty.
            let incoming = &mut self.incoming;
            received = self.socket.try_io(Interest::READABLE, |socket| {
                incoming.receive(socket.as_fd())
            });
        }
        let is_full = match received {
            Ok(is_full) => is_full,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            // An ICMP error of an earlier send, reported here: that peer is gone, the socket is well.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(true),
            Err(error) => return Err(error),
        };
        self.counters.reads += 1;
        for (message, datagrams) in self.incoming.batch() {
            let mut message = *message;
            message.to = message.to.filter(|_| self.has_any_address);
            for datagram in datagrams {
                self.counters.datagrams_in += 1;
                each(&message, datagram);
            }
        }
        if !is_full {
            // That was all. The runtime need not find out by another turn and two calls; what comes next is a new event to it.
            let empty = |_: &StdSocket| Err::<(), _>(io::ErrorKind::WouldBlock.into());
            let _ = self.socket.try_io(Interest::READABLE, empty);
        }
        Ok(is_full)
    }

    /// Takes `contents`, cut after every `segment` bytes, for the next [`Udp::flush`]; they leave from that address of this
    /// machine, if there is one.
    pub fn send(&mut self, to: SocketAddr, from: Option<IpAddr>, contents: &[u8], segment: usize) {
        let segment = segment.max(1);
        if to.port() == 0 {
            // The kernel's answer (EINVAL) is the same as for missing segmentation: it must not end that.
            self.counters.send_errors += contents.len().div_ceil(segment) as u64;
            return;
        }
        let most = match self.uncut.holds(to.ip()) {
            true => 1,
            false => self.segments.min(MAX_MESSAGE / segment).max(1),
        };
        for run in contents.chunks(most * segment) {
            self.outgoing.push(to, from, run, segment);
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

    /// The kernel refused a message: either it cannot cut it on the way there, or this one cannot be sent. Returns how many
    /// messages to go on by.
    fn refused(&mut self, index: usize, error: &io::Error) -> usize {
        let message = &self.outgoing.messages()[index];
        let (to, datagrams) = (message.to.ip(), message.datagrams());
        let cannot_cut = matches!(error.raw_os_error(), Some(libc::EIO | libc::EINVAL));
        if cannot_cut && datagrams > 1 {
            tracing::debug!(%error, "a run is not cut by the kernel, its datagrams leave one by one");
            self.uncut.note(Instant::now(), to);
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
                .receive(|message, data| all.push((message.from, data.to_vec())))
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
        a.send(to, None, &run, 1_100);
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
            a.send(to_b, None, &[1; 250], 100);
            a.send(to_c, None, &[2; 70], 30);
            a.send(to_b, None, &[3; 40], 40);
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
    async fn where_the_kernel_cannot_cut_datagrams_leave_one_by_one_and_others_in_runs() {
        let ((mut a, from), (mut b, to)) = (socket(), socket());
        a.outgoing.push(to, None, &[1; 250], 100);
        a.refused(0, &io::Error::from_raw_os_error(libc::EIO));
        a.send(to, None, &[2; 150], 100);
        a.flush();
        let expected = [(100, 1), (100, 1), (50, 1), (100, 2), (50, 2)];
        let expected = expected.map(|(len, byte): (usize, u8)| (from, vec![byte; len]));
        assert_eq!(receive(&mut b, 5).await, expected);
        assert_eq!(a.counters().messages_out, 5);
        let socket = bind("127.0.0.2:0".parse().unwrap(), true).unwrap();
        let (elsewhere, mut other) = (socket.local_addr().unwrap(), Udp::new(socket).unwrap());
        a.send(elsewhere, None, &[3; 150], 100);
        a.flush();
        receive(&mut other, 2).await;
        let messages = if a.segments > 1 { 6 } else { 7 };
        assert_eq!(a.counters().messages_out, messages);
    }

    #[tokio::test]
    async fn a_datagram_has_arrived_when_it_came_and_not_when_it_was_read() {
        let ((mut a, _), (mut b, to)) = (socket(), socket());
        let began = Instant::now();
        // The kernel starts to stamp a moment after it was asked to.
        while began.elapsed() < PATIENCE {
            a.send(to, None, b"now", 1_200);
            a.flush();
            let left = Instant::now();
            b.readable().await.unwrap();
            let mut arrived = None;
            let each = |message: &Message, _: &[u8]| arrived = Some(message.arrived);
            b.receive(each).unwrap();
            if arrived.is_some_and(|arrived| began <= arrived && arrived <= left) {
                return;
            }
        }
        panic!("every datagram arrived after it had left the sender, which is in the kernel");
    }

    /// A socket on all addresses of `bound`'s family answers from the one that was asked.
    async fn assert_answers_from(bound: &str, asked: IpAddr) {
        let socket = bind(bound.parse().unwrap(), false).unwrap();
        let port = socket.local_addr().unwrap().port();
        let mut node = Udp::new(socket).unwrap();
        let any = match asked {
            IpAddr::V4(_) => "127.0.0.1:0",
            IpAddr::V6(_) => "[::1]:0",
        };
        let client = tokio::net::UdpSocket::bind(any).await.unwrap();
        client.send_to(b"who", (asked, port)).await.unwrap();
        node.readable().await.unwrap();
        let mut question = None;
        node.receive(|message, _| question = Some(*message))
            .unwrap();
        let question = question.unwrap();
        assert_eq!(question.to, Some(asked));
        assert_eq!(question.from, client.local_addr().unwrap());
        node.send(question.from, question.to, &[7; 250], 100);
        node.flush();
        for len in [100, 100, 50] {
            let mut answer = [0; 200];
            let received = tokio::time::timeout(PATIENCE, client.recv_from(&mut answer));
            let (received, from) = received.await.unwrap().unwrap();
            assert_eq!((received, from.ip()), (len, asked), "bound to {bound}");
        }
    }

    #[tokio::test]
    async fn an_answer_leaves_from_the_address_that_was_asked() {
        for asked in ["127.0.0.1", "127.0.0.2", "127.3.2.1"] {
            let asked = asked.parse().unwrap();
            assert_answers_from("0.0.0.0:0", asked).await;
            assert_answers_from("[::]:0", asked).await;
        }
    }

    #[tokio::test]
    async fn so_it_does_over_ipv6_whichever_address_that_is() {
        let addresses = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
        // Those of the loopback device, of which a machine may have several.
        let own = addresses.lines().filter(|line| line.ends_with(" lo"));
        for line in own {
            let bits = u128::from_str_radix(&line[..32], 16).unwrap();
            let asked = std::net::Ipv6Addr::from_bits(bits);
            assert_answers_from("[::]:0", asked.into()).await;
        }
    }

    #[tokio::test]
    async fn a_socket_on_one_address_needs_not_be_told_which() {
        let ((mut a, _), (mut b, to)) = (socket(), socket());
        a.send(to, None, b"to you", 1_200);
        a.flush();
        b.readable().await.unwrap();
        b.receive(|message, _| assert_eq!(message.to, None))
            .unwrap();
    }

    #[tokio::test]
    async fn a_datagram_to_nowhere_is_counted_and_harms_nothing() {
        let ((mut a, from), (mut b, to)) = (socket(), socket());
        a.send(
            "[2001:db8::1]:9".parse().unwrap(),
            None,
            b"wrong family",
            1_200,
        );
        a.flush();
        assert_eq!(a.counters().send_errors, 1);
        a.send(
            "[2001:db8::1]:9".parse().unwrap(),
            None,
            b"wrong family",
            1_200,
        );
        a.send(to, None, b"still here", 1_200);
        a.flush();
        assert_eq!(receive(&mut b, 1).await, [(from, b"still here".to_vec())]);
        assert_eq!(a.counters().send_errors, 2);
    }
}
