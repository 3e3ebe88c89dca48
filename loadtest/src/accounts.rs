//! The accounts of bots, made before anybody joins.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::edge::Edge;
use crate::signaling::EnterError;

/// How many accounts are being made at a time: each is a password's hash, half a core's second for ten.
const REGISTRATIONS: usize = 4;
/// Makes the accounts of all bots; `show` is told how many there are.
///
/// # Errors
/// The edge is out of reach, or refuses.
pub async fn register(
    edge: &Arc<Edge>,
    people: usize,
    mut show: impl FnMut(usize),
) -> Result<Vec<String>, EnterError> {
    let mut tokens = vec![String::new(); people];
    let mut next = 0..people;
    let mut running = JoinSet::new();
    let start = |running: &mut JoinSet<_>, number: usize| {
        let edge = edge.clone();
        running.spawn(async move { (number, edge.register(number as u32).await) });
    };
    next.by_ref()
        .take(REGISTRATIONS)
        .for_each(|number| start(&mut running, number));
    let mut made = 0;
    // A task that panicked has made no account, and its token stays empty: the join says so.
    while let Some(done) = running.join_next().await {
        if let Ok((number, token)) = done {
            tokens[number] = token?;
        }
        made += 1;
        show(made);
        if let Some(number) = next.next() {
            start(&mut running, number);
        }
    }
    Ok(tokens)
}
