//! Builds: the Worker, the web app, the media node, side by side; each only when its sources have changed.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::Result;
use crate::progress::{Outcome, Progress, Step};
use crate::stamp::Stamp;
use crate::{hasher, paths, setup, worker};

/// How many steps [`all`] takes.
pub const STEPS: usize = worker::STEPS + 3;

/// Packages that cargo compiles for this machine. Every call that compiles names exactly these: the features of shared
/// dependencies follow from what is named (and from whether tests are), and with others they would be compiled again. The fuzz
/// targets open doors in the engine that no node is to have.
pub const PACKAGES: [&str; 5] = ["--workspace", "--exclude", "edge", "--exclude", "fuzz"];

/// How the media node is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// As the tests are: quick to build, and dependencies optimized.
    Dev,
    /// For production and measurements.
    Release,
}

/// `cargo xtask build`.
pub fn run(release: bool) -> Result<()> {
    let profile = if release {
        Profile::Release
    } else {
        Profile::Dev
    };
    all(&Progress::new(STEPS), profile)?;
    println!(
        "The Worker is in edge/build/, the web app in web/app/dist/, the node is {}, the hasher {}",
        node(profile).display(),
        program(hasher::PROGRAM, profile).display()
    );
    Ok(())
}

/// Installs what the builds need, and builds everything.
pub fn all(progress: &Progress, profile: Profile) -> Result<()> {
    // Before minutes are spent on the rest.
    setup::require_npm()?;
    progress.side_by_side(vec![
        worker::compiling(progress),
        Box::new(|| {
            progress.step("media node", |step| build_node(step, profile))?;
            progress.step("glue", worker::build_glue)
        }),
        Box::new(|| {
            setup::npm(progress)?;
            progress.step("web app", build_web)
        }),
    ])?;
    progress.step("Worker's modules", worker::join)
}

/// The media node's program.
pub fn node(profile: Profile) -> PathBuf {
    program("sfu-node", profile)
}

/// A program of ours.
pub fn program(name: &str, profile: Profile) -> PathBuf {
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => "release",
    };
    paths::target().join(folder).join(name)
}

/// What the web app was built from.
pub fn web_stamp() -> Result<Stamp> {
    let output = paths::root().join("web/app/dist/index.html");
    Stamp::of("web", output, &["package-lock.json", "web"])
}

/// Builds the web app into `web/app/dist/`.
fn build_web(step: &Step) -> Result<Outcome> {
    let stamp = web_stamp()?;
    if stamp.holds() {
        return Ok(Outcome::UpToDate);
    }
    step.run(
        Command::new("npm")
            .args(["run", "build", "--workspace", "@connect/app"])
            .current_dir(paths::root()),
        "web-build",
    )?;
    stamp.write()?;
    Ok(Outcome::Done)
}

/// What the media node was built from.
pub fn node_stamp(profile: Profile) -> Result<Stamp> {
    let name = match profile {
        Profile::Dev => "node",
        Profile::Release => "node-release",
    };
    Stamp::of(
        name,
        node(profile),
        &[
            "Cargo.toml",
            "Cargo.lock",
            "rust-toolchain.toml",
            ".cargo/config.toml",
            "protocol",
            "sfu-node",
            "edge/hasher",
        ],
    )
}

/// Builds the media node, and the hasher with it.
pub fn build_node(step: &Step, profile: Profile) -> Result<Outcome> {
    let stamp = node_stamp(profile)?;
    if stamp.holds() && program(hasher::PROGRAM, profile).exists() {
        return Ok(Outcome::UpToDate);
    }
    let programs: &[&str] = match profile {
        // Small, and by the same call: cargo compiles them beside the long crates that the node ends with.
        Profile::Dev => &["sfu-node", hasher::PROGRAM, worker::GLUE],
        Profile::Release => &["sfu-node", hasher::PROGRAM],
    };
    cargo_build(step, programs, profile, "node-build")?;
    stamp.write()?;
    Ok(Outcome::Done)
}

/// Compiles programs for this machine.
pub fn cargo_build(step: &Step, programs: &[&str], profile: Profile, log: &str) -> Result<()> {
    let mut command = Command::new("cargo");
    command
        .arg("build")
        .args(PACKAGES)
        .args(programs.iter().flat_map(|program| ["--bin", program]))
        .current_dir(paths::root());
    if profile == Profile::Release {
        command.arg("--release");
    } else {
        // A test beside it (the smallest one), so that features are those of the tests.
        command.args(["--test", "manifests"]);
    }
    show_progress(&mut command);
    step.run(&mut command, log)
}

/// Makes cargo write how far it is, though nobody looks at its output itself.
pub fn show_progress(command: &mut Command) {
    command
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "100")
        .env("CARGO_TERM_COLOR", "never");
}
