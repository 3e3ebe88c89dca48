//! Configuration: flags and environment, checked before anything is bound.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::Parser;
use protocol::id::{NodeId, Region};
use tokio_tungstenite::tungstenite::http::Uri;

use crate::key::{KeyError, NodeKey};
use crate::probe::Probe;

/// Addresses that clients are told. Each is two candidates in every answer.
const MAX_MEDIA_ADDRESSES: usize = 8;

/// A media node of Connect: WebRTC for browsers, QUIC to other nodes, links to the edge.
///
/// The key that signs the node's tokens comes from the environment only, CONNECT_NODE_KEY, or from a file.
#[derive(Debug, Parser)]
#[command(name = "sfu-node", version)]
pub struct Arguments {
    /// Where the edge is reached
    #[arg(long, env = "CONNECT_EDGE", default_value = "http://127.0.0.1:8787")]
    edge: String,
    /// The region this node serves, e.g. eu-west
    #[arg(long, env = "CONNECT_REGION", required_unless_present = "probe")]
    region: Option<Region>,
    /// This node's name, unique in the fleet [default: a random one]
    #[arg(long, env = "CONNECT_NODE_ID")]
    node_id: Option<NodeId>,
    /// Address for media, UDP and TCP; shard n takes the port plus n. One for each family, e.g. 0.0.0.0:4000,[::]:4000
    #[arg(
        long,
        env = "CONNECT_MEDIA",
        default_value = "127.0.0.1:0",
        value_delimiter = ',',
        num_args = 1
    )]
    media: Vec<SocketAddr>,
    /// IP addresses that clients reach the media port at, separated by commas [default: the bound ones]
    #[arg(
        long,
        env = "CONNECT_MEDIA_ADDRESS",
        value_delimiter = ',',
        num_args = 1
    )]
    media_address: Vec<IpAddr>,
    /// UDP address for QUIC between nodes; shard n takes the port plus n
    #[arg(long, env = "CONNECT_QUIC", default_value = "127.0.0.1:0")]
    quic: SocketAddr,
    /// HOST:PORT that other nodes reach the QUIC port at [default: the bound one]
    #[arg(long, env = "CONNECT_QUIC_ADDRESS")]
    quic_address: Option<String>,
    /// TCP address of /metrics, /livez and /readyz; keep it private
    #[arg(long, env = "CONNECT_PRIVATE", default_value = "127.0.0.1:0")]
    pub private: SocketAddr,
    /// Ask the node that runs with these settings how it is, say so by the exit code, and end
    #[arg(long, value_name = "WHAT")]
    pub probe: Option<Probe>,
    /// Make a key for the node of this region and name of the fleet's, CONNECT_FLEET_KEY (KID:SECRET), print it, and end
    #[arg(long)]
    pub issue_key: bool,
    /// Until when the key that is issued is good, in seconds since 1970; 0 for as long as the fleet's
    #[arg(long, default_value = "0", requires = "issue_key")]
    key_until: u64,
    /// File with this node's key, read again for each link that is dialed [default: the key is in CONNECT_NODE_KEY]
    #[arg(long, env = "CONNECT_NODE_KEY_FILE")]
    node_key_file: Option<PathBuf>,
    /// Media threads, each with its own sockets and rooms [default: one per core]
    #[arg(long, env = "CONNECT_SHARDS")]
    shards: Option<NonZeroU16>,
    /// Directory of the session ledger
    #[arg(long, env = "CONNECT_DATA_DIR", default_value = "connect-data")]
    data_dir: PathBuf,
    /// A collector that takes OTLP over HTTP, e.g. http://127.0.0.1:4318; what it wants to be shown comes from the environment
    /// only: CONNECT_OTLP_HEADERS
    #[arg(long, env = "CONNECT_OTLP_ENDPOINT")]
    otlp_endpoint: Option<String>,
    /// How many media sessions this node accepts
    #[arg(long, env = "CONNECT_MAX_SESSIONS", default_value = "1000")]
    max_sessions: u32,
    /// How many of them one shard accepts before others of its room go to the next [default: an equal share]
    #[arg(long, env = "CONNECT_MAX_SESSIONS_PER_SHARD")]
    max_sessions_per_shard: Option<u32>,
    /// How many joins the edge may send here between two heartbeats, which are a second apart
    #[arg(
        long,
        env = "CONNECT_MAX_JOINS_PER_INTERVAL",
        default_value = "100",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    max_joins_per_interval: u32,
}

/// What the node was told, all of it valid.
#[derive(Debug, Clone)]
pub struct Config {
    /// WebSocket base of the edge, without a trailing slash.
    pub edge: String,
    pub region: Region,
    pub node: NodeId,
    pub key: NodeKey,
    /// Where it is read anew from.
    pub key_file: Option<PathBuf>,
    /// One address, or one for each family.
    pub media: Vec<SocketAddr>,
    /// What clients are told instead of what is bound; empty if that does.
    pub media_addresses: Vec<IpAddr>,
    pub quic: SocketAddr,
    /// Host and port that peers are told; port 0 stands for the bound one.
    pub quic_address: (String, u16),
    pub private: SocketAddr,
    pub shards: u16,
    pub data_dir: PathBuf,
    /// Where spans go, if anywhere.
    pub otlp: Option<String>,
    /// No more than all shards together take.
    pub max_sessions: u32,
    pub max_sessions_per_shard: u32,
    pub max_joins: u32,
}

/// Why the configuration does not do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "--region (CONNECT_REGION) is not set: it is the region that this node serves, e.g. eu-west"
    )]
    RegionMissing,
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("--issue-key needs --node-id: whose key it is to be")]
    NodeMissing,
    #[error(
        "--edge (CONNECT_EDGE) must be an http:// or https:// address without a path; it is {0:?}"
    )]
    Edge(String),
    #[error("{flag} ({variable}) is needed because {bound} is no address that others can reach")]
    Unreachable {
        flag: &'static str,
        variable: &'static str,
        bound: IpAddr,
    },
    #[error(
        "--quic-address (CONNECT_QUIC_ADDRESS) must be HOST:PORT, e.g. node1.example.org:4433; it is {0:?}"
    )]
    QuicAddress(String),
    #[error("{flag} starts at port {port}: {shards} shards do not fit below 65536")]
    Ports {
        flag: &'static str,
        port: u16,
        shards: u16,
    },
    #[error(
        "--max-sessions (CONNECT_MAX_SESSIONS) and --max-sessions-per-shard (CONNECT_MAX_SESSIONS_PER_SHARD) must be at least 1"
    )]
    NoSessions,
    #[error(
        "--media (CONNECT_MEDIA) takes one IPv4 address, one IPv6 address, or one of each; it is given {0} of one family"
    )]
    MediaFamilies(usize),
    #[error(
        "--media-address (CONNECT_MEDIA_ADDRESS) takes at most {MAX_MEDIA_ADDRESSES} addresses; it is given {0}"
    )]
    TooManyAddresses(usize),
    #[error(
        "--media-address (CONNECT_MEDIA_ADDRESS) names {0}, but --media listens on no address of that family"
    )]
    OtherFamily(IpAddr),
}

impl Arguments {
    /// The key of the node that the arguments name, made of the fleet's.
    pub fn issue_key(self, fleet: Option<String>) -> Result<String, ConfigError> {
        let region = self.region.ok_or(ConfigError::RegionMissing)?;
        let node = self.node_id.ok_or(ConfigError::NodeMissing)?;
        let fleet = fleet.unwrap_or_default();
        Ok(NodeKey::issue(&fleet, region, node, self.key_until)?)
    }

    /// Checks the arguments together; `key` is the value of CONNECT_NODE_KEY.
    pub fn check(self, key: Option<String>) -> Result<Config, ConfigError> {
        let shards = self.shards.unwrap_or_else(one_per_core).get();
        let media = self.media.iter().map(|media| ("--media", media.port()));
        for (flag, port) in media.chain([("--quic", self.quic.port())]) {
            if port != 0 && port.checked_add(shards - 1).is_none() {
                return Err(ConfigError::Ports { flag, port, shards });
            }
        }
        let share = self.max_sessions.div_ceil(u32::from(shards));
        let per_shard = self.max_sessions_per_shard.unwrap_or(share);
        if self.max_sessions == 0 || per_shard == 0 {
            return Err(ConfigError::NoSessions);
        }
        let quic_address = match self.quic_address {
            Some(text) => host_and_port(&text).ok_or(ConfigError::QuicAddress(text))?,
            None => {
                let ip = reachable(self.quic.ip(), "--quic-address", "CONNECT_QUIC_ADDRESS")?;
                (host(ip), 0)
            }
        };
        check_media(&self.media, &self.media_address)?;
        let key = match &self.node_key_file {
            Some(file) => std::fs::read_to_string(file).map_err(KeyError::from)?,
            None => key.unwrap_or_default(),
        };
        let key = NodeKey::parse(&key)?;
        let region = self.region.ok_or(ConfigError::RegionMissing)?;
        let owner = key.owner.clone();
        let owned = owner.as_ref().map(|owner| owner.node.clone());
        let node = self.node_id.or(owned).unwrap_or_else(random_node_id);
        if let Some(owner) = owner.filter(|owner| owner.node != node || owner.region != region) {
            return Err(KeyError::OfAnother(owner.node, owner.region).into());
        }
        Ok(Config {
            edge: websocket_base(&self.edge)?,
            region,
            node,
            key,
            key_file: self.node_key_file,
            media: self.media,
            media_addresses: self.media_address,
            quic: self.quic,
            quic_address,
            private: self.private,
            shards,
            data_dir: self.data_dir,
            otlp: self
                .otlp_endpoint
                .filter(|endpoint| !endpoint.is_empty())
                .map(|endpoint| format!("{}/v1/traces", endpoint.trim_end_matches('/'))),
            max_sessions: self
                .max_sessions
                .min(per_shard.saturating_mul(shards.into())),
            max_sessions_per_shard: per_shard,
            max_joins: self.max_joins_per_interval,
        })
    }
}

impl Config {
    /// Whether tokens and session descriptions travel to another machine without TLS.
    pub fn edge_in_clear(&self) -> bool {
        let Some(authority) = self.edge.strip_prefix("ws://") else {
            return false;
        };
        let host = authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host);
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host != "localhost" && !ip.is_ok_and(|ip| ip.is_loopback())
    }

    /// What peers are told of shard number `shard`, whose socket is bound to `bound`.
    pub fn quic_address_of(&self, shard: u16, bound: SocketAddr) -> String {
        let (host, first) = &self.quic_address;
        let port = if *first == 0 {
            bound.port()
        } else {
            first.saturating_add(shard)
        };
        format!("{host}:{port}")
    }
}

/// As many shards as the process may use cores; one if that cannot be told.
fn one_per_core() -> NonZeroU16 {
    let cores = std::thread::available_parallelism().ok();
    let shards = cores.and_then(|cores| NonZeroU16::try_from(cores).ok());
    shards.unwrap_or(NonZeroU16::MIN)
}

/// `address`, moved to the port of shard number `shard`; port 0 stays a free one.
pub fn port_of_shard(address: SocketAddr, shard: u16) -> SocketAddr {
    match address.port() {
        0 => address,
        port => SocketAddr::new(address.ip(), port.saturating_add(shard)),
    }
}

fn check_media(media: &[SocketAddr], told: &[IpAddr]) -> Result<(), ConfigError> {
    for is_ipv4 in [true, false] {
        let count = media.iter().filter(|at| at.is_ipv4() == is_ipv4).count();
        if count > 1 {
            return Err(ConfigError::MediaFamilies(count));
        }
    }
    if told.len() > MAX_MEDIA_ADDRESSES {
        return Err(ConfigError::TooManyAddresses(told.len()));
    }
    if told.is_empty() {
        for bound in media {
            reachable(bound.ip(), "--media-address", "CONNECT_MEDIA_ADDRESS")?;
        }
    }
    // A socket on [::] serves both families when it is the only one.
    let both = media.len() == 1 && media.iter().all(|at| at.ip() == Ipv6Addr::UNSPECIFIED);
    let serves = |ip: &IpAddr| both || media.iter().any(|at| at.is_ipv4() == ip.is_ipv4());
    match told.iter().find(|ip| !serves(ip)) {
        Some(ip) => Err(ConfigError::OtherFamily(*ip)),
        None => Ok(()),
    }
}

fn websocket_base(edge: &str) -> Result<String, ConfigError> {
    let fail = || ConfigError::Edge(edge.to_owned());
    let uri: Uri = edge.parse().map_err(|_| fail())?;
    let scheme = match uri.scheme_str() {
        Some("http") => "ws",
        Some("https") => "wss",
        _ => return Err(fail()),
    };
    let authority = uri.authority().ok_or_else(fail)?;
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(fail());
    }
    Ok(format!("{scheme}://{authority}"))
}

fn reachable(
    bound: IpAddr,
    flag: &'static str,
    variable: &'static str,
) -> Result<IpAddr, ConfigError> {
    if bound.is_unspecified() {
        return Err(ConfigError::Unreachable {
            flag,
            variable,
            bound,
        });
    }
    Ok(bound)
}

fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let well_formed = !host.is_empty() && (bracketed || !host.contains(':'));
    well_formed.then_some((host.to_owned(), port.parse().ok()?))
}

fn random_node_id() -> NodeId {
    let name = format!("node-{:08x}", rand::random::<u32>());
    name.parse()
        .expect("hexadecimal digits and a dash make an id")
}

/// An address as it stands before a port: IPv6 in brackets.
fn host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str], key: Option<&str>) -> Result<Config, ConfigError> {
        let base = ["sfu-node", "--region", "eu-west"];
        Arguments::try_parse_from(base.iter().chain(arguments))
            .expect("well-formed arguments")
            .check(key.map(str::to_owned))
    }

    fn key() -> String {
        "k".repeat(43)
    }

    #[test]
    fn the_defaults_need_only_a_region_and_a_key() {
        let config = check(&[], Some(&key())).unwrap();
        assert_eq!(config.edge, "ws://127.0.0.1:8787");
        assert_eq!(
            config.quic_address_of(0, "127.0.0.1:99".parse().unwrap()),
            "127.0.0.1:99"
        );
        assert!(
            !format!("{config:?}").contains("kkk"),
            "the key must not show"
        );
    }

    #[test]
    fn the_image_asks_itself_at_the_address_it_listens_at() {
        let probe = ["sfu-node", "--probe", "livez"];
        let asked = Arguments::try_parse_from(probe).expect("a question needs no other setting");
        assert_eq!(asked.probe, Some(Probe::Livez));
        // One that the system chooses cannot be asked by another process.
        let image = include_str!("../../infra/docker/Dockerfile");
        let address = image
            .split_whitespace()
            .find_map(|word| word.strip_prefix("CONNECT_PRIVATE="))
            .expect("the image sets the address");
        assert_ne!(address.parse::<SocketAddr>().unwrap().port(), 0);
    }

    #[test]
    fn a_key_that_does_not_do_is_refused_by_name() {
        for key in [None, Some(""), Some("short"), Some("kö")] {
            let error = check(&[], key).unwrap_err().to_string();
            assert!(error.contains("CONNECT_NODE_KEY"), "{error}");
        }
    }

    #[test]
    fn an_address_that_nobody_reaches_is_refused() {
        for flag in ["--media", "--quic"] {
            let error = check(&[flag, "0.0.0.0:4000"], Some(&key())).unwrap_err();
            assert!(matches!(error, ConfigError::Unreachable { .. }), "{error}");
        }
        let told = ["--media", "0.0.0.0:0", "--media-address", "192.0.2.1"];
        assert!(check(&told, Some(&key())).is_ok());
    }

    #[test]
    fn media_listens_on_one_address_of_each_family() {
        let both = [
            "--media",
            "0.0.0.0:4000,[::]:4000",
            "--media-address",
            "192.0.2.1,2001:db8::1",
        ];
        let config = check(&both, Some(&key())).unwrap();
        assert_eq!((config.media.len(), config.media_addresses.len()), (2, 2));
        let error = check(&["--media", "127.0.0.1:1,127.0.0.2:1"], Some(&key())).unwrap_err();
        assert!(matches!(error, ConfigError::MediaFamilies(2)), "{error}");
    }

    #[test]
    fn an_address_of_a_family_that_nothing_listens_on_is_refused() {
        let told = |bound| ["--media", bound, "--media-address", "2001:db8::1,192.0.2.1"];
        let error = check(&told("0.0.0.0:0"), Some(&key())).unwrap_err();
        assert!(matches!(error, ConfigError::OtherFamily(_)), "{error}");
        // One socket for both.
        assert!(check(&told("[::]:0"), Some(&key())).is_ok());
    }

    #[test]
    fn advertised_quic_ports_count_up_with_the_shards() {
        let told = ["--quic-address", "n1.example.org:4433", "--shards", "2"];
        let config = check(&told, Some(&key())).unwrap();
        let bound = "127.0.0.1:99".parse().unwrap();
        assert_eq!(config.quic_address_of(1, bound), "n1.example.org:4434");
        for bad in ["host", ":1", "::1:5x", "h:70000", "2001:db8::1:443"] {
            let error = check(&["--quic-address", bad], Some(&key())).unwrap_err();
            assert!(matches!(error, ConfigError::QuicAddress(_)), "{error}");
        }
    }

    #[test]
    fn the_edge_is_an_origin() {
        let secure = check(&["--edge", "https://connect.example/"], Some(&key())).unwrap();
        assert_eq!(secure.edge, "wss://connect.example");
        for (edge, in_clear) in [
            ("https://connect.example", false),
            ("http://localhost:8787", false),
            ("http://127.0.0.1:8787", false),
            ("http://[::1]:8787", false),
            ("http://10.0.0.1:8787", true),
            ("http://edge.internal", true),
        ] {
            let config = check(&["--edge", edge], Some(&key())).unwrap();
            assert_eq!(config.edge_in_clear(), in_clear, "{edge}");
        }
        for bad in ["connect.example", "ftp://x", "http://x/path", "http://"] {
            let error = check(&["--edge", bad], Some(&key())).unwrap_err();
            assert!(matches!(error, ConfigError::Edge(_)), "{error}");
        }
    }

    #[test]
    fn sessions_are_shared_by_the_shards() {
        let sessions = |arguments: &[&str]| {
            let config = check(arguments, Some(&key())).unwrap();
            (config.max_sessions, config.max_sessions_per_shard)
        };
        assert_eq!(
            sessions(&["--shards", "3", "--max-sessions", "100"]),
            (100, 34)
        );
        let small = ["--shards", "2", "--max-sessions-per-shard", "4"];
        assert_eq!(sessions(&small), (8, 4));
        let none = check(&["--max-sessions-per-shard", "0"], Some(&key()));
        assert!(matches!(none, Err(ConfigError::NoSessions)));
    }

    #[test]
    fn there_is_a_shard_for_each_core_unless_it_is_said() {
        let shards = |arguments: &[&str]| check(arguments, Some(&key())).unwrap().shards;
        let cores = std::thread::available_parallelism().unwrap().get();
        assert_eq!(usize::from(shards(&[])), cores);
        assert_eq!(shards(&["--shards", "1"]), 1);
    }

    #[test]
    fn shards_beyond_the_last_port_are_refused() {
        let error = check(
            &["--media", "127.0.0.1:65535", "--shards", "2"],
            Some(&key()),
        );
        assert!(matches!(error, Err(ConfigError::Ports { port: 65535, .. })));
    }
}
