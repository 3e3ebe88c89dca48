//! Hashes passwords for the Worker on one box, so that nobody there waits for the hash of somebody else: the Worker has one thread for
//! everybody. It listens where only the box reaches it, answers `POST /`, and keeps nothing.
//!
//! Exit codes: 1 for a failure while running, 2 for a bad configuration, 3 when the address cannot be bound. Standard output carries one
//! line, `ready …`.

mod queue;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use clap::Parser;
use serde::Deserialize;
use tokio::net::TcpListener;

use queue::{Full, Queue};

/// The shortest key: 32 bytes in base64url without padding.
const MIN_KEY_CHARACTERS: usize = 43;
/// Longest body, in bytes: longer than any password that the Worker looks at.
const MAX_BODY: usize = 16 * 1024;
/// Who takes part in calls goes first: the priority (`nice`) of everything here.
const NICENESS: i32 = 10;
/// After how many seconds there is room again, if there is none now.
const AGAIN: &str = "2";

/// Hashes passwords for the Worker of Connect on the same machine.
///
/// The key that the Worker shows comes from the environment only: CONNECT_HASHER_KEY.
#[derive(Debug, Parser)]
#[command(name = "hasher", version)]
struct Arguments {
    /// Address to listen on; of this machine alone
    #[arg(long, env = "CONNECT_HASHER_LISTEN", default_value = "127.0.0.1:8790")]
    listen: SocketAddr,
    /// How many passwords to hash at a time, 19 MiB each [default: half as many as there are cores]
    #[arg(long, env = "CONNECT_HASHER_THREADS")]
    threads: Option<NonZeroUsize>,
}

/// What the Worker wants hashed.
#[derive(Deserialize)]
struct Wish {
    password: String,
    setting: String,
}

struct Service {
    queue: Queue,
    /// As the header is to be.
    authorization: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let fail = |code: u8, why: String| {
        eprintln!("error: {why}");
        ExitCode::from(code)
    };
    let key = std::env::var("CONNECT_HASHER_KEY").unwrap_or_default();
    if key.len() < MIN_KEY_CHARACTERS {
        return fail(
            2,
            format!(
                "CONNECT_HASHER_KEY must be at least {MIN_KEY_CHARACTERS} characters: take `openssl rand -base64 32 | tr '+/' '-_' | tr \
                 -d '='` and give it to the Worker as well"
            ),
        );
    }
    if !arguments.listen.ip().is_loopback() {
        return fail(
            2,
            format!(
                "--listen (CONNECT_HASHER_LISTEN) must be an address of this machine alone, e.g. 127.0.0.1:8790: passwords come here \
                 in clear; it is {}",
                arguments.listen
            ),
        );
    }
    // Before any thread, as each inherits it. Where it may not be lowered, hashes are as fast as everybody else.
    let _ = rustix::process::setpriority_process(None, NICENESS);
    let bound = std::net::TcpListener::bind(arguments.listen);
    let bound = bound.and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    let listener = match bound {
        Ok(listener) => listener,
        Err(error) => return fail(3, format!("cannot listen on {}: {error}", arguments.listen)),
    };
    match serve(
        listener,
        key,
        arguments
            .threads
            .map_or_else(half_of_the_cores, NonZeroUsize::get),
    ) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(1, error.to_string()),
    }
}

fn half_of_the_cores() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    (cores / 2).max(1)
}

fn serve(listener: std::net::TcpListener, key: String, threads: usize) -> io::Result<()> {
    let service = Arc::new(Service {
        queue: Queue::start(threads)?,
        authorization: format!("Bearer {key}"),
    });
    let router = Router::new()
        .route("/", post(answer))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(service);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        let mut out = io::stdout();
        writeln!(out, "ready {}", listener.local_addr()?)?;
        out.flush()?;
        axum::serve(listener, router).await
    })
}

/// The hash of a password. What is refused is not logged: it may be one.
async fn answer(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Response {
    let shown = headers.get(AUTHORIZATION).map(|value| value.as_bytes());
    if !shown.is_some_and(|shown| is_same(shown, service.authorization.as_bytes())) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(Wish { password, setting }) = serde_json::from_slice(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match service.queue.hash(password, setting).await {
        Ok(Ok(hash)) => hash.into_response(),
        Ok(Err(unfit)) => (StatusCode::BAD_REQUEST, unfit.to_string()).into_response(),
        Err(Full) => (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, AGAIN)]).into_response(),
    }
}

/// Whether two keys are the same, in a time that does not say how far they are.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differing = std::iter::zip(one, other).fold(0, |differing, (a, b)| differing | (a ^ b));
    one.len() == other.len() && differing == 0
}
