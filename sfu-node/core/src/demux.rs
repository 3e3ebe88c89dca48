//! Which session a datagram belongs to: for STUN the one that its user name names, else by its source address.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::io::TransportAddress;
use crate::key::SessionKey;
use crate::stun;

/// Addresses that one session may have at a time: its interfaces, and what NATs make of them.
const MAX_ADDRESSES: usize = 8;
/// An address that its session was heard from within this time is not given to another one.
const OWNED: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Bound {
    session: SessionKey,
    heard: Instant,
}

/// The address table of a shard.
#[derive(Debug, Default)]
pub struct Demux {
    addresses: HashMap<TransportAddress, Bound>,
    ufrags: HashMap<String, SessionKey>,
}

impl Demux {
    /// Expects a session that answers to this local ICE user name fragment.
    pub fn expect(&mut self, ufrag: String, session: SessionKey) {
        self.ufrags.insert(ufrag, session);
    }

    /// The same after an ICE restart: what the session answered to before is forgotten.
    pub fn expect_only(&mut self, ufrag: String, session: SessionKey) {
        self.ufrags.retain(|_, owner| *owner != session);
        self.expect(ufrag, session);
    }

    /// The session of a datagram, if there is one: for STUN the one that it names, else that of its address.
    pub fn find(
        &mut self,
        now: Instant,
        from: TransportAddress,
        data: &[u8],
    ) -> Option<SessionKey> {
        let named = stun::receiver_ufrag(data).and_then(|ufrag| self.ufrags.get(ufrag));
        if let Some(named) = named {
            return Some(*named);
        }
        let bound = self.addresses.get_mut(&from)?;
        bound.heard = now;
        Some(bound.session)
    }

    /// A session has accepted a STUN message from this address: datagrams from there belong to it from now on. Its
    /// oldest address makes room; an address that another session was heard from just now stays where it is.
    pub fn bind(&mut self, now: Instant, from: TransportAddress, session: SessionKey) {
        let bound = self.addresses.get(&from);
        let owned = bound.is_some_and(|bound| {
            bound.session != session && now.saturating_duration_since(bound.heard) < OWNED
        });
        if owned {
            return;
        }
        if bound.is_none() {
            let own = self.addresses.iter();
            let own: Vec<_> = own
                .filter(|(_, bound)| bound.session == session)
                .map(|(address, bound)| (bound.heard, *address))
                .collect();
            if let (true, Some((_, oldest))) = (own.len() >= MAX_ADDRESSES, own.iter().min()) {
                self.addresses.remove(oldest);
            }
        }
        self.addresses.insert(
            from,
            Bound {
                session,
                heard: now,
            },
        );
    }

    /// Forgets a session.
    pub fn remove(&mut self, session: SessionKey) {
        self.addresses.retain(|_, bound| bound.session != session);
        self.ufrags.retain(|_, owner| *owner != session);
    }
}

#[cfg(test)]
mod tests {
    use slotmap::KeyData;

    use super::*;

    fn session(number: u64) -> SessionKey {
        KeyData::from_ffi(number).into()
    }
    use crate::stun::tests::binding_request;

    fn address(port: u16) -> TransportAddress {
        TransportAddress::udp(([10, 0, 0, 1], port).into())
    }

    #[test]
    fn a_stun_request_finds_its_session_by_the_local_fragment() {
        let now = Instant::now();
        let mut demux = Demux::default();
        demux.expect("abcd".into(), session(3));
        let found = demux.find(now, address(1), &binding_request("abcd:efgh"));
        assert_eq!(found, Some(session(3)));
        let found = demux.find(now, address(1), &binding_request("efgh:abcd"));
        assert_eq!(found, None);
    }

    #[test]
    fn media_finds_its_session_by_address_only() {
        let now = Instant::now();
        let mut demux = Demux::default();
        demux.bind(now, address(1), session(3));
        assert_eq!(demux.find(now, address(1), &[0x80; 40]), Some(session(3)));
        assert_eq!(demux.find(now, address(2), &[0x80; 40]), None);
        let tcp = TransportAddress::tcp(address(1).address);
        assert_eq!(demux.find(now, tcp, &[0x80; 40]), None);
    }

    #[test]
    fn an_address_is_taken_over_only_when_its_owner_is_silent() {
        let now = Instant::now();
        let mut demux = Demux::default();
        demux.bind(now, address(1), session(3));
        demux.bind(now, address(1), session(4));
        assert_eq!(demux.find(now, address(1), &[0x80; 40]), Some(session(3)));
        demux.bind(now + OWNED, address(1), session(4));
        assert_eq!(demux.find(now, address(1), &[0x80; 40]), Some(session(4)));
    }

    #[test]
    fn a_session_has_a_few_addresses_and_the_oldest_goes_first() {
        let now = Instant::now();
        let mut demux = Demux::default();
        for port in 1..=20 {
            let at = now + Duration::from_secs(u64::from(port));
            demux.bind(at, address(port), session(3));
        }
        assert_eq!(demux.addresses.len(), MAX_ADDRESSES);
        assert_eq!(demux.find(now, address(12), &[0x80; 40]), None);
        assert_eq!(demux.find(now, address(13), &[0x80; 40]), Some(session(3)));
    }

    #[test]
    fn a_removed_session_is_found_no_more() {
        let now = Instant::now();
        let mut demux = Demux::default();
        demux.expect("abcd".into(), session(3));
        demux.bind(now, address(1), session(3));
        demux.remove(session(3));
        assert_eq!(demux.find(now, address(1), &[0x80; 40]), None);
        let found = demux.find(now, address(1), &binding_request("abcd:x"));
        assert_eq!(found, None);
    }
}
