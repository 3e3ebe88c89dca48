//! E-mail addresses: one form for all ways to write the same address. An account is found by it.
//!
//! The domain is prepared by UTS 46, as browsers and mail servers do, so that `MÜNCHEN.example` and
//! `xn--mnchen-3ya.example` are one. What is before the `@` is prepared as a user name is (RFC 8265, 3.3: width and case
//! mapped, composed), with all of NFKC in the place of width mapping: a letter in another shape is no other person. Characters
//! that show nothing go. Whether two mailboxes are one is for their server to say; that one is two accounts helps nobody.

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use protocol::api::MAX_EMAIL;
use unicode_normalization::UnicodeNormalization;

use crate::name::is_invisible;

/// Longest local part, in bytes (RFC 5321, 4.5.3.1).
const MAX_LOCAL_PART: usize = 64;

/// The address in the form under which its account is found, or `None` if it is not an address.
pub fn normalize_email(text: &str) -> Option<String> {
    let (local, domain) = text.trim().rsplit_once('@')?;
    let (local, domain) = (normalize_local(local)?, normalize_domain(domain)?);
    let email = format!("{local}@{domain}");
    (email.len() <= MAX_EMAIL).then_some(email)
}

/// The form under which the account was found up to release 0.1: in lower case, and as it was typed otherwise. `None` if that is
/// the form of today, or none that could have been one.
pub fn former_email(text: &str) -> Option<String> {
    let former = text.trim().to_lowercase();
    (was_address(&former) && normalize_email(text).as_ref() != Some(&former)).then_some(former)
}

/// Whether that release took this for an address.
fn was_address(email: &str) -> bool {
    let Some((local, domain)) = email.rsplit_once('@') else {
        return false;
    };
    let stands = |c: char| !c.is_whitespace() && !c.is_control() && c != '@';
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    email.len() <= MAX_EMAIL
        && (1..=MAX_LOCAL_PART).contains(&local.len())
        && local.chars().all(stands)
        && domain.contains('.')
        && domain.split('.').all(is_label)
}

fn normalize_local(text: &str) -> Option<String> {
    // Twice: in lower case, some letters compose anew.
    let mapped: String = text
        .nfkc()
        .filter(|c| c.is_whitespace() || !is_invisible(*c))
        .collect();
    let local: String = mapped.to_lowercase().nfkc().collect();
    let stands = |c: char| !c.is_whitespace() && !c.is_control() && c != '@';
    let is_fine = (1..=MAX_LOCAL_PART).contains(&local.len()) && local.chars().all(stands);
    is_fine.then_some(local)
}

/// The domain in Unicode. It has to have a form in ASCII, by which mail finds it.
fn normalize_domain(text: &str) -> Option<String> {
    let uts46 = Uts46::new();
    let ascii = uts46.to_ascii(
        text.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::Check,
        DnsLength::Verify,
    );
    let ascii = ascii.ok()?;
    let (domain, shown) = uts46.to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    shown.ok()?;
    domain.contains('.').then(|| domain.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_to_write_an_address_lead_to_one_account() {
        for (one, ways) in [
            (
                "ada@example.com",
                vec![
                    " Ada@Example.COM ",
                    "ＡＤＡ@example。com",
                    "a\u{200b}da@exam\u{ad}ple.com",
                    "\u{feff}ada@example.com\u{2060}",
                ],
            ),
            (
                "josé@example.com",
                vec![
                    "jose\u{301}@example.com",
                    "JOSÉ@example.com",
                    "JOSE\u{301}@EXAMPLE.com",
                ],
            ),
            (
                "ada@münchen.example",
                vec![
                    "ada@mu\u{308}nchen.example",
                    "ada@xn--mnchen-3ya.example",
                    "ADA@XN--MNCHEN-3YA.example",
                    "ada@MÜNCHEN.example",
                ],
            ),
            (
                "οδυσσεύς@example.com",
                vec!["ΟΔΥΣΣΕΎΣ@example.com", "οδυσσεύς@example.com"],
            ),
            ("fi@example.com", vec!["ﬁ@example.com"]),
        ] {
            assert_eq!(normalize_email(one).as_deref(), Some(one));
            for way in ways {
                assert_eq!(normalize_email(way).as_deref(), Some(one), "{way:?}");
            }
        }
    }

    #[test]
    fn different_addresses_stay_apart() {
        let different = [
            "ada@example.com",
            "a.da@example.com",
            "ada+x@example.com",
            "ada@example.org",
            "аda@example.com",
            "ada@straße.example",
            "ada@strasse.example",
        ];
        for (i, one) in different.iter().enumerate() {
            assert_eq!(normalize_email(one).as_deref(), Some(*one));
            assert!(!different[..i].contains(one));
        }
    }

    #[test]
    fn the_form_is_final() {
        for address in [
            "ΑΙ\u{345}@example.com",
            "İ@example.com",
            "ſ@Ⅳ.example",
            "ǅ@ß.example",
            "\u{1e9e}x@\u{1e9e}x.example",
            "Ω\u{301}@é.example",
        ] {
            let once = normalize_email(address).expect(address);
            assert_eq!(normalize_email(&once), Some(once.clone()), "{address}");
        }
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}.com", "a.".repeat(140));
        for bad in [
            "",
            "@",
            "a@",
            "@b.co",
            "a@b",
            "a b@c.de",
            "a@b..c",
            "a@b c.de",
            "a@b@c.de",
            &long,
            &longer,
            "\u{200b}@b.co",
            "a@-b.co",
            "a@b_c.co",
            "a@xn--a.co",
            "a\u{7}@b.co",
            "a＠b.co",
            "a@b.c/d",
            "a@\u{200b}.co",
        ] {
            assert_eq!(normalize_email(bad), None, "{bad:?} passed");
        }
    }

    #[test]
    fn an_account_of_a_former_form_is_looked_for() {
        assert_eq!(former_email(" Ada@example.com"), None);
        assert_eq!(
            former_email("Jose\u{301}@example.com").as_deref(),
            Some("jose\u{301}@example.com")
        );
        assert_eq!(
            former_email("a@XN--mnchen-3ya.example").as_deref(),
            Some("a@xn--mnchen-3ya.example")
        );
        for never in [
            "nobody",
            "@example.com",
            "ja\u{308}ne@example",
            "ja\u{308}ne@example..com",
            "ja\u{308}ne@exa_mple.com",
            "ja\u{308} ne@example.com",
            "ja\u{308}@ne@example.com",
            &format!("{}@example.com", "a\u{308}".repeat(22)),
        ] {
            assert_eq!(former_email(never), None, "{never:?} was no address");
        }
    }
}
