//! The one path that str0m knows of, from the client's first request to the end. Where the client really is, and whether somebody
//! else replays what it said, is [`super::way`]'s: what str0m remembers of addresses has no limit, and the last one that nominates
//! has its way.

use std::net::SocketAddr;

use super::check::Credentials;
use crate::io::TransportAddress;

/// What str0m is told of ICE.
#[derive(Debug)]
pub struct Inner {
    /// Those of the first offer and answer: str0m restarts nothing.
    credentials: Credentials,
    path: Option<InnerPath>,
    nominated: bool,
}

/// The client's address as str0m has it, and ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InnerPath {
    pub from: TransportAddress,
    pub to: SocketAddr,
}

impl Inner {
    /// str0m has heard of no path.
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            path: None,
            nominated: false,
        }
    }

    /// The path, once there is one.
    pub fn path(&self) -> Option<InnerPath> {
        self.path
    }

    /// The credentials of the first negotiation.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// A request has been answered: what str0m is to be told. `path` is the one that it came on, and `known` says whether the
    /// client is there for sure: str0m ends a session of which it hears nothing for long.
    pub fn requested(&mut self, path: InnerPath, nominates: bool, known: bool) -> Option<Vec<u8>> {
        let first = self.path.is_none() || nominates && !self.nominated;
        if !first && !known {
            return None;
        }
        self.path.get_or_insert(path);
        self.nominated |= nominates;
        self.credentials.request_of_client(self.nominated)
    }
}
