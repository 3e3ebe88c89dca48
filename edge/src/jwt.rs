//! Signed tokens: access tokens (EdDSA, with key ids) and the nodes' (HS256).
//!
//! jsonwebtoken's own backends bring RSA and the NIST curves along; the provider here has the two algorithms in use.

use std::cell::OnceCell;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use edge_core::room::Identity;
use edge_core::session::Bearer;
use edge_core::token::{AccessClaims, Scope, is_short_lived};
use hmac::{Hmac, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use protocol::node::{Claims, key_certificate};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use signature::{Signer, Verifier};
use worker::Env;

use crate::problem::{Outcome, Refusal};
use crate::{config, crypto, rpc};

/// The shortest key of the fleet's: 32 bytes in base64url without padding.
const MIN_KEY: usize = 43;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::EdDSA => Ok(Box::new(Ed25519Signer::new(key)?)),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::EdDSA => Ok(Box::new(Ed25519Verifier::new(key)?)),
        Algorithm::HS256 => Ok(Box::new(HmacVerifier(key.try_get_as_bytes()?.to_vec()))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// To be called once, before anything else here.
pub fn install() {
    // An error means that it is installed already.
    let _ = PROVIDER.install_default();
}

struct Ed25519Signer(SigningKey);

impl Ed25519Signer {
    fn new(key: &EncodingKey) -> Result<Self, Error> {
        let seed = key.as_bytes().try_into();
        let seed: [u8; 32] = seed.map_err(|_| ErrorKind::InvalidEddsaKey)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }
}

impl Signer<Vec<u8>> for Ed25519Signer {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        let signature: Signature = self.0.try_sign(message)?;
        Ok(signature.to_bytes().to_vec())
    }
}

impl JwtSigner for Ed25519Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct Ed25519Verifier(VerifyingKey);

impl Ed25519Verifier {
    fn new(key: &DecodingKey) -> Result<Self, Error> {
        let public = key.try_get_as_bytes()?.try_into();
        let public: [u8; 32] = public.map_err(|_| ErrorKind::InvalidEddsaKey)?;
        let key = VerifyingKey::from_bytes(&public).map_err(|_| ErrorKind::InvalidEddsaKey)?;
        Ok(Self(key))
    }
}

impl Verifier<Vec<u8>> for Ed25519Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        self.0
            .verify_strict(message, &Signature::from_slice(signature)?)
    }
}

impl JwtVerifier for Ed25519Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct HmacVerifier(Vec<u8>);

impl Verifier<Vec<u8>> for HmacVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).map_err(|_| signature::Error::new())?;
        mac.update(message);
        mac.verify_slice(signature)
            .map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for HmacVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

/// The keys of the access tokens: the first signs, all verify.
struct Keys(Vec<Key>);

struct Key {
    kid: String,
    seed: EncodingKey,
    public: [u8; 32],
}

#[derive(Deserialize)]
struct ConfiguredKey {
    kid: String,
    seed: String,
}

thread_local! {
    static KEYS: OnceCell<Rc<Keys>> = const { OnceCell::new() };
}

/// The keys of this Worker, read once.
fn keys(env: &Env) -> worker::Result<Rc<Keys>> {
    if let Some(keys) = KEYS.with(|cell| cell.get().cloned()) {
        return Ok(keys);
    }
    let fault = || {
        worker::Error::RustError(
            "CONNECT_SIGNING_KEYS must be [{\"kid\":…,\"seed\":base64url of 32 bytes},…], no kid twice".into(),
        )
    };
    let text = env.var("CONNECT_SIGNING_KEYS")?.to_string();
    let configured: Vec<ConfiguredKey> = serde_json::from_str(&text).map_err(|_| fault())?;
    let mut keys: Vec<Key> = Vec::new();
    for ConfiguredKey { kid, seed } in configured {
        if keys.iter().any(|key| key.kid == kid) {
            return Err(fault());
        }
        let seed = crypto::decode::<32>(&seed).ok_or_else(fault)?;
        let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        let seed = EncodingKey::from_ed_der(&seed);
        keys.push(Key { kid, seed, public });
    }
    if keys.is_empty() {
        return Err(fault());
    }
    Ok(KEYS.with(|cell| cell.get_or_init(|| Rc::new(Keys(keys))).clone()))
}

/// An access token.
pub fn sign(env: &Env, claims: &AccessClaims) -> Outcome<String> {
    let keys = keys(env)?;
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(keys.0[0].kid.clone());
    jsonwebtoken::encode(&header, claims, &keys.0[0].seed)
        .map_err(|error| worker::Error::RustError(error.to_string()).into())
}

/// The claims of an access token.
pub fn verify(env: &Env, token: &str) -> Outcome<AccessClaims> {
    let refused = || Refusal::unauthenticated("the access token is missing, malformed or expired");
    let keys = keys(env)?;
    let kid = kid(token);
    let key = keys
        .0
        .iter()
        .find(|key| Some(&key.kid) == kid.as_ref())
        .ok_or_else(refused)?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.leeway = 0;
    claims(token, &DecodingKey::from_ed_der(&key.public), &validation).ok_or_else(refused)
}

/// The account that an access token is of, if it is good, not a guest's, and not over by the account's own word.
pub async fn account(env: &Env, token: &str) -> Option<Identity> {
    let claims = verify(env, token).ok()?;
    if !claims.is_good_for(Scope::Account) {
        return None;
    }
    let object = config::user(env, &claims.sub).ok()?;
    let identity = Identity {
        user: claims.sub.clone(),
        name: claims.name.clone(),
    };
    let acts = rpc::call::<()>(&object, "act", &Bearer::from(claims)).await;
    acts.is_ok().then_some(identity)
}

/// One of the fleet's keys, of which the nodes' own are made.
#[derive(Deserialize)]
struct FleetKey {
    kid: String,
    key: String,
}

/// The claims of a node's token.
pub fn verify_node(env: &Env, token: &str, now: u64) -> Outcome<Claims> {
    let secret = node_secret(env, token, now)?;
    let mut validation = Validation::new(Algorithm::HS256);
    validation.leeway = 5; // the clocks of two machines
    validation.set_audience(&[protocol::node::AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "aud", "sub"]);
    let key = secret.map(|secret| DecodingKey::from_secret(secret.as_bytes()));
    key.and_then(|key| claims::<Claims>(token, &key, &validation))
        .filter(|claims| is_short_lived(claims, now))
        .ok_or_else(|| {
            let detail = "the node's token is malformed, expired or not of this fleet";
            Refusal::unauthenticated(detail)
        })
}

/// The secret under which a node signs that is what this token says; none if there is no such key, or no more. A token that names
/// no key of the fleet's is of a node that shares the fleet's only one, where that is still configured.
fn node_secret(env: &Env, token: &str, now: u64) -> Outcome<Option<String>> {
    let Some(kid) = kid(token) else {
        let shared = env.var("CONNECT_NODE_KEY").map(|key| key.to_string());
        return Ok(shared.ok().filter(|key| !key.is_empty()));
    };
    let fault = || {
        let what = "CONNECT_NODE_KEYS must be [{\"kid\":…,\"key\":32 bytes in base64url},…]";
        worker::Error::RustError(what.into())
    };
    let keys = env.var("CONNECT_NODE_KEYS").map(|keys| keys.to_string());
    let keys: Vec<FleetKey> = match keys.as_deref() {
        Ok("") | Err(_) => return Ok(None),
        Ok(keys) => serde_json::from_str(keys).map_err(|_| fault())?,
    };
    if keys.iter().any(|key| key.key.len() < MIN_KEY) {
        return Err(fault().into());
    }
    let fleet = keys.into_iter().find(|key| key.kid == kid);
    let said: Option<Claims> = token.split('.').nth(1).and_then(said);
    let good = |said: &Claims| said.key_until == 0 || now < said.key_until * 1_000;
    let (Some(fleet), Some(said)) = (fleet, said.filter(good)) else {
        return Ok(None);
    };
    let certificate = key_certificate(&said.region, &said.sub, said.key_until);
    let own = crypto::hmac(fleet.key.as_bytes(), certificate.as_bytes());
    Ok(Some(crypto::encode(&own)))
}

/// What a token says, true or not.
fn said(payload: &str) -> Option<Claims> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn kid(token: &str) -> Option<String> {
    jsonwebtoken::decode_header(token).ok()?.kid
}

fn claims<T: DeserializeOwned>(
    token: &str,
    key: &DecodingKey,
    validation: &Validation,
) -> Option<T> {
    jsonwebtoken::decode(token, key, validation)
        .ok()
        .map(|data| data.claims)
}

/// The public keys (RFC 7517, RFC 8037).
pub fn jwks(env: &Env) -> Outcome<serde_json::Value> {
    let keys = keys(env)?;
    let keys = keys.0.iter().map(|key| {
        serde_json::json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "alg": "EdDSA",
            "kid": key.kid,
            "x": crypto::encode(&key.public),
        })
    });
    Ok(serde_json::json!({ "keys": keys.collect::<Vec<_>>() }))
}
