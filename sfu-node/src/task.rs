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

/// Tasks that the runtime runs in a round before it looks at the sockets again (tokio's event interval is 61).
const ROUND: usize = 60;

/// Lets the tasks of this thread do what is ready, and then look at their sockets.
pub async fn let_run() {
    tokio::task::yield_now().await;
}

/// The same after the thread has slept, for so many tasks: they take what came to their sockets meanwhile. As many rounds as run
/// each of them once, and no more: each costs a look at the sockets, and who floods one of them must not hold the thread.
pub async fn let_take(tasks: usize) {
    // The look comes after the round: what it finds is for the next one.
    let_run().await;
    for _ in 0..=tasks / ROUND {
        let_run().await;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
