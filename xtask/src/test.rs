//! `cargo xtask test`: every check there is, in groups, with a summary at the end.

use std::fs;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::build::{self, Profile};
use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::stack::{self, Options, Stack};
use crate::wasm::{self, Toolchain};
use crate::{instructions, namespace, paths, process, secrets, setup};

/// A group of checks; they run in this order, the quick ones first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Formatting of Rust, TypeScript, CSS and JSON.
    Fmt,
    /// Licenses, bans and known holes of dependencies.
    Deny,
    /// clippy without warnings, for this machine and for the Worker.
    Clippy,
    /// The rules of the house: who may depend on whom.
    House,
    /// Unit tests in Rust, and tests of real node processes and bots.
    Unit,
    /// Worlds of nodes and clients on virtual time.
    Simulation,
    /// Instructions per forwarded packet, counted by callgrind; the benches run once.
    Instructions,
    /// Types and unit tests of the SDK and the app.
    Web,
    /// The built Worker in workerd.
    Edge,
    /// Real browsers, real nodes, in a private network.
    Browser,
}

impl Group {
    /// All of them, in the order they run.
    pub const ALL: [Self; 10] = [
        Self::Fmt,
        Self::Deny,
        Self::Clippy,
        Self::House,
        Self::Unit,
        Self::Simulation,
        Self::Instructions,
        Self::Web,
        Self::Edge,
        Self::Browser,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Deny => "deny",
            Self::Clippy => "clippy",
            Self::House => "house",
            Self::Unit => "unit",
            Self::Simulation => "simulation",
            Self::Instructions => "instructions",
            Self::Web => "web",
            Self::Edge => "edge",
            Self::Browser => "browser",
        }
    }

    fn needs(self, need: Need) -> bool {
        use Group::*;
        match need {
            Need::Builders => matches!(self, Clippy | Edge | Browser),
            Need::Npm => !matches!(self, House | Unit | Simulation | Instructions),
            Need::CargoDeny => self == Deny,
            Need::Valgrind => self == Instructions,
            Need::Browsers => self == Browser,
            Need::Turn => matches!(self, Edge | Browser),
        }
    }
}

/// What groups need installed.
#[derive(Clone, Copy)]
enum Need {
    Builders,
    Npm,
    CargoDeny,
    Valgrind,
    Browsers,
    Turn,
}

/// Runs groups.
pub fn run(groups: &[Group]) -> Result<()> {
    set_up(groups)?;
    let mut results = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        println!("\n── {} ({}/{}) ──", group.name(), index + 1, groups.len());
        let started = Instant::now();
        let outcome = run_group(*group);
        if matches!(outcome, Err(Failure::Interrupted)) {
            return Err(Failure::Interrupted);
        }
        if let Err(failure) = &outcome {
            println!("{failure}");
        }
        results.push((*group, outcome.is_ok(), started.elapsed()));
    }
    summarize(&results)
}

fn summarize(results: &[(Group, bool, Duration)]) -> Result<()> {
    println!("\n{:<12} {:<8} {:>7}", "group", "result", "time");
    for (group, passed, time) in results {
        let result = if *passed { "passed" } else { "FAILED" };
        println!("{:<12} {result:<8} {:>5} s", group.name(), time.as_secs());
    }
    let failed: Vec<&str> = results
        .iter()
        .filter(|result| !result.1)
        .map(|result| result.0.name())
        .collect();
    for name in &failed {
        println!("again: cargo xtask test --only {name}");
    }
    println!(
        "\n{} passed, {} failed",
        results.len() - failed.len(),
        failed.len()
    );
    if failed.is_empty() {
        return Ok(());
    }
    // The summary has said it all, and its last line is to be the last.
    process::stop_all();
    std::process::exit(1)
}

fn set_up(groups: &[Group]) -> Result<()> {
    let needs = |need| groups.iter().any(|group| group.needs(need));
    let builders = needs(Need::Builders);
    let steps = usize::from(builders) * setup::BUILDER_STEPS
        + usize::from(needs(Need::Npm))
        + usize::from(needs(Need::CargoDeny))
        + usize::from(needs(Need::Valgrind))
        + usize::from(needs(Need::Browsers))
        + usize::from(needs(Need::Turn));
    let mut progress = Progress::new(steps);
    if builders {
        setup::builders(&mut progress)?;
    }
    if needs(Need::Npm) {
        setup::npm(&mut progress)?;
    }
    if needs(Need::CargoDeny) {
        progress.step("cargo-deny", setup::install_cargo_deny)?;
    }
    if needs(Need::Valgrind) {
        progress.step("valgrind", setup::valgrind)?;
    }
    if needs(Need::Browsers) {
        progress.step("Chromium and Firefox", setup::browsers)?;
    }
    if needs(Need::Turn) {
        progress.step("coturn", setup::turn)?;
    }
    Ok(())
}

fn run_group(group: Group) -> Result<()> {
    match group {
        Group::Fmt => {
            cargo(&["fmt", "--all", "--check"])?;
            npx("biome", &["ci", "--colors=off", "."])
        }
        Group::Deny => deny(),
        Group::Clippy => clippy(),
        Group::House => cargo_test(&[], &["tests/house"]),
        Group::Unit => cargo_test(
            &["--lib", "--bins"],
            &["edge/core", "sfu-node", "sfu-node/core", "loadtest"],
        ),
        Group::Simulation => cargo_test(&[], &["tests/simulation"]),
        Group::Instructions => {
            instructions::try_benches()?;
            instructions::check()
        }
        Group::Web => {
            npm_scripts(
                "check",
                &["@connect/sdk", "@connect/app", "@connect/tests-browser"],
            )?;
            npm_scripts("test", &["@connect/sdk", "@connect/app"])
        }
        Group::Edge => {
            secrets::ensure()?;
            Progress::new(1).step("Building the Worker", build::build_worker)?;
            npm_scripts("check", &["@connect/tests-edge"])?;
            npm_scripts("test", &["@connect/tests-edge"])?;
            npm_scripts("size", &["@connect/tests-edge"])
        }
        Group::Browser => {
            build::all(&mut Progress::new(build::STEPS), Profile::Dev)?;
            secrets::ensure()?;
            show(&mut namespace::command(&["browser-tests"])?)
        }
    }
}

/// Runs tests of targets, and those in the `tests` folders of packages.
fn cargo_test(targets: &[&str], packages: &[&str]) -> Result<()> {
    let mut command = Command::new("cargo");
    command
        .args(["test", "--quiet", "--no-fail-fast"])
        .args(build::PACKAGES)
        .args(targets);
    for package in packages {
        let folder = paths::root().join(package).join("tests");
        let mut files: Vec<PathBuf> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "rs"))
            .collect();
        files.sort();
        for name in files.iter().filter_map(|path| path.file_stem()) {
            command.arg("--test").arg(name);
        }
    }
    show(&mut command)
}

fn clippy() -> Result<()> {
    cargo(&[
        "clippy",
        "--quiet",
        "--workspace",
        "--exclude",
        "edge",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ])?;
    let mut worker = vec!["clippy", "--quiet", "--package", "edge"];
    if Toolchain::ready() == Some(Toolchain::Rustup) {
        worker.extend(["--target", wasm::TARGET]);
    } else {
        println!(
            "clippy has no wasm target here: it looks at the Worker as compiled for this machine"
        );
    }
    worker.extend(["--", "-D", "warnings"]);
    cargo(&worker)
}

fn deny() -> Result<()> {
    let mut command = Command::new(setup::cargo_deny());
    command.args([
        "--log-level",
        "error",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]);
    if reachable("github.com:443") {
        command.arg("advisories");
    } else {
        println!("github.com is out of reach: the RustSec advisories are not looked at");
    }
    show(&mut command)?;
    npm_audit()
}

fn npm_audit() -> Result<()> {
    let log = paths::log("npm-audit");
    let mut audit = Command::new("npm");
    audit
        .args(["audit", "--audit-level=low"])
        .current_dir(paths::root());
    process::log_to(&mut audit, &log)?;
    println!("$ {}", words(&audit));
    let status = process::Child::start(&mut audit)?.wait(|| {})?;
    let output = process::tail(&log, 60);
    if status.success() {
        return Ok(());
    }
    // A mirror of the registry may have packages without this service.
    if output.contains("audit endpoint returned an error") {
        println!(
            "the npm registry here offers no audit: known holes of npm packages are not looked at"
        );
        return Ok(());
    }
    println!("{output}");
    Err(failed(&audit))
}

fn reachable(host: &str) -> bool {
    let addresses = host.to_socket_addrs();
    addresses.is_ok_and(|mut addresses| {
        addresses
            .any(|address| TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok())
    })
}

/// The browser tests, from inside their network.
pub fn browser_tests() -> Result<()> {
    namespace::set_up()?;
    let state = paths::local().join("test");
    // Each run starts with empty databases.
    let _ = fs::remove_dir_all(&state);
    let options = Options {
        regions: 3,
        port: 8787,
        media_ip: namespace::MEDIA_IP,
        wan: false,
        worker_state: state.join("worker"),
        state: state.clone(),
        program: build::node(Profile::Dev),
    };
    let started = Instant::now();
    let mut stack = Stack::start(&options, &mut Progress::new(stack::STEPS))?;
    println!(
        "Start-up of the Worker and three nodes: {:.1} s",
        started.elapsed().as_secs_f32()
    );
    let mut command = npm_script("test", "@connect/tests-browser");
    command
        .env("CONNECT_URL", stack.url())
        .env("CONNECT_STACK", stack.file());
    let outcome = process::Child::start(&mut command).and_then(|mut tests| {
        loop {
            stack.tend()?;
            if let Some(status) = tests.ended() {
                return if status.success() {
                    Ok(())
                } else {
                    Err(failed(&command))
                };
            }
            process::tick();
        }
    });
    stack.stop();
    outcome
}

fn cargo(arguments: &[&str]) -> Result<()> {
    show(Command::new("cargo").args(arguments))
}

fn npx(program: &str, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(paths::npm_bin(program));
    command.args(arguments).env("PATH", paths::path_with_npm());
    show(&mut command)
}

fn npm_script(script: &str, workspace: &str) -> Command {
    let mut command = Command::new("npm");
    command
        .args(["run", "--silent", script, "--workspace", workspace])
        .current_dir(paths::root());
    command
}

fn npm_scripts(script: &str, workspaces: &[&str]) -> Result<()> {
    workspaces
        .iter()
        .try_for_each(|workspace| show(&mut npm_script(script, workspace)))
}

/// Runs a command before everybody's eyes.
pub fn show(command: &mut Command) -> Result<()> {
    let started = Instant::now();
    println!("$ {}", words(command));
    let status = process::Child::start(command.current_dir(paths::root()))?.wait(|| {})?;
    println!("  {:.1} s", started.elapsed().as_secs_f32());
    if status.success() {
        Ok(())
    } else {
        Err(failed(command))
    }
}

fn failed(command: &Command) -> Failure {
    Failure::new(format!("failed: {}", words(command)), "")
}

fn words(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or_default().to_owned();
    let arguments = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned());
    std::iter::once(name)
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}
