//! The keys that a provider signs by (RFC 7517), and which of them a token means.

use serde::{Deserialize, Serialize};

/// How a token is signed. Neither by nothing, nor by a secret that we know, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
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

    fn is_by(self, key: &Jwk) -> bool {
        let kind = match self {
            Self::RS256 | Self::PS256 => key.kty == "RSA",
            Self::ES256 => key.kty == "EC" && key.crv.as_deref() == Some("P-256"),
        };
        kind && key.alg.as_deref().is_none_or(|alg| alg == self.name())
    }
}

/// A public key. What has more in it than this is read without that: never a private part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    pub kty: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    #[serde(rename = "use", skip_serializing)]
    pub purpose: Option<String>,
    #[serde(skip_serializing)]
    pub alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
}

/// The key that a token with this header means; `None` if it is not among these, and they should be asked for again. Without an
/// id a token means the only one that fits.
pub fn choose<'a>(keys: &'a [Jwk], algorithm: Algorithm, kid: Option<&str>) -> Option<&'a Jwk> {
    let mut fitting = keys.iter().filter(|key| {
        let signs = key
            .purpose
            .as_deref()
            .is_none_or(|purpose| purpose == "sig");
        signs && algorithm.is_by(key) && (kid.is_none() || key.kid.as_deref() == kid)
    });
    let first = fitting.next()?;
    fitting.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_means_one_key_of_the_right_kind() {
        let keys: Vec<Jwk> = serde_json::from_value(json!([
            { "kty": "RSA", "kid": "r1", "use": "sig", "n": "n", "e": "AQAB", "d": "private" },
            { "kty": "RSA", "kid": "r2", "alg": "PS256", "n": "n", "e": "AQAB" },
            { "kty": "RSA", "kid": "r3", "use": "enc", "n": "n", "e": "AQAB" },
            { "kty": "EC", "kid": "e1", "crv": "P-256", "x": "x", "y": "y" },
            { "kty": "EC", "kid": "e2", "crv": "P-384", "x": "x", "y": "y" },
            { "kty": "oct", "kid": "o1" },
        ]))
        .unwrap();
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
            let chosen = choose(&keys, algorithm, kid).and_then(|key| key.kid.as_deref());
            assert_eq!(chosen, expected, "{algorithm:?} {kid:?}");
        }
        let public = serde_json::to_value(&keys[0]).unwrap();
        assert_eq!(
            public,
            json!({ "kty": "RSA", "kid": "r1", "n": "n", "e": "AQAB" })
        );
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
