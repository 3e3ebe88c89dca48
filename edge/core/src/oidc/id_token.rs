//! The ID token (OpenID Connect Core 1.0, 2): what it must say, once its signature is known to be the provider's.

use serde_json::Value;

use super::{Claims, Failure, Provider};
use crate::email::normalize_email;
use crate::name::check_name;

/// How far the provider's clock may be from ours, in seconds.
const CLOCKS: u64 = 60;
/// How old a token may be that is said to be new, in seconds.
const AGE: u64 = 10 * 60;
/// Longest subject, in bytes: the standard says 255.
const MAX_SUBJECT: usize = 255;

/// An ID token: all that it says.
#[derive(Debug, Clone)]
pub struct IdToken(pub Claims);

/// Why an ID token proves nothing: its claim at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected(pub &'static str);

/// Who somebody is at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    pub subject: String,
    /// Normalized.
    pub email: String,
    pub name: String,
    /// Whether the provider has made sure of the address.
    pub verified: bool,
}

impl IdToken {
    /// Whether it was made by this provider, for us, now, and for the sign-in with this nonce (3.1.3.7). `now` is Unix time in
    /// milliseconds.
    pub fn check(&self, provider: &Provider, nonce: &str, now: u64) -> Result<(), Rejected> {
        let now = now / 1000;
        let audience = self.0.get("aud").map_or(&[][..], |aud| match aud {
            Value::Array(many) => many,
            one => std::slice::from_ref(one),
        });
        let party = self.0.get("azp");
        let ours = |name: &Value| *name == provider.client_id;
        // A time may have a fraction.
        let time = |name: &str| self.0.get(name).and_then(Value::as_f64);
        let (clocks, now) = (CLOCKS as f64, now as f64);
        let table = [
            ("iss", self.text("iss") == Some(&provider.issuer)),
            ("aud", audience.iter().any(ours)),
            // Of several audiences it says which one asked.
            ("azp", audience.len() == 1 || party.is_some()),
            ("azp", party.is_none_or(ours)),
            ("exp", time("exp").is_some_and(|exp| now < exp + clocks)),
            (
                "iat",
                time("iat").is_some_and(|iat| iat <= now + clocks && now <= iat + AGE as f64),
            ),
            ("nonce", self.text("nonce") == Some(nonce)),
            ("sub", (1..=MAX_SUBJECT).contains(&self.subject().len())),
        ];
        let wrong = table.iter().find(|(_, holds)| !holds);
        wrong.map_or(Ok(()), |(claim, _)| Err(Rejected(claim)))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    fn subject(&self) -> &str {
        self.text("sub").unwrap_or_default()
    }

    /// Whether the token says already who this is, or the provider has to be asked once more.
    pub fn is_complete(&self) -> bool {
        self.0.contains_key("email")
    }

    /// Takes what the provider says beside the token (5.3.2), if it is of the same person. What the token says stays.
    pub fn add(&mut self, more: Claims) -> Result<(), Rejected> {
        if more.get("sub") != self.0.get("sub") {
            return Err(Rejected("sub"));
        }
        for (name, value) in more {
            self.0.entry(name).or_insert(value);
        }
        Ok(())
    }

    /// Who this is. A provider's words for a name are checked as a person's own are; who has none that will do is called by
    /// the address' first part.
    pub fn identified(&self) -> Result<Identified, Failure> {
        let email = self.text("email").and_then(normalize_email);
        let email = email.ok_or(Failure::NoAddress)?;
        let local = email.split('@').next().unwrap_or_default();
        let names = ["name", "nickname", "preferred_username"].map(|name| self.text(name));
        let name = names
            .into_iter()
            .flatten()
            .chain([local])
            .find_map(|name| check_name(name).ok())
            .ok_or(Failure::NoAddress)?;
        Ok(Identified {
            subject: self.subject().to_owned(),
            name,
            email,
            // Some send a text.
            verified: self.0.get("email_verified") == Some(&Value::Bool(true))
                || self.text("email_verified") == Some("true"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::provider;
    use super::*;

    const NOW: u64 = 1_000_000;

    fn token(change: Value) -> IdToken {
        let mut claims = json!({
            "iss": "https://id.acme.example",
            "sub": "42",
            "aud": "connect",
            "exp": NOW + 600,
            "iat": NOW,
            "nonce": "n",
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        IdToken(serde_json::from_value(claims).unwrap())
    }

    #[test]
    fn a_token_of_another_issuer_audience_time_or_sign_in_proves_nothing() {
        for (change, wrong) in [
            (json!({}), None),
            (json!({ "aud": ["connect"] }), None),
            (
                json!({ "aud": ["connect", "other"], "azp": "connect" }),
                None,
            ),
            (json!({ "exp": NOW - 59 }), None),
            (json!({ "iat": NOW + 60 }), None),
            (json!({ "iat": NOW as f64 + 0.5 }), None),
            (json!({ "iss": null }), Some("iss")),
            (json!({ "aud": null }), Some("aud")),
            (json!({ "azp": null }), Some("azp")),
            (json!({ "exp": null }), Some("exp")),
            (json!({ "exp": "never" }), Some("exp")),
            (json!({ "iat": null }), Some("iat")),
            (json!({ "sub": 7 }), Some("sub")),
            (json!({ "iss": "https://id.acme.example/" }), Some("iss")),
            (json!({ "aud": "other" }), Some("aud")),
            (json!({ "aud": [] }), Some("aud")),
            (json!({ "aud": ["connect", "other"] }), Some("azp")),
            (json!({ "azp": "other" }), Some("azp")),
            (json!({ "exp": NOW - 60 }), Some("exp")),
            (json!({ "exp": u64::MAX, "iat": NOW - 601 }), Some("iat")),
            (json!({ "iat": NOW + 61 }), Some("iat")),
            (json!({ "nonce": "m" }), Some("nonce")),
            (json!({ "nonce": null }), Some("nonce")),
            (json!({ "sub": "" }), Some("sub")),
            (json!({ "sub": "x".repeat(256) }), Some("sub")),
        ] {
            let checked = token(change.clone()).check(&provider(), "n", NOW * 1000);
            assert_eq!(
                checked.err().map(|Rejected(claim)| claim),
                wrong,
                "{change}"
            );
        }
    }

    #[test]
    fn who_somebody_is_comes_from_the_first_claim_that_will_do() {
        for (claims, name) in [
            (json!({ "name": " Ada Lovelace " }), "Ada Lovelace"),
            (json!({ "name": "", "nickname": "ada" }), "ada"),
            (
                json!({ "name": "a\u{7}", "preferred_username": "al" }),
                "al",
            ),
            (json!({ "name": 7 }), "ada.l"),
        ] {
            let mut token = token(claims.clone());
            token.0.insert("email".into(), json!("Ada.L@Example.com"));
            let identified = token.identified().unwrap();
            assert_eq!(
                (identified.name.as_str(), identified.subject.as_str()),
                (name, "42"),
                "{claims}"
            );
            assert_eq!(identified.email, "ada.l@example.com");
        }
        assert_eq!(
            token(json!({ "name": "Ada" })).identified(),
            Err(Failure::NoAddress)
        );
        assert_eq!(
            token(json!({ "email": "nobody" })).identified(),
            Err(Failure::NoAddress)
        );
    }

    #[test]
    fn what_is_said_beside_the_token_is_of_the_same_person_and_changes_nothing() {
        let more = |sub: &str| {
            serde_json::from_value(json!({ "sub": sub, "email": "a@b.example", "name": "Bob" }))
                .unwrap()
        };
        let mut token = token(json!({ "name": "Ada" }));
        assert!(!token.is_complete());
        assert_eq!(token.add(more("43")), Err(Rejected("sub")));
        assert_eq!(token.add(Claims::new()), Err(Rejected("sub")));
        assert!(!token.is_complete());
        token.add(more("42")).unwrap();
        assert!(token.is_complete());
        assert_eq!(token.identified().unwrap().name, "Ada");
    }
}
