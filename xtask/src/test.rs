//! `cargo xtask test`: every check there is, in groups, with a summary at the end.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::build::{self, Profile};
use crate::command::{cargo, npm_scripts, npx, show};
use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::wasm::{self, Toolchain};
use crate::{
    browser, dependencies, findings, instructions, interop, paths, process, setup, worker,
};

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
    /// WebRTC stacks that are neither a browser's nor ours, through a real node.
    Interop,
    /// Real browsers, real nodes, in a private network.
    Browser,
}

impl Group {
    /// All of them, in the order they run.
    pub const ALL: [Self; 11] = [
        Self::Fmt,
        Self::Deny,
        Self::Clippy,
        Self::House,
        Self::Unit,
        Self::Simulation,
        Self::Instructions,
        Self::Web,
        Self::Edge,
        Self::Interop,
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
            Self::Interop => "interop",
            Self::Browser => "browser",
        }
    }

    fn needs(self, need: Need) -> bool {
        use Group::*;
        match need {
            Need::WasmTarget => matches!(self, Clippy | Edge | Browser),
            Need::Npm => !matches!(self, House | Unit | Simulation | Instructions),
            Need::CargoDeny => self == Deny,
            Need::Valgrind => self == Instructions,
            Need::Browsers => self == Browser,
            Need::Turn => matches!(self, Edge | Browser),
            Need::Schemathesis => self == Edge,
        }
    }
}

/// What groups need installed.
#[derive(Clone, Copy)]
enum Need {
    WasmTarget,
    Npm,
    CargoDeny,
    Valgrind,
    Browsers,
    Turn,
    Schemathesis,
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
        results.push((*group, outcome, started.elapsed()));
    }
    summarize(&results)
}

fn summarize(results: &[(Group, Result<()>, Duration)]) -> Result<()> {
    println!("\n{:<12} {:<8} {:>7}", "group", "result", "time");
    for (group, outcome, time) in results {
        let result = if outcome.is_ok() { "passed" } else { "FAILED" };
        println!("{:<12} {result:<8} {:>5} s", group.name(), time.as_secs());
    }
    if results.iter().any(|(group, ..)| *group == Group::Interop)
        && let Some(remark) = interop::remark()
    {
        println!("{remark}");
    }
    let failed: Vec<(&str, &Failure)> = results
        .iter()
        .filter_map(|(group, outcome, _)| Some((group.name(), outcome.as_ref().err()?)))
        .collect();
    for (name, failure) in &failed {
        println!("\n── {name} {failure}");
        if let Failure::Command { output, .. } = failure {
            println!("{}", findings::of(output));
        }
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
    let steps = usize::from(needs(Need::WasmTarget))
        + usize::from(needs(Need::Npm))
        + usize::from(needs(Need::CargoDeny))
        + usize::from(needs(Need::Valgrind))
        + usize::from(needs(Need::Browsers))
        + usize::from(needs(Need::Turn))
        + usize::from(needs(Need::Schemathesis));
    let progress = Progress::new(steps);
    if needs(Need::WasmTarget) {
        progress.step("wasm target", wasm::ensure)?;
    }
    if needs(Need::Npm) {
        setup::npm(&progress)?;
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
    if needs(Need::Schemathesis) {
        progress.step("schemathesis", setup::schemathesis)?;
    }
    Ok(())
}

fn run_group(group: Group) -> Result<()> {
    match group {
        Group::Fmt => {
            cargo(&["fmt", "--all", "--check"])?;
            npx("biome", &["ci", "--colors=off", "."])
        }
        Group::Deny => dependencies::check(),
        Group::Clippy => clippy(),
        Group::House => cargo_test(&[], &["tests/house"]),
        Group::Unit => {
            cargo_test(
                &["--lib", "--bins"],
                &["edge/core", "sfu-node", "sfu-node/core", "loadtest"],
            )?;
            // What of the Worker needs no runtime: the tables of its objects.
            cargo(&["test", "--quiet", "--package", "edge", "--lib"])?;
            cargo(&["test", "--quiet", "--package", "fuzz"])
        }
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
            worker::build(&Progress::new(worker::STEPS))?;
            npm_scripts("check", &["@connect/tests-edge"])?;
            npm_scripts("test", &["@connect/tests-edge"])?;
            npm_scripts("size", &["@connect/tests-edge"])
        }
        Group::Interop => interop::run(),
        Group::Browser => {
            build::all(&Progress::new(build::STEPS), Profile::Dev)?;
            browser::run()
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
