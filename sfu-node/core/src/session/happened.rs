//! What a session brings about, for its room and for the sockets.

use std::time::Instant;

use protocol::media::{Layer, Source};

use super::HandshakeError;
use crate::egress::seal::Sealer;
use crate::io::TransportAddress;
use crate::packet::Packet;

/// What a session did in one call. Reused from call to call, so that the steady state allocates nothing.
#[derive(Debug, Default)]
pub struct Happened {
    /// Datagrams of ICE, DTLS and str0m's own RTCP.
    pub transmits: Vec<(TransportAddress, Vec<u8>)>,
    /// Received media, decrypted.
    pub media: Vec<Media>,
    /// The length of the datagram that it came in.
    pub media_bytes: usize,
    /// Decrypted compound RTCP packets, one after the other, with their lengths.
    pub rtcp: Vec<u8>,
    pub rtcp_lengths: Vec<usize>,
    /// Text messages of the data channel.
    pub texts: Vec<Vec<u8>>,
    pub channel_open: bool,
    /// Something has come of a client that was silent.
    pub heard_again: bool,
    /// After an ICE restart the client was reached: the credentials before are good no more.
    pub settled: bool,
    /// ICE and DTLS are up …
    pub(super) established: bool,
    /// … and outgoing media can be sealed with this. Boxed: this structure moves with each datagram.
    pub connected: Option<Box<Sealer>>,
    /// The session is over.
    pub closed: bool,
    /// It never began: its handshake failed.
    pub failed: Option<HandshakeError>,
    /// It ended by a fault of our own.
    pub panicked: bool,
    /// A datagram could not be made sense of.
    pub malformed: u32,
}

/// A packet of one of the participant's streams.
#[derive(Debug)]
pub struct Media {
    pub source: Source,
    pub layer: Layer,
    pub arrived: Instant,
    pub packet: Packet,
}

impl Happened {
    pub(super) fn clear(&mut self) {
        self.transmits.clear();
        self.media.clear();
        self.media_bytes = 0;
        self.rtcp.clear();
        self.rtcp_lengths.clear();
        self.texts.clear();
        self.channel_open = false;
        self.heard_again = false;
        self.settled = false;
        self.established = false;
        self.connected = None;
        self.closed = false;
        self.failed = None;
        self.panicked = false;
        self.malformed = 0;
    }
}
