//! The transaction ids of our checks. Each says itself which session it is of and to which address it went, so that an answer
//! counts although nothing is remembered of the check: a stranger who has us send many of them displaces none.

use std::time::{Duration, Instant};

use crate::egress::seal::{random, sha1_hmac};
use crate::io::{Transport, TransportAddress};
use crate::stun::{TAG, TRANSACTION_ID, Tag};

/// Ids are of one window of time, and good in that and the next.
const WINDOW: Duration = Duration::from_secs(15);
/// What one byte has for windows, beside the bit that says what the check is for.
const WINDOWS: u64 = 128;

/// Makes the ids of one session, and knows them again.
#[derive(Debug)]
pub struct Cookies {
    tag: Tag,
    secret: [u8; 16],
    began: Instant,
}

/// What a check was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To know whether the client can be reached there.
    Know,
    /// To go there, if it can.
    Go,
}

impl Cookies {
    /// `None` when the system has no randomness: then nothing is checked.
    pub fn new(now: Instant) -> Option<Self> {
        Some(Self {
            tag: random()?,
            secret: random()?,
            began: now,
        })
    }

    /// What all ids of this session begin with.
    pub fn tag(&self) -> Tag {
        self.tag
    }

    /// The id of a check of this address.
    pub fn id(&self, now: Instant, to: TransportAddress, purpose: Purpose) -> [u8; TRANSACTION_ID] {
        self.write(to, self.window(now), purpose)
    }

    /// What the check was for that was sent to this address under this id; `None` if none was lately.
    pub fn read(
        &self,
        now: Instant,
        from: TransportAddress,
        id: &[u8; TRANSACTION_ID],
    ) -> Option<Purpose> {
        let head = id[TAG];
        let purpose = match head & 1 {
            0 => Purpose::Know,
            _ => Purpose::Go,
        };
        let age = (self.window(now) + WINDOWS - u64::from(head >> 1)) % WINDOWS;
        let window = self.window(now).checked_sub(age).filter(|_| age <= 1)?;
        (self.write(from, window, purpose) == *id).then_some(purpose)
    }

    fn window(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_secs() / WINDOW.as_secs()
    }

    /// What tells one window from the others of its byte is the code alone, which is over all of its number.
    fn write(
        &self,
        address: TransportAddress,
        window: u64,
        purpose: Purpose,
    ) -> [u8; TRANSACTION_ID] {
        let head = ((window % WINDOWS) as u8) << 1 | u8::from(purpose == Purpose::Go);
        let (ip, port) = (address.address.ip(), address.address.port());
        let transport = [u8::from(address.transport == Transport::Tcp)];
        let ip = match ip {
            std::net::IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
            std::net::IpAddr::V6(ip) => ip.octets(),
        };
        let mac = sha1_hmac(
            &self.secret,
            &[
                &ip,
                &port.to_be_bytes(),
                &transport,
                &[head],
                &window.to_be_bytes(),
            ],
        );
        let mut id = [0; TRANSACTION_ID];
        id[..TAG].copy_from_slice(&self.tag);
        id[TAG] = head;
        id[TAG + 1..].copy_from_slice(&mac[..TRANSACTION_ID - TAG - 1]);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_known_from_its_address_alone_and_for_a_while() {
        let now = Instant::now();
        let cookies = Cookies::new(now).unwrap();
        let to = TransportAddress::udp(([10, 0, 0, 1], 5_000).into());
        for purpose in [Purpose::Know, Purpose::Go] {
            let id = cookies.id(now + WINDOW, to, purpose);
            assert!(id.starts_with(&cookies.tag()));
            for (windows, known) in [
                (1, true),
                (2, true),
                (3, false),
                (129, false),
                (130, false),
                (0, false),
            ] {
                let read = cookies.read(now + windows * WINDOW, to, &id);
                assert_eq!(read, known.then_some(purpose), "{windows} windows");
            }
            let now = now + WINDOW;
            assert_eq!(
                cookies.read(now, TransportAddress::tcp(to.address), &id),
                None
            );
            let other = TransportAddress::udp(([10, 0, 0, 1], 5_001).into());
            assert_eq!(cookies.read(now, other, &id), None);
            let stranger = Cookies::new(now).unwrap();
            assert_eq!(stranger.read(now, to, &id), None);
            for byte in 0..TRANSACTION_ID {
                let mut forged = id;
                forged[byte] ^= 1;
                assert_eq!(cookies.read(now, to, &forged), None, "byte {byte}");
            }
        }
    }
}
