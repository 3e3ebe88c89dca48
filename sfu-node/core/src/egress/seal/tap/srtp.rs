//! The wrapped ciphers, by which RTCP comes in the clear: what the peer sends, and of who takes no reduced RTCP what str0m sends.

use str0m::crypto::{
    AeadAes128GcmCipher, AeadAes256GcmCipher, Aes128CmSha1_80Cipher, CryptoError, Sha1HmacProvider,
    SrtpProvider, SupportedAeadAes128Gcm, SupportedAeadAes256Gcm, SupportedAes128CmSha1_80,
};

use super::super::RTCP_HEADER_LEN;
use super::super::keys::StreamKeys;
use super::{Overheard, overhear};

/// AES-CM never sees the clear start of an SRTCP packet; the HMAC that is checked just before, or made just after, does.
#[derive(Debug)]
pub struct Hmac(pub &'static dyn Sha1HmacProvider);

impl Sha1HmacProvider for Hmac {
    fn sha1_hmac(&self, key: &[u8], payloads: &[&[u8]]) -> [u8; 20] {
        if let Some(start) = payloads.first().and_then(|packet| packet.first_chunk()) {
            overhear(|session| session.authenticated(key, start));
        }
        self.0.sha1_hmac(key, payloads)
    }
}

impl Overheard {
    fn authenticated(&mut self, key: &[u8], start: &[u8; RTCP_HEADER_LEN]) {
        let is_of = |keys: &Option<StreamKeys>| keys.as_ref().is_some_and(|keys| keys.auth == key);
        if is_of(&self.remote) {
            self.header = *start;
        } else if is_of(&self.local) {
            self.sent.push(start, &self.encrypted);
        }
    }
}

#[derive(Debug)]
pub struct Srtp {
    inner: &'static dyn SrtpProvider,
    cm: &'static dyn SupportedAes128CmSha1_80,
    gcm_128: &'static dyn SupportedAeadAes128Gcm,
    gcm_256: &'static dyn SupportedAeadAes256Gcm,
}

impl Srtp {
    pub fn new(inner: &'static dyn SrtpProvider) -> Self {
        Self {
            inner,
            cm: Box::leak(Box::new(Factory(inner.aes_128_cm_sha1_80()))),
            gcm_128: Box::leak(Box::new(Factory(inner.aead_aes_128_gcm()))),
            gcm_256: Box::leak(Box::new(Factory(inner.aead_aes_256_gcm()))),
        }
    }
}

impl SrtpProvider for Srtp {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        self.cm
    }

    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        self.gcm_128
    }

    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        self.gcm_256
    }

    fn srtp_aes_128_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        self.inner.srtp_aes_128_ecb_round(key, input, output);
    }

    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        self.inner.srtp_aes_256_ecb_round(key, input, output);
    }
}

/// Makes ciphers; those for RTCP that is to be overheard, known by their keys, are tapped.
#[derive(Debug)]
struct Factory<T: ?Sized + 'static>(&'static T);

/// A cipher whose packets are overheard in the clear.
#[derive(Debug)]
struct Tapped<T: ?Sized>(Box<T>);

fn is_overheard(key: &[u8], encrypt: bool) -> bool {
    let is_known = |session: &mut Overheard| {
        let keys = match encrypt {
            true => &session.local,
            false => &session.remote,
        };
        keys.as_ref().is_some_and(|keys| keys.key() == key)
    };
    overhear(is_known) == Some(true)
}

impl SupportedAes128CmSha1_80 for Factory<dyn SupportedAes128CmSha1_80> {
    fn create_cipher(&self, key: [u8; 16], encrypt: bool) -> Box<dyn Aes128CmSha1_80Cipher> {
        let cipher = self.0.create_cipher(key, encrypt);
        match is_overheard(&key, encrypt) {
            true => Box::new(Tapped(cipher)),
            false => cipher,
        }
    }
}

impl Aes128CmSha1_80Cipher for Tapped<dyn Aes128CmSha1_80Cipher> {
    fn encrypt(
        &mut self,
        iv: &[u8; 16],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.0.encrypt(iv, input, output)?;
        overhear(|session| {
            session.encrypted.clear();
            session.encrypted.extend_from_slice(input);
        });
        Ok(())
    }

    fn decrypt(
        &mut self,
        iv: &[u8; 16],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.0.decrypt(iv, input, output)?;
        overhear(|session| {
            let header = session.header;
            session.received.push(&header, &output[..input.len()]);
        });
        Ok(())
    }
}

/// The two GCM profiles differ in nothing but names and the length of the key.
macro_rules! tap_gcm {
    ($factory:ident, $cipher:ident, $key_len:literal) => {
        impl $factory for Factory<dyn $factory> {
            fn create_cipher(&self, key: [u8; $key_len], encrypt: bool) -> Box<dyn $cipher> {
                let cipher = self.0.create_cipher(key, encrypt);
                match is_overheard(&key, encrypt) {
                    true => Box::new(Tapped(cipher)),
                    false => cipher,
                }
            }
        }

        impl $cipher for Tapped<dyn $cipher> {
            fn encrypt(
                &mut self,
                iv: &[u8; 12],
                aad: &[u8],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<(), CryptoError> {
                self.0.encrypt(iv, aad, input, output)?;
                overhear(|session| {
                    session
                        .sent
                        .push(&aad[..aad.len().min(RTCP_HEADER_LEN)], input)
                });
                Ok(())
            }

            fn decrypt(
                &mut self,
                iv: &[u8; 12],
                aads: &[&[u8]],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<usize, CryptoError> {
                let len = self.0.decrypt(iv, aads, input, output)?;
                overhear(|session| match aads {
                    // Authenticated only: the packet is the associated data, and then its index.
                    [packet, index, ..] if !index.is_empty() => session.received.push(packet, &[]),
                    // The clear start and the index are the associated data.
                    [aad, ..] => {
                        let start = &aad[..aad.len().min(RTCP_HEADER_LEN)];
                        session.received.push(start, &output[..len])
                    }
                    [] => {}
                });
                Ok(len)
            }
        }
    };
}

tap_gcm!(SupportedAeadAes128Gcm, AeadAes128GcmCipher, 16);
tap_gcm!(SupportedAeadAes256Gcm, AeadAes256GcmCipher, 32);
