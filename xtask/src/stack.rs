//! A running Connect: the Worker and the hasher beside it, one media node per region, and perhaps distance between them.

use std::fs::{self, File, TryLockError};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use crate::build::Profile;
use crate::failure::{Failure, Result};
use crate::hasher::{Hasher, write_private};
use crate::log;
use crate::node::{Node, Plan};
use crate::process::{self, Child};
use crate::progress::{Outcome, Progress};
use crate::secrets::Secrets;
use crate::{http, paths, wan, workerd};

/// The regions there are; `--regions N` takes the first N.
pub const REGIONS: [&str; 5] = ["eu-west", "us-east", "ap-south", "sa-east", "ap-northeast"];
/// How many steps [`Stack::start`] takes.
pub const STEPS: usize = 2;
/// How long a part may take to be ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// What runs the Worker.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// `wrangler dev`, which serves the web app as well.
    Wrangler,
    /// workerd alone, without the web app: the API as fast as a box of one's own has it.
    Workerd,
    /// The same, with a module before the Worker that tells the log of all that the platform would bill.
    Metered,
}

/// What to run, and where.
pub struct Options {
    /// What runs the Worker.
    pub runtime: Runtime,
    /// Whether passwords are hashed beside the Worker.
    pub hasher: bool,
    /// How many regions, out of [`REGIONS`].
    pub regions: usize,
    /// The port of the Worker.
    pub port: u16,
    /// The address of the media ports.
    pub media_ip: IpAddr,
    /// Whether there is distance between the nodes.
    pub wan: bool,
    /// Variables of the Worker beside those of `wrangler.toml` and the secrets, which they go before.
    pub variables: Vec<(&'static str, String)>,
    /// Where Worker and nodes export all their spans, if anywhere.
    pub collector: Option<String>,
    /// Where wrangler keeps the state of the Durable Objects.
    pub worker_state: PathBuf,
    /// Where the nodes keep their files, and where `stack.json` says what runs.
    pub state: PathBuf,
    /// The media node's program.
    pub program: PathBuf,
}

/// Variables that have mails stand in the Worker's log and at `/dev/mail`, and their links lead to this port.
pub fn mail(port: u16) -> [(&'static str, String); 2] {
    [
        ("CONNECT_MAIL_DEVELOPMENT", "yes".to_owned()),
        ("CONNECT_PUBLIC_URL", format!("http://localhost:{port}")),
    ]
}

/// A running Connect.
pub struct Stack {
    worker: Child,
    worker_log: PathBuf,
    hasher: Option<Hasher>,
    nodes: Vec<Node>,
    url: String,
    file: PathBuf,
    /// Held as long as this lives.
    _lock: File,
}

impl Stack {
    /// Starts everything and waits until it is ready.
    pub fn start(options: &Options, progress: &Progress) -> Result<Self> {
        let lock = lock(&options.state)?;
        check_port(options.port)?;
        let secrets = Secrets::of(&options.worker_state);
        if secrets.ensure()? {
            println!("      Made .dev.vars: the secrets of this machine");
        }
        let worker_log = paths::log("worker");
        let mut started = None;
        progress.step("Starting the Worker", |_| {
            let hasher = match options.hasher {
                true => Some(Hasher::start(
                    free_port(|address| TcpListener::bind(address)?.local_addr())?,
                    Profile::Dev,
                )?),
                false => None,
            };
            let worker = start_worker(options, &secrets, hasher.as_ref(), &worker_log)?;
            started = Some((worker, hasher));
            Ok(Outcome::Done)
        })?;
        let Some((worker, hasher)) = started else {
            return Err(Failure::new("the Worker was not started", ""));
        };
        let mut stack = Self {
            worker,
            worker_log,
            hasher,
            nodes: Vec::new(),
            url: format!("http://localhost:{}", options.port),
            file: options.state.join("stack.json"),
            _lock: lock,
        };
        progress.step(&format!("Starting {} media nodes", options.regions), |_| {
            for plan in plans(options, &secrets)? {
                stack.nodes.push(Node::start(plan)?);
            }
            stack.wait_for_nodes()?;
            Ok(Outcome::Done)
        })?;
        Ok(stack)
    }

    /// The address of the web app.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The file that says what runs: addresses, regions and process ids, in JSON.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// One line a node: what listens where.
    pub fn describe(&self) -> Vec<String> {
        self.nodes.iter().map(Node::describe).collect()
    }

    /// Looks after the processes: a node that died is started again; without the Worker there is nothing to run for.
    pub fn tend(&mut self) -> Result<()> {
        process::check_interrupted()?;
        if let Some(status) = self.worker.ended() {
            return Err(died("the Worker", &status.to_string(), &self.worker_log));
        }
        self.hasher.as_mut().map_or(Ok(()), Hasher::tend)?;
        let mut changed = false;
        for node in &mut self.nodes {
            changed |= node.tend()?;
        }
        if changed {
            self.write_file()?;
        }
        Ok(())
    }

    /// Runs a command to its end, while everything is looked after.
    pub fn run(&mut self, command: &mut Command) -> Result<ExitStatus> {
        let mut child = Child::start(command)?;
        loop {
            self.tend()?;
            if let Some(status) = child.ended() {
                return Ok(status);
            }
            process::tick();
        }
    }

    /// Ends everything, side by side.
    pub fn stop(self) {
        let mut children: Vec<Child> = self
            .nodes
            .into_iter()
            .filter_map(Node::into_child)
            .collect();
        children.push(self.worker);
        children.extend(self.hasher.and_then(Hasher::into_child));
        process::stop(children);
        let _ = fs::remove_file(&self.file);
    }

    fn wait_for_nodes(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.nodes.iter().all(Node::is_healthy) {
            self.tend()?;
            let restarted = self.nodes.iter().find(|node| node.has_failed());
            let late = (Instant::now() > deadline)
                .then(|| self.nodes.iter().find(|node| !node.is_healthy()));
            if let Some(node) = restarted.or(late.flatten()) {
                return Err(died(
                    &format!("the media node {}", node.id()),
                    "without being ready",
                    node.log(),
                ));
            }
            process::tick();
        }
        self.write_file()
    }

    fn write_file(&self) -> Result<()> {
        let nodes: Vec<String> = self.nodes.iter().map(Node::json).collect();
        let text = format!(
            "{{\"url\":\"{}\",\"nodes\":[\n{}\n]}}\n",
            self.url,
            nodes.join(",\n")
        );
        // Whole or not at all, as others read it at any time.
        let part = self.file.with_extension("part");
        fs::write(&part, text)
            .and_then(|()| fs::rename(&part, &self.file))
            .map_err(|error| Failure::file("write", &self.file, &error))
    }
}

fn died(what: &str, how: &str, log: &PathBuf) -> Failure {
    Failure::new(
        format!(
            "{what} ended: {how}; the end of its log:\n\n{}\n",
            log::tail(log, 20)
        ),
        format!("the whole log is in {}", log.display()),
    )
}

/// Claims the state: two at once would corrupt it. The claim ends with this process, however it ends.
pub fn lock(state: &Path) -> Result<File> {
    let path = state.join("lock");
    let file = fs::create_dir_all(state)
        .and_then(|()| File::create(&path))
        .map_err(|error| Failure::file("write", &path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::new(
            "Connect runs from this checkout already",
            format!(
                "`fuser {}` names the process, and .connect/stack.json says where it listens; end it, or use a second checkout",
                path.display()
            ),
        )),
        Err(TryLockError::Error(error)) => Err(Failure::file("lock", &path, &error)),
    }
}

/// Whether the port is free; tells what to do if it is not.
pub fn check_port(port: u16) -> Result<()> {
    let free = |ip: IpAddr| TcpListener::bind((ip, port)).map(|_| ());
    free(Ipv4Addr::LOCALHOST.into()).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Failure::new(
            format!("port {port} is busy: another program listens there"),
            format!(
                "`ss -ltnp 'sport = :{port}'` (or `lsof -i :{port}`) shows which; or use another port: \
                 `cargo xtask dev --port {}`",
                port.checked_add(1).unwrap_or(8787)
            ),
        ),
        std::io::ErrorKind::PermissionDenied => Failure::new(
            format!("port {port} takes root"),
            "use a port above 1023: `cargo xtask dev --port 8787`",
        ),
        _ => Failure::new(format!("cannot listen on port {port}: {error}"), ""),
    })
}

fn start_worker(
    options: &Options,
    secrets: &Secrets,
    hasher: Option<&Hasher>,
    log: &Path,
) -> Result<Child> {
    let mut command = match options.runtime {
        Runtime::Wrangler => wrangler(options, secrets, hasher)?,
        Runtime::Workerd | Runtime::Metered => {
            let files = [secrets.keys.as_path(), &secrets.id];
            let metered = options.runtime == Runtime::Metered;
            workerd::command(options.port, &options.worker_state, &files, hasher, metered)?
        }
    };
    log::redirect(&mut command, log)?;
    let mut worker = Child::start(&mut command)?;
    wait_for_worker(&mut worker, options.port, log)?;
    Ok(worker)
}

fn wrangler(options: &Options, secrets: &Secrets, hasher: Option<&Hasher>) -> Result<Command> {
    let root = paths::root();
    let beside = options.state.join("hasher.vars");
    write_private(&beside, &hasher.map_or_else(String::new, Hasher::variables))?;
    let inspector = free_port(|address| TcpListener::bind(address)?.local_addr())?;
    let mut command = Command::new("node");
    command
        .arg("--no-warnings")
        // Not by its launcher, which would be one more process between.
        .arg(root.join("node_modules/wrangler/wrangler-dist/cli.js"))
        .args([
            "dev",
            "--local",
            "--show-interactive-dev-session=false",
            "--ip",
            "127.0.0.1",
        ])
        .args([
            "--port",
            &options.port.to_string(),
            "--inspector-port",
            &inspector.to_string(),
        ])
        // What is given as an argument, every user of the machine may read.
        .arg("--env-file")
        .arg(&secrets.keys)
        .arg("--env-file")
        .arg(&secrets.id)
        .arg("--env-file")
        .arg(&beside)
        .arg("--persist-to")
        .arg(&options.worker_state)
        .args(
            options
                .variables
                .iter()
                .cloned()
                .chain(collected(options))
                .flat_map(|(name, value)| ["--var".to_owned(), format!("{name}:{value}")]),
        )
        .current_dir(&root)
        .env("PATH", paths::path_with_npm())
        .env("CI", "1")
        .env("NO_COLOR", "1")
        .env("WRANGLER_LOG_PATH", paths::local().join("logs/wrangler"))
        .env("WRANGLER_SEND_METRICS", "false")
        .env("WRANGLER_SEND_ERROR_REPORTS", "false")
        .env("CLOUDFLARE_CF_FETCH_ENABLED", "false");
    Ok(command)
}

/// With these variables the Worker exports every trace.
fn collected(options: &Options) -> Vec<(&'static str, String)> {
    let collector = options.collector.iter();
    let to = collector.flat_map(|collector| {
        [
            ("CONNECT_OTLP_ENDPOINT", collector.clone()),
            ("CONNECT_TRACE_SHARE", "1".to_owned()),
        ]
    });
    to.collect()
}

fn wait_for_worker(worker: &mut Child, port: u16, log: &Path) -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let deadline = Instant::now() + PATIENCE;
    // The public keys come from the Worker itself, not from its static files.
    while http::status(address, "/.well-known/jwks.json") != Some(200) {
        process::check_interrupted()?;
        if let Some(status) = worker.ended() {
            return Err(died("the Worker", &status.to_string(), &log.to_path_buf()));
        }
        if Instant::now() > deadline {
            return Err(died(
                "waiting for the Worker",
                "it did not answer within a minute",
                &log.to_path_buf(),
            ));
        }
        process::tick();
    }
    Ok(())
}

fn plans(options: &Options, secrets: &Secrets) -> Result<Vec<Plan>> {
    let regions = &REGIONS[..options.regions.min(REGIONS.len())];
    // With distance, a node's QUIC port must be known before it starts; else it takes any.
    let mut quic = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); regions.len()];
    let mut advertised = vec![None; regions.len()];
    if options.wan {
        for address in &mut quic {
            address.set_port(free_port(|any| UdpSocket::bind(any)?.local_addr())?);
        }
        let sites: Vec<wan::Site> = std::iter::zip(regions, &quic)
            .map(|(region, quic)| wan::Site {
                region,
                quic: *quic,
            })
            .collect();
        advertised = wan::start(&sites)?.into_iter().map(Some).collect();
    }
    let key = secrets.node_key()?;
    let plan = |(index, region): (usize, &&'static str)| Plan {
        region,
        program: options.program.clone(),
        edge: format!("http://127.0.0.1:{}", options.port),
        key: key.clone(),
        media: SocketAddr::new(options.media_ip, 0),
        quic: quic[index],
        quic_address: advertised[index],
        data: options.state.join(region),
        collector: options.collector.clone(),
    };
    Ok(regions.iter().enumerate().map(plan).collect())
}

fn free_port(bind: impl Fn(SocketAddr) -> std::io::Result<SocketAddr>) -> Result<u16> {
    bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .map(|address| address.port())
        .map_err(|error| Failure::new(format!("no free port: {error}"), ""))
}
