//! Where a session's datagrams go: once its handshake is over, to no address that the client was not reached at.
//!
//! ICE lite sends no checks, so a nomination alone says what the client wants, not where it is: one that forges its source
//! address could have its media sent to somebody else. An address other than that of the DTLS handshake therefore has to answer a
//! binding request first (as RFC 7675 asks for consent, and as RFC 9000, 8.2 validates a path); all goes on where it went until then.
//!
//! The client is sought where it nominates last, and where its media and feedback come from: agents that nominate several
//! paths, or keep one through a change of their address, say no more about which one they use.

use std::time::{Duration, Instant};

use super::check::Credentials;
use crate::egress::seal::random;
use crate::io::{Transport, TransportAddress};
use crate::stun::{TRANSACTION_ID, is_binding_success};

/// How long an address counts as the client's after it has answered (RFC 7675, 5.1).
const CONSENT: Duration = Duration::from_secs(30);
/// Addresses that count at once: a client that wavers has two, each over IPv4 and IPv6.
const MAX_PROVEN: usize = 4;
/// The first repetition of a check comes after this long, each next one after twice as long. An answer counts whenever it comes.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// Checks for one request or packet: about three times its bytes (RFC 9000, 8.1).
const MAX_CHECKS: u8 = 3;

/// A datagram of ours, and where it goes.
type Sending = (TransportAddress, Vec<u8>);

/// An address that is to answer.
#[derive(Debug)]
struct Check {
    to: TransportAddress,
    id: [u8; TRANSACTION_ID],
    sent: u8,
    /// When it is sent again; `None` until the client is heard of there again.
    next: Option<Instant>,
}

/// Where a session's datagrams go.
#[derive(Debug)]
pub struct Way {
    credentials: Credentials,
    /// Where the client is.
    address: Option<TransportAddress>,
    /// Where it was reached, and when.
    proven: Vec<(TransportAddress, Instant)>,
    check: Option<Check>,
    /// What DTLS has shown.
    handshake: Handshake,
    /// Where the client said last that it is, before that was over.
    nominated: Option<TransportAddress>,
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
    /// A session that has been nowhere yet.
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            address: None,
            proven: Vec::new(),
            check: None,
            handshake: Handshake::AtOneAddress(None),
            nominated: None,
        }
    }

    /// Takes the credentials of an ICE restart; all goes on where it went until the client is elsewhere.
    pub fn restart(&mut self, credentials: Credentials) {
        self.credentials = credentials;
        self.check = None;
    }

    /// Where the client is, as far as that is known.
    pub fn address(&self) -> Option<TransportAddress> {
        self.address
    }

    /// When [`Way::handle_timeout`] is due.
    pub fn timeout(&self) -> Option<Instant> {
        self.check.as_ref()?.next
    }

    /// Where a datagram goes that is no STUN, and for which str0m has chosen this address. `None`: nowhere, since the client
    /// was reached nowhere.
    pub fn follow(&mut self, chosen: TransportAddress) -> Option<TransportAddress> {
        match self.handshake {
            Handshake::Over => return self.address,
            Handshake::AtOneAddress(at) if at.is_none_or(|at| at == chosen) => {
                self.handshake = Handshake::AtOneAddress(Some(chosen));
            }
            Handshake::AtOneAddress(_) | Handshake::Scattered => {
                self.handshake = Handshake::Scattered;
            }
        }
        self.nominated.get_or_insert(chosen);
        Some(chosen)
    }

    /// The DTLS handshake is over. Returns the check to be sent, if one is needed.
    pub fn established(&mut self, now: Instant) -> Option<Sending> {
        let shown = match self.handshake {
            Handshake::AtOneAddress(at) => at,
            Handshake::Scattered | Handshake::Over => None,
        };
        self.handshake = Handshake::Over;
        match shown {
            Some(at) => {
                self.is_at(now, at);
                None
            }
            None => self.seek(now, self.nominated?),
        }
    }

    /// A binding request has come that was answered. Returns the check to be sent, if one is needed.
    pub fn requested(
        &mut self,
        now: Instant,
        from: TransportAddress,
        nominates: bool,
    ) -> Option<Sending> {
        if self.handshake != Handshake::Over {
            self.nominated = nominates.then_some(from).or(self.nominated);
            return None;
        }
        let awaited = self.check.as_ref().is_some_and(|check| check.to == from);
        (nominates || awaited).then(|| self.seek(now, from))?
    }

    /// Media, feedback or a text has come under the session's keys. Returns the check to be sent, if one is needed.
    pub fn heard(&mut self, now: Instant, from: TransportAddress) -> Option<Sending> {
        if self.handshake != Handshake::Over || self.address == Some(from) {
            return None;
        }
        self.seek(now, from)
    }

    /// Goes there, or asks whether the client is there.
    fn seek(&mut self, now: Instant, to: TransportAddress) -> Option<Sending> {
        let is_recent = |(at, when): &(TransportAddress, Instant)| {
            *at == to && now.saturating_duration_since(*when) < CONSENT
        };
        // TCP has shown as much with its own handshake.
        let is_proven = to.transport == Transport::Tcp || self.proven.iter().any(is_recent);
        if self.address == Some(to) || is_proven {
            self.address = Some(to);
            self.check = None;
            return None;
        }
        match self.check.as_mut().filter(|check| check.to == to) {
            Some(check) if check.next.is_some() => return None,
            // Under the same id: an answer may be long on its way.
            Some(check) => (check.sent, check.next) = (0, Some(now)),
            None => {
                self.check = Some(Check {
                    to,
                    id: random()?,
                    sent: 0,
                    next: Some(now),
                });
            }
        }
        self.handle_timeout(now)
    }

    /// Takes the answer to a check. Returns false if this is anything else.
    pub fn answered(&mut self, now: Instant, from: TransportAddress, data: &[u8]) -> bool {
        // A cheap look first: this is asked about each datagram.
        let check = self.check.as_ref().filter(|check| check.to == from);
        let is_answer = check.is_some_and(|check| {
            is_binding_success(data) && self.credentials.is_answer(data, check.id)
        });
        if is_answer {
            self.is_at(now, from);
        }
        is_answer
    }

    /// Repeats a check that was not answered.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Sending> {
        let check = self.check.as_mut()?;
        check.next.filter(|next| *next <= now)?;
        if check.sent == MAX_CHECKS {
            check.next = None;
            return None;
        }
        check.next = Some(now + FIRST_WAIT * (1 << check.sent));
        check.sent += 1;
        Some((check.to, self.credentials.request(check.id)?))
    }

    /// The client was reached there.
    fn is_at(&mut self, now: Instant, at: TransportAddress) {
        self.check = None;
        self.address = Some(at);
        self.proven.retain(|(other, _)| *other != at);
        if self.proven.len() == MAX_PROVEN {
            self.proven.remove(0);
        }
        self.proven.push((at, now));
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::tests::answer;
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const PASSWORD: &str = "a-password-of-22-letters";

    fn address(port: u16) -> TransportAddress {
        TransportAddress::udp(([10, 0, 0, 1], port).into())
    }

    fn new() -> Way {
        let sdp = format!("v=0\r\na=ice-ufrag:theirs\r\na=ice-pwd:{PASSWORD}\r\n");
        Way::new(Credentials::new(&sdp, "ours"))
    }

    /// Of a client that has completed its handshake at the first address.
    fn way(now: Instant) -> Way {
        let mut way = new();
        assert_eq!(way.follow(address(1)), Some(address(1)));
        assert_eq!(way.established(now), None);
        assert_eq!(way.address(), Some(address(1)));
        way
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
        let mut way = way(now);
        let check = nominate(&mut way, now, address(2)).expect("a check");
        let good = answer(&check, PASSWORD);
        assert_eq!(way.follow(address(2)), Some(address(1)));
        assert!(!way.answered(now, address(3), &good));
        assert!(!way.answered(now, address(2), &answer(&check, "guessed")));
        assert_eq!(way.address(), Some(address(1)));
        assert!(way.answered(now, address(2), &good));
        assert_eq!(way.follow(address(1)), Some(address(2)));
        assert_eq!(way.timeout(), None);
    }

    #[test]
    fn an_address_that_was_proven_is_returned_to_without_a_question_for_half_a_minute() {
        let now = Instant::now();
        let mut way = way(now);
        let check = nominate(&mut way, now, address(2)).expect("a check");
        assert!(way.answered(now, address(2), &answer(&check, PASSWORD)));
        for second in (0..30).step_by(2) {
            let now = now + second * 1_000 * MS;
            assert_eq!(nominate(&mut way, now, address(1)), None);
            assert_eq!(way.address(), Some(address(1)));
            assert_eq!(nominate(&mut way, now + 1_000 * MS, address(2)), None);
            assert_eq!(way.address(), Some(address(2)));
        }
        // To go back and forth proves nothing.
        assert!(nominate(&mut way, now + 30_000 * MS, address(1)).is_some());
        assert_eq!(way.address(), Some(address(2)));
    }

    #[test]
    fn a_check_is_repeated_twice_for_each_request_and_its_answer_may_be_late() {
        let start = Instant::now();
        let mut way = way(start);
        let check = nominate(&mut way, start, address(2)).expect("a check");
        assert_eq!(nominate(&mut way, start, address(2)), None, "one goes on");
        let repeated: Vec<u32> = (1..2_000)
            .filter(|ms| way.handle_timeout(start + *ms * MS).is_some())
            .collect();
        assert_eq!((repeated, way.timeout()), (vec![100, 300], None));
        let later = start + 2_000 * MS;
        assert_eq!(way.requested(later, address(3), false), None);
        assert!(way.requested(later, address(2), false).is_some());
        assert!(way.answered(later, address(2), &answer(&check, PASSWORD)));
    }

    #[test]
    fn the_client_is_where_its_media_comes_from_whatever_it_nominated_last() {
        let now = Instant::now();
        let mut way = way(now);
        let tcp = TransportAddress::tcp(address(2).address);
        assert_eq!(nominate(&mut way, now, tcp), None);
        assert_eq!(way.address(), Some(tcp), "over TCP nothing has to be shown");
        assert_eq!(way.heard(now, address(1)), None);
        assert_eq!(way.address(), Some(address(1)));
        // Its address has changed on the way, and it does not know.
        let (to, check) = way.heard(now, address(3)).expect("a check");
        assert_eq!((to, way.heard(now, address(3))), (address(3), None));
        assert_eq!(way.address(), Some(address(1)));
        assert!(way.answered(now, address(3), &answer(&check, PASSWORD)));
        assert_eq!(way.address(), Some(address(3)));
    }

    #[test]
    fn a_handshake_shows_one_address_and_no_other() {
        let now = Instant::now();
        let mut way = new();
        assert_eq!(nominate(&mut way, now, address(1)), None);
        assert_eq!(way.follow(address(1)), Some(address(1)));
        assert_eq!(nominate(&mut way, now, address(2)), None);
        assert_eq!(way.established(now), None);
        assert_eq!(way.address(), Some(address(1)));

        let mut way = new();
        assert_eq!(way.follow(address(1)), Some(address(1)));
        assert_eq!(nominate(&mut way, now, address(2)), None);
        assert_eq!(way.follow(address(2)), Some(address(2)));
        let check = way.established(now);
        assert_eq!(check.map(|(to, _)| to), Some(address(2)));
        assert_eq!((way.address(), way.follow(address(2))), (None, None));
    }
}
