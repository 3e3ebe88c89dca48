//! A private network for browser tests and comparisons: nothing else on the machine can be reached from it, nor reach it.

use std::env;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::process::Child;
use crate::setup;

/// The only address besides loopback. Firefox gathers no loopback candidate, so media needs one.
pub const MEDIA_IP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1));

/// A command that runs this program with other arguments, inside. Its processes end with it, whatever they do.
pub fn command(arguments: &[&str]) -> Result<Command> {
    let mut flags = vec![
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ];
    if !rustix::process::geteuid().is_root() {
        flags.push("--map-root-user");
    }
    if !setup::quiet(Command::new("unshare").args(&flags).arg("true")) {
        return Err(Failure::new(
            format!("`unshare {}` does not work here", flags.join(" ")),
            "the browser tests need a private network: run as root, or allow it with `sudo sysctl -w kernel.unprivileged_userns_clone=1`",
        ));
    }
    let program = env::current_exe()
        .map_err(|error| Failure::new(format!("cannot find this program: {error}"), ""))?;
    let mut command = Command::new("unshare");
    command.args(&flags).arg(program).args(arguments);
    Ok(command)
}

/// Sets the network up and runs a program in it, from inside.
pub fn run(words: &[&String]) -> Result<()> {
    set_up()?;
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| Failure::new("there is no program to run", ""))?;
    let status = Child::start(Command::new(program).args(arguments))?.wait(|| {})?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(
        format!("{program} ended with {status}"),
        "what it printed says why",
    ))
}

/// Sets the network up, from inside.
pub fn set_up() -> Result<()> {
    let address = format!("{MEDIA_IP}/24");
    for arguments in [
        &["link", "set", "lo", "up"][..],
        &["link", "add", "d0", "type", "veth", "peer", "name", "d1"],
        &["link", "set", "d1", "up"],
        &["address", "add", &address, "dev", "d0"],
        &["link", "set", "d0", "up"],
        &["route", "add", "default", "dev", "d0"],
    ] {
        let mut command = Command::new("ip");
        command.args(arguments);
        if let Some(path) = env::var_os("PATH") {
            // Debian keeps `ip` where users do not look.
            let mut path = path;
            path.push(":/usr/sbin:/sbin");
            command.env("PATH", path);
        }
        if !setup::quiet(&mut command) {
            return Err(Failure::new(
                format!("`ip {}` failed", arguments.join(" ")),
                "install iproute2 (`apt-get install iproute2`)",
            ));
        }
    }
    Ok(())
}
