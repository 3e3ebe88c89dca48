//! Which session a datagram belongs to: by its source address, or for a first STUN request by its user name.

use std::collections::HashMap;
use std::net::SocketAddr;

/// A session's place in the engine's table.
pub type SessionKey = usize;

const STUN_HEADER: usize = 20;
const STUN_USERNAME: u16 = 0x0006;

/// The address table of a shard.
#[derive(Debug, Default)]
pub struct Demux {
    addresses: HashMap<SocketAddr, SessionKey>,
    ufrags: HashMap<String, SessionKey>,
}

impl Demux {
    /// Expects a session that answers to this local ICE user name fragment.
    pub fn expect(&mut self, ufrag: String, session: SessionKey) {
        self.ufrags.insert(ufrag, session);
    }

    /// The session of a datagram, if there is one. A STUN request that names a session binds its address to it: ICE
    /// checks its integrity afterwards, and only a session that accepts it keeps the address (see [`Demux::bind`]).
    pub fn find(&self, from: SocketAddr, data: &[u8]) -> Option<SessionKey> {
        match self.addresses.get(&from) {
            Some(session) if !is_stun(data) => Some(*session),
            known => stun_ufrag(data)
                .and_then(|ufrag| self.ufrags.get(ufrag))
                .or(known)
                .copied(),
        }
    }

    /// Datagrams from this address belong to this session from now on.
    pub fn bind(&mut self, from: SocketAddr, session: SessionKey) {
        self.addresses.insert(from, session);
    }

    /// Forgets a session.
    pub fn remove(&mut self, session: SessionKey) {
        self.addresses.retain(|_, owner| *owner != session);
        self.ufrags.retain(|_, owner| *owner != session);
    }
}

/// Whether a datagram on a multiplexed port is STUN (RFC 7983).
pub fn is_stun(data: &[u8]) -> bool {
    data.len() >= STUN_HEADER && data[0] < 4
}

/// The receiver's fragment of a STUN message's USERNAME: what stands before the colon (RFC 8445, 7.2.2).
fn stun_ufrag(data: &[u8]) -> Option<&str> {
    if !is_stun(data) {
        return None;
    }
    let mut rest = &data[STUN_HEADER..];
    while let [kind_high, kind_low, len_high, len_low, tail @ ..] = rest {
        let kind = u16::from_be_bytes([*kind_high, *kind_low]);
        let len = usize::from(u16::from_be_bytes([*len_high, *len_low]));
        let value = tail.get(..len)?;
        if kind == STUN_USERNAME {
            return std::str::from_utf8(value).ok()?.split(':').next();
        }
        rest = tail.get(len.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding_request(username: &str) -> Vec<u8> {
        let mut data = vec![0, 1, 0, 0];
        data.extend([0x21, 0x12, 0xa4, 0x42]);
        data.extend([7; 12]);
        data.extend([0x80, 0x22, 0, 2, b'x', b'y', 0, 0]);
        data.extend(STUN_USERNAME.to_be_bytes());
        data.extend((username.len() as u16).to_be_bytes());
        data.extend(username.as_bytes());
        data.resize(data.len().next_multiple_of(4), 0);
        data
    }

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, 1], port))
    }

    #[test]
    fn a_stun_request_finds_its_session_by_the_local_fragment() {
        let mut demux = Demux::default();
        demux.expect("abcd".into(), 3);
        assert_eq!(
            demux.find(address(1), &binding_request("abcd:efgh")),
            Some(3)
        );
        assert_eq!(demux.find(address(1), &binding_request("efgh:abcd")), None);
    }

    #[test]
    fn media_finds_its_session_by_address_only() {
        let mut demux = Demux::default();
        demux.bind(address(1), 3);
        assert_eq!(demux.find(address(1), &[0x80; 40]), Some(3));
        assert_eq!(demux.find(address(2), &[0x80; 40]), None);
    }

    #[test]
    fn an_address_can_be_taken_over_by_the_session_that_a_request_names() {
        let mut demux = Demux::default();
        demux.bind(address(1), 3);
        demux.expect("next".into(), 4);
        assert_eq!(demux.find(address(1), &binding_request("next:x")), Some(4));
    }

    #[test]
    fn a_removed_session_is_found_no_more() {
        let mut demux = Demux::default();
        demux.expect("abcd".into(), 3);
        demux.bind(address(1), 3);
        demux.remove(3);
        assert_eq!(demux.find(address(1), &[0x80; 40]), None);
        assert_eq!(demux.find(address(1), &binding_request("abcd:x")), None);
    }

    #[test]
    fn truncated_stun_is_no_bodys() {
        let whole = binding_request("abcd:efgh");
        for len in 0..whole.len() {
            let _ = stun_ufrag(&whole[..len]);
        }
    }
}
