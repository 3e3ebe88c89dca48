//! `cargo xtask fuzz`: gives everything that comes from outside to a fuzzer, target by target. A panic, a hang or growth fails.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::paths;
use crate::process::Child;
use crate::progress::{Outcome, Progress};

/// What the compiler adds for libFuzzer: counters of edges, and the operands of comparisons. They need no nightly compiler,
/// as the sanitizers do, of which safe code has little use.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// One input for longer than this, in seconds, is a hang.
const HANG: u32 = 20;
/// More memory than this in all, in MiB, is growth: a target has 100 at first.
const GROWTH: u32 = 768;
/// Longest input in bytes.
const LONGEST: u32 = 8_192;

/// What to fuzz.
pub struct Arguments {
    /// Names of targets; all if there are none.
    pub targets: Vec<String>,
    /// Minutes for each.
    pub minutes: u32,
    /// Whether what was found new goes to the corpus of the project.
    pub keep: bool,
}

/// Builds the targets and runs them, one after the other.
pub fn run(arguments: &Arguments) -> Result<()> {
    let targets = chosen(&arguments.targets)?;
    let programs = build()?;
    println!(
        "{:<13} {:>11} {:>7} {:>6} {:>15} {:>9} {:>8}",
        "target", "executions", "edges", "new", "inputs", "memory", "slowest"
    );
    for target in &targets {
        let target = Target::new(&programs, target);
        target.fuzz(arguments.minutes * 60)?;
        if arguments.keep {
            target.keep()?;
        }
    }
    Ok(())
}

/// The targets that are named, or all there are.
fn chosen(named: &[String]) -> Result<Vec<String>> {
    let folder = paths::root().join("fuzz/fuzz_targets");
    let files = fs::read_dir(&folder).map_err(|error| Failure::file("read", &folder, &error))?;
    let names = files.flatten().map(|file| file.path());
    let mut all: Vec<String> = names
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    all.sort();
    match named.iter().find(|name| !all.contains(name)) {
        Some(unknown) => Err(Failure::new(
            format!("there is no target {unknown:?}"),
            format!("there are: {}", all.join(", ")),
        )),
        None if named.is_empty() => Ok(all),
        None => Ok(named.to_vec()),
    }
}

/// Compiles all targets; returns the folder that they are in.
fn build() -> Result<PathBuf> {
    let host = host()?;
    let folder = paths::target().join("fuzz");
    Progress::new(1).step("Building the fuzz targets", |step| {
        let mut command = Command::new("cargo");
        command
            .args(["build", "--package", "fuzz", "--bins"])
            .args(["--features", "libfuzzer", "--profile", "fuzz"])
            // With a target named, the flags leave build scripts and macros alone.
            .args(["--target", &host, "--target-dir"])
            .arg(&folder)
            .env("RUSTFLAGS", FLAGS)
            .current_dir(paths::root());
        crate::build::show_progress(&mut command);
        step.run(&mut command, "fuzz-build")?;
        Ok(Outcome::Done)
    })?;
    Ok(folder.join(host).join("fuzz"))
}

/// What the compiler calls this machine.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_default();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| {
        Failure::new(
            "`rustc -vV` names no host",
            "run it by hand, and see what it says",
        )
    })
}

/// One target and where its inputs are.
struct Target<'a> {
    name: &'a str,
    program: PathBuf,
    /// The inputs of the project.
    corpus: PathBuf,
    /// What was found here, from run to run.
    found: PathBuf,
    /// The inputs that fail.
    failing: PathBuf,
    log: PathBuf,
}

impl<'a> Target<'a> {
    fn new(programs: &Path, name: &'a str) -> Self {
        let work = paths::target().join("fuzz");
        Self {
            name,
            program: programs.join(name),
            corpus: paths::root().join("fuzz/corpus").join(name),
            found: work.join("found").join(name),
            failing: work.join("failing").join(name),
            log: paths::log(&format!("fuzz-{name}")),
        }
    }

    fn fuzz(&self, seconds: u32) -> Result<()> {
        self.make_folders()?;
        let before = files(&self.found) + files(&self.corpus);
        let mut command = Command::new(&self.program);
        command
            .args([&self.found, &self.corpus])
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-timeout={HANG}"))
            .arg(format!("-rss_limit_mb={GROWTH}"))
            .arg(format!("-malloc_limit_mb={GROWTH}"))
            .arg(format!("-max_len={LONGEST}"))
            .arg(format!("-artifact_prefix={}/", self.failing.display()))
            .arg("-print_final_stats=1");
        let status = self.run(&mut command)?;
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let seen = Seen::read(&log);
        println!(
            "{:<13} {:>11} {:>7} {:>6} {:>6} → {:>6} {:>5} MiB {:>6} s",
            self.name,
            seen.stat("number_of_executed_units"),
            seen.edges,
            seen.stat("new_units_added"),
            before,
            files(&self.found) + files(&self.corpus),
            seen.stat("peak_rss_mb"),
            seen.stat("slowest_unit_time_sec"),
        );
        if status {
            return Ok(());
        }
        Err(Failure::new(
            format!("{} has found something: {}", self.name, self.log.display()),
            format!(
                "the input is in {}; run {} with it, mend what it shows, and make it a unit test and an input of the corpus",
                self.failing.display(),
                self.program.display()
            ),
        ))
    }

    /// Puts the fewest inputs that reach what was reached into the corpus of the project.
    fn keep(&self) -> Result<()> {
        let fewest = paths::target().join("fuzz/fewest").join(self.name);
        let _ = fs::remove_dir_all(&fewest);
        fs::create_dir_all(&fewest).map_err(|error| Failure::file("make", &fewest, &error))?;
        let mut command = Command::new(&self.program);
        command
            // How often an edge is passed does not count, or there would be thousands.
            .args(["-set_cover_merge=1", "-use_counters=0"])
            .arg(&fewest)
            .args([&self.corpus, &self.found]);
        if !self.run(&mut command)? {
            let help = format!("{} says why", self.log.display());
            return Err(Failure::new(
                format!("the inputs of {} cannot be merged", self.name),
                help,
            ));
        }
        let moved =
            fs::remove_dir_all(&self.corpus).and_then(|()| fs::rename(&fewest, &self.corpus));
        moved.map_err(|error| Failure::file("replace", &self.corpus, &error))
    }

    fn make_folders(&self) -> Result<()> {
        let logs = self.log.parent().unwrap_or(Path::new("."));
        [self.corpus.as_path(), &self.found, &self.failing, logs]
            .into_iter()
            .try_for_each(|folder| {
                fs::create_dir_all(folder).map_err(|error| Failure::file("make", folder, &error))
            })
    }

    /// Runs to the end, with what it prints in the log; returns whether it found nothing.
    fn run(&self, command: &mut Command) -> Result<bool> {
        let log = File::create(&self.log);
        let log = log.map_err(|error| Failure::file("write", &self.log, &error))?;
        let copy = log.try_clone();
        let copy = copy.map_err(|error| Failure::file("write", &self.log, &error))?;
        let mut child = Child::start(command.stdout(log).stderr(copy))?;
        Ok(child.wait(|| {})?.success())
    }
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

/// What libFuzzer prints.
struct Seen<'a> {
    stats: HashMap<&'a str, &'a str>,
    /// Edges of the code that some input has reached.
    edges: &'a str,
}

impl<'a> Seen<'a> {
    fn read(log: &'a str) -> Self {
        let stats = log.lines().filter_map(|line| line.strip_prefix("stat::"));
        let reached = log.lines().rev().find_map(|line| line.split_once(" cov: "));
        Self {
            stats: stats.filter_map(|line| line.split_once(':')).collect(),
            edges: reached.map_or("?", |(_, rest)| rest.split(' ').next().unwrap_or("?")),
        }
    }

    fn stat(&self, name: &str) -> &'a str {
        self.stats.get(name).map_or("?", |value| value.trim())
    }
}
