//! How a client's datagrams travel to the node: over UDP, or in frames over TCP (RFC 4571).

use std::net::SocketAddr;

use str0m::Candidate;
use str0m::net::{Protocol, TcpType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

pub enum Way {
    Udp(UdpSocket),
    /// With what came and is no whole frame yet.
    Tcp(TcpStream, Vec<u8>),
}

impl Way {
    /// From a free port of the node's own address.
    pub async fn udp(node: SocketAddr) -> Self {
        let own = SocketAddr::new(node.ip(), 0);
        Self::Udp(UdpSocket::bind(own).await.unwrap())
    }

    /// Over a connection to the node.
    pub async fn tcp(node: SocketAddr) -> Self {
        Self::Tcp(TcpStream::connect(node).await.unwrap(), Vec::new())
    }

    pub fn protocol(&self) -> Protocol {
        match self {
            Self::Udp(_) => Protocol::Udp,
            Self::Tcp(..) => Protocol::Tcp,
        }
    }

    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Udp(socket) => socket.local_addr().unwrap(),
            Self::Tcp(stream, _) => stream.local_addr().unwrap(),
        }
    }

    pub fn candidate(&self) -> Candidate {
        let builder = Candidate::builder();
        match self {
            Self::Udp(_) => builder.udp().host(self.address()).build().unwrap(),
            Self::Tcp(..) => {
                let host = builder.tcp().host(self.address());
                host.tcptype(TcpType::Active).build().unwrap()
            }
        }
    }

    pub async fn send(&mut self, to: SocketAddr, datagram: &[u8]) {
        match self {
            Self::Udp(socket) => drop(socket.send_to(datagram, to).await.unwrap()),
            Self::Tcp(stream, _) => {
                assert_eq!(stream.peer_addr().unwrap(), to);
                let mut frame = (datagram.len() as u16).to_be_bytes().to_vec();
                frame.extend_from_slice(datagram);
                stream.write_all(&frame).await.unwrap();
            }
        }
    }

    /// The next datagram. Nothing is lost when the wait is given up.
    pub async fn receive(&mut self) -> (SocketAddr, Vec<u8>) {
        let mut data = [0; 4_096];
        match self {
            Self::Udp(socket) => {
                let (len, from) = socket.recv_from(&mut data).await.unwrap();
                (from, data[..len].to_vec())
            }
            Self::Tcp(stream, waiting) => loop {
                if let Some((len, rest)) = waiting.split_first_chunk() {
                    let len = usize::from(u16::from_be_bytes(*len));
                    if let Some(datagram) = rest.get(..len).map(<[u8]>::to_vec) {
                        waiting.drain(..2 + len);
                        return (stream.peer_addr().unwrap(), datagram);
                    }
                }
                let len = stream.read(&mut data).await.unwrap();
                assert!(len > 0, "the node hung up");
                waiting.extend_from_slice(&data[..len]);
            },
        }
    }
}
