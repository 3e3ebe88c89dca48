//! What is to be seen of a STUN message from outside (RFC 8489): str0m decides whether it is genuine.

use std::net::{IpAddr, SocketAddr};

const HEADER: usize = 20;
/// Length of a transaction id in bytes; it ends the header (RFC 8489, 5).
pub const TRANSACTION_ID: usize = 12;
/// What the id of each check of ours begins with, in bytes: which session it is of.
pub const TAG: usize = 5;
pub type Tag = [u8; TAG];
const USERNAME: u16 = 0x0006;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
/// In every message (RFC 8489, 5).
const COOKIE: u32 = 0x2112_a442;
/// From here on, attributes need not be understood (RFC 8489, 14).
const OPTIONAL: u16 = 0x8000;

/// Whether a datagram on a multiplexed port is STUN (RFC 7983).
pub fn is_stun(data: &[u8]) -> bool {
    data.len() >= HEADER && data[0] < 4
}

/// Whether a datagram on a multiplexed port is RTP or RTCP (RFC 7983).
pub fn is_media(data: &[u8]) -> bool {
    data.first().is_some_and(|first| (128..192).contains(first))
}

/// The id of the answer to a genuine binding request (RFC 8489, 5).
pub fn answered_id(data: &[u8]) -> Option<&[u8; TRANSACTION_ID]> {
    let is_answer = is_stun(data) && data[..2] == [0x01, 0x01];
    let id = data.get(HEADER - TRANSACTION_ID..).filter(|_| is_answer)?;
    id.first_chunk()
}

/// What the id of an answer to one of our checks begins with.
pub fn answered_tag(data: &[u8]) -> Option<&Tag> {
    answered_id(data)?.first_chunk()
}

/// The receiver's fragment of a STUN message's USERNAME: what stands before the colon (RFC 8445, 7.2.2).
pub fn receiver_ufrag(data: &[u8]) -> Option<&str> {
    let value = attribute(data, USERNAME)?;
    std::str::from_utf8(value).ok()?.split(':').next()
}

/// A request's cookie and transaction id.
pub type Request = [u8; HEADER - 4];

/// The binding request that this is, if it is a whole one that needs nothing to be understood: no credentials above all.
pub fn plain_binding(data: &[u8]) -> Option<&Request> {
    let (head, rest) = data.split_first_chunk::<4>()?;
    let (request, mut rest) = rest.split_first_chunk::<{ HEADER - 4 }>()?;
    let [0, 1, high, low] = *head else {
        return None;
    };
    let is_whole = usize::from(u16::from_be_bytes([high, low])) == rest.len();
    if !is_whole || !request.starts_with(&COOKIE.to_be_bytes()) {
        return None;
    }
    while let [kind_high, kind_low, len_high, len_low, tail @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*len_high, *len_low]));
        if u16::from_be_bytes([*kind_high, *kind_low]) < OPTIONAL {
            return None;
        }
        rest = tail.get(len.next_multiple_of(4)..)?;
    }
    rest.is_empty().then_some(request)
}

/// The answer to a binding request from there (RFC 8489, 14.2).
pub fn mapped(request: &Request, from: SocketAddr) -> Vec<u8> {
    let (family, ip) = match from.ip() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    let len = 4 + ip.len() as u16;
    let mut answer = vec![1, 1];
    answer.extend((4 + len).to_be_bytes());
    answer.extend(request);
    answer.extend(XOR_MAPPED_ADDRESS.to_be_bytes());
    answer.extend(len.to_be_bytes());
    answer.extend([0, family]);
    answer.extend((from.port() ^ (COOKIE >> 16) as u16).to_be_bytes());
    answer.extend(ip.iter().zip(request).map(|(byte, mask)| byte ^ mask));
    answer
}

/// The value of a STUN message's first attribute of this kind (RFC 8489, 14).
fn attribute(data: &[u8], wanted: u16) -> Option<&[u8]> {
    if !is_stun(data) {
        return None;
    }
    let mut rest = &data[HEADER..];
    while let [kind_high, kind_low, len_high, len_low, tail @ ..] = rest {
        let kind = u16::from_be_bytes([*kind_high, *kind_low]);
        let len = usize::from(u16::from_be_bytes([*len_high, *len_low]));
        let value = tail.get(..len)?;
        if kind == wanted {
            return Some(value);
        }
        rest = tail.get(len.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A binding request with this user name.
    pub fn binding_request(username: &str) -> Vec<u8> {
        let mut data = vec![0, 1, 0, 0];
        data.extend([0x21, 0x12, 0xa4, 0x42]);
        data.extend([7; 12]);
        data.extend([0x80, 0x22, 0, 2, b'x', b'y', 0, 0]);
        data.extend(USERNAME.to_be_bytes());
        data.extend((username.len() as u16).to_be_bytes());
        data.extend(username.as_bytes());
        data.resize(data.len().next_multiple_of(4), 0);
        data
    }

    #[test]
    fn truncated_stun_names_nobody() {
        let whole = binding_request("abcd:efgh");
        let end = whole.len() - 3; // what follows the name is padding
        for len in 0..end {
            assert_eq!(receiver_ufrag(&whole[..len]), None, "{len} bytes");
        }
        assert_eq!(receiver_ufrag(&whole), Some("abcd"));
    }
}
