//! A thread of another process that stands still while all others run, as one in an endless loop or a deadlock does.

use std::fs;
use std::ptr::null_mut;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use libc::{PTRACE_INTERRUPT, PTRACE_SEIZE, pid_t, ptrace};

/// The thread stands still as long as this lives.
pub struct Hung(#[expect(dead_code, reason = "its end is what it says")] Sender<()>);

/// Stops a child's thread of this name, as a debugger would: the program needs no door for it.
pub fn hang(child: u32, name: &str) -> Hung {
    let named = |id: &pid_t| {
        let path = format!("/proc/{child}/task/{id}/comm");
        fs::read_to_string(path).is_ok_and(|comm| comm.trim_end() == name)
    };
    let threads = fs::read_dir(format!("/proc/{child}/task")).unwrap();
    let mut ids = threads.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let hung: pid_t = ids.find(named).expect("a thread of this name");
    let (alive, end) = channel::<()>();
    let (stopped, done) = channel();
    // Whom a thread has stopped goes on when it ends.
    thread::spawn(move || {
        for request in [PTRACE_SEIZE, PTRACE_INTERRUPT] {
            let nothing: *mut libc::c_void = null_mut();
            // SAFETY: these two requests read and write no memory of ours; both arguments are ignored.
            let result = unsafe { ptrace(request, hung, nothing, nothing) };
            assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
        }
        stopped.send(()).unwrap();
        let _ = end.recv();
    });
    done.recv().expect("the thread is stopped");
    Hung(alive)
}
