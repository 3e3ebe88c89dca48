//! Batched UDP: many datagrams per system call in, runs of equal-sized datagrams per system call out.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket as StdSocket};

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

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
    /// System calls that sent datagrams.
    pub writes: u64,
    /// Datagrams dropped because the kernel's buffer was full: stale media is never queued.
    pub would_block: u64,
    /// Datagrams that the kernel refused for another reason.
    pub send_errors: u64,
}

/// Binds a non-blocking UDP socket with large buffers.
pub fn bind(address: SocketAddr) -> io::Result<StdSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(SOCKET_BUFFER)?;
    socket.set_send_buffer_size(SOCKET_BUFFER)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// A UDP socket with its receive buffers.
pub struct Udp {
    socket: UdpSocket,
    state: UdpSocketState,
    buffers: Box<[u8]>,
    counters: Counters,
}

impl Udp {
    /// Takes over a bound socket. Needs the runtime that it will be polled in.
    pub fn new(socket: StdSocket) -> io::Result<Self> {
        let state = UdpSocketState::new((&socket).into())?;
        Ok(Self {
            socket: UdpSocket::from_std(socket)?,
            state,
            buffers: vec![0; BATCH_SIZE * RECEIVE_BUFFER].into_boxed_slice(),
            counters: Counters::default(),
        })
    }

    /// Waits until there is something to receive.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
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
        let received = self.socket.try_io(Interest::READABLE, || {
            self.state
                .recv((&self.socket).into(), &mut slices, &mut metas)
        });
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
        Ok(true)
    }

    /// Sends `contents`, cut after every `segment` bytes, in as few system calls as the kernel allows. What cannot be
    /// sent now is dropped and counted.
    pub fn send(&mut self, to: SocketAddr, contents: &[u8], segment: usize) {
        let segment = segment.max(1);
        if to.port() == 0 {
            // The kernel's answer (EINVAL) is the same as for missing segmentation: it must not end that.
            self.counters.send_errors += contents.len().div_ceil(segment) as u64;
            return;
        }
        let mut rest = contents;
        while !rest.is_empty() {
            // Asked each time: the first refusal of segmentation ends its use on this socket.
            let most = self
                .state
                .max_gso_segments()
                .min(MAX_MESSAGE / segment)
                .max(1);
            let (run, after) = rest.split_at((most * segment).min(rest.len()));
            match self.send_run(to, run, segment) {
                // The kernel cannot segment: again, one by one.
                Err(error) if most > 1 && self.state.max_gso_segments() == 1 => {
                    tracing::info!(%error, "no UDP segmentation here, sending one by one");
                    continue;
                }
                outcome => self.count(run.len().div_ceil(segment) as u64, outcome),
            }
            rest = after;
        }
    }

    fn send_run(&self, to: SocketAddr, run: &[u8], segment: usize) -> io::Result<()> {
        let transmit = Transmit {
            destination: to,
            ecn: None,
            contents: run,
            segment_size: (run.len() > segment).then_some(segment),
            src_ip: None,
        };
        // Straight to the kernel: the runtime's notion of readiness would only add work to each send.
        self.state.try_send((&self.socket).into(), &transmit)
    }

    fn count(&mut self, datagrams: u64, outcome: io::Result<()>) {
        match outcome {
            Ok(()) => {
                self.counters.writes += 1;
                self.counters.datagrams_out += datagrams;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.counters.would_block += datagrams;
            }
            Err(error) => {
                tracing::debug!(%error, "a datagram could not be sent");
                self.counters.send_errors += datagrams;
            }
        }
    }
}

/// An IPv4 address seen through a dual-stack socket is an IPv4 address.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn socket() -> (Udp, SocketAddr) {
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
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
        let received = receive(&mut b, 101).await;
        let expected = run.chunks(1_100).map(|chunk| (from, chunk.to_vec()));
        assert!(received.into_iter().eq(expected));
        assert_eq!(a.counters().datagrams_out, 101);
        assert_eq!(b.counters().datagrams_in, 101);
        if a.state.max_gso_segments() > 1 {
            assert!(a.counters().writes < 5, "{:?}", a.counters());
        }
    }

    #[tokio::test]
    async fn a_datagram_to_nowhere_is_counted_and_harms_nothing() {
        let ((mut a, from), (mut b, to)) = (socket(), socket());
        a.send("[2001:db8::1]:9".parse().unwrap(), b"wrong family", 1_200);
        assert_eq!(a.counters().send_errors, 1);
        a.send(to, b"still here", 1_200);
        assert_eq!(receive(&mut b, 1).await, [(from, b"still here".to_vec())]);
    }
}
