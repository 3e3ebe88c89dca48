//! Debian packages: installed where that can be, named where it cannot.

use std::process::Command;

use crate::failure::{Failure, Result};
use crate::paths;
use crate::progress::Step;

/// Installs Debian packages.
pub fn install(step: &Step, packages: &[&str]) -> Result<()> {
    let command = format!(
        "apt-get install --no-install-recommends {}",
        packages.join(" ")
    );
    if paths::find("apt-get").is_none() {
        return Err(Failure::new(
            format!(
                "{} missing, and there is no apt-get to install it with",
                packages.join(", ")
            ),
            "install it by your system's own means, then run this again",
        ));
    }
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::new(
            format!(
                "{} missing, and installing it takes root",
                packages.join(", ")
            ),
            format!("run `sudo apt-get update && sudo {command}`, then run this again"),
        ));
    }
    step.say(&format!("installing {} by apt", packages.join(", ")));
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(packages);
    // The package lists may be missing or old: fetch them only if the first try fails.
    match step.run(&mut apt(&install), "apt") {
        Ok(()) => Ok(()),
        Err(Failure::Interrupted) => Err(Failure::Interrupted),
        Err(_) => {
            step.run(&mut apt(&["update"]), "apt-update")?;
            step.run(&mut apt(&install), "apt")
        }
    }
}
