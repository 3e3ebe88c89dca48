//! The servers that help a client to find a way to its media node.

use edge_core::token::Scope;
use protocol::api::IceServers;
use worker::{Env, Request, Response};

use super::{Answer, authenticate, now};
use crate::{config, turn};

/// STUN and TURN servers, with credentials for whoever asks.
pub(super) fn servers(request: &Request, env: &Env) -> Answer {
    let claims = authenticate(request, env, Scope::AnyRoom)?;
    let mut ice_servers = config::ice_servers(env)?;
    ice_servers.extend(turn::server(env, &claims.sub, now())?);
    Ok(Response::from_json(&IceServers { ice_servers })?)
}
