//! `cargo xtask bench`: builds the media node and the bots for release, and measures the node in known shapes.

use std::io;
use std::process::{Command, Stdio};

use crate::build;
use crate::failure::{Failure, Result};
use crate::namespace;
use crate::paths;
use crate::process::Child;
use crate::progress::{Outcome, Progress};

/// What to measure.
pub struct Arguments {
    /// Names of shapes; all if there are none.
    pub shapes: Vec<String>,
    /// Seconds to measure each shape.
    pub seconds: u16,
    /// The server to measure beside ours.
    pub beside: Option<String>,
}

/// Builds and measures; figures go to the terminal and to `target/bench-history.jsonl`.
pub fn run(arguments: &Arguments) -> Result<()> {
    let progress = Progress::new(1);
    progress.step("Building the media node and the bots", |step| {
        let mut command = Command::new("cargo");
        command
            .args(["build", "--release"])
            .args(build::PACKAGES)
            .args(["--bin", "sfu-node", "--bin", "loadtest"])
            .current_dir(paths::root());
        step.run(&mut command, "bench-build")?;
        Ok(Outcome::Done)
    })?;
    let program = paths::target().join("release/loadtest");
    let mut command = match &arguments.beside {
        None => Command::new(program),
        // Other servers leave out loopback, so there has to be another address.
        Some(_) => {
            let mut command = namespace::command(&["within"])?;
            command.arg(program);
            command
        }
    };
    command
        .arg("bench")
        .arg("--node")
        .arg(build::node(build::Profile::Release))
        .arg("--history")
        .arg(paths::target().join("bench-history.jsonl"))
        .args(["--seconds", &arguments.seconds.to_string()])
        .args([
            "--commit",
            &said_by("git", &["describe", "--always", "--dirty"])?,
        ])
        .args(["--date", &said_by("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"])?])
        .current_dir(paths::root());
    if let Some(other) = &arguments.beside {
        let address = namespace::MEDIA_IP.to_string();
        command.args(["--beside", other, "--bind", &address]);
    }
    for shape in &arguments.shapes {
        command.args(["--shape", shape]);
    }
    let status = Child::start(&mut command)?.wait(|| ())?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(
        format!("the measurement ended with {status}"),
        "what it printed says why",
    ))
}

/// The output of a short command.
fn said_by(program: &str, arguments: &[&str]) -> Result<String> {
    let failed = |error: io::Error| Failure::new(format!("`{program}` failed: {error}"), "");
    let output = Command::new(program)
        .args(arguments)
        .current_dir(paths::root())
        .stderr(Stdio::null())
        .output()
        .map_err(failed)?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
