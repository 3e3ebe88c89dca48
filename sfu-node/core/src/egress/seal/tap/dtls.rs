//! The overheard handshake: the keys that it yields, or why it yields none.
//!
//! It is that of str0m's own provider, which tries all of its ciphers and hashes anew for each session: all of ours share a
//! configuration, that is made once.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use str0m::crypto::CryptoError;
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
};

use super::{handshake_failed, overhear};

#[derive(Debug)]
pub struct Dtls {
    certificates: &'static dyn DtlsProvider,
    shared: OnceLock<Arc<dimpl::Config>>,
}

impl Dtls {
    /// `certificates` makes them.
    pub fn new(certificates: &'static dyn DtlsProvider) -> Self {
        Self {
            certificates,
            shared: OnceLock::new(),
        }
    }

    /// The configuration of sessions whose packets are so long at most: one for all, since all have the same.
    fn config(&self, mtu: Option<usize>) -> Result<Arc<dimpl::Config>, CryptoError> {
        let is_for = |config: &&Arc<dimpl::Config>| mtu.is_none_or(|mtu| config.mtu() == mtu);
        if let Some(config) = self.shared.get().filter(is_for) {
            return Ok(config.clone());
        }
        // Who answers a cookie proves an address, as the checks of ICE have by then.
        let mut builder = dimpl::Config::builder().use_server_cookie(false);
        if let Some(mtu) = mtu {
            builder = builder.mtu(mtu);
        }
        let config = Arc::new(builder.build().map_err(CryptoError::DtlsImpl)?);
        // The first is the one that is shared.
        let _ = self.shared.set(config.clone());
        Ok(config)
    }
}

impl DtlsProvider for Dtls {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        self.certificates.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let config = self.config(mtu)?;
        let begin = match version {
            DtlsVersion::Dtls12 => dimpl::Dtls::new_12,
            DtlsVersion::Dtls13 => dimpl::Dtls::new_13,
            DtlsVersion::Auto => dimpl::Dtls::new_auto,
            other => return Err(CryptoError::Other(format!("{other} is not known"))),
        };
        Ok(Box::new(Instance {
            inner: begin(config, cert.clone(), now),
            active: false,
        }))
    }
}

struct Instance {
    inner: dimpl::Dtls,
    active: bool,
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Instance")
    }
}

impl DtlsInstance for Instance {
    fn set_active(&mut self, active: bool) {
        self.active = active;
        self.inner.set_active(active);
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.inner.poll_output(buf);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output
            && let Some(Err(_)) = overhear(|session| session.keyed(material, *profile, self.active))
        {
            tracing::error!(%profile, "no keys could be derived: this session will send no media");
        }
        output
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        let outcome = self.inner.handle_packet(packet);
        outcome.inspect_err(handshake_failed)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        let outcome = self.inner.handle_timeout(now);
        outcome.inspect_err(handshake_failed)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.inner.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.inner.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.inner.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.inner.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.inner.close()
    }
}

#[cfg(test)]
mod tests {
    use str0m::crypto::from_feature_flags;

    use super::*;

    #[test]
    fn sessions_share_what_was_tried_once() {
        let dtls = Dtls::new(from_feature_flags().dtls_provider);
        let [first, second] = [(); 2].map(|()| dtls.config(Some(1_200)).expect("it is valid"));
        assert!(Arc::ptr_eq(&first, &second));
        let other = dtls.config(Some(1_100)).expect("it is valid");
        assert_eq!([first.mtu(), other.mtu()], [1_200, 1_100]);
    }
}
