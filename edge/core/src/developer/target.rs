//! Where webhooks may go: to public addresses by https. A name may lead to a private address all the same, now or later: that is
//! for the platform to refuse, which looks it up.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Longest address, in bytes.
const LONGEST: usize = 2_048;
/// Names that are no public ones: themselves, and all below them (RFC 6761, 6762, 7686, 8375, and what is common).
const PRIVATE_NAMES: [&str; 13] = [
    "localhost",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "arpa",
    "onion",
    "test",
    "invalid",
    "alt",
];

/// Why no webhook goes there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoTarget {
    #[error("is not the address of a web server, or is longer than {LONGEST} bytes")]
    NoUrl,
    #[error("has to begin with https://")]
    NotSecure,
    #[error("has a user name or a password in it")]
    Credentials,
    #[error("is a private or local address")]
    Private,
}

/// The address to which webhooks go that were to go there. With `local`, which is for development, by http and to private
/// addresses as well.
pub fn target(text: &str, local: bool) -> Result<String, NoTarget> {
    if text.len() > LONGEST {
        return Err(NoTarget::NoUrl);
    }
    let mut url = Url::parse(text.trim()).map_err(|_| NoTarget::NoUrl)?;
    match url.scheme() {
        "https" => {}
        "http" if local => {}
        _ => return Err(NoTarget::NotSecure),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NoTarget::Credentials);
    }
    let is_public = match url.host().ok_or(NoTarget::NoUrl)? {
        Host::Ipv4(address) => is_public_v4(address),
        Host::Ipv6(address) => is_public_v6(address),
        Host::Domain(name) => is_public_name(name),
    };
    if !is_public && !local {
        return Err(NoTarget::Private);
    }
    url.set_fragment(None);
    Ok(url.into())
}

fn is_public_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let Some((_, last)) = name.rsplit_once('.') else {
        return false;
    };
    !name.ends_with('.') && !PRIVATE_NAMES.contains(&last)
}

/// Whether an address is of the public internet (IANA IPv4 Special-Purpose Address Registry).
fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [224..=255, ..]
    )
}

/// The same of IPv6: what is handed out to anybody begins with 2000::/3, of which parts stand for something else.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // IPv4 in it: 6to4. What maps or translates IPv4 otherwise is not below 2000::/3, and refused whole.
        [0x2002, high, low, ..] => {
            is_public_v4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
        }
        // Teredo, benchmarking, ORCHID and other protocols; documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_go_to_public_addresses_by_https() {
        for (text, expected) in [
            ("https://example.com", "https://example.com/"),
            (
                " https://Example.com:8443/hooks?a=1#x ",
                "https://example.com:8443/hooks?a=1",
            ),
            (
                "https://bücher.example.com/",
                "https://xn--bcher-kva.example.com/",
            ),
            ("https://8.8.8.8/", "https://8.8.8.8/"),
            ("https://172.15.0.1/", "https://172.15.0.1/"),
            ("https://172.32.0.1/", "https://172.32.0.1/"),
            ("https://100.63.0.1/", "https://100.63.0.1/"),
            ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
            ("https://[2002:808:808::1]/", "https://[2002:808:808::1]/"),
            (
                "https://localhost.example.com/",
                "https://localhost.example.com/",
            ),
        ] {
            assert_eq!(target(text, false).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_web_server_is_refused() {
        use NoTarget::*;
        let long = format!("https://example.com/{}", "x".repeat(2_048));
        for (text, error) in [
            ("", NoUrl),
            ("example.com", NoUrl),
            ("https://", NoUrl),
            ("https://exa mple.com", NoUrl),
            ("https://1.2.3.4.5/", NoUrl),
            ("https://256.1.1.1/", NoUrl),
            ("https://[::1", NoUrl),
            (&long, NoUrl),
            ("http://example.com", NotSecure),
            ("ftp://example.com", NotSecure),
            ("javascript:alert(1)", NotSecure),
            ("file:///etc/passwd", NotSecure),
            ("https://ada@example.com", Credentials),
            ("https://ada:secret@example.com", Credentials),
            ("https://example.com@127.0.0.1/", Credentials),
        ] {
            assert_eq!(target(text, false), Err(error), "{text}");
        }
    }

    #[test]
    fn a_private_address_is_refused_however_it_is_written() {
        for host in [
            // IPv4 as it stands, and in the other forms that are read as it: decimal, octal, hexadecimal, short.
            "127.0.0.1",
            "127.1",
            "2130706433",
            "017700000001",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "１２７.0.0.1",
            "0",
            "0.0.0.0",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "0xa9fea9fe",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            // IPv6: unspecified, loopback, mapped, compatible, translated, unique local, link-local, site-local, multicast.
            "[::]",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:8.8.8.8]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::1]",
            "[100::1]",
            "[2001::1]",
            "[2001:10::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::]",
            "[2002:a00:1::]",
            "[3fff::1]",
            "[fc00::1]",
            "[fd12:3456::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            // Names.
            "localhost",
            "LOCALHOST",
            "localhost.",
            "ⓛocalhost",
            "api.localhost",
            "router",
            "printer.local",
            "printer.local.",
            "metadata.google.internal",
            "nas.lan",
            "host.home.arpa",
            "1.0.0.127.in-addr.arpa",
            "hidden.onion",
        ] {
            let text = format!("https://{host}/hook");
            assert_eq!(target(&text, false), Err(NoTarget::Private), "{text}");
            assert!(target(&text, true).is_ok(), "{text} in development");
        }
        assert_eq!(
            target("http://127.0.0.1:8080/x", true).as_deref(),
            Ok("http://127.0.0.1:8080/x")
        );
    }
}
