//! The Rust toolchain for the Worker: rustup's wasm target, or where that cannot be had, one made from Debian's packages.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::progress::{Outcome, Step};
use crate::{apt, paths};

/// The target of the Worker.
pub const TARGET: &str = "wasm32-unknown-unknown";
/// Debian's Rust for web browsers: recent, and built with the wasm backend.
const PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
/// Set to `debian` to use the second way though the first would work.
const CHOICE: &str = "CONNECT_WASM_TOOLCHAIN";

/// Which Rust builds the Worker.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Toolchain {
    /// rustup's, with its target.
    Rustup,
    /// Debian's, with a standard library that was built here.
    Debian,
}

impl Toolchain {
    /// The one that is ready to build for wasm.
    pub fn ready() -> Option<Self> {
        let forced = env::var_os(CHOICE).is_some_and(|choice| choice == "debian");
        if !forced && sysroot("rustc").is_some_and(|root| has_std(&root)) {
            return Some(Self::Rustup);
        }
        let debian = sysroot(DEBIAN_RUSTC).is_some_and(|root| has_std(&root));
        debian.then_some(Self::Debian)
    }

    /// Makes a command, and the cargo that it calls, use this toolchain.
    pub fn apply(self, command: &mut Command) -> Result<()> {
        if self == Self::Debian {
            let mut path = std::ffi::OsString::from("/usr/bin:");
            path.push(env::var_os("PATH").unwrap_or_default());
            command
                .env("PATH", path)
                .env_remove("RUSTUP_TOOLCHAIN")
                .env("CARGO", "/usr/bin/cargo")
                .env("RUSTC", DEBIAN_RUSTC)
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", rust_lld()?);
        }
        Ok(())
    }
}

/// Makes sure that some toolchain can build for wasm.
pub fn ensure(step: &Step) -> Result<Outcome> {
    if Toolchain::ready().is_some() {
        return Ok(Outcome::UpToDate);
    }
    if env::var_os(CHOICE).is_none_or(|choice| choice != "debian") {
        let added = step.run(
            Command::new("rustup").args(["target", "add", TARGET]),
            "rustup",
        );
        match added {
            Ok(()) => return Ok(Outcome::Done),
            Err(Failure::Interrupted) => return Err(Failure::Interrupted),
            Err(_) => step.say(
                "rustup cannot fetch the wasm target here; building it from Debian's Rust instead (about two minutes)",
            ),
        }
    }
    apt::install(step, &PACKAGES)?;
    build_std(step)?;
    Ok(Outcome::Done)
}

/// Builds the standard library for wasm, by building an empty crate with it, and puts it where Debian's rustc looks.
fn build_std(step: &Step) -> Result<()> {
    let folder = paths::cache().join("wasm-std");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| Failure::file("write", &path, &error))
    };
    write(
        "Cargo.toml",
        "[package]\nname = \"empty\"\nedition = \"2024\"\n\n[workspace]\n",
    )?;
    write("src/lib.rs", "#![no_std]\n")?;
    step.run(
        Command::new("/usr/bin/cargo")
            .args([
                "build",
                "--release",
                "-Zbuild-std=std,panic_abort",
                "--target",
                TARGET,
            ])
            .current_dir(&folder)
            .env_remove("RUSTUP_TOOLCHAIN")
            .env("CARGO_TARGET_DIR", folder.join("target"))
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", "-Cembed-bitcode=yes")
            .env("RUSTC", DEBIAN_RUSTC),
        "wasm-std",
    )?;
    let root =
        sysroot(DEBIAN_RUSTC).ok_or_else(|| Failure::new("Debian's rustc does not answer", ""))?;
    let from = folder.join("target").join(TARGET).join("release/deps");
    let to = root.join("lib/rustlib").join(TARGET).join("lib");
    let libraries = fs::read_dir(&from).map_err(|error| Failure::file("read", &from, &error))?;
    fs::create_dir_all(&to).map_err(|error| Failure::file("create", &to, &error))?;
    for library in libraries.flatten().map(|entry| entry.path()) {
        let name = library.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".rlib") && !name.starts_with("libempty-") {
            fs::copy(&library, to.join(&*name))
                .map_err(|error| Failure::file("write to", &to, &error))?;
        }
    }
    Ok(())
}

/// The linker for wasm. Debian's packages have none; every rustup toolchain has.
fn rust_lld() -> Result<PathBuf> {
    let host = format!(
        "lib/rustlib/{}-unknown-linux-gnu/bin/rust-lld",
        env::consts::ARCH
    );
    sysroot("rustc")
        .map(|root| root.join(host))
        .filter(|path| path.is_file())
        .or_else(|| paths::find("rust-lld"))
        .ok_or_else(|| {
            Failure::new(
                "no rust-lld, the linker for wasm",
                "install a Rust toolchain by rustup (https://rustup.rs), which brings it",
            )
        })
}

fn sysroot(rustc: &str) -> Option<PathBuf> {
    let output = Command::new(rustc)
        .args(["--print", "sysroot"])
        .current_dir(paths::root())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(text.trim()))
}

fn has_std(sysroot: &Path) -> bool {
    let folder = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    fs::read_dir(folder).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
    })
}
