//! Background tasks: one that ends when its handle is dropped, and the rounds of those that live in a shard's thread.

use tokio::task::JoinHandle;

/// Aborts its task when dropped.
#[derive(Debug)]
pub struct Task(JoinHandle<()>);

impl From<JoinHandle<()>> for Task {
    fn from(handle: JoinHandle<()>) -> Self {
        Self(handle)
    }
}

impl Task {
    /// Waits until the task has ended by itself.
    pub async fn finished(mut self) {
        // A panic of the task has been reported by the panic hook.
        let _ = (&mut self.0).await;
    }
}

/// Most rounds of [`let_take`] after the first look. A round runs some sixty tasks, so these are hundreds of connections; and
/// who floods them must not hold the thread.
const MAX_ROUNDS: usize = 8;

/// Lets the tasks of this thread do what is ready, and then look at their sockets.
pub async fn let_run() {
    tokio::task::yield_now().await;
}

/// The same after the thread has slept, until they have taken in what came to their sockets meanwhile: `taken` is how much that
/// is so far.
pub async fn let_take(taken: impl Fn() -> usize) {
    // The look comes after the round: what it finds is for the next one.
    let_run().await;
    for _ in 0..MAX_ROUNDS {
        let before = taken();
        let_run().await;
        if taken() == before {
            return;
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
