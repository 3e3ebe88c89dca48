//! The browser tests, and the Connect in a private network that they meet.

use std::fs;
use std::time::Instant;

use crate::build::{self, Profile};
use crate::command::{failed, npm_script, show};
use crate::failure::Result;
use crate::progress::Progress;
use crate::stack::{self, Options, Stack};
use crate::{namespace, paths, process};

/// The name of the subcommand that is [`run_inside`].
pub const INSIDE: &str = "browser-tests";

/// Runs the tests in a network of their own.
pub fn run() -> Result<()> {
    show(&mut namespace::command(&[INSIDE])?)
}

/// Sets the network up and runs the tests, from inside.
pub fn run_inside() -> Result<()> {
    namespace::set_up()?;
    let state = paths::local().join("test");
    // Each run starts with empty databases.
    let _ = fs::remove_dir_all(&state);
    let options = Options {
        regions: 3,
        port: 8787,
        media_ip: namespace::MEDIA_IP,
        wan: false,
        worker_state: state.join("worker"),
        state: state.clone(),
        program: build::node(Profile::Dev),
    };
    let started = Instant::now();
    let mut stack = Stack::start(&options, &mut Progress::new(stack::STEPS))?;
    println!(
        "Start-up of the Worker and three nodes: {:.1} s",
        started.elapsed().as_secs_f32()
    );
    let mut command = npm_script("test", "@connect/tests-browser");
    command
        .env("CONNECT_URL", stack.url())
        .env("CONNECT_STACK", stack.file());
    let outcome = process::Child::start(&mut command).and_then(|mut tests| {
        loop {
            stack.tend()?;
            if let Some(status) = tests.ended() {
                return if status.success() {
                    Ok(())
                } else {
                    Err(failed(&command))
                };
            }
            process::tick();
        }
    });
    stack.stop();
    outcome
}
