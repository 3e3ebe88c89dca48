//! What the kernel says of a process on this machine: CPU time and memory (proc(5)).

use std::fs;

/// CPU time in the kernel's clock ticks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ticks {
    pub user: u64,
    pub system: u64,
}

impl Ticks {
    /// Share of the time since then that was spent in system calls, 0 to 1.
    pub fn system_share_since(self, before: Self) -> Option<f64> {
        let user = self.user.checked_sub(before.user)?;
        let system = self.system.checked_sub(before.system)?;
        (user + system > 0).then(|| system as f64 / (user + system) as f64)
    }
}

/// The resident memory of a process, in bytes.
pub fn memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// CPU time of all threads of a process in microseconds, by the scheduler's own count.
pub fn cpu(pid: u32) -> Option<f64> {
    let mut nanoseconds = 0.0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        // A thread may end in between.
        let Ok(text) = fs::read_to_string(task.ok()?.path().join("schedstat")) else {
            continue;
        };
        let on_cpu = text.split_whitespace().next()?;
        nanoseconds += on_cpu.parse::<f64>().ok()?;
    }
    Some(nanoseconds / 1_000.0)
}

/// CPU time of the threads whose name starts so.
pub fn ticks(pid: u32, name: &str) -> Option<Ticks> {
    let mut sum = Ticks::default();
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let stat = fs::read_to_string(task.ok()?.path().join("stat")).ok()?;
        if let Some(ticks) = thread_ticks(&stat, name) {
            sum.user += ticks.user;
            sum.system += ticks.system;
        }
    }
    Some(sum)
}

/// The 14th and the 15th field of a thread's `stat` (proc(5)), if its name starts so.
fn thread_ticks(stat: &str, start: &str) -> Option<Ticks> {
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    if !name.starts_with(start) {
        return None;
    }
    let mut fields = rest.split_whitespace().skip(11);
    Some(Ticks {
        user: fields.next()?.parse().ok()?,
        system: fields.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_shards_is_read_and_no_other() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 77 33 0 0";
        let ticks = thread_ticks(&format!("123 (shard-0) {rest}"), "shard-");
        assert_eq!(
            ticks,
            Some(Ticks {
                user: 77,
                system: 33
            })
        );
        assert_eq!(
            thread_ticks(&format!("123 (sfu-node) {rest}"), "shard-"),
            None
        );
    }
}
