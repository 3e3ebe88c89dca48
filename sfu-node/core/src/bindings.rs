//! STUN bindings of whoever measures the way to this node (RFC 8489, 3): answered without credentials, and in few bytes.
//!
//! A source address can be forged, and the answer goes there. So an address is never sent more bytes than came from it: a request of
//! 20 bytes, which is what browsers send, pays for most of an answer of 32, and who asks twice at once has one. What is left over
//! is gone within a second.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::stun;

/// What came within this time pays.
const WINDOW: Duration = Duration::from_secs(1);
/// Answers to one address within it: of a whole office behind it.
const EACH: u32 = 20;
/// Answers to all.
const ALL: u32 = 1_000;
/// Addresses that are heard within it.
const ADDRESSES: usize = 4_096;

/// What an address sent, less what it was sent.
#[derive(Debug, Default)]
struct Account {
    credit: usize,
    answers: u32,
}

/// Who asked lately.
#[derive(Debug, Default)]
pub struct Bindings {
    since: Option<Instant>,
    accounts: HashMap<IpAddr, Account>,
    answers: u32,
}

impl Bindings {
    /// The answer to a binding request from there, unless it is none, or too much is asked.
    pub fn answer(
        &mut self,
        now: Instant,
        from: std::net::SocketAddr,
        data: &[u8],
    ) -> Option<Vec<u8>> {
        let request = stun::plain_binding(data)?;
        if self
            .since
            .is_none_or(|since| now.saturating_duration_since(since) >= WINDOW)
        {
            self.since = Some(now);
            self.accounts.clear();
            self.answers = 0;
        }
        let place = network(from.ip());
        if self.accounts.len() >= ADDRESSES && !self.accounts.contains_key(&place) {
            return None;
        }
        let account = self.accounts.entry(place).or_default();
        account.credit += data.len();
        let answer = stun::mapped(request, from);
        if answer.len() > account.credit || account.answers >= EACH || self.answers >= ALL {
            return None;
        }
        account.credit -= answer.len();
        account.answers += 1;
        self.answers += 1;
        Some(answer)
    }
}

/// Whom an address belongs to: of IPv6, all of a network.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use proptest::prelude::*;

    use super::*;

    /// The request of a browser: a header, and no more.
    const REQUEST: [u8; 20] = [
        0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ];

    fn padded(bytes: u8) -> Vec<u8> {
        // SOFTWARE, which nobody needs to understand.
        let mut request = REQUEST.to_vec();
        request[3] = bytes + 4;
        request.extend([0x80, 0x22, 0, bytes]);
        request.extend(vec![b'x'; bytes.into()]);
        request
    }

    #[test]
    fn the_answer_tells_the_address_it_came_from() {
        let now = Instant::now();
        let from: SocketAddr = "192.0.2.1:32853".parse().unwrap();
        let answer = Bindings::default().answer(now, from, &padded(8)).unwrap();
        let mut expected = REQUEST.to_vec();
        expected[..4].copy_from_slice(&[1, 1, 0, 12]);
        // RFC 5769, 2.2: the port and the address under the cookie.
        expected.extend([0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
        assert_eq!(answer, expected);
        let from: SocketAddr = "[2001:db8::1]:32853".parse().unwrap();
        let answer = Bindings::default().answer(now, from, &padded(20)).unwrap();
        assert_eq!(answer[20..28], [0, 0x20, 0, 20, 0, 2, 0xa1, 0x47]);
        let address: Vec<u8> = answer[28..]
            .iter()
            .zip(&REQUEST[4..])
            .map(|(a, b)| a ^ b)
            .collect();
        assert_eq!(
            address,
            "2001:db8::1"
                .parse::<std::net::Ipv6Addr>()
                .unwrap()
                .octets()
        );
    }

    #[test]
    fn two_short_requests_pay_for_one_answer() {
        let now = Instant::now();
        let mut bindings = Bindings::default();
        let from = |port| SocketAddr::from(([192, 0, 2, 1], port));
        assert_eq!(bindings.answer(now, from(1), &REQUEST), None);
        assert!(bindings.answer(now, from(2), &REQUEST).is_some());
        assert_eq!(bindings.answer(now, from(3), &REQUEST), None);
        // What was left over is gone after a while.
        assert_eq!(bindings.answer(now + WINDOW, from(4), &REQUEST), None);
        assert!(bindings.answer(now + WINDOW, from(5), &REQUEST).is_some());
    }

    #[test]
    fn one_address_and_all_together_have_so_many_answers_a_second() {
        let now = Instant::now();
        let mut bindings = Bindings::default();
        let mut answered = |network: u16, port| {
            let [high, low] = network.to_be_bytes();
            let from = SocketAddr::from(([10, 0, high, low], port));
            bindings.answer(now, from, &padded(8)).is_some()
        };
        let of_one = (0..100).filter(|port| answered(0, *port)).count();
        assert_eq!(of_one, EACH as usize);
        let of_all = (1..5_000).filter(|network| answered(*network, 1)).count();
        assert_eq!(of_all, (ALL - EACH) as usize);
        assert!(bindings.accounts.len() <= ADDRESSES);
    }

    #[test]
    fn what_is_no_plain_binding_has_no_answer() {
        let now = Instant::now();
        let from = "192.0.2.1:1".parse().unwrap();
        let mut others = vec![
            vec![],
            REQUEST[..19].to_vec(),
            [&REQUEST[..], &[0; 4]].concat(),
        ];
        // Another method or class, no cookie, a check of ICE for somebody unknown, and what would have to be understood.
        others.push([&[0, 3], &REQUEST[2..]].concat());
        others.push([&[1, 1], &REQUEST[2..]].concat());
        others.push([&REQUEST[..4], &[0; 16]].concat());
        others.push(stun::tests::binding_request("abcd:efgh"));
        others.push([&[0, 1, 0, 8], &REQUEST[4..], &[0, 3, 0, 4, 0, 0, 0, 6]].concat());
        for other in others {
            let mut bindings = Bindings::default();
            for _ in 0..10 {
                assert_eq!(bindings.answer(now, from, &other), None, "{other:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn nobody_is_sent_more_than_came_from_there(
            requests in proptest::collection::vec((0..3_u8, 0..80_u8, 0..400_u16, any::<bool>()), 0..200)
        ) {
            let mut now = Instant::now();
            let mut bindings = Bindings::default();
            let mut balance = HashMap::<IpAddr, usize>::new();
            for (host, bytes, wait, is_v6) in requests {
                now += Duration::from_millis(wait.into());
                let ip = match is_v6 {
                    true => IpAddr::from([0x2001, 0xdb8, 0, host.into(), 0, 0, 0, bytes.into()]),
                    false => IpAddr::from([192, 0, 2, host]),
                };
                let request = if bytes < 4 { REQUEST.to_vec() } else { padded(bytes / 4 * 4) };
                let account = balance.entry(network(ip)).or_default();
                *account += request.len();
                if let Some(answer) = bindings.answer(now, (ip, 9).into(), &request) {
                    prop_assert!(answer.len() <= *account);
                    *account -= answer.len();
                }
            }
        }
    }
}
