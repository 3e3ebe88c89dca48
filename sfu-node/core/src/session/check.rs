//! ICE connectivity checks (RFC 8445, 7): the client's, which are answered here, and ours, since str0m as an ICE lite agent
//! sends none. str0m itself sees neither ([`super::inner`]).

use std::net::SocketAddr;

use protocol::client::IceCredentials;
use str0m::ice::{StunMessage, StunMessageBuilder, TransId};

use crate::egress::seal::{random, sha1_hmac};
use crate::stun::TRANSACTION_ID;

/// Longest message, in bytes; user name fragments have at most 256 (RFC 8839, 5.4).
const MAX_BYTES: usize = 1_024;
/// PRIORITY that a peer reflexive candidate would have (RFC 8445, 5.1.2.1).
const PRIORITY: u32 = 110 << 24 | 0xFFFF << 8 | 0xFF;
/// Bits of our user name fragment and password: at least 24 and 128 (RFC 8445, 5.3).
const UFRAG_BYTES: usize = 5;
const PASSWORD_BYTES: usize = 16;

/// By what the client knows our messages, and we its.
#[derive(Debug, Clone)]
pub struct Credentials {
    ours: IceCredentials,
    theirs: IceCredentials,
}

impl Credentials {
    /// Those of a negotiation.
    pub fn new(theirs: IceCredentials, ours: IceCredentials) -> Self {
        Self { ours, theirs }
    }

    /// With new ones on our side, for an ICE restart. `None` without randomness.
    pub fn restarted(theirs: IceCredentials) -> Option<Self> {
        let ours = IceCredentials {
            ufrag: hex(&random::<UFRAG_BYTES>()?),
            pwd: hex(&random::<PASSWORD_BYTES>()?),
        };
        Some(Self::new(theirs, ours))
    }

    pub fn ours(&self) -> &IceCredentials {
        &self.ours
    }

    /// Whether the client has the same in both. One that restarts ICE has not (RFC 8839, 4.4.1.1.1).
    pub fn is_of_same_client(&self, other: &Self) -> bool {
        (&self.theirs.ufrag, &self.theirs.pwd) == (&other.theirs.ufrag, &other.theirs.pwd)
    }

    /// Whether this request was made by who knows what both sides' descriptions say (RFC 8489, 9.1.3). That may be somebody
    /// who replays it.
    pub fn admit(&self, request: &StunMessage<'_>) -> bool {
        let names = Some((self.ours.ufrag.as_str(), self.theirs.ufrag.as_str()));
        request.split_username() == names && request.verify(self.ours.pwd.as_bytes(), sha1_hmac)
    }

    /// The answer to a request from this address. Who takes itself for controlled learns that it is not (RFC 8445, 7.3.1.1).
    pub fn reply(&self, request: &StunMessage<'_>, from: SocketAddr) -> Option<Vec<u8>> {
        let id = request.trans_id();
        let reply = match request.ice_controlled() {
            Some(_) => StunMessage::binding_role_conflict_reply(id),
            None => StunMessage::binding_reply(id, from),
        };
        write(&reply, &self.ours.pwd)
    }

    /// A check of ours under this transaction id.
    pub fn request(&self, id: [u8; TRANSACTION_ID]) -> Option<Vec<u8>> {
        let username = format!("{}:{}", self.theirs.ufrag, self.ours.ufrag);
        let request = StunMessageBuilder::new().binding().request();
        let request = request.username(&username).prio(PRIORITY);
        let request = request.ice_controlled(u64::from_be_bytes(random()?));
        write(&request.build(named(id)?), &self.theirs.pwd)
    }

    /// Whether this is the client's answer to a check of ours (RFC 8489, 9.1.4).
    pub fn is_answer(&self, answer: &StunMessage<'_>) -> bool {
        answer.is_successful_binding_response()
            && answer.verify(self.theirs.pwd.as_bytes(), sha1_hmac)
    }

    /// A check as the client would send it.
    pub fn request_of_client(&self, nominates: bool) -> Option<Vec<u8>> {
        let username = format!("{}:{}", self.ours.ufrag, self.theirs.ufrag);
        let request = StunMessageBuilder::new().binding().request();
        let request = request.username(&username).prio(PRIORITY);
        let request = request.ice_controlling(u64::MAX);
        let request = match nominates {
            true => request.use_candidate(),
            false => request,
        };
        write(&request.build(TransId::new()), &self.ours.pwd)
    }
}

fn write(message: &StunMessage<'_>, password: &str) -> Option<Vec<u8>> {
    let mut data = vec![0; MAX_BYTES];
    let len = message.to_bytes(Some(password.as_bytes()), &mut data, sha1_hmac);
    data.truncate(len.ok()?);
    Some(data)
}

/// A header alone, read, is the only way to choose an id: str0m's own are not meant to be secret.
fn named(id: [u8; TRANSACTION_ID]) -> Option<TransId> {
    let mut header = [0; 20];
    header[..8].copy_from_slice(&[0x01, 0x11, 0, 0, 0x21, 0x12, 0xA4, 0x42]);
    header[8..].copy_from_slice(&id);
    Some(StunMessage::parse(&header).ok()?.trans_id())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Those of a client with this password.
    pub fn theirs(ufrag: &str, password: &str) -> IceCredentials {
        IceCredentials {
            ufrag: ufrag.to_owned(),
            pwd: password.to_owned(),
        }
    }

    /// What a client with this password answers to a check.
    pub fn answer(check: &[u8], password: &str) -> Vec<u8> {
        let id = StunMessage::parse(check).expect("a check").trans_id();
        let reply = StunMessage::binding_reply(id, ([10, 0, 0, 9], 4_000).into());
        write(&reply, password).expect("room")
    }

    pub fn ours() -> IceCredentials {
        IceCredentials {
            ufrag: "ours".into(),
            pwd: "our-password-of-22-letters".into(),
        }
    }

    const PASSWORD: &str = "a-password-of-22-letters";

    #[test]
    fn a_check_can_be_verified_and_so_must_its_answer_be() {
        let credentials = Credentials::new(theirs("theirs", PASSWORD), ours());
        let check = credentials.request(random().unwrap()).unwrap();
        let request = StunMessage::parse(&check).expect("it is well-formed");
        assert_eq!(request.split_username(), Some(("theirs", "ours")));
        assert!(request.verify(PASSWORD.as_bytes(), sha1_hmac));
        assert!(request.ice_controlled().is_some() && !request.use_candidate());

        let is_answer = |data: &[u8]| {
            StunMessage::parse(data).is_ok_and(|answer| credentials.is_answer(&answer))
        };
        let good = answer(&check, PASSWORD);
        assert!(is_answer(&good));
        assert!(!is_answer(&answer(&check, "of somebody who has read it")));
        assert!(!is_answer(&check));
        let mut bare = check[..20].to_vec();
        bare[..4].copy_from_slice(&[1, 1, 0, 0]);
        assert!(!is_answer(&bare));
        for len in 0..good.len() {
            assert!(!is_answer(&good[..len]));
        }
    }

    #[test]
    fn a_request_is_admitted_and_answered_under_its_own_credentials_alone() {
        let credentials = Credentials::new(theirs("theirs", PASSWORD), ours());
        let request = credentials.request_of_client(true).unwrap();
        let request = StunMessage::parse(&request).unwrap();
        assert!(request.use_candidate() && credentials.admit(&request));
        let from = ([10, 0, 0, 9], 4_000).into();
        let reply = credentials.reply(&request, from).unwrap();
        let reply = StunMessage::parse(&reply).unwrap();
        assert_eq!(reply.trans_id(), request.trans_id());
        assert_eq!(reply.mapped_address(), Some(from));
        assert!(reply.verify(ours().pwd.as_bytes(), sha1_hmac));

        let anew = Credentials::restarted(theirs("others", PASSWORD)).unwrap();
        assert!(anew.ours.ufrag.len() >= 4 && anew.ours.pwd.len() >= 22);
        assert!(!anew.admit(&request) && !anew.is_of_same_client(&credentials));
        let other = Credentials::new(theirs("theirs", PASSWORD), anew.ours.clone());
        assert!(!other.admit(&request) && other.is_of_same_client(&credentials));
    }
}
