//! Builds: the Worker, the web app, the media node; each only when its sources have changed.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::progress::{Outcome, Progress, Step};
use crate::stamp::Stamp;
use crate::wasm::Toolchain;
use crate::{paths, setup};

/// How many steps [`all`] takes.
pub const STEPS: usize = 3;

/// Packages that cargo compiles for this machine. Every call that compiles names exactly these: the features of shared
/// dependencies follow from what is named (and from whether tests are), and with others they would be compiled again.
pub const PACKAGES: [&str; 3] = ["--workspace", "--exclude", "edge"];

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
    let mut progress = Progress::new(setup::STEPS + STEPS);
    setup::tools(&mut progress)?;
    all(&mut progress, profile)?;
    println!(
        "The Worker is in edge/build/, the web app in web/app/dist/, the node is {}",
        node(profile).display()
    );
    Ok(())
}

/// Builds everything.
pub fn all(progress: &mut Progress, profile: Profile) -> Result<()> {
    progress.step("Building the Worker", build_worker)?;
    progress.step("Building the web app", build_web)?;
    progress.step("Building the media node", |step| build_node(step, profile))
}

/// The media node's program.
pub fn node(profile: Profile) -> PathBuf {
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => "release",
    };
    paths::target().join(folder).join("sfu-node")
}

/// Builds the Worker into `edge/build/`.
pub fn build_worker(step: &mut Step) -> Result<Outcome> {
    let stamp = Stamp::of(
        "worker",
        &[
            "Cargo.toml",
            "Cargo.lock",
            "rust-toolchain.toml",
            ".cargo/config.toml",
            "protocol",
            "edge",
        ],
    )?;
    if stamp.holds(&paths::root().join("edge/build/index_bg.wasm")) {
        return Ok(Outcome::UpToDate);
    }
    let toolchain = Toolchain::ready().ok_or_else(|| {
        Failure::new(
            "no Rust toolchain here can build for wasm",
            "run `cargo xtask build`, which installs one",
        )
    })?;
    let bindgen = setup::tool("wasm-bindgen-cli", &setup::locked_version("wasm-bindgen")?);
    let program =
        setup::tool("worker-build", &setup::locked_version("worker")?).join("worker-build");
    let mut command = Command::new(program);
    command
        .args(["--profile", "worker"])
        .current_dir(paths::root().join("edge"))
        .env("PATH", paths::path_with_npm())
        // With these three it downloads nothing.
        .env("WASM_BINDGEN_BIN", bindgen.join("wasm-bindgen"))
        .env("WASM_OPT_BIN", paths::npm_bin("wasm-opt"))
        .env("ESBUILD_BIN", paths::npm_bin("esbuild"));
    toolchain.apply(&mut command)?;
    step.run(&mut command, "worker-build")?;
    stamp.write()?;
    Ok(Outcome::Done)
}

/// Builds the web app into `web/app/dist/`.
pub fn build_web(step: &mut Step) -> Result<Outcome> {
    let stamp = Stamp::of("web", &["package-lock.json", "web"])?;
    if stamp.holds(&paths::root().join("web/app/dist/index.html")) {
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

/// Builds the media node.
pub fn build_node(step: &mut Step, profile: Profile) -> Result<Outcome> {
    let name = match profile {
        Profile::Dev => "node",
        Profile::Release => "node-release",
    };
    let stamp = Stamp::of(
        name,
        &[
            "Cargo.toml",
            "Cargo.lock",
            "rust-toolchain.toml",
            ".cargo/config.toml",
            "protocol",
            "sfu-node",
        ],
    )?;
    if stamp.holds(&node(profile)) {
        return Ok(Outcome::UpToDate);
    }
    let mut command = Command::new("cargo");
    command
        .arg("build")
        .args(PACKAGES)
        .args(["--bin", "sfu-node"])
        .current_dir(paths::root());
    if profile == Profile::Release {
        command.arg("--release");
    } else {
        // A test beside it (the smallest one), so that features are those of the tests.
        command.args(["--test", "manifests"]);
    }
    step.run(&mut command, "node-build")?;
    stamp.write()?;
    Ok(Outcome::Done)
}
