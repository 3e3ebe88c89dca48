//! Child processes, each in a group of its own, so that whatever it starts ends with it.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::{Failure, Result};
use crate::guard::Guard;

/// What helps where there is no Node.js. The number is that of `engines` in `package.json`: from it on, Node runs
/// TypeScript as it is. On Linux x64 an older one will do, as npm installs a newer one into the checkout.
pub const INSTALL_NODE: &str = "install Node.js 22.18 or newer with npm (any release with npm on Linux x64): https://nodejs.org, or `apt-get install nodejs npm`";

/// How long a child has after SIGTERM until SIGKILL.
const GRACE: Duration = Duration::from_secs(5);
/// How often a waiting loop looks again.
const TICK: Duration = Duration::from_millis(25);

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
static RUNNING: Mutex<Running> = Mutex::new(Running {
    groups: Vec::new(),
    guard: None,
});

struct Running {
    groups: Vec<i32>,
    guard: Option<Guard>,
}

fn running() -> MutexGuard<'static, Running> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes charge of signals and starts the guard. Call once, before any child.
pub fn supervise() -> Result<()> {
    let flag = INTERRUPTED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(flag))
            .map_err(|error| Failure::new(format!("cannot handle signals: {error}"), ""))?;
    }
    running().guard = Some(Guard::start()?);
    Ok(())
}

/// Fails once Ctrl-C, SIGTERM or SIGHUP has come.
pub fn check_interrupted() -> Result<()> {
    match INTERRUPTED.get() {
        Some(flag) if flag.load(Ordering::Relaxed) => Err(Failure::Interrupted),
        _ => Ok(()),
    }
}

/// A moment until a waiting loop looks again.
#[expect(
    clippy::disallowed_methods,
    reason = "children are many, of all kinds, and watched by one thread"
)]
pub fn tick() {
    thread::sleep(TICK);
}

/// A running child and its group.
pub struct Child {
    child: std::process::Child,
    group: i32,
}

impl Child {
    /// Starts a command in a group of its own, without input.
    pub fn start(command: &mut Command) -> Result<Self> {
        check_interrupted()?;
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| cannot_start(command, &error))?;
        let group = i32::try_from(child.id()).unwrap_or(i32::MAX);
        let mut running = running();
        running.groups.push(group);
        if let Some(guard) = &mut running.guard {
            guard.add(group);
        }
        Ok(Self { child, group })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The standard output, if it was piped and not yet taken.
    pub fn take_stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for the end; an interruption ends the child and this call. `idle` is called now and then.
    pub fn wait(&mut self, mut idle: impl FnMut()) -> Result<ExitStatus> {
        loop {
            check_interrupted()?;
            if let Some(status) = self.ended() {
                return Ok(status);
            }
            idle();
            tick();
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        end_and_reap(&mut [self], GRACE);
    }
}

/// Ends children side by side: SIGTERM to their groups, and SIGKILL to what is left after a while.
pub fn stop(mut children: Vec<Child>) {
    end_and_reap(&mut children.iter_mut().collect::<Vec<_>>(), GRACE);
}

fn end_and_reap(children: &mut [&mut Child], grace: Duration) {
    let groups: Vec<i32> = children.iter().map(|child| child.group).collect();
    signal(&groups, Signal::TERM);
    let deadline = Instant::now() + grace;
    loop {
        // A leader that was not waited for keeps its group alive as a zombie.
        for child in children.iter_mut() {
            let _ = child.child.try_wait();
        }
        if !groups.iter().any(|&group| alive(group)) {
            break;
        }
        if Instant::now() > deadline {
            signal(&groups, Signal::KILL);
            for child in children.iter_mut() {
                let _ = child.child.wait();
            }
            break;
        }
        tick();
    }
    let mut running = running();
    running.groups.retain(|group| !groups.contains(group));
    for &group in &groups {
        if let Some(guard) = &mut running.guard {
            guard.remove(group);
        }
    }
}

/// Ends every group that is left, and lets the guard go.
pub fn stop_all() {
    let groups = std::mem::take(&mut running().groups);
    end_groups(&groups, GRACE);
    running().guard = None;
}

/// SIGTERM to groups, SIGKILL to what is left of them after `grace`.
pub fn end_groups(groups: &[i32], grace: Duration) {
    signal(groups, Signal::TERM);
    let deadline = Instant::now() + grace;
    while groups.iter().any(|&group| alive(group)) {
        if Instant::now() > deadline {
            signal(groups, Signal::KILL);
            return;
        }
        tick();
    }
}

fn signal(groups: &[i32], signal: Signal) {
    for pid in groups.iter().filter_map(|&group| Pid::from_raw(group)) {
        // Gone already is what we want.
        let _ = kill_process_group(pid, signal);
    }
}

fn alive(group: i32) -> bool {
    Pid::from_raw(group).is_some_and(|pid| test_kill_process_group(pid).is_ok())
}

fn cannot_start(command: &Command, error: &std::io::Error) -> Failure {
    let program = command.get_program().to_string_lossy();
    let help = match (error.kind(), &*program) {
        (std::io::ErrorKind::NotFound, "node" | "npm") => {
            INSTALL_NODE.into()
        }
        (std::io::ErrorKind::NotFound, "cargo" | "rustup") => {
            "install Rust: https://rustup.rs".into()
        }
        (std::io::ErrorKind::NotFound, "apt-get") => {
            "this step installs Debian packages; on another system install the named packages by hand".into()
        }
        (std::io::ErrorKind::NotFound, name) => format!("is it installed? `command -v {name}`"),
        _ => String::new(),
    };
    Failure::new(format!("cannot start `{program}`: {error}"), help)
}
