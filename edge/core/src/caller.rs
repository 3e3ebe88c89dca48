//! Whose page a request comes from, as the browser tells that sent it.

/// Who made a browser send a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// A page of our own origin; or no browser at all, which has no cookies but its owner's.
    Own,
    /// A page of another origin that the operator has listed.
    Listed,
    /// Any other page, a sibling subdomain's included.
    Foreign,
}

/// What a request says of where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// `Sec-Fetch-Site` (Fetch Metadata): no page can forge it.
    pub site: Option<&'a str>,
    /// `Origin` (RFC 6454): what browsers go by that tell no site, and every browser on a page without TLS.
    pub origin: Option<&'a str>,
}

impl Caller {
    /// The caller of a request to `host` (with its port, if it is not the scheme's own).
    pub fn of(told: Told, host: &str, listed: &[&str]) -> Self {
        match told {
            Told {
                site: Some("same-origin"),
                ..
            } => Self::Own,
            Told {
                site: None,
                origin: None,
            } => Self::Own,
            Told {
                site: None,
                origin: Some(origin),
            } if host_of(origin) == Some(host) => Self::Own,
            Told {
                origin: Some(origin),
                ..
            } if listed.contains(&origin) => Self::Listed,
            Told { .. } => Self::Foreign,
        }
    }
}

/// The host and port of an origin. Its scheme is not ours to judge: behind a proxy we see another one.
fn host_of(origin: &str) -> Option<&str> {
    let (_, host) = origin.split_once("://")?;
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_of_the_same_origin_is_our_own() {
        use Caller::{Foreign, Listed, Own};
        let ours = Some("https://connect.example");
        let sibling = Some("https://blog.connect.example");
        let embedder = Some("https://embedder.example");
        let table = [
            // Browsers of today.
            (Some("same-origin"), ours, Own),
            (Some("same-origin"), None, Own),
            (Some("same-site"), sibling, Foreign),
            (Some("same-site"), None, Foreign),
            (Some("same-site"), ours, Foreign),
            (Some("cross-site"), Some("https://evil.example"), Foreign),
            (Some("cross-site"), None, Foreign),
            (Some("cross-site"), Some("null"), Foreign),
            (Some("none"), None, Foreign),
            (Some("same-origin-ish"), ours, Foreign),
            // Listed origins, next door or far away.
            (Some("cross-site"), embedder, Listed),
            (Some("same-site"), embedder, Listed),
            (None, embedder, Listed),
            // Browsers that tell no site.
            (None, ours, Own),
            (None, Some("http://connect.example"), Own),
            (None, sibling, Foreign),
            (None, Some("https://connect.example:8443"), Foreign),
            (None, Some("https://connect.example.evil.example"), Foreign),
            (None, Some("null"), Foreign),
            (None, Some("https://"), Foreign),
            (None, Some(""), Foreign),
            // No browser.
            (None, None, Own),
        ];
        for (site, origin, expected) in table {
            let told = Told { site, origin };
            let caller = Caller::of(told, "connect.example", &["https://embedder.example"]);
            assert_eq!(caller, expected, "{told:?}");
        }
    }

    #[test]
    fn a_port_belongs_to_the_host() {
        let told = Told {
            site: None,
            origin: Some("http://192.168.1.5:8787"),
        };
        assert_eq!(Caller::of(told, "192.168.1.5:8787", &[]), Caller::Own);
        assert_eq!(Caller::of(told, "192.168.1.5", &[]), Caller::Foreign);
        assert_eq!(Caller::of(told, "", &[""]), Caller::Foreign);
    }
}
