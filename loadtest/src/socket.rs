//! A bot's UDP socket: batches in, datagrams out; and the address that it is bound to.

use std::cell::RefCell;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};

use quinn_udp::{RecvMeta, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Messages taken by one system call; each may hold a run of datagrams that the kernel joined.
const BATCH: usize = 8;
/// The longest run.
const BUFFER_BYTES: usize = 64 * 1024;
/// What the kernel may hold for a bot that has no turn just now.
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;

thread_local! {
    /// Shared by all bots of a thread: hundreds of them would need a gigabyte of their own.
    static BUFFERS: RefCell<Box<[u8]>> = RefCell::new(vec![0; BATCH * BUFFER_BYTES].into_boxed_slice());
}

/// A bot's UDP socket.
pub struct Socket {
    udp: UdpSocket,
    state: UdpSocketState,
    pub address: SocketAddr,
}

impl Socket {
    /// Binds a free port.
    ///
    /// # Errors
    /// The address is not this machine's, or there are too many open files.
    pub fn bind(ip: IpAddr) -> io::Result<Self> {
        let address = SocketAddr::new(ip, 0);
        let domain = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_recv_buffer_size(SOCKET_BUFFER)?;
        socket.bind(&address.into())?;
        let socket = std::net::UdpSocket::from(socket);
        Ok(Self {
            state: UdpSocketState::new((&socket).into())?,
            address: socket.local_addr()?,
            udp: UdpSocket::from_std(socket)?,
        })
    }

    /// Waits until there is something to receive.
    ///
    /// # Errors
    /// The runtime is going down.
    pub async fn readable(&self) -> io::Result<()> {
        self.udp.readable().await
    }

    /// Hands out one batch of datagrams; returns whether there may be more.
    ///
    /// # Errors
    /// The socket is broken.
    pub fn receive(&self, mut each: impl FnMut(SocketAddr, &[u8])) -> io::Result<bool> {
        BUFFERS.with_borrow_mut(|buffers| {
            let mut metas = [RecvMeta::default(); BATCH];
            let mut chunks = buffers.chunks_exact_mut(BUFFER_BYTES);
            let mut slices: [IoSliceMut<'_>; BATCH] =
                std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
            let received = self.udp.try_io(Interest::READABLE, || {
                self.state.recv((&self.udp).into(), &mut slices, &mut metas)
            });
            let messages = match received {
                Ok(messages) => messages,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                // The answer to an earlier send: the node is gone, the socket is well.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(true),
                Err(error) => return Err(error),
            };
            for (meta, slice) in metas.iter().zip(&slices).take(messages) {
                for datagram in slice[..meta.len].chunks(meta.stride.max(1)) {
                    each(meta.addr, datagram);
                }
            }
            Ok(true)
        })
    }

    /// Sends a datagram; returns whether the kernel took it.
    pub fn send(&self, to: SocketAddr, datagram: &[u8]) -> bool {
        self.udp.try_send_to(datagram, to).is_ok()
    }
}

/// The local address by which an edge is reached: media goes out the same way.
pub fn local_ip(edge: &str) -> IpAddr {
    let authority = edge.split("://").nth(1).unwrap_or(edge);
    let host = authority.split('/').next().unwrap_or_default();
    let with_port = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:443")
    };
    let find = || -> std::io::Result<IpAddr> {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        // Sends nothing: it only chooses the way.
        let mut addresses = with_port.to_socket_addrs()?;
        let v4 = addresses
            .find(SocketAddr::is_ipv4)
            .ok_or(std::io::ErrorKind::AddrNotAvailable)?;
        socket.connect(v4)?;
        Ok(socket.local_addr()?.ip())
    };
    find().unwrap_or(Ipv4Addr::LOCALHOST.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_on_this_machine_is_reached_by_loopback() {
        assert_eq!(local_ip("http://127.0.0.1:8787"), Ipv4Addr::LOCALHOST);
    }
}
