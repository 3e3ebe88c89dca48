//! `cargo xtask dev`: set up, build, run until Ctrl-C.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use crate::build::{self, Profile};
use crate::failure::{Failure, Result};
use crate::lan::{self, Door};
use crate::progress::Progress;
use crate::stack::{self, Options, Runtime, Stack};
use crate::{network, paths, process};

/// What to run, and where.
pub struct Arguments {
    /// How many regions, one media node each.
    pub regions: usize,
    /// The port of the web app and the API.
    pub port: u16,
    /// Whether there is distance between the nodes.
    pub wan: bool,
    /// Whether other devices come in, by HTTPS at the port after.
    pub lan: bool,
    /// The address that browsers send media to, if it is not this machine's own.
    pub media_ip: Option<IpAddr>,
}

/// Runs Connect on this machine.
pub fn run(arguments: &Arguments) -> Result<()> {
    let started = Instant::now();
    stack::check_port(arguments.port)?;
    let own = arguments.media_ip.or_else(network::own_address);
    let door = match (arguments.lan, own) {
        (false, _) => None,
        (true, Some(address)) if !address.is_loopback() => {
            Some((address, port_beside(arguments.port)?))
        }
        (true, _) => {
            return Err(Failure::new(
                "this machine has no address in a network that other devices could use",
                "connect it to a network, or name its address by --media-ip",
            ));
        }
    };
    let steps = build::STEPS + stack::STEPS + door.map_or(0, |_| lan::STEPS);
    let progress = Progress::new(steps);
    build::all(&progress, Profile::Dev)?;
    let options = Options {
        runtime: Runtime::Wrangler,
        hasher: true,
        regions: arguments.regions,
        port: arguments.port,
        media_ip: own.unwrap_or(Ipv4Addr::LOCALHOST.into()),
        wan: arguments.wan,
        variables: stack::mail(arguments.port).into(),
        collector: std::env::var("CONNECT_OTLP_ENDPOINT").ok(),
        worker_state: paths::accounts(),
        state: paths::local(),
        program: build::node(Profile::Dev),
    };
    let mut stack = Stack::start(&options, &progress)?;
    let opened = door
        .map(|(address, port)| Door::open(address, port, arguments.port, &progress))
        .transpose();
    let end = opened.map_or_else(
        |failure| failure,
        |mut door| {
            announce(arguments, &stack, door.as_ref(), own, started);
            let mut watch = arguments.media_ip.is_none().then(|| network::Watch::new(own));
            loop {
                if let Some(now) = watch.as_mut().and_then(network::Watch::moved) {
                    println!(
                        "This machine's address is now {now}, and media still goes to the former one: press Ctrl-C and \
                         start again"
                    );
                }
                let tended = stack
                    .tend()
                    .and_then(|()| door.as_mut().map_or(Ok(()), Door::tend));
                match tended {
                    Ok(()) => process::tick(),
                    Err(end) => break end,
                }
            }
        },
    );
    stack.stop();
    match end {
        // The only way that a run is meant to end.
        Failure::Interrupted => {
            println!("\nStopped.");
            Ok(())
        }
        failure => Err(failure),
    }
}

/// The port of HTTPS: the next one.
fn port_beside(port: u16) -> Result<u16> {
    let next = port.checked_add(1).ok_or_else(|| {
        Failure::new(
            format!("--lan takes the port after {port}, too, and there is none"),
            "use a lower one: `cargo xtask dev --lan --port 8787`",
        )
    })?;
    stack::check_port(next).map(|()| next)
}

fn announce(
    arguments: &Arguments,
    stack: &Stack,
    door: Option<&Door>,
    own: Option<IpAddr>,
    started: Instant,
) {
    println!();
    for node in stack.describe() {
        println!("  {node}");
    }
    if arguments.wan {
        println!("  Between the regions: the delay and a little of the loss of real distances");
    }
    if own.is_none_or(|address| address.is_loopback()) {
        println!(
            "  Media is on loopback alone: Firefox sends none there. With a network, or --media-ip, it does"
        );
    }
    match door {
        Some(door) => println!(
            "  For devices in the same network: {}\n    Nobody has signed its certificate: the browser warns, and goes on \
             if you tell it to (Safari on an iPhone\n    may not). A firewall here has to let that port and the media ports \
             in. Who is in the network can sign up.",
            door.url()
        ),
        None => println!(
            "  For a phone beside this machine: `cargo xtask dev --lan` (a camera needs HTTPS)"
        ),
    }
    println!(
        "  Started in {:.1} s; logs are in .connect/logs/; Ctrl-C ends everything\n",
        started.elapsed().as_secs_f32()
    );
    println!("Connect is ready: {}", stack.url());
}
