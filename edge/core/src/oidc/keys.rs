//! The keys that a provider signs by (RFC 7517), and which of them a token means.

use serde_json::Value;

use super::Claims;

/// How a token is signed. Neither by nothing, nor by a secret that we know, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, which every provider has.
    RS256,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// ECDSA by P-256 with SHA-256.
    ES256,
}

impl Algorithm {
    /// The algorithm of this name (RFC 7518, 3.1), if tokens signed by it are taken.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::RS256),
            "PS256" => Some(Self::PS256),
            "ES256" => Some(Self::ES256),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
        }
    }

    fn is_by(self, key: &Claims) -> bool {
        let kind = match self {
            Self::RS256 | Self::PS256 => is(key, "kty", "RSA"),
            Self::ES256 => is(key, "kty", "EC") && is(key, "crv", "P-256"),
        };
        kind && may_be(key, "use", "sig") && may_be(key, "alg", self.name())
    }
}

/// What checks a signature, of what a provider publishes of a key (RFC 7518, 6). Never a private part, nor what the platform would
/// hold against a key that fits.
const PUBLIC: [&str; 6] = ["kty", "crv", "n", "e", "x", "y"];

/// The key that a token with this header means; `None` if it is not among these, and they should be asked for again. Without an
/// id a token means the only one that fits.
pub fn choose(keys: &Claims, algorithm: Algorithm, kid: Option<&str>) -> Option<Claims> {
    let keys = keys.get("keys")?.as_array()?.iter();
    // What is no key is no fault of the others.
    let mut fitting = keys
        .filter_map(Value::as_object)
        .filter(|key| algorithm.is_by(key) && kid.is_none_or(|kid| is(key, "kid", kid)));
    let chosen = fitting.next()?;
    if fitting.next().is_some() {
        return None;
    }
    let mut public = Claims::new();
    for name in PUBLIC {
        if let Some(part) = chosen.get(name) {
            public.insert(name.to_owned(), part.clone());
        }
    }
    Some(public)
}

fn is(key: &Claims, name: &str, value: &str) -> bool {
    key.get(name).is_some_and(|it| it == value)
}

fn may_be(key: &Claims, name: &str, value: &str) -> bool {
    key.get(name).is_none_or(|it| it == value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_means_one_key_of_the_right_kind() {
        let keys = json!({ "keys": [
            { "kty": "RSA", "kid": "r1", "use": "sig", "n": "r1", "e": "AQAB", "d": "private" },
            { "kty": "RSA", "kid": "r2", "alg": "PS256", "n": "r2", "e": "AQAB" },
            { "kty": "RSA", "kid": "r3", "use": "enc", "n": "n", "e": "AQAB" },
            { "kty": "EC", "kid": "e1", "crv": "P-256", "x": "e1", "y": "y" },
            { "kty": "EC", "kid": "e2", "crv": "P-384", "x": "x", "y": "y" },
            { "kty": "oct", "kid": "o1" },
            "no key",
        ] });
        let keys = keys.as_object().unwrap();
        use Algorithm::{ES256, PS256, RS256};
        for (algorithm, kid, expected) in [
            (RS256, Some("r1"), Some("r1")),
            (RS256, None, Some("r1")),
            (RS256, Some("r2"), None),
            (RS256, Some("r3"), None),
            (RS256, Some("e1"), None),
            (RS256, Some("o1"), None),
            (PS256, Some("r2"), Some("r2")),
            (PS256, None, None),
            (ES256, None, Some("e1")),
            (ES256, Some("e2"), None),
            (ES256, Some("new"), None),
        ] {
            let chosen = choose(keys, algorithm, kid);
            let named = chosen.and_then(|key| {
                let part = key.get("n").or(key.get("x"))?;
                part.as_str().map(str::to_owned)
            });
            assert_eq!(named.as_deref(), expected, "{algorithm:?} {kid:?}");
        }
        let public = json!({ "kty": "RSA", "n": "r1", "e": "AQAB" });
        assert_eq!(choose(keys, RS256, None).map(Value::Object), Some(public));
    }

    #[test]
    fn a_token_signed_by_nothing_or_by_a_shared_secret_is_not_taken() {
        for name in ["none", "HS256", "RS1", "EdDSA", ""] {
            assert_eq!(Algorithm::of(name), None, "{name}");
        }
        for name in ["RS256", "PS256", "ES256"] {
            assert_eq!(Algorithm::of(name).map(Algorithm::name), Some(name));
        }
    }
}
