//! Where a session's datagrams go: once its handshake is over, to no address that the client was not reached at.
//!
//! ICE lite sends no checks, so a nomination alone says what the client wants, not where it is: one that forges its source
//! address could have its media sent to somebody else, and anybody can replay one that was overheard. An address other than that
//! of the DTLS handshake therefore has to answer a binding request first (as RFC 7675 asks for consent, and as RFC 9000, 8.2
//! validates a path); all goes on where it went until then.
//!
//! The client is sought where it nominates last, and where its media and feedback come from: agents that nominate several
//! paths, or keep one through a change of their address, say no more about which one they use.

use std::time::{Duration, Instant};

use str0m::ice::StunMessage;

use super::check::Credentials;
use super::cookie::{Cookies, Purpose};
use crate::io::TransportAddress;
use crate::stun::{Tag, answered_id};

/// How long an address counts as the client's after it has answered (RFC 7675, 5.1).
const CONSENT: Duration = Duration::from_secs(30);
/// Addresses that count at once: a client that wavers has two, each over IPv4 and IPv6, and some over TCP.
const MAX_PROVEN: usize = 8;
/// The first repetition of a check comes after this long, each next one after twice as long. An answer counts whenever it comes.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// Checks for one request or packet: about three times its bytes (RFC 9000, 8.1).
const MAX_CHECKS: u8 = 3;

/// A datagram of ours, and where it goes.
type Sending = (TransportAddress, Vec<u8>);

/// An address that is to answer, so that all goes there.
#[derive(Debug)]
struct Check {
    to: TransportAddress,
    sent: u8,
    /// When it is sent again; `None` until the client is heard of there again.
    next: Option<Instant>,
}

/// Where a session's datagrams go.
#[derive(Debug)]
pub struct Way {
    credentials: Credentials,
    /// Those before an ICE restart, until the client has been reached under the new ones.
    former: Option<Credentials>,
    /// Whether the client has used those before last.
    used_former: bool,
    cookies: Option<Cookies>,
    /// Where the client is.
    address: Option<TransportAddress>,
    /// Where it was reached, and when.
    proven: Vec<(TransportAddress, Instant)>,
    check: Option<Check>,
    /// What DTLS has shown.
    handshake: Handshake,
    /// Where the handshake goes: where the client nominated first, or last of what it was reached at.
    nominated: Option<TransportAddress>,
    /// When that was.
    nominated_at: Option<Instant>,
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
    pub fn new(now: Instant, credentials: Credentials) -> Self {
        Self {
            credentials,
            former: None,
            used_former: false,
            cookies: Cookies::new(now),
            address: None,
            proven: Vec::new(),
            check: None,
            handshake: Handshake::AtOneAddress(None),
            nominated: None,
            nominated_at: None,
        }
    }

    /// Takes the credentials of an ICE restart. The last ones that worked are good until these work, and all goes on where it went
    /// until the client is elsewhere.
    pub fn restart(&mut self, credentials: Credentials) {
        let before = std::mem::replace(&mut self.credentials, credentials);
        self.former.get_or_insert(before);
        self.check = None;
    }

    /// The credentials that are good, the newest first.
    pub fn credentials(&self) -> impl Iterator<Item = &Credentials> {
        std::iter::once(&self.credentials).chain(&self.former)
    }

    /// What the ids of all our checks begin with.
    pub fn tag(&self) -> Option<Tag> {
        self.cookies.as_ref().map(Cookies::tag)
    }

    /// Where the client is, as far as that is known.
    pub fn address(&self) -> Option<TransportAddress> {
        self.address
    }

    /// When the client first chose a path.
    pub fn nominated_at(&self) -> Option<Instant> {
        self.nominated_at
    }

    /// Whether the client was reached there, lately or last.
    pub fn is_client(&self, now: Instant, at: TransportAddress) -> bool {
        let is_recent = |(proven, when): &(TransportAddress, Instant)| {
            *proven == at && now.saturating_duration_since(*when) < CONSENT
        };
        self.address == Some(at) || self.proven.iter().any(is_recent)
    }

    /// When [`Way::handle_timeout`] is due.
    pub fn timeout(&self) -> Option<Instant> {
        self.check.as_ref()?.next
    }

    /// Where a datagram goes that is no STUN. `None`: nowhere, since the client was reached nowhere.
    pub fn follow(&mut self) -> Option<TransportAddress> {
        let to = match self.handshake {
            Handshake::Over => return self.address,
            _ => self.nominated?,
        };
        self.handshake = match self.handshake {
            Handshake::AtOneAddress(at) if at.is_none_or(|at| at == to) => {
                Handshake::AtOneAddress(Some(to))
            }
            _ => Handshake::Scattered,
        };
        Some(to)
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
                self.prove(now, at);
                self.go(at);
                None
            }
            None => self.seek(now, self.nominated?),
        }
    }

    /// A binding request has come that these of [`Way::credentials`] admit. Returns the check to be sent, if one is needed: of each
    /// address that the client was not reached at, whatever it wants there, so that it is known before it matters.
    pub fn requested(
        &mut self,
        now: Instant,
        from: TransportAddress,
        credentials: usize,
        nominates: bool,
    ) -> Option<Sending> {
        self.used_former = credentials > 0;
        if nominates && self.handshake != Handshake::Over {
            self.nominated.get_or_insert(from);
            self.nominated_at.get_or_insert(now);
        }
        if self.is_client(now, from) {
            if nominates {
                self.go(from);
            }
            return None;
        }
        let awaited = self.check.as_ref().is_some_and(|check| check.to == from);
        match nominates || awaited {
            true => self.seek(now, from),
            false => self.ask(now, from, Purpose::Know),
        }
    }

    /// A request under these of [`Way::credentials`] came from where the client was reached already, which no check asks again: if
    /// they are the present ones, those before are good no more. Returns whether there were any.
    pub fn settles(&mut self, now: Instant, from: TransportAddress, credentials: usize) -> bool {
        credentials == 0 && self.is_client(now, from) && self.former.take().is_some()
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
        if self.is_client(now, to) {
            self.go(to);
            return None;
        }
        match self.check.as_mut().filter(|check| check.to == to) {
            Some(check) if check.next.is_some() => return None,
            Some(check) => (check.sent, check.next) = (0, Some(now)),
            None => {
                self.check = Some(Check {
                    to,
                    sent: 0,
                    next: Some(now),
                });
            }
        }
        self.handle_timeout(now)
    }

    fn ask(&self, now: Instant, to: TransportAddress, purpose: Purpose) -> Option<Sending> {
        let id = self.cookies.as_ref()?.id(now, to, purpose);
        let former = self.former.as_ref().filter(|_| self.used_former);
        let check = former.unwrap_or(&self.credentials).request(id)?;
        Some((to, check))
    }

    /// Takes the answer to a check. Returns whether it is one, and whether the credentials before are good no more.
    pub fn answered(&mut self, now: Instant, from: TransportAddress, data: &[u8]) -> Answered {
        let cookies = self.cookies.as_ref();
        let purpose =
            answered_id(data).and_then(|id| cookies.and_then(|known| known.read(now, from, id)));
        let (Some(purpose), Ok(message)) = (purpose, StunMessage::parse(data)) else {
            return Answered::No;
        };
        let mut all = self.credentials();
        let Some(by) = all.position(|one| one.is_answer(&message)) else {
            return Answered::No;
        };
        drop(all);
        self.prove(now, from);
        if purpose == Purpose::Go {
            self.go(from);
        }
        if by == 0 && self.former.take().is_some() {
            return Answered::Settled;
        }
        Answered::Yes
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
        let to = check.to;
        self.ask(now, to, Purpose::Go)
    }

    /// The handshake is over, and the client is there.
    #[cfg(any(test, feature = "fuzz"))]
    pub fn reach(&mut self, at: TransportAddress) {
        self.handshake = Handshake::Over;
        self.go(at);
    }

    /// The client was reached there.
    fn prove(&mut self, now: Instant, at: TransportAddress) {
        self.proven.retain(|(other, _)| *other != at);
        if self.proven.len() == MAX_PROVEN {
            self.proven.remove(0);
        }
        self.proven.push((at, now));
    }

    /// The client is there.
    fn go(&mut self, to: TransportAddress) {
        self.check = None;
        match self.handshake {
            Handshake::Over => self.address = Some(to),
            Handshake::AtOneAddress(_) | Handshake::Scattered => self.nominated = Some(to),
        }
    }
}

/// Whether something was the answer to a check of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    No,
    Yes,
    /// The first one under new credentials: those before are good no more.
    Settled,
}

#[cfg(test)]
mod tests {
    use super::super::check::tests::{answer, ours, theirs};
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const PASSWORD: &str = "a-password-of-22-letters";

    fn address(port: u16) -> TransportAddress {
        TransportAddress::udp(([10, 0, 0, 1], port).into())
    }

    fn new(now: Instant) -> Way {
        Way::new(now, Credentials::new(theirs("theirs", PASSWORD), ours()))
    }

    /// Of a client that has completed its handshake at the first address.
    fn way(now: Instant) -> Way {
        let mut way = new(now);
        assert!(nominate(&mut way, now, address(1)).is_some());
        assert_eq!(way.follow(), Some(address(1)));
        assert_eq!(way.established(now), None);
        assert_eq!(way.address(), Some(address(1)));
        way
    }

    /// The check that comes of a nomination of this address.
    fn nominate(way: &mut Way, now: Instant, of: TransportAddress) -> Option<Vec<u8>> {
        let (to, check) = way.requested(now, of, 0, true)?;
        assert_eq!(to, of);
        Some(check)
    }

    #[test]
    fn all_goes_on_where_it_went_until_the_new_address_has_answered() {
        let now = Instant::now();
        let mut way = way(now);
        let check = nominate(&mut way, now, address(2)).expect("a check");
        let good = answer(&check, PASSWORD);
        assert_eq!(way.follow(), Some(address(1)));
        assert_eq!(way.answered(now, address(3), &good), Answered::No);
        let guessed = answer(&check, "guessed");
        assert_eq!(way.answered(now, address(2), &guessed), Answered::No);
        assert_eq!(way.address(), Some(address(1)));
        assert_eq!(way.answered(now, address(2), &good), Answered::Yes);
        assert_eq!(way.follow(), Some(address(2)));
        assert_eq!(way.timeout(), None);
    }

    #[test]
    fn an_answer_counts_however_many_others_were_asked_meanwhile() {
        let now = Instant::now();
        let mut way = way(now);
        let check = nominate(&mut way, now, address(2)).expect("a check");
        for port in 3..1_000 {
            let tcp = TransportAddress::tcp(address(port).address);
            assert!(nominate(&mut way, now, address(port)).is_some());
            assert!(nominate(&mut way, now, tcp).is_some(), "over TCP, too");
        }
        assert_eq!(way.address(), Some(address(1)));
        let good = answer(&check, PASSWORD);
        assert_eq!(way.answered(now, address(2), &good), Answered::Yes);
        assert_eq!(way.address(), Some(address(2)));
        assert!(way.is_client(now, address(1)) && !way.is_client(now, address(3)));
    }

    #[test]
    fn an_address_that_was_proven_is_returned_to_without_a_question_for_half_a_minute() {
        let now = Instant::now();
        let mut way = way(now);
        let check = nominate(&mut way, now, address(2)).expect("a check");
        let good = answer(&check, PASSWORD);
        assert_eq!(way.answered(now, address(2), &good), Answered::Yes);
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
        assert!(way.requested(later, address(2), 0, false).is_some());
        let good = answer(&check, PASSWORD);
        assert_eq!(way.answered(later, address(2), &good), Answered::Yes);
    }

    #[test]
    fn an_address_is_known_before_it_is_wanted() {
        let now = Instant::now();
        let mut way = way(now);
        let (_, check) = way.requested(now, address(2), 0, false).expect("a check");
        let good = answer(&check, PASSWORD);
        assert_eq!(way.answered(now, address(2), &good), Answered::Yes);
        assert_eq!(way.address(), Some(address(1)), "nobody wants to go there");
        assert_eq!(nominate(&mut way, now, address(2)), None);
        assert_eq!(way.address(), Some(address(2)));
    }

    #[test]
    fn the_client_is_where_its_media_comes_from_whatever_it_nominated_last() {
        let now = Instant::now();
        let mut way = way(now);
        let check = nominate(&mut way, now, address(2)).expect("a check");
        let good = answer(&check, PASSWORD);
        assert_eq!(way.answered(now, address(2), &good), Answered::Yes);
        assert_eq!(way.heard(now, address(1)), None);
        assert_eq!(way.address(), Some(address(1)));
        // Its address has changed on the way, and it does not know.
        let (to, check) = way.heard(now, address(3)).expect("a check");
        assert_eq!((to, way.heard(now, address(3))), (address(3), None));
        assert_eq!(way.address(), Some(address(1)));
        let good = answer(&check, PASSWORD);
        assert_eq!(way.answered(now, address(3), &good), Answered::Yes);
        assert_eq!(way.address(), Some(address(3)));
    }

    #[test]
    fn a_handshake_stays_where_it_began_until_the_client_was_reached_elsewhere() {
        let now = Instant::now();
        let mut way = new(now);
        assert!(nominate(&mut way, now, address(1)).is_some());
        assert_eq!(way.follow(), Some(address(1)));
        let check = nominate(&mut way, now, address(2)).expect("a check");
        assert_eq!(way.follow(), Some(address(1)), "it may be a replay");
        let mut other = new(now);
        assert!(nominate(&mut other, now, address(1)).is_some());
        assert_eq!(
            (other.follow(), other.established(now)),
            (Some(address(1)), None)
        );
        assert_eq!(other.address(), Some(address(1)));

        let good = answer(&check, PASSWORD);
        assert_eq!(way.answered(now, address(2), &good), Answered::Yes);
        assert_eq!(way.follow(), Some(address(2)));
        // Of a handshake in two places only the one counts that the client was reached at.
        assert_eq!(way.established(now), None);
        assert_eq!(way.address(), Some(address(2)));
    }

    #[test]
    fn credentials_are_good_until_the_client_was_reached_under_those_after_them() {
        let now = Instant::now();
        let mut way = way(now);
        for ufrag in ["never used", "others"] {
            way.restart(Credentials::restarted(theirs(ufrag, "another password of 22")).unwrap());
            assert_eq!(way.credentials().count(), 2);
        }
        let (_, check) = way.requested(now, address(2), 1, true).expect("a check");
        let good = answer(&check, PASSWORD);
        assert_eq!(way.answered(now, address(2), &good), Answered::Yes);
        let (_, check) = way.requested(now, address(3), 0, true).expect("a check");
        let good = answer(&check, "another password of 22");
        assert_eq!(way.answered(now, address(3), &good), Answered::Settled);
        assert_eq!(way.credentials().count(), 1);
    }

    #[test]
    fn credentials_settle_where_the_client_stays_and_the_next_ones_follow_them() {
        let now = Instant::now();
        let mut way = way(now);
        let ufrags = |way: &Way| -> Vec<String> {
            let all = way.credentials();
            all.map(|one| one.ours().ufrag.clone()).collect()
        };
        let first = ufrags(&way).remove(0);
        way.restart(Credentials::restarted(theirs("second", PASSWORD)).unwrap());
        let second = ufrags(&way).remove(0);
        assert!(!way.settles(now, address(2), 0), "nobody is known there");
        assert!(!way.settles(now, address(1), 1), "by those before");
        assert_eq!(ufrags(&way), [second.as_str(), first.as_str()]);
        assert_eq!(way.requested(now, address(1), 0, true), None);
        assert!(way.settles(now, address(1), 0) && !way.settles(now, address(1), 0));
        way.restart(Credentials::restarted(theirs("third", PASSWORD)).unwrap());
        assert_eq!(ufrags(&way)[1..], [second.as_str()]);
    }
}
