//! The media node: reads its configuration, binds its sockets, starts its shards and joins them with the edge.
//!
//! Exit codes: 0 after SIGTERM or SIGINT, 1 for a failure while running, or a probe that is answered with no, 2 for a bad configuration, 3 when an address
//! cannot be bound. Standard output carries one line, `ready …`; logs go to standard error.

mod backoff;
mod config;
mod control;
mod export;
mod gather;
mod health;
mod key;
mod ledger;
mod media;
mod metrics;
mod neighbors;
mod node;
mod probe;
mod quic;
mod roster;
mod seating;
mod shard;
mod sibling;
mod site;
mod task;
mod tcp;
mod udp;

use std::io::{self, IsTerminal, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use clap::Parser;
use sfu_core::Transport;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tracing_subscriber::EnvFilter;

use config::{Arguments, Config, ConfigError, port_of_shard};
use control::Edge;
use export::{Collector, ExportError, Exporter};
use health::Health;
use ledger::{LedgerError, Recorder, Sqlite};
use metrics_exporter_prometheus::BuildError;
use node::RunningShard;
use probe::ProbeError;
use quic::Identity;
use shard::ShardError;

/// Messages of the shards waiting for the links.
const MAX_WAITING: usize = 8_192;

/// What is logged unless RUST_LOG says otherwise. Of the libraries that read what strangers send only their errors: a malformed
/// packet or offer is counted, and whoever sends many fills no disk.
const LOGGED: &str = "info,str0m=error,is=error,dimpl=error,sctp_proto=error,quinn_proto=error";

/// Why the node does not run.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{what} cannot listen on {address}: {error}")]
    Bind {
        what: &'static str,
        address: SocketAddr,
        error: io::Error,
    },
    #[error(transparent)]
    Probe(#[from] ProbeError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Shard(#[from] ShardError),
    #[error(transparent)]
    Metrics(#[from] BuildError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Failure {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => 2,
            Self::Bind { .. } => 3,
            _ => 1,
        }
    }
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    // People read a terminal; whatever else reads takes lines of JSON.
    match io::stderr().is_terminal() {
        true => log.init(),
        false => log.json().flatten_event(true).init(),
    }
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("sfu-node: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn start() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    if let Some(what) = arguments.probe {
        return Ok(probe::ask(arguments.private, what)?);
    }
    if arguments.issue_key {
        let fleet = std::env::var("CONNECT_FLEET_KEY").ok();
        println!("{}", arguments.issue_key(fleet)?);
        return Ok(());
    }
    let config = arguments.check(std::env::var("CONNECT_NODE_KEY").ok())?;
    // The edge's certificate and our own: one cryptography for all of the process. It fails only when set before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let sockets = Sockets::bind(&config)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(config, sockets))
}

/// Everything that listens.
struct Sockets {
    /// Per shard: media, one address or one for each family, and QUIC.
    shards: Vec<(Vec<media::Sockets>, UdpSocket)>,
    private: TcpListener,
}

impl Sockets {
    fn bind(config: &Config) -> Result<Self, Failure> {
        let bind_media = |address| {
            let failed = |(what, error)| Failure::Bind {
                what,
                address,
                error,
            };
            media::bind(address, config.media.len() > 1).map_err(failed)
        };
        let shards = (0..config.shards).map(|shard| {
            let media = config.media.iter();
            let media = media.map(|address| bind_media(port_of_shard(*address, shard)));
            let media = media.collect::<Result<_, _>>()?;
            let address = port_of_shard(config.quic, shard);
            let quic = udp::bind(address, false).map_err(|error| Failure::Bind {
                what: "QUIC",
                address,
                error,
            })?;
            Ok((media, quic))
        });
        let private = TcpListener::bind(config.private).map_err(|error| Failure::Bind {
            what: "the private endpoint",
            address: config.private,
            error,
        })?;
        private.set_nonblocking(true)?;
        Ok(Self {
            shards: shards.collect::<Result<_, Failure>>()?,
            private,
        })
    }
}

async fn run(config: Config, sockets: Sockets) -> Result<(), Failure> {
    let stop = stop_signal()?;
    let page = metrics::install()?;
    let (health, health_now) = watch::channel(Health::default());
    let private = tokio::net::TcpListener::from_std(sockets.private)?;
    let private_address = private.local_addr()?;
    let router = health::router(page, health_now);
    let _private = task::Task::from(tokio::spawn(async move {
        if let Err(error) = axum::serve(private, router).await {
            tracing::error!(%error, "the private endpoint is gone");
        }
    }));
    let ledger = config
        .data_dir
        .join(format!("ledger-{}.sqlite", config.node));
    let ledger = Recorder::start(Box::new(Sqlite::open(&ledger, SystemTime::now())?))?;
    let (outbox, from_shards) = mpsc::channel(MAX_WAITING);
    let mut addresses = Vec::new();
    let mut shards = Vec::new();
    let mut probes = Vec::new();
    let identities = (0..config.shards).map(|_| Identity::generate());
    let identities = identities
        .collect::<Result<Vec<_>, _>>()
        .map_err(ShardError::from)?;
    let ids: Vec<_> = identities.iter().map(|identity| identity.id).collect();
    let places = identities.into_iter().zip(sibling::mesh(&ids));
    for ((index, (media, quic)), (identity, siblings)) in (0..).zip(sockets.shards).zip(places) {
        let quic_bound = quic.local_addr()?;
        let bound: Vec<_> = media.iter().map(|sockets| sockets.address).collect();
        let candidates = media::candidates(&bound, &config.media_addresses);
        if index == 0 {
            let udp = candidates
                .iter()
                .filter(|at| at.transport == Transport::Udp);
            probes.extend(udp.map(|at| at.address.to_string()));
        }
        let parts = shard::Parts {
            index,
            node: config.node.clone(),
            region: config.region.clone(),
            candidates,
            max_sessions: config.max_sessions_per_shard as usize,
            media,
            quic,
            identity,
            siblings,
        };
        shards.push(RunningShard {
            shard: shard::start(parts, outbox.clone())?,
            quic_address: config.quic_address_of(index, quic_bound),
        });
        addresses.push((bound, quic_bound));
    }
    announce(&config, &addresses, private_address)?;
    let collector = config.otlp.map(|address| Collector {
        address,
        headers: std::env::var("CONNECT_OTLP_HEADERS").ok(),
    });
    let exporter = Exporter::start(collector, config.node.clone(), config.region.clone())?;
    let edge = Edge::new(
        config.edge,
        config.key,
        config.key_file,
        config.node.clone(),
        config.region.clone(),
    );
    let parts = node::Parts {
        node: config.node,
        region: config.region,
        edge: Arc::new(edge),
        shards,
        from_shards,
        ledger,
        exporter,
        health,
        max_sessions: config.max_sessions,
        max_sessions_per_shard: config.max_sessions_per_shard,
        max_joins: config.max_joins,
        probes,
    };
    node::run(parts, stop).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Says what listens where: to people on standard error, to a supervisor on standard output.
fn announce(
    config: &Config,
    shards: &[(Vec<SocketAddr>, SocketAddr)],
    private: SocketAddr,
) -> io::Result<()> {
    for (index, (media, quic)) in shards.iter().enumerate() {
        tracing::info!(shard = index, ?media, %quic, "shard listens");
    }
    tracing::info!(edge = config.edge, %private, "node starts");
    if config.edge_in_clear() {
        tracing::warn!("the way to the edge is not encrypted; give --edge an https:// address");
    }
    let Some((media, quic)) = shards.first() else {
        return Ok(());
    };
    let (node, region) = (&config.node, &config.region);
    let media = media.iter().map(SocketAddr::to_string);
    let media = media.collect::<Vec<_>>().join(",");
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "ready node={node} region={region} media={media} quic={quic} metrics=http://{private}/metrics"
    )?;
    out.flush()
}

/// Resolves at SIGTERM or SIGINT.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("asked to stop");
    })
}
