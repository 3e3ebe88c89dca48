//! Where things are: the checkout, the caches, the logs.

use std::env;
use std::path::{Path, PathBuf};

/// The top folder of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

/// Cargo's output folder.
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// Where tools are kept between checkouts: `$XDG_CACHE_HOME/connect`, or `~/.cache/connect`.
pub fn cache() -> PathBuf {
    let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = env::var_os("HOME").map(PathBuf::from);
    match (base, home) {
        (Some(base), _) if base.is_absolute() => base.join("connect"),
        (_, Some(home)) => home.join(".cache/connect"),
        _ => local().join("cache"),
    }
}

/// What a run of Connect leaves in the checkout, apart from wrangler's own state.
pub fn local() -> PathBuf {
    root().join(".connect")
}

/// Where wrangler keeps the state of the Durable Objects: accounts, rooms, chat.
pub fn accounts() -> PathBuf {
    root().join(".wrangler/state")
}

/// The log of a step or a process.
pub fn log(name: &str) -> PathBuf {
    local().join("logs").join(format!("{name}.log"))
}

/// A program that npm installed.
pub fn npm_bin(name: &str) -> PathBuf {
    root().join("node_modules/.bin").join(name)
}

/// PATH with the programs of npm first, so that `node` is the version that `package.json` asks for.
pub fn path_with_npm() -> std::ffi::OsString {
    let mut path = root().join("node_modules/.bin").into_os_string();
    if let Some(rest) = env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    path
}

/// The full path of a program in PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}
