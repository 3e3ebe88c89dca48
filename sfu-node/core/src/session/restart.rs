//! ICE restarts (RFC 8839, 4.4.1.1.1): a client seeks its path anew, and all else of its session goes on.

use protocol::client::IceCredentials;

use super::check::Credentials;
use super::offer::Offer;
use super::{Connection, Session};

impl Session {
    /// Takes the client's new ICE credentials and seeks the path anew; all else goes on, and so do those before until the client
    /// was reached under these. Returns ours, or `None` when the offer is no restart, or of another session than this one.
    pub fn restart_ice(&mut self, sdp: &str) -> Option<IceCredentials> {
        let Connection {
            way,
            inner,
            fingerprint: known,
            ..
        } = &mut self.connection;
        let endpoint = Offer::read(sdp).ok()?.endpoint;
        let is_known = endpoint.fingerprint == known;
        let anew = Credentials::restarted(endpoint.credentials()).filter(|_| is_known)?;
        if self.over || anew.is_of_same_client(inner.credentials()) {
            return None;
        }
        // Whoever asks once more was not answered.
        let asked = way
            .credentials()
            .next()
            .filter(|last| last.is_of_same_client(&anew));
        if let Some(asked) = asked {
            return Some(asked.ours().clone());
        }
        let ours = anew.ours().clone();
        way.restart(anew);
        Some(ours)
    }

    /// Our credentials for a path that is sought anew, until the client was reached under them.
    pub fn restarting(&self) -> Option<IceCredentials> {
        let mut credentials = self.connection.way.credentials();
        let newest = credentials.next()?;
        credentials.next().map(|_former| newest.ours().clone())
    }
}
