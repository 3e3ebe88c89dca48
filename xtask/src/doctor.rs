//! `cargo xtask doctor`: what is there, what is missing, and what to do about it. It looks, and changes nothing.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::build::{self, Profile};
use crate::failure::{Failure, Result};
use crate::secrets::Secrets;
use crate::stamp::Stamp;
use crate::wasm::Toolchain;
use crate::{interop, network, paths, process, setup, stack, wasm, worker};

/// Room on the disk that builds, packages and tools take, in kB.
const ROOM: u64 = 8_000_000;

/// How something is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// As it should be.
    Good,
    /// Not there yet, or old; a command sees to it by itself.
    ToCome,
    /// Nothing stands still for want of it.
    Note,
    /// Somebody has to see to it.
    Missing,
}

/// What was found of one thing.
struct Finding {
    state: State,
    name: &'static str,
    text: String,
}

impl Finding {
    fn new(state: State, name: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { state, name, text }
    }

    fn show(&self) {
        let mark = match self.state {
            State::Good => "ok",
            State::ToCome => "to come",
            State::Note => "note",
            State::Missing => "MISSING",
        };
        println!("  {mark:<8} {:<16} {}", self.name, self.text);
    }
}

/// Looks, and says what it saw.
pub fn run() -> Result<()> {
    let mut missing = false;
    for (title, findings) in examine() {
        println!("{title}");
        findings.iter().for_each(Finding::show);
        missing |= findings.iter().any(|found| found.state == State::Missing);
    }
    println!("\nNothing was changed.");
    if missing {
        return Err(Failure::new(
            "something is missing that `cargo xtask` cannot bring by itself",
            "see to the lines marked MISSING, then look again",
        ));
    }
    Ok(())
}

fn examine() -> [(&'static str, Vec<Finding>); 3] {
    [
        (
            "To build and run",
            vec![rust(), wasm_target(), compiler(), node(), npm(), disk()],
        ),
        (
            "In this checkout",
            vec![
                built("npm packages", setup::npm_stamp()),
                built("Worker", worker::stamp()),
                built("web app", build::web_stamp()),
                built("media node", build::node_stamp(Profile::Dev)),
                secrets(),
                id_key(&Secrets::of(&paths::accounts())),
                running(),
                address(),
            ],
        ),
        (
            "For tests, --lan and load",
            vec![
                program("Chromium", &setup::chromium(), "test --only browser"),
                program("Firefox", &setup::firefox(), "test --only browser"),
                by_name("valgrind", "test --only instructions"),
                by_name("turnserver", "test --only edge"),
                program("cargo-deny", &setup::cargo_deny(), "test --only deny"),
                by_name("python3", "test --only deny"),
                by_name("unshare", "test --only browser"),
                by_name("openssl", "dev --lan"),
                go(),
                program("k6", &setup::k6(), "load"),
            ],
        ),
    ]
}

fn rust() -> Finding {
    let wanted = fs::read_to_string(paths::root().join("rust-toolchain.toml")).unwrap_or_default();
    let wanted = wanted
        .lines()
        .find_map(|line| line.strip_prefix("channel = "));
    let wanted = wanted.unwrap_or_default().trim_matches('"');
    match said_by("rustc", &["--version"]) {
        Some(said) if said.contains(wanted) => Finding::new(State::Good, "Rust", said),
        Some(said) => Finding::new(
            State::Note,
            "Rust",
            format!(
                "{said}; tested with {wanted}, which `rustup toolchain install {wanted}` brings"
            ),
        ),
        None => Finding::new(State::Missing, "Rust", "install it: https://rustup.rs"),
    }
}

fn wasm_target() -> Finding {
    let name = "wasm target";
    match Toolchain::ready() {
        Some(Toolchain::Rustup) => Finding::new(State::Good, name, wasm::TARGET),
        Some(Toolchain::Debian) => Finding::new(State::Good, name, "of Debian's Rust"),
        None => Finding::new(
            State::ToCome,
            name,
            "`cargo xtask dev` adds it by rustup, or builds it from Debian's Rust",
        ),
    }
}

fn compiler() -> Finding {
    match said_by("cc", &["--version"]) {
        Some(said) => Finding::new(State::Good, "C compiler", said),
        None => Finding::new(
            State::Missing,
            "C compiler",
            "`apt-get install build-essential`, or your system's like of it",
        ),
    }
}

fn node() -> Finding {
    let Some(said) = said_by("node", &["--version"]) else {
        return Finding::new(State::Missing, "Node.js", process::INSTALL_NODE);
    };
    if is_recent(&said) {
        return Finding::new(State::Good, "Node.js", said);
    }
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Finding::new(
            State::ToCome,
            "Node.js",
            format!("{said}; npm installs a newer one into the checkout"),
        );
    }
    let text = format!("{said} is too old: {}", process::INSTALL_NODE);
    Finding::new(State::Missing, "Node.js", text)
}

/// Whether a release runs what is here: see `engines` in `package.json`.
fn is_recent(version: &str) -> bool {
    let mut parts = version
        .trim_start_matches('v')
        .split('.')
        .map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= (22, 18),
        _ => false,
    }
}

fn npm() -> Finding {
    match said_by("npm", &["--version"]) {
        Some(said) => Finding::new(State::Good, "npm", said),
        None => Finding::new(State::Missing, "npm", process::INSTALL_NODE),
    }
}

fn disk() -> Finding {
    let root = paths::root().display().to_string();
    let said = Command::new("df")
        .args(["-Pk", &root])
        .stderr(Stdio::null())
        .output();
    let text = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let free = text.ok().and_then(|text| {
        let line = text.lines().nth(1)?;
        line.split_whitespace().nth(3)?.parse::<u64>().ok()
    });
    match free {
        Some(free) if free < ROOM => Finding::new(
            State::Note,
            "disk",
            format!(
                "{} GB free; a first build takes up to {}",
                free / 1_000_000,
                ROOM / 1_000_000
            ),
        ),
        Some(free) => Finding::new(State::Good, "disk", format!("{} GB free", free / 1_000_000)),
        None => Finding::new(State::Note, "disk", "`df` does not say how much is free"),
    }
}

fn built(name: &'static str, stamp: Result<Stamp>) -> Finding {
    match stamp {
        Ok(stamp) if stamp.holds() => Finding::new(State::Good, name, "up to date"),
        Ok(_) => Finding::new(
            State::ToCome,
            name,
            "`cargo xtask dev` makes it, or makes it anew",
        ),
        Err(failure) => Finding::new(State::Missing, name, failure.to_string()),
    }
}

fn secrets() -> Finding {
    let path = Secrets::of(&paths::accounts()).keys;
    match fs::metadata(&path) {
        Ok(file) if file.permissions().mode() & 0o077 != 0 => Finding::new(
            State::Note,
            "secrets",
            ".dev.vars can be read by others: `chmod 600 .dev.vars`",
        ),
        Ok(_) => Finding::new(State::Good, "secrets", ".dev.vars"),
        Err(_) => Finding::new(
            State::ToCome,
            "secrets",
            "`cargo xtask dev` makes .dev.vars",
        ),
    }
}

fn id_key(secrets: &Secrets) -> Finding {
    let name = "id key";
    match secrets.id_key() {
        Err(failure) => Finding::new(State::Missing, name, failure.to_string()),
        Ok(_) if secrets.id.exists() => Finding::new(
            State::Good,
            name,
            ".wrangler/state/id-key.vars; keep it as long as the accounts beside it",
        ),
        Ok(_) => Finding::new(
            State::ToCome,
            name,
            "`cargo xtask dev` makes it, or takes that of an older .dev.vars",
        ),
    }
}

fn running() -> Finding {
    let lock = File::open(paths::local().join("lock"));
    let held =
        lock.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)));
    if held {
        let text = "Connect runs from this checkout: .connect/stack.json says where";
        return Finding::new(State::Note, "running", text);
    }
    match stack::check_port(8787) {
        Ok(()) => Finding::new(State::Good, "port 8787", "free"),
        Err(_) => Finding::new(
            State::Note,
            "port 8787",
            "busy: `ss -ltnp 'sport = :8787'` says who has it; `cargo xtask dev --port 8801` takes another",
        ),
    }
}

fn address() -> Finding {
    match network::own_address() {
        Some(address) => Finding::new(
            State::Good,
            "media address",
            format!("{address}, for every browser of this machine"),
        ),
        None => Finding::new(
            State::Note,
            "media address",
            "this machine is in no network: calls work in Chromium, not in Firefox",
        ),
    }
}

/// A program that a command installs when it needs it.
fn program(name: &'static str, path: &Path, command: &str) -> Finding {
    if path.exists() {
        return Finding::new(State::Good, name, path.display().to_string());
    }
    let text = format!("`cargo xtask {command}` installs it, or says how");
    Finding::new(State::ToCome, name, text)
}

/// What pion's part of the interop tests takes. Without it they run the other stacks.
fn go() -> Finding {
    match interop::go() {
        Some(path) => Finding::new(State::Good, "Go", path.display().to_string()),
        None => Finding::new(
            State::Note,
            "Go",
            "`cargo xtask test --only interop` leaves pion out: https://go.dev/doc/install",
        ),
    }
}

fn by_name(name: &'static str, command: &str) -> Finding {
    let path = paths::find(name);
    program(name, path.as_deref().unwrap_or(Path::new("")), command)
}

/// The first line that a program says, run where the checkout's toolchain counts, with the checkout's Node.js first.
fn said_by(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(paths::root())
        .env("PATH", paths::path_with_npm())
        // It would fetch what is not there.
        .env("RUSTUP_AUTO_INSTALL", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next()?.trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::time::SystemTime;

    /// What it could change: everything that `cargo xtask` writes, but for logs, which other tests write as well.
    fn state() -> Vec<(PathBuf, u64, Option<SystemTime>)> {
        let root = paths::root();
        let roots = [
            ".dev.vars",
            ".wrangler",
            ".connect",
            "edge/build",
            "web/app/dist",
            "Cargo.lock",
            "package-lock.json",
            "node_modules/.package-lock.json",
        ];
        let mut left: Vec<PathBuf> = roots.iter().map(|name| root.join(name)).collect();
        left.extend([paths::target().join("stamps"), paths::cache()]);
        let mut seen = Vec::new();
        while let Some(path) = left.pop() {
            let Ok(about) = fs::symlink_metadata(&path) else {
                continue;
            };
            if about.is_dir() {
                let entries = fs::read_dir(&path).into_iter().flatten().flatten();
                left.extend(
                    entries
                        .map(|entry| entry.path())
                        .filter(|path| !path.ends_with("logs")),
                );
            } else {
                seen.push((path, about.len(), about.modified().ok()));
            }
        }
        seen.sort();
        seen
    }

    #[test]
    fn it_changes_nothing() {
        let before = state();
        let found = examine();
        assert!(found.iter().all(|(_, findings)| !findings.is_empty()));
        assert_eq!(state(), before);
    }

    #[test]
    fn accounts_whose_key_is_gone_are_for_somebody_to_see_to() {
        let folder = std::env::temp_dir().join(format!("connect-doctor-{}", std::process::id()));
        let accounts = folder.join("v3/do/connect-UserObject");
        let secrets = Secrets {
            keys: folder.join(".dev.vars"),
            id: folder.join("id-key.vars"),
        };
        assert!(id_key(&secrets).state == State::ToCome);
        fs::create_dir_all(&accounts).unwrap();
        fs::write(accounts.join("1a2b.sqlite"), "").unwrap();
        assert!(id_key(&secrets).state == State::Missing);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_release_of_node_is_that_of_the_package() {
        let manifest = fs::read_to_string(paths::root().join("package.json")).unwrap();
        assert!(manifest.contains("\"node\": \">=22.18\""));
        for (version, is_enough) in [
            ("v22.18.0", true),
            ("v24.0.1", true),
            ("v22.17.9", false),
            ("v20.20.2", false),
            ("", false),
        ] {
            assert_eq!(is_recent(version), is_enough, "{version}");
        }
    }
}
