//! Passwords that wait for their hash: few at a time, so many in line, and the rest is told to come again.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use hasher::{Unfit, hash};
use tokio::sync::oneshot;

/// How many may wait for a thread: some two seconds.
const LINE: usize = 64;

/// There is no room in the line.
#[derive(Debug)]
pub struct Full;

struct Job {
    password: String,
    setting: String,
    hashed: oneshot::Sender<Result<String, Unfit>>,
}

/// The line, and the threads at its end.
pub struct Queue(SyncSender<Job>);

impl Queue {
    /// Starts so many threads.
    pub fn start(threads: usize) -> io::Result<Self> {
        let (line, jobs) = sync_channel(LINE * threads);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..threads {
            let jobs = jobs.clone();
            let thread = thread::Builder::new().name(format!("hash-{number}"));
            thread.spawn(move || work(&jobs))?;
        }
        Ok(Self(line))
    }

    /// Hashes a password when its turn comes.
    pub async fn hash(
        &self,
        password: String,
        setting: String,
    ) -> Result<Result<String, Unfit>, Full> {
        let (hashed, answer) = oneshot::channel();
        let job = Job {
            password,
            setting,
            hashed,
        };
        self.0.try_send(job).map_err(|_| Full)?;
        answer.await.map_err(|_| Full)
    }
}

/// Hashes until nobody can ask any more.
fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // Held while it waits: one waits for the line, the others for it.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // Whoever asked may have gone meanwhile.
        if !job.hashed.is_closed() {
            let _ = job.hashed.send(hash(&job.password, &job.setting));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_line_has_no_room_for_is_told_so_and_the_rest_is_hashed() {
        let setting = hasher::setting(b"connect-no-one-!").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let queue = Queue::start(1).unwrap();
        // More than the line and the thread hold, asked for before any of them is waited for.
        let answers: Vec<_> = runtime.block_on(async {
            let asked = (0..2 * LINE).map(|_| queue.hash("password123".into(), setting.clone()));
            let mut asked: Vec<_> = asked.map(Box::pin).collect();
            let mut answers = Vec::new();
            for asked in &mut asked {
                let first = std::future::poll_fn(|context| {
                    std::task::Poll::Ready(asked.as_mut().poll(context))
                });
                answers.push(first.await);
            }
            // The others hang up: their passwords are not hashed any more, and the next one is.
            drop(asked);
            while queue
                .hash("password123".into(), setting.clone())
                .await
                .is_err()
            {
                thread::yield_now();
            }
            answers
        });
        let refused = answers
            .iter()
            .filter(|answer| matches!(answer, std::task::Poll::Ready(Err(Full))))
            .count();
        assert!(
            (1..=LINE).contains(&refused),
            "{refused} of {} were refused",
            answers.len()
        );
    }
}
