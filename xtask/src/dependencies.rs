//! What is checked of dependencies: licenses, bans, known holes.

use std::net::{TcpStream, ToSocketAddrs};
use std::process::Command;
use std::time::Duration;

use crate::command::{failed, show, words};
use crate::failure::Result;
use crate::{log, paths, process, setup};

/// Dependencies in Rust, then those from npm.
pub fn check() -> Result<()> {
    cargo_deny()?;
    npm_audit()
}

fn cargo_deny() -> Result<()> {
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
    show(&mut command)
}

fn npm_audit() -> Result<()> {
    let log = paths::log("npm-audit");
    let mut audit = Command::new("npm");
    audit
        .args(["audit", "--audit-level=low"])
        .current_dir(paths::root());
    log::redirect(&mut audit, &log)?;
    println!("$ {}", words(&audit));
    let status = process::Child::start(&mut audit)?.wait(|| {})?;
    let output = log::tail(&log, 60);
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
    Err(failed(&audit, output))
}

fn reachable(host: &str) -> bool {
    let addresses = host.to_socket_addrs();
    addresses.is_ok_and(|mut addresses| {
        addresses
            .any(|address| TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok())
    })
}
