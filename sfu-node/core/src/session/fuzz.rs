//! Offers and datagrams of strangers, for the fuzz targets alone (feature `fuzz`).

use std::time::{Duration, Instant};

use protocol::client::SourceMid;
use protocol::media::Source;
use str0m::ice::StunMessage;

use super::extmap::text;
use super::negotiation::Shared;
use super::refusal::OfferError;
use super::{Happened, Session};
use crate::egress::seal::sha1_hmac;
use crate::io::TransportAddress;
use crate::packet::rtp::RtpPacket;
use crate::stun;

/// Between two datagrams.
const STEP: Duration = Duration::from_millis(10);
/// Type and length of MESSAGE-INTEGRITY (RFC 8489, 14.5).
const INTEGRITY: [u8; 4] = [0, 8, 0, 20];

/// What names an RTP packet's stream.
pub fn names(data: &[u8]) {
    if let Some(packet) = RtpPacket::read(data) {
        for id in [4, 10, 11, 200] {
            let _ = text(&packet, Some(id));
        }
    }
}

/// Somebody who offers anything.
pub struct Offers(Shared);

impl Default for Offers {
    fn default() -> Self {
        let address = ([192, 0, 2, 1], 5_000).into();
        Self(Shared::new(vec![
            TransportAddress::udp(address),
            TransportAddress::tcp(address),
        ]))
    }
}

impl Offers {
    /// The first byte says which m-lines are sources; then an offer, and after a NUL another one, which restarts ICE.
    ///
    /// # Panics
    /// Something inside did.
    pub fn offer(&self, now: Instant, data: &[u8]) {
        let Some((&named, text)) = data.split_first() else {
            return;
        };
        let Ok(text) = str::from_utf8(text) else {
            return;
        };
        let (first, second) = text.split_once('\0').unwrap_or((text, ""));
        let all = [
            Source::Camera,
            Source::Microphone,
            Source::Screen,
            Source::ScreenAudio,
        ];
        let sources = all
            .into_iter()
            .enumerate()
            .filter(|(n, _)| named >> n & 1 == 1);
        let sources: Vec<_> = sources
            .map(|(n, source)| SourceMid {
                mid: n.to_string(),
                source,
            })
            .collect();
        match Session::accept(now, &self.0, first, &sources) {
            Err(error) => assert_ne!(error, OfferError::Fault),
            Ok((mut session, _)) => {
                let mut happened = Happened::default();
                let _ = session.restart_ice(second);
                session.handle_timeout(now + STEP, &mut happened);
                assert!(!happened.panicked);
            }
        }
    }
}

/// A client before its handshake is over.
pub struct Handshake {
    session: Session,
    ours: String,
    pwd: String,
    now: Instant,
}

impl Handshake {
    /// A session that has answered this offer.
    ///
    /// # Panics
    /// The offer cannot be answered.
    pub fn new(now: Instant, offers: &Offers, offer: &str) -> Self {
        let (session, negotiated) = Session::accept(now, &offers.0, offer, &[]).expect("an answer");
        Self {
            session,
            ours: negotiated.credentials.ufrag,
            pwd: negotiated.credentials.pwd,
            now,
        }
    }

    /// Takes what a stranger may send, and what one may who has read the answer: the first byte says which.
    ///
    /// # Panics
    /// Something inside did.
    pub fn receive(&mut self, piece: &[u8]) {
        let Some((&how, data)) = piece.split_first() else {
            return;
        };
        self.now += STEP;
        let from = ([192, 0, 2, 9], 1_000 + u16::from(how >> 4)).into();
        let from = match how & 2 {
            0 => TransportAddress::udp(from),
            _ => TransportAddress::tcp(from),
        };
        let _ = (stun::receiver_ufrag(data), stun::answered_tag(data));
        let mut happened = Happened::default();
        match how & 1 {
            0 => self
                .session
                .receive(self.now, from, self.now, data, &mut happened),
            _ => self
                .session
                .receive(self.now, from, self.now, &self.signed(data), &mut happened),
        };
        assert!(!happened.panicked);
        if how & 4 != 0 {
            self.now += STEP * 100;
            self.session.handle_timeout(self.now, &mut happened);
            assert!(!happened.panicked);
        }
    }

    /// A STUN message of this type and these attributes under the session's password. Two bytes of type come first.
    fn signed(&self, data: &[u8]) -> Vec<u8> {
        let (kind, attributes) = data.split_at(data.len().min(2));
        let mut message = vec![0; 20];
        message[..kind.len()].copy_from_slice(kind);
        message[4..8].copy_from_slice(&[0x21, 0x12, 0xA4, 0x42]);
        let username = format!("{}:theirs", self.ours);
        message.extend([0, 6, 0, username.len() as u8]);
        message.extend(username.as_bytes());
        message.resize(message.len().next_multiple_of(4), 0);
        message.extend_from_slice(attributes);
        message.resize(message.len().next_multiple_of(4), 0);
        let len = (message.len() + INTEGRITY.len()) as u16;
        message[2..4].copy_from_slice(&len.to_be_bytes());
        let tag = sha1_hmac(self.pwd.as_bytes(), &[&message]);
        message.extend(INTEGRITY);
        message.extend(tag);
        if let Ok(parsed) = StunMessage::parse(&message) {
            let _ = parsed.verify(self.pwd.as_bytes(), sha1_hmac);
        }
        message
    }
}
