//! The choice of cores: a node that is measured has one to itself, and its bots share the others.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The cores of this machine: the first for the node, the rest for the bots.
pub struct Cores {
    all: CpuSet,
    first: CpuSet,
    others: CpuSet,
    /// How many are for the bots.
    pub rest: usize,
}

impl Cores {
    /// Those that this process may use, parted.
    ///
    /// # Errors
    /// The system does not say which they are.
    pub fn split() -> io::Result<Self> {
        let all = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
        let (mut first, mut others) = (CpuSet::new(), CpuSet::new());
        if let Some(core) = cores.next() {
            first.set(core);
        }
        cores.for_each(|core| others.set(core));
        if others.count() == 0 {
            // One core only: they share it, and the node's own CPU time is all that can be told.
            others = first;
        }
        Ok(Self {
            all,
            first,
            rest: others.count() as usize,
            others,
        })
    }

    /// What this thread starts from now on runs on the first core.
    ///
    /// # Errors
    /// The system refuses.
    pub fn take_first(&self) -> io::Result<()> {
        Ok(sched_setaffinity(None, &self.first)?)
    }

    /// What this thread starts from now on runs on the other cores.
    ///
    /// # Errors
    /// The system refuses.
    pub fn take_rest(&self) -> io::Result<()> {
        Ok(sched_setaffinity(None, &self.others)?)
    }

    /// What this thread starts from now on runs on any core.
    ///
    /// # Errors
    /// The system refuses.
    pub fn take_all(&self) -> io::Result<()> {
        Ok(sched_setaffinity(None, &self.all)?)
    }
}
