//! Where a session's datagrams go: to no address that the client was not reached at.
//!
//! ICE lite sends no checks, so a nomination alone says what the client wants, not where it is: one that forges its source
//! address could have its media sent to somebody else. An address other than that of the DTLS handshake therefore has to answer a
//! binding request first (as RFC 7675 asks for consent, and as RFC 9000, 8.2 validates a path); all goes on where it went until then.

use std::time::{Duration, Instant};

use str0m::ice::{StunMessage, StunMessageBuilder};

use crate::egress::seal::{random, sha1_hmac};
use crate::io::{Transport, TransportAddress};
use crate::stun::{TRANSACTION_ID, is_binding_success, transaction_id};

/// How long an address counts as the client's after it was left, or its checks were answered (RFC 7675, 5.1).
const CONSENT: Duration = Duration::from_secs(30);
/// The first repetition of a check comes after this long, each next one after twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// Checks for one nomination: not more bytes than three times what came (RFC 9000, 8.1).
const MAX_CHECKS: u8 = 3;
/// Longest check, in bytes; user name fragments have at most 256 (RFC 8839, 5.4).
const MAX_CHECK_BYTES: usize = 1_024;
/// PRIORITY that a peer reflexive candidate of ours would have (RFC 8445, 5.1.2.1).
const PRIORITY: u32 = 110 << 24 | 0xFFFF << 8 | 0xFF;

/// An address that is to answer.
#[derive(Debug)]
struct Check {
    to: TransportAddress,
    id: [u8; TRANSACTION_ID],
    sent: u8,
    next: Instant,
}

/// Where a session's datagrams go.
#[derive(Debug)]
pub struct Way {
    /// `receiver:sender`, and the receiver's password, for checks (RFC 8445, 7.2.2).
    username: String,
    password: String,
    /// Where the client is.
    address: Option<TransportAddress>,
    /// Where it was before, and until when it may be sent to there without being asked again.
    former: Option<(TransportAddress, Instant)>,
    /// Where the client has said last that it is.
    nominated: Option<TransportAddress>,
    check: Option<Check>,
    /// What DTLS has shown.
    handshake: Handshake,
}

/// Who has completed a DTLS handshake has read what was sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handshake {
    /// All of it has gone to one address so far, if there was any.
    AtOneAddress(Option<TransportAddress>),
    /// Some of it went elsewhere, so it shows nothing.
    Scattered,
    Over,
}

impl Way {
    /// A session that has been nowhere yet, by the client's SDP and our ICE user name fragment.
    pub fn new(sdp: &str, ufrag: &str) -> Self {
        let mut way = Self {
            username: String::new(),
            password: String::new(),
            address: None,
            former: None,
            nominated: None,
            check: None,
            handshake: Handshake::AtOneAddress(None),
        };
        way.restart(sdp, ufrag);
        way
    }

    /// Takes the credentials of an ICE restart; all goes on where it went until the client is elsewhere.
    pub fn restart(&mut self, sdp: &str, ufrag: &str) {
        let value = |name: &str| {
            let mut values = sdp.lines().filter_map(|line| line.strip_prefix(name));
            values.next().unwrap_or_default().trim().to_owned()
        };
        self.username = format!("{}:{ufrag}", value("a=ice-ufrag:"));
        self.password = value("a=ice-pwd:");
        self.check = None;
    }

    /// Where the client is, as far as that is known.
    pub fn address(&self) -> Option<TransportAddress> {
        self.address
    }

    /// When [`Way::handle_timeout`] is due.
    pub fn timeout(&self) -> Option<Instant> {
        self.check.as_ref().map(|check| check.next)
    }

    /// Where a datagram goes that is no STUN, and for which str0m has chosen this address.
    pub fn follow(&mut self, chosen: TransportAddress) -> TransportAddress {
        match self.handshake {
            Handshake::Over => return self.address.unwrap_or(chosen),
            Handshake::AtOneAddress(at) if at.is_none_or(|at| at == chosen) => {
                self.handshake = Handshake::AtOneAddress(Some(chosen));
            }
            Handshake::AtOneAddress(_) | Handshake::Scattered => {
                self.handshake = Handshake::Scattered;
            }
        }
        self.nominated.get_or_insert(chosen);
        chosen
    }

    /// The DTLS handshake is over. Returns the check to be sent, if one is needed.
    pub fn established(&mut self, now: Instant) -> Option<(TransportAddress, Vec<u8>)> {
        if let Handshake::AtOneAddress(at) = self.handshake {
            self.address = at;
        }
        self.handshake = Handshake::Over;
        self.seek(now)
    }

    /// A binding request has come that was answered. Returns the check to be sent, if one is needed.
    pub fn requested(
        &mut self,
        now: Instant,
        from: TransportAddress,
        nominates: bool,
    ) -> Option<(TransportAddress, Vec<u8>)> {
        if nominates {
            self.nominated = Some(from);
        }
        // Without a word from there, a check that was not answered is not worth another.
        let from_there = self.nominated == Some(from) && self.handshake == Handshake::Over;
        from_there.then(|| self.seek(now))?
    }

    /// Goes to where the client was nominated last, or asks whether it is there.
    fn seek(&mut self, now: Instant) -> Option<(TransportAddress, Vec<u8>)> {
        let to = self.nominated?;
        // TCP has shown as much with its own handshake.
        if to.transport == Transport::Tcp || self.is_known(now, to) {
            self.move_to(now, to);
            return None;
        }
        let under_way = self.check.as_ref().is_some_and(|check| check.to == to);
        if !under_way {
            self.check = Some(Check {
                to,
                id: random()?,
                sent: 0,
                next: now,
            });
        }
        self.handle_timeout(now)
    }

    /// Takes the answer to a check. Returns false if this is anything else.
    pub fn answered(&mut self, now: Instant, from: TransportAddress, data: &[u8]) -> bool {
        let is_answer = |check: &Check| {
            check.to == from && transaction_id(data).is_some_and(|id| *id == check.id)
        };
        // Only who received the check knows its random transaction id, so nothing else of the answer matters.
        if !is_binding_success(data) || !self.check.as_ref().is_some_and(is_answer) {
            return false;
        }
        self.move_to(now, from);
        true
    }

    /// Repeats a check that was not answered: where to, and what.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<(TransportAddress, Vec<u8>)> {
        let check = self.check.as_mut().filter(|check| check.next <= now)?;
        if check.sent == MAX_CHECKS {
            self.check = None;
            return None;
        }
        check.next = now + FIRST_WAIT * (1 << check.sent);
        check.sent += 1;
        let (to, id) = (check.to, check.id);
        Some((to, self.request(id)?))
    }

    fn is_known(&self, now: Instant, to: TransportAddress) -> bool {
        let former = self.former.filter(|(_, until)| now < *until);
        self.address == Some(to) || former.is_some_and(|(former, _)| former == to)
    }

    fn move_to(&mut self, now: Instant, to: TransportAddress) {
        self.check = None;
        let before = self.address.replace(to);
        if let Some(before) = before.filter(|before| *before != to) {
            self.former = Some((before, now + CONSENT));
        }
    }

    /// A binding request under this transaction id.
    fn request(&self, id: [u8; TRANSACTION_ID]) -> Option<Vec<u8>> {
        // A header alone, read, is the only way to choose the id: str0m's own are not meant to be secret.
        let mut header = [0; 20];
        header[..8].copy_from_slice(&[0x01, 0x11, 0, 0, 0x21, 0x12, 0xA4, 0x42]);
        header[8..].copy_from_slice(&id);
        let id = StunMessage::parse(&header).ok()?.trans_id();
        let request = StunMessageBuilder::new().binding().request();
        let request = request.username(&self.username).prio(PRIORITY);
        let request = request.ice_controlled(u64::from_be_bytes(random()?));
        let mut data = vec![0; MAX_CHECK_BYTES];
        let password = Some(self.password.as_bytes());
        let len = request.build(id).to_bytes(password, &mut data, sha1_hmac);
        data.truncate(len.ok()?);
        Some(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const SDP: &str = "v=0\r\na=ice-ufrag:theirs\r\na=ice-pwd:a-password-of-22-letters\r\n";

    fn address(port: u16) -> TransportAddress {
        TransportAddress::udp(([10, 0, 0, 1], port).into())
    }

    /// Of a client that has completed its handshake at the first address.
    fn way() -> Way {
        let mut way = Way::new(SDP, "ours");
        assert_eq!(way.follow(address(1)), address(1));
        assert_eq!(way.established(Instant::now()), None);
        assert_eq!(way.address(), Some(address(1)));
        way
    }

    /// What a client answers to a check, as far as it matters.
    fn answer(check: &[u8]) -> Vec<u8> {
        let mut answer = check[..20].to_vec();
        answer[..2].copy_from_slice(&[0x01, 0x01]);
        answer
    }

    /// The check that comes of a nomination of this address.
    fn nominate(way: &mut Way, now: Instant, of: TransportAddress) -> Option<Vec<u8>> {
        let (to, check) = way.requested(now, of, true)?;
        assert_eq!(to, of);
        Some(check)
    }

    #[test]
    fn all_goes_on_where_it_went_until_the_new_address_has_answered() {
        let now = Instant::now();
        let mut way = way();
        let check = nominate(&mut way, now, address(2)).expect("a check");
        assert_eq!(way.follow(address(2)), address(1));
        assert!(!way.answered(now, address(3), &answer(&check)));
        let mut forged = answer(&check);
        forged[19] ^= 1;
        assert!(!way.answered(now, address(2), &forged));
        assert_eq!(way.address(), Some(address(1)));
        assert!(way.answered(now, address(2), &answer(&check)));
        assert_eq!(way.follow(address(2)), address(2));
        assert_eq!(way.timeout(), None);
        // And back, without a question; but not after a long time.
        assert_eq!(nominate(&mut way, now + 29_000 * MS, address(1)), None);
        assert_eq!(way.address(), Some(address(1)));
        assert!(nominate(&mut way, now + 60_000 * MS, address(2)).is_some());
        assert_eq!(way.address(), Some(address(1)));
    }

    #[test]
    fn a_check_can_be_verified_and_is_repeated_twice_for_each_request() {
        let start = Instant::now();
        let mut way = way();
        let check = nominate(&mut way, start, address(2)).expect("a check");
        let request = StunMessage::parse(&check).expect("it is well-formed");
        assert_eq!(request.split_username(), Some(("theirs", "ours")));
        assert!(request.verify(b"a-password-of-22-letters", sha1_hmac));
        assert!(request.ice_controlled().is_some() && !request.use_candidate());
        assert_eq!(nominate(&mut way, start, address(2)), None, "one goes on");
        let repeated: Vec<u32> = (1..2_000)
            .filter(|ms| way.handle_timeout(start + *ms * MS).is_some())
            .collect();
        assert_eq!((repeated, way.timeout()), (vec![100, 300], None));
        let later = start + 2_000 * MS;
        assert_eq!(way.requested(later, address(3), false), None);
        assert!(way.requested(later, address(2), false).is_some());
    }

    #[test]
    fn a_handshake_shows_one_address_and_no_other() {
        let now = Instant::now();
        let mut way = Way::new(SDP, "ours");
        assert_eq!(nominate(&mut way, now, address(1)), None);
        assert_eq!(way.follow(address(1)), address(1));
        assert_eq!(nominate(&mut way, now, address(2)), None);
        let check = way.established(now);
        assert_eq!(way.address(), Some(address(1)));
        assert_eq!(check.map(|(to, _)| to), Some(address(2)));

        let mut way = Way::new(SDP, "ours");
        assert_eq!(way.follow(address(1)), address(1));
        assert_eq!(nominate(&mut way, now, address(2)), None);
        assert_eq!(way.follow(address(2)), address(2));
        let check = way.established(now);
        assert_eq!(way.address(), None);
        assert_eq!(check.map(|(to, _)| to), Some(address(2)));
    }

    #[test]
    fn over_tcp_nothing_has_to_be_shown() {
        let mut way = way();
        let tcp = TransportAddress::tcp(address(2).address);
        assert_eq!(nominate(&mut way, Instant::now(), tcp), None);
        assert_eq!(way.address(), Some(tcp));
    }
}
