//! Commands that run before everybody's eyes: what is run, what it prints, and how long it took.

use std::io::stdout;
use std::process::Command;
use std::time::Instant;

use crate::failure::{Failure, Result};
use crate::{output, paths};

/// Runs a command before everybody's eyes.
pub fn show(command: &mut Command) -> Result<()> {
    let started = Instant::now();
    println!("$ {}", words(command));
    let (status, output) = output::show(command.current_dir(paths::root()), &mut stdout())?;
    println!("  {:.1} s", started.elapsed().as_secs_f32());
    if status.success() {
        Ok(())
    } else {
        Err(failed(command, output))
    }
}

/// Tells which command failed, after it printed this.
pub fn failed(command: &Command, output: String) -> Failure {
    Failure::Command {
        words: words(command),
        output,
    }
}

/// A command as it would be typed, without the folder of its program.
pub fn words(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or_default().to_owned();
    let arguments = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned());
    std::iter::once(name)
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs cargo.
pub fn cargo(arguments: &[&str]) -> Result<()> {
    show(Command::new("cargo").args(arguments))
}

/// Runs a program of an npm package.
pub fn npx(program: &str, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(paths::npm_bin(program));
    command.args(arguments).env("PATH", paths::path_with_npm());
    show(&mut command)
}

/// A script of a package, to be run.
pub fn npm_script(script: &str, workspace: &str) -> Command {
    let mut command = Command::new("npm");
    command
        .args(["run", "--silent", script, "--workspace", workspace])
        .current_dir(paths::root());
    command
}

/// Runs a script of several packages, one after the other.
pub fn npm_scripts(script: &str, workspaces: &[&str]) -> Result<()> {
    workspaces
        .iter()
        .try_for_each(|workspace| show(&mut npm_script(script, workspace)))
}
