//! The browser tests, and the Connect in a private network that they meet.

use std::fs;
use std::time::Instant;

use crate::build::{self, Profile};
use crate::command::{failed, npm_script, show};
use crate::failure::Result;
use crate::progress::Progress;
use crate::stack::{self, Options, Runtime, Stack};
use crate::{namespace, paths, secrets};

/// The name of the subcommand that is [`run_inside`].
pub const INSIDE: &str = "browser-tests";

/// Where one of the tests collects spans. While the others run, nobody is there.
const COLLECTOR: &str = "http://127.0.0.1:4318";

/// Where one of the tests has a provider of single sign-on. While the others run, nobody is there.
const PROVIDER: &str = r#"[{
    "id": "acme", "name": "Acme", "issuer": "http://127.0.0.1:4320", "clientId": "connect", "clientSecret": "s:e/c+r%t~",
    "scopes": "openid profile email groups", "roles": [{ "claim": "groups", "value": "staff", "role": "moderator" }]
}]"#;

/// Runs the tests in a network of their own.
pub fn run() -> Result<()> {
    show(&mut namespace::command(&[INSIDE])?)
}

/// Where the tests start a TURN server: nothing else listens in their network.
const TURN_PORT: u16 = 3478;
/// The port of the Worker.
const PORT: u16 = 8787;

/// Sets the network up and runs the tests, from inside.
pub fn run_inside() -> Result<()> {
    namespace::set_up()?;
    // One after the other, the second only after the first: what it starts writes the same logs anew.
    let variables = vec![("CONNECT_OIDC", PROVIDER.to_owned())];
    run_against("test", 3, variables)?;
    let turn = format!("turn:{}:{TURN_PORT}", namespace::MEDIA_IP);
    let variables = vec![
        ("CONNECT_TURN_URLS", turn),
        ("CONNECT_TURN_SECRET", secrets::random_key()?),
    ];
    run_against("test:turn", 1, variables)
}

/// Starts a Connect of so many regions, whose Worker has these variables, and runs a script of the tests that has them, too.
fn run_against(
    script: &str,
    regions: usize,
    mut variables: Vec<(&'static str, String)>,
) -> Result<()> {
    let state = paths::local().join("test");
    // Each run starts with empty databases.
    let _ = fs::remove_dir_all(&state);
    let mut command = npm_script(script, "@connect/tests-browser");
    command.env("CONNECT_OTLP_ENDPOINT", COLLECTOR);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    variables.extend(stack::mail(PORT));
    let options = Options {
        runtime: Runtime::Wrangler,
        hasher: true,
        regions,
        port: PORT,
        media_ip: namespace::MEDIA_IP,
        wan: false,
        variables,
        collector: Some(COLLECTOR.to_owned()),
        worker_state: state.join("worker"),
        state: state.clone(),
        program: build::node(Profile::Dev),
    };
    let started = Instant::now();
    let mut stack = Stack::start(&options, &Progress::new(stack::STEPS))?;
    println!(
        "Start-up of the Worker and {regions} media nodes: {:.1} s",
        started.elapsed().as_secs_f32()
    );
    command
        .env("CONNECT_URL", stack.url())
        .env("CONNECT_STACK", stack.file());
    let outcome = stack.run(&mut command);
    stack.stop();
    match outcome?.success() {
        true => Ok(()),
        // Whoever runs this keeps what it prints.
        false => Err(failed(&command, String::new())),
    }
}
