//! The gate against regressions of the media engine: instructions per forwarded packet, counted by callgrind. Unlike time,
//! they do not depend on what else the machine does.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::build;
use crate::command::show;
use crate::failure::{Failure, Result};
use crate::paths;
use crate::process::Child;

/// What a forwarded packet costs the engine, decryption of the publishers' packets and feedback of the viewers included, as
/// the example `forward` of the simulations has it. When a change is worth its price, or makes it less, put the new number
/// here.
const EXPECTED: f64 = 8_130.0;
/// How far the count may be off either way: allocators, hash seeds and keys make it differ by less than 1 percent.
const TOLERANCE: f64 = 0.05;

/// Runs each bench of the core once, to see that it still can.
pub fn try_benches() -> Result<()> {
    let mut command = Command::new("cargo");
    command
        .args(["bench", "--quiet", "--profile", "dev"])
        .args(build::PACKAGES)
        .args(["--features", "sfu-core/bench", "--bench", "forward"])
        .args(["--", "--test", "--quiet"]);
    show(&mut command)
}

/// Counts, and compares.
pub fn check() -> Result<()> {
    let mut build = Command::new("cargo");
    build
        .args(["build", "--quiet"])
        .args(build::PACKAGES)
        // As it ships: without what debug builds check of every packet.
        .args([
            "--config",
            "profile.dev.package.sfu-core.debug-assertions=false",
        ])
        .args(["--example", "forward"]);
    show(&mut build)?;
    let counts = paths::target().join("callgrind.forward");
    let packets = count(&counts)?;
    let total = total(&counts)?;
    let each = total / packets;
    println!(
        "{each:.0} instructions per forwarded packet ({packets:.0} packets); expected {EXPECTED:.0}"
    );
    let change = each / EXPECTED - 1.0;
    if change.abs() <= TOLERANCE {
        return Ok(());
    }
    let annotate = format!(
        "callgrind_annotate {} shows where they are",
        counts.display()
    );
    if change > 0.0 {
        return Err(Failure::new(
            format!(
                "forwarding a packet takes {:.1}% more instructions than before",
                change * 100.0
            ),
            format!(
                "{annotate}; if they are worth it, put {each:.0} into xtask/src/instructions.rs and say why in the commit"
            ),
        ));
    }
    Err(Failure::new(
        format!(
            "forwarding a packet takes {:.1}% fewer instructions than before: well done",
            -change * 100.0
        ),
        format!("put {each:.0} into xtask/src/instructions.rs, so that it stays so"),
    ))
}

/// Runs the example under callgrind; returns how many packets it forwarded.
fn count(counts: &Path) -> Result<f64> {
    let mut command = Command::new("valgrind");
    command
        .args(["--quiet", "--tool=callgrind", "--collect-atstart=no"])
        .args([
            "--toggle-collect=*counted_handle*",
            "--toggle-collect=*counted_poll*",
        ])
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(paths::target().join("debug/examples/forward"))
        .stdout(Stdio::piped());
    let mut child = Child::start(&mut command)?;
    let output = child.take_stdout();
    let status = child.wait(|| {})?;
    let printed = output.map(std::io::read_to_string);
    let packets = printed.and_then(|text| text.ok()?.trim().parse().ok());
    match packets {
        Some(packets) if status.success() && packets > 0.0 => Ok(packets),
        _ => Err(Failure::new(
            format!("valgrind ended with {status}"),
            "run the example by itself: cargo run --package simulation --example forward",
        )),
    }
}

/// The instructions that callgrind counted in all.
fn total(counts: &Path) -> Result<f64> {
    let text = fs::read_to_string(counts).map_err(|error| Failure::file("read", counts, &error))?;
    let number = |name: &str| {
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(name))?;
        value.trim().parse::<f64>().ok()
    };
    number("totals:")
        .or_else(|| number("summary:"))
        .filter(|total| *total > 0.0)
        .ok_or_else(|| {
            Failure::new(
                format!("{} has no count", counts.display()),
                "the functions named counted_* in tests/simulation/examples/forward.rs are what is counted",
            )
        })
}
