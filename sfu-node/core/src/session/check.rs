//! ICE connectivity checks of our own, since str0m as an ICE lite agent sends none (RFC 8445, 7.2).

use str0m::ice::{StunMessage, StunMessageBuilder};

use crate::egress::seal::{random, sha1_hmac};
use crate::stun::{TRANSACTION_ID, is_binding_success, transaction_id};

/// Longest check, in bytes; user name fragments have at most 256 (RFC 8839, 5.4).
const MAX_BYTES: usize = 1_024;
/// PRIORITY that a peer reflexive candidate of ours would have (RFC 8445, 5.1.2.1).
const PRIORITY: u32 = 110 << 24 | 0xFFFF << 8 | 0xFF;

/// By what the client knows our checks, and we its answers.
#[derive(Debug)]
pub struct Credentials {
    /// `receiver:sender`, and the receiver's password (RFC 8445, 7.2.2).
    username: String,
    password: String,
}

impl Credentials {
    /// By the client's SDP and our ICE user name fragment.
    pub fn new(sdp: &str, ufrag: &str) -> Self {
        let value = |name: &str| {
            let mut values = sdp.lines().filter_map(|line| line.strip_prefix(name));
            values.next().unwrap_or_default().trim()
        };
        Self {
            username: format!("{}:{ufrag}", value("a=ice-ufrag:")),
            password: value("a=ice-pwd:").to_owned(),
        }
    }

    /// A binding request under this transaction id.
    pub fn request(&self, id: [u8; TRANSACTION_ID]) -> Option<Vec<u8>> {
        // A header alone, read, is the only way to choose the id: str0m's own are not meant to be secret.
        let mut header = [0; 20];
        header[..8].copy_from_slice(&[0x01, 0x11, 0, 0, 0x21, 0x12, 0xA4, 0x42]);
        header[8..].copy_from_slice(&id);
        let id = StunMessage::parse(&header).ok()?.trans_id();
        let request = StunMessageBuilder::new().binding().request();
        let request = request.username(&self.username).prio(PRIORITY);
        let request = request.ice_controlled(u64::from_be_bytes(random()?));
        let mut data = vec![0; MAX_BYTES];
        let password = Some(self.password.as_bytes());
        let len = request.build(id).to_bytes(password, &mut data, sha1_hmac);
        data.truncate(len.ok()?);
        Some(data)
    }

    /// Whether this is the client's answer to the check under this transaction id (RFC 8489, 9.1.4).
    pub fn is_answer(&self, data: &[u8], id: [u8; TRANSACTION_ID]) -> bool {
        is_binding_success(data)
            && transaction_id(data) == Some(&id)
            && StunMessage::parse(data)
                .is_ok_and(|answer| answer.verify(self.password.as_bytes(), sha1_hmac))
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// What a client with this password answers to a check.
    pub fn answer(check: &[u8], password: &str) -> Vec<u8> {
        let id = StunMessage::parse(check).expect("a check").trans_id();
        let reply = StunMessageBuilder::new().binding().success();
        let reply = reply.xor_mapped_address(([10, 0, 0, 9], 4_000).into());
        let mut data = vec![0; MAX_BYTES];
        let password = Some(password.as_bytes());
        let len = reply.build(id).to_bytes(password, &mut data, sha1_hmac);
        data.truncate(len.expect("room"));
        data
    }

    #[test]
    fn a_check_can_be_verified_and_so_must_its_answer_be() {
        let sdp = "v=0\r\na=ice-ufrag:theirs\r\na=ice-pwd:a-password-of-22-letters\r\n";
        let credentials = Credentials::new(sdp, "ours");
        let id = random().unwrap();
        let check = credentials.request(id).unwrap();
        let request = StunMessage::parse(&check).expect("it is well-formed");
        assert_eq!(request.split_username(), Some(("theirs", "ours")));
        assert!(request.verify(b"a-password-of-22-letters", sha1_hmac));
        assert!(request.ice_controlled().is_some() && !request.use_candidate());

        let good = answer(&check, "a-password-of-22-letters");
        assert!(credentials.is_answer(&good, id));
        assert!(!credentials.is_answer(&good, random().unwrap()));
        assert!(!credentials.is_answer(&answer(&check, "of somebody who has read it"), id));
        let mut bare = check[..20].to_vec();
        bare[..4].copy_from_slice(&[1, 1, 0, 0]);
        assert!(!credentials.is_answer(&bare, id));
        for len in 0..good.len() {
            assert!(!credentials.is_answer(&good[..len], id));
        }
    }
}
