//! The key that signs this node's tokens: its own, made of one of the fleet's for its name and its region alone.

use std::fmt;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use protocol::id::{NodeId, Region};
use protocol::node::{Claims, key_certificate};

/// The shortest secret: 32 bytes in base64url without padding.
const MIN_CHARACTERS: usize = 43;

/// A node's key. It never shows in a log.
#[derive(Clone)]
pub struct NodeKey {
    /// Whose it is; nobody's in particular if all of a fleet share it.
    pub owner: Option<Owner>,
    secret: String,
}

/// What the fleet's key has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Which of the fleet's keys that was.
    kid: String,
    pub region: Region,
    pub node: NodeId,
    /// Until when it is good, in seconds since 1970; 0 for as long as the fleet's.
    until: u64,
}

/// Why a key does not do.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "CONNECT_NODE_KEY is not set, and no CONNECT_NODE_KEY_FILE either: it is this node's key, which `sfu-node --issue-key` makes of \
         the fleet's. `cargo xtask dev` generates one into .dev.vars"
    )]
    Missing,
    #[error("the file of CONNECT_NODE_KEY_FILE cannot be read: {0}")]
    File(#[from] std::io::Error),
    #[error(
        "the secret of CONNECT_NODE_KEY must be at least {MIN_CHARACTERS} characters of base64url (32 bytes); it has {0}"
    )]
    TooShort(usize),
    #[error(
        "CONNECT_NODE_KEY must be KID:REGION:NODE:UNTIL:SECRET as `sfu-node --issue-key` prints it, the secret in base64url"
    )]
    Malformed,
    #[error(
        "CONNECT_FLEET_KEY must be KID:SECRET, the secret 32 bytes in base64url: the edge has the same in CONNECT_NODE_KEYS"
    )]
    Fleet,
    #[error("CONNECT_NODE_KEY is of node {0} in {1}: this one has another name or region")]
    OfAnother(NodeId, Region),
    #[error("the key cannot sign: {0}")]
    Signature(#[from] jsonwebtoken::errors::Error),
}

impl NodeKey {
    /// Reads a key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let parts: Vec<&str> = text.trim().split(':').collect();
        let (owner, secret) = match *parts.as_slice() {
            [""] => return Err(KeyError::Missing),
            [secret] => (None, secret),
            [kid, region, node, until, secret] => {
                let owner = Owner {
                    kid: kid.to_owned(),
                    region: region.parse().map_err(|_| KeyError::Malformed)?,
                    node: node.parse().map_err(|_| KeyError::Malformed)?,
                    until: until.parse().map_err(|_| KeyError::Malformed)?,
                };
                (Some(owner), secret)
            }
            _ => return Err(KeyError::Malformed),
        };
        check(secret)?;
        let secret = secret.to_owned();
        Ok(Self { owner, secret })
    }

    /// Makes the key of a node of the fleet's key, `KID:SECRET`. `until` is in seconds since 1970, or 0.
    pub fn issue(
        fleet: &str,
        region: Region,
        node: NodeId,
        until: u64,
    ) -> Result<String, KeyError> {
        let (kid, secret) = fleet.trim().split_once(':').ok_or(KeyError::Fleet)?;
        let named = !kid.is_empty() && !secret.contains(':');
        if !named || check(secret).is_err() {
            return Err(KeyError::Fleet);
        }
        let certificate = key_certificate(&region, &node, until);
        let fleet = EncodingKey::from_secret(secret.as_bytes());
        let own = jsonwebtoken::crypto::sign(certificate.as_bytes(), &fleet, Algorithm::HS256)?;
        Ok(format!("{kid}:{region}:{node}:{until}:{own}"))
    }

    /// A token that says this.
    pub fn sign(&self, claims: Claims) -> Result<String, jsonwebtoken::errors::Error> {
        let header = Header {
            kid: self.owner.as_ref().map(|owner| owner.kid.clone()),
            ..Header::default()
        };
        let key_until = self.owner.as_ref().map_or(0, |owner| owner.until);
        let claims = Claims {
            key_until,
            ..claims
        };
        let key = EncodingKey::from_secret(self.secret.as_bytes());
        jsonwebtoken::encode(&header, &claims, &key)
    }
}

fn check(secret: &str) -> Result<(), KeyError> {
    let is_written = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte);
    if !secret.bytes().all(is_written) {
        return Err(KeyError::Malformed);
    }
    match secret.len() {
        MIN_CHARACTERS.. => Ok(()),
        len => Err(KeyError::TooShort(len)),
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey({:?}, …)", self.owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLEET: &str = "f1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn issue(node: &str, until: u64) -> String {
        NodeKey::issue(
            FLEET,
            "eu-west".parse().unwrap(),
            node.parse().unwrap(),
            until,
        )
        .unwrap()
    }

    #[test]
    fn a_key_is_of_one_node_and_of_no_other() {
        let key = issue("eu-1", 7);
        assert!(key.starts_with("f1:eu-west:eu-1:7:"), "{key}");
        // The edge makes the same: HMAC-SHA256 of the certificate under the fleet's key.
        let other = [issue("eu-2", 7), issue("eu-1", 8)];
        let secret = |key: &str| key.rsplit(':').next().unwrap().to_owned();
        assert!(other.iter().all(|other| secret(other) != secret(&key)));
        let owner = NodeKey::parse(&key).unwrap().owner.unwrap();
        assert_eq!((owner.node.as_str(), owner.until), ("eu-1", 7));
        assert!(!format!("{:?}", NodeKey::parse(&key).unwrap()).contains(&secret(&key)));
    }

    #[test]
    fn what_is_no_key_is_refused_by_name() {
        for text in ["", "short", "kö", "f1:eu-west:eu-1:x:y", "a:b"] {
            let error = NodeKey::parse(text).unwrap_err().to_string();
            assert!(error.contains("CONNECT_NODE_KEY"), "{text}: {error}");
        }
        for fleet in [
            "",
            "f1",
            "f1:short",
            ":AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            let issued = NodeKey::issue(fleet, "eu".parse().unwrap(), "n".parse().unwrap(), 0);
            assert!(matches!(issued, Err(KeyError::Fleet)), "{fleet}");
        }
    }
}
