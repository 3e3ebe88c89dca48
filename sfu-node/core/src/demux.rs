//! Which session a datagram belongs to: for STUN the one that its user name names, or whose check it answers, else by its source
//! address.
//!
//! A request that was overheard can be replayed from any number of addresses. Those that have shown nothing but such a request
//! are few at a time, and none of them ever takes the place of one that the client was reached at.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::io::TransportAddress;
use crate::key::SessionKey;
use crate::stun::{self, Tag};

/// Addresses of either standing that one session may have at a time: its interfaces, and what NATs make of them.
const MAX_ADDRESSES: usize = 8;
/// An address that its session was heard from within this time is not given to another one.
const OWNED: Duration = Duration::from_secs(5);

/// An address has to be shown anew after so long: what only comes from there shows nothing.
const FRESH: Duration = Duration::from_secs(1);

/// What is known about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// A request came from there that names the session.
    Named,
    /// The session's client is there.
    Proven,
}

#[derive(Debug)]
struct Bound {
    session: SessionKey,
    standing: Standing,
    /// When it was last shown to be of this standing.
    heard: Instant,
}

impl Bound {
    fn is_heard(&self, now: Instant, within: Duration) -> bool {
        now.saturating_duration_since(self.heard) < within
    }
}

/// The address table of a shard.
#[derive(Debug, Default)]
pub struct Demux {
    addresses: HashMap<TransportAddress, Bound>,
    /// The addresses of each session.
    places: HashMap<SessionKey, Vec<TransportAddress>>,
    ufrags: HashMap<String, SessionKey>,
    tags: HashMap<Tag, SessionKey>,
}

impl Demux {
    /// Expects a session that answers to these local ICE user name fragments, and to no others that it had.
    pub fn expect<'a>(&mut self, session: SessionKey, ufrags: impl IntoIterator<Item = &'a str>) {
        self.ufrags.retain(|_, owner| *owner != session);
        let ufrags = ufrags.into_iter().map(str::to_owned);
        self.ufrags.extend(ufrags.map(|ufrag| (ufrag, session)));
    }

    /// Expects a session whose checks have ids that begin like this.
    pub fn expect_answers(&mut self, session: SessionKey, tag: Option<Tag>) {
        self.tags.extend(tag.map(|tag| (tag, session)));
    }

    /// The session of a datagram, if there is one: for STUN the one that it names or answers, else that of its address, with what
    /// was shown of that lately.
    pub fn find(
        &self,
        now: Instant,
        from: TransportAddress,
        data: &[u8],
    ) -> Option<(SessionKey, Option<Standing>)> {
        if stun::is_stun(data) {
            let answered = stun::answered_tag(data).and_then(|tag| self.tags.get(tag));
            let named = || stun::receiver_ufrag(data).and_then(|ufrag| self.ufrags.get(ufrag));
            return Some((*answered.or_else(named)?, None));
        }
        let bound = self.addresses.get(&from)?;
        let shown = bound.is_heard(now, FRESH).then_some(bound.standing);
        Some((bound.session, shown))
    }

    /// Datagrams from this address belong to this session from now on. The one of the same standing that was silent longest makes
    /// room. An address of another session stays where it is, unless it has shown less, or is silent. Returns whether it is of this
    /// standing only now.
    pub fn bind(
        &mut self,
        now: Instant,
        from: TransportAddress,
        session: SessionKey,
        standing: Standing,
    ) -> bool {
        match self.addresses.get_mut(&from) {
            Some(bound) if bound.session == session && bound.standing >= standing => {
                if bound.standing == standing {
                    bound.heard = now;
                }
                return false;
            }
            Some(bound)
                if bound.session != session
                    && bound.standing >= standing
                    && bound.is_heard(now, OWNED) =>
            {
                return false;
            }
            _ => {}
        }
        self.forget(from);
        self.make_room(session, standing);
        self.places.entry(session).or_default().push(from);
        let bound = Bound {
            session,
            standing,
            heard: now,
        };
        self.addresses.insert(from, bound);
        true
    }

    /// This session's client has just answered from there: no other session's is there any more, whatever came of it lately. Returns
    /// whether the address is this session's only now.
    pub fn hand_over(&mut self, now: Instant, from: TransportAddress, session: SessionKey) -> bool {
        let bound = self.addresses.get(&from);
        if bound.is_some_and(|bound| bound.session != session) {
            self.forget(from);
        }
        self.bind(now, from, session, Standing::Proven)
    }

    fn make_room(&mut self, session: SessionKey, standing: Standing) {
        let places = self.places.get(&session).into_iter().flatten();
        let bound = places.filter_map(|place| Some((self.addresses.get(place)?, *place)));
        let same = bound.filter(|(bound, _)| bound.standing == standing);
        let same: Vec<_> = same.map(|(bound, place)| (bound.heard, place)).collect();
        if let (true, Some((_, oldest))) = (same.len() >= MAX_ADDRESSES, same.iter().min()) {
            self.forget(*oldest);
        }
    }

    fn forget(&mut self, address: TransportAddress) {
        let bound = self.addresses.remove(&address);
        let places = bound.and_then(|bound| self.places.get_mut(&bound.session));
        if let Some(places) = places {
            places.retain(|place| *place != address);
        }
    }

    /// Forgets a session.
    pub fn remove(&mut self, session: SessionKey) {
        for place in self.places.remove(&session).into_iter().flatten() {
            self.addresses.remove(&place);
        }
        self.ufrags.retain(|_, owner| *owner != session);
        self.tags.retain(|_, owner| *owner != session);
    }
}

#[cfg(test)]
mod tests {
    use slotmap::KeyData;

    use super::Standing::{Named, Proven};
    use super::*;
    use crate::stun::tests::binding_request;

    fn session(number: u64) -> SessionKey {
        KeyData::from_ffi(number).into()
    }

    fn address(port: u16) -> TransportAddress {
        TransportAddress::udp(([10, 0, 0, 1], port).into())
    }

    /// Whose media from there is.
    fn owner(demux: &Demux, now: Instant, port: u16) -> Option<SessionKey> {
        let found = demux.find(now, address(port), &[0x80; 40]);
        found.map(|(session, _)| session)
    }

    #[test]
    fn a_stun_request_finds_its_session_by_the_local_fragment() {
        let now = Instant::now();
        let mut demux = Demux::default();
        demux.expect(session(3), ["abcd", "before"]);
        for (username, found) in [
            ("abcd:efgh", true),
            ("before:x", true),
            ("efgh:abcd", false),
        ] {
            let found = found.then_some((session(3), None));
            let request = binding_request(username);
            assert_eq!(demux.find(now, address(1), &request), found, "{username}");
        }
        demux.expect(session(3), ["abcd"]);
        let forgotten = demux.find(now, address(1), &binding_request("before:x"));
        assert_eq!(forgotten, None);
    }

    #[test]
    fn the_answer_to_a_check_finds_its_session_from_anywhere() {
        let now = Instant::now();
        let mut demux = Demux::default();
        demux.expect_answers(session(3), Some([1, 2, 3, 4, 5]));
        let mut answer = binding_request("");
        answer[..2].copy_from_slice(&[1, 1]);
        assert_eq!(demux.find(now, address(1), &answer), None);
        answer[8..13].copy_from_slice(&[1, 2, 3, 4, 5]);
        assert_eq!(
            demux.find(now, address(1), &answer),
            Some((session(3), None))
        );
        demux.remove(session(3));
        assert_eq!(demux.find(now, address(1), &answer), None);
    }

    #[test]
    fn media_finds_its_session_by_address_only() {
        let now = Instant::now();
        let mut demux = Demux::default();
        demux.bind(now, address(1), session(3), Named);
        let found = demux.find(now, address(1), &[0x80; 40]);
        assert_eq!(found, Some((session(3), Some(Named))));
        assert_eq!(owner(&demux, now, 2), None);
        let tcp = TransportAddress::tcp(address(1).address);
        assert_eq!(demux.find(now, tcp, &[0x80; 40]), None);
    }

    #[test]
    fn an_address_is_given_to_another_session_only_for_more_proof_or_after_a_silence() {
        let now = Instant::now();
        for (first, second) in [(Named, Named), (Proven, Named), (Proven, Proven)] {
            let mut demux = Demux::default();
            assert!(demux.bind(now, address(1), session(3), first));
            assert!(!demux.bind(now, address(1), session(4), second));
            assert_eq!(owner(&demux, now, 1), Some(session(3)));
            assert!(demux.bind(now + OWNED, address(1), session(4), second));
            assert_eq!(owner(&demux, now, 1), Some(session(4)));
        }
        let mut demux = Demux::default();
        demux.bind(now, address(1), session(3), Named);
        assert!(demux.bind(now, address(1), session(4), Proven));
        assert_eq!(owner(&demux, now, 1), Some(session(4)));
    }

    #[test]
    fn what_comes_from_an_address_shows_nothing_by_itself() {
        let now = Instant::now();
        let mut demux = Demux::default();
        demux.bind(now, address(1), session(3), Proven);
        let later = now + OWNED;
        for packet in 0..10 {
            let at = now + OWNED * packet / 10;
            let found = demux.find(at, address(1), &[0x80; 40]);
            let shown = (at < now + FRESH).then_some(Proven);
            assert_eq!(found, Some((session(3), shown)));
            // Its own client's request, from wherever it was sent, makes it no more proven than it was.
            assert!(!demux.bind(at, address(1), session(3), Named));
        }
        demux.bind(later, address(1), session(4), Proven);
        assert_eq!(owner(&demux, later, 1), Some(session(4)));
    }

    #[test]
    fn who_answers_has_the_address_at_once() {
        let now = Instant::now();
        let mut demux = Demux::default();
        demux.bind(now, address(1), session(3), Proven);
        assert!(demux.hand_over(now, address(1), session(4)));
        assert_eq!(owner(&demux, now, 1), Some(session(4)));
        assert!(!demux.hand_over(now, address(1), session(4)));
        assert!(demux.places[&session(3)].is_empty());
    }

    #[test]
    fn any_number_of_named_addresses_displace_each_other_alone() {
        let now = Instant::now();
        let mut demux = Demux::default();
        demux.bind(now, address(1), session(3), Named);
        demux.bind(now, address(1), session(3), Proven);
        for port in 2..1_000 {
            let at = now + Duration::from_secs(u64::from(port));
            demux.bind(at, address(port), session(3), Named);
        }
        assert_eq!(demux.addresses.len(), 1 + MAX_ADDRESSES);
        assert_eq!(demux.places[&session(3)].len(), 1 + MAX_ADDRESSES);
        assert_eq!(owner(&demux, now, 1), Some(session(3)));
        // One that was proven once stays so, whatever comes from there.
        demux.bind(now, address(1), session(3), Named);
        let found = demux.find(now, address(1), &[0x80; 40]);
        assert_eq!(found, Some((session(3), Some(Proven))));
    }

    #[test]
    fn a_session_has_a_few_proven_addresses_and_the_oldest_goes_first() {
        let now = Instant::now();
        let mut demux = Demux::default();
        for port in 1..=20 {
            let at = now + Duration::from_secs(u64::from(port));
            demux.bind(at, address(port), session(3), Proven);
        }
        assert_eq!(demux.addresses.len(), MAX_ADDRESSES);
        assert_eq!(owner(&demux, now, 12), None);
        assert_eq!(owner(&demux, now, 13), Some(session(3)));
    }

    #[test]
    fn a_removed_session_is_found_no_more() {
        let now = Instant::now();
        let mut demux = Demux::default();
        demux.expect(session(3), ["abcd"]);
        demux.bind(now, address(1), session(3), Proven);
        demux.remove(session(3));
        assert_eq!(owner(&demux, now, 1), None);
        let found = demux.find(now, address(1), &binding_request("abcd:x"));
        assert_eq!(found, None);
        assert!(demux.addresses.is_empty() && demux.places.is_empty());
    }
}
