//! The Worker's build: compiled for wasm, given its JavaScript, and joined into the two files that workerd runs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::build;
use crate::failure::{Failure, Result};
use crate::progress::{Lane, Outcome, Progress, Step};
use crate::stamp::Stamp;
use crate::wasm::{self, Toolchain};
use crate::{hasher, paths};

/// The cargo profile, see `Cargo.toml`.
const PROFILE: &str = "worker";
/// The program that makes the Worker's JavaScript.
pub const GLUE: &str = "edge-glue";
/// The compiled Worker, as its JavaScript names it.
const WASM: &str = "index_bg.wasm";

/// How many steps [`build`] takes.
pub const STEPS: usize = 4;

/// Builds the Worker into `edge/build/`. The npm packages have to be there.
pub fn build(progress: &Progress) -> Result<()> {
    progress.side_by_side(vec![
        compiling(progress),
        Box::new(|| progress.step("glue", build_glue)),
    ])?;
    progress.step("Worker's modules", join)
}

/// The lane that compiles the Worker.
pub fn compiling(progress: &Progress) -> Lane<'_> {
    Box::new(|| {
        progress.step("wasm target", wasm::ensure)?;
        progress.step("Worker", compile)
    })
}

fn compile(step: &Step) -> Result<Outcome> {
    if stamp()?.holds() {
        return Ok(Outcome::UpToDate);
    }
    let toolchain = Toolchain::ready().ok_or_else(|| {
        Failure::new(
            "no Rust toolchain here can build for wasm",
            "run `cargo xtask build`, which installs one",
        )
    })?;
    let mut command = Command::new("cargo");
    command
        .args(["build", "--package", "edge", "--profile", PROFILE])
        .args(["--target", wasm::TARGET])
        .current_dir(paths::root())
        // What `worker` brings to await promises with, or every future would pass through a second crate that does.
        .env("WASM_BINDGEN_USE_JS_SYS", "1");
    toolchain.apply(&mut command)?;
    build::show_progress(&mut command);
    step.run(&mut command, "worker-build")?;
    Ok(Outcome::Done)
}

/// Builds the program that makes the Worker's JavaScript, and the one that hashes beside it.
pub fn build_glue(step: &Step) -> Result<Outcome> {
    if stamp()?.holds() && build::program(hasher::PROGRAM, build::Profile::Dev).exists() {
        return Ok(Outcome::UpToDate);
    }
    let programs = [GLUE, hasher::PROGRAM];
    build::cargo_build(step, &programs, build::Profile::Dev, "glue-build")?;
    Ok(Outcome::Done)
}

/// Makes the Worker's JavaScript, and joins it and the bindings into one module.
pub fn join(step: &Step) -> Result<Outcome> {
    let stamp = stamp()?;
    if stamp.holds() {
        return Ok(Outcome::UpToDate);
    }
    let (parts, output) = (paths::target().join("glue"), output());
    // Without what an earlier release may have left in them.
    for folder in [&parts, &output] {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))?;
    }
    let compiled = paths::target()
        .join(wasm::TARGET)
        .join(PROFILE)
        .join("edge.wasm");
    let mut glue = Command::new(paths::target().join("debug").join(GLUE));
    step.run(glue.arg(compiled).arg(&parts), "glue")?;
    let mut esbuild = Command::new(paths::npm_bin("esbuild"));
    esbuild
        .args(["worker.js", "--bundle", "--minify", "--format=esm"])
        // Both are the platform's to load.
        .args([
            format!("--external:./{WASM}"),
            "--external:cloudflare:*".into(),
        ])
        .arg(format!("--outfile={}", output.join("index.js").display()))
        .current_dir(&parts)
        // The modules do not lie where the packages are sought by themselves.
        .env("NODE_PATH", paths::root().join("node_modules"))
        .env("PATH", paths::path_with_npm());
    step.run(&mut esbuild, "esbuild")?;
    let (from, to) = (parts.join(WASM), output.join(WASM));
    fs::copy(from, &to).map_err(|error| Failure::file("write", &to, &error))?;
    stamp.write()?;
    Ok(Outcome::Done)
}

fn output() -> PathBuf {
    paths::root().join("edge/build")
}

/// What the Worker was built from.
pub fn stamp() -> Result<Stamp> {
    Stamp::of(
        "worker",
        output().join(WASM),
        &[
            "Cargo.toml",
            "Cargo.lock",
            "rust-toolchain.toml",
            ".cargo/config.toml",
            "protocol",
            "edge",
            "package-lock.json",
        ],
    )
}
