//! `sfu-node --probe livez`: asks the node that runs with the same configuration how it is, where there is no other program to ask.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long the node may take for a step of its answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// More than it ever answers, in bytes.
const MOST: u64 = 4_096;

/// What the node can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Probe {
    /// Does the process do its work?
    Livez,
    /// May it take sessions?
    Readyz,
}

/// Why the answer is not yes.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    #[error("no node answers at {0}: {1}")]
    NoAnswer(SocketAddr, io::Error),
    #[error("{}", .0.lines().last().unwrap_or_default())]
    No(String),
}

/// Asks the node whose private endpoint this is.
///
/// # Errors
/// It says no, or nothing.
pub fn ask(private: SocketAddr, probe: Probe) -> Result<(), ProbeError> {
    let address = SocketAddr::new(reachable(private.ip()), private.port());
    let answer = get(address, probe).map_err(|error| ProbeError::NoAnswer(address, error))?;
    if answer.starts_with("HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(ProbeError::No(answer))
    }
}

fn get(address: SocketAddr, probe: Probe) -> io::Result<String> {
    let path = match probe {
        Probe::Livez => "livez",
        Probe::Readyz => "readyz",
    };
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.take(MOST).read_to_string(&mut answer)?;
    Ok(answer)
}

/// Who listens everywhere is asked here.
fn reachable(bound: IpAddr) -> IpAddr {
    match bound {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}
