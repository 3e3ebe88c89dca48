//! The tests with WebRTC stacks that are neither a browser's nor ours: each calls through a real media node.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build::{self, Profile};
use crate::command::{npm_script, npm_scripts, show};
use crate::failure::Result;
use crate::paths;
use crate::progress::{Outcome, Progress, Step};
use crate::stamp::Stamp;

/// The npm workspace of the tests.
const WORKSPACE: &str = "@connect/tests-interop";
/// Where Go's own archive puts it, which is in few people's PATH.
const GO: &str = "/usr/local/go/bin/go";

/// Builds the node, and pion's program where there is Go; runs the tests.
pub fn run() -> Result<()> {
    let go = go();
    let progress = Progress::new(1 + usize::from(go.is_some()));
    progress.step("media node", |step| build::build_node(step, Profile::Dev))?;
    npm_scripts("check", &[WORKSPACE])?;
    let mut command = npm_script("test", WORKSPACE);
    command.env("CONNECT_NODE", build::node(Profile::Dev));
    if let Some(go) = go {
        progress.step("pion", |step| build_pion(step, &go))?;
        command.env("CONNECT_PION", pion());
    }
    show(&mut command)
}

/// What is to be said of a run at its end.
pub fn remark() -> Option<&'static str> {
    go().is_none().then_some(
        "interop: pion was not run, since there is no Go here (https://go.dev/doc/install)",
    )
}

/// The Go that builds pion's program, where there is one.
pub fn go() -> Option<PathBuf> {
    paths::find("go").or_else(|| Path::new(GO).exists().then(|| GO.into()))
}

/// pion's program.
fn pion() -> PathBuf {
    paths::target().join("interop/pion")
}

fn build_pion(step: &Step, go: &Path) -> Result<Outcome> {
    let stamp = Stamp::of("pion", pion(), &["tests/interop/pion"])?;
    if stamp.holds() {
        return Ok(Outcome::UpToDate);
    }
    step.run(
        Command::new(go)
            .args(["build", "-o"])
            .arg(pion())
            .arg(".")
            // No other Go than this one, and no modules but those of go.sum.
            .env("GOTOOLCHAIN", "local")
            .env("GOFLAGS", "-mod=readonly")
            .current_dir(paths::root().join("tests/interop/pion")),
        "pion",
    )?;
    stamp.write()?;
    Ok(Outcome::Done)
}
