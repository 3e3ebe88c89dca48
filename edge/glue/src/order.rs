//! The order of functions in which the Worker packs best: gzip finds again what it saw in the last 32 KiB, and instances of one
//! generic function, or of one derived trait, lie anywhere in what the linker writes. So each function is followed by the one
//! that has most in common with what stands before it.

use std::collections::{HashMap, VecDeque};

/// Bytes in a row by which functions are compared: what is shorter saves gzip nothing worth having.
const RUN: usize = 6;
/// How far back gzip looks, less what it keeps to look ahead (RFC 1951, 2).
const WINDOW: usize = 30_000;
/// What more functions than these have in common is found anyhow.
const COMMON: usize = 200;
/// What is in common counts by the length of a function to this power: by 1, small ones all come first and part large ones
/// from each other; found by trying.
const LENGTH: f64 = 0.8;
/// A function so short is no likeness of anything.
const SHORT: f64 = 8.0;

/// Numbers of the bodies, in the order that packs best. The first stays first.
pub fn by_likeness(bodies: &[&[u8]]) -> Vec<usize> {
    let mut likeness = Likeness::of(bodies);
    let mut left: Vec<usize> = (1..bodies.len()).collect();
    let mut order: Vec<usize> = (0..bodies.len().min(1)).collect();
    while let Some(&last) = order.last() {
        likeness.pass(last);
        // Of equals the first, so that the same module is arranged alike wherever it is built.
        let next = (0..left.len()).rev().max_by(|&one, &other| {
            let [one, other] = [one, other].map(|at| likeness.score(left[at]));
            one.total_cmp(&other)
        });
        let Some(next) = next else { break };
        order.push(left.remove(next));
    }
    order
}

/// How much of each function stands in the window.
struct Likeness {
    /// The runs of each function, by number, from front to back.
    runs: Vec<Vec<usize>>,
    /// The functions that have a run, for each that several have.
    sharing: Vec<Vec<usize>>,
    /// Runs in the window, from its front, and how often each stands there.
    window: VecDeque<usize>,
    times: Vec<u32>,
    /// Runs of each function that stand in the window.
    seen: Vec<u32>,
    /// What each run in common counts, by the length of the function.
    weights: Vec<f64>,
}

impl Likeness {
    fn of(bodies: &[&[u8]]) -> Self {
        let mut numbers: HashMap<&[u8], usize> = HashMap::new();
        let mut sharing: Vec<Vec<usize>> = Vec::new();
        let mut runs = Vec::new();
        for (function, body) in bodies.iter().enumerate() {
            let mut of_body = Vec::new();
            for run in body.windows(RUN) {
                let number = *numbers.entry(run).or_insert(sharing.len());
                if number == sharing.len() {
                    sharing.push(Vec::new());
                }
                if sharing[number].last() != Some(&function) {
                    sharing[number].push(function);
                }
                of_body.push(number);
            }
            runs.push(of_body);
        }
        for functions in &mut sharing {
            if !(2..=COMMON).contains(&functions.len()) {
                functions.clear();
            }
        }
        Self {
            times: vec![0; sharing.len()],
            seen: vec![0; bodies.len()],
            weights: bodies.iter().map(|body| weight(body)).collect(),
            window: VecDeque::new(),
            sharing,
            runs,
        }
    }

    /// Moves the window over a function.
    fn pass(&mut self, function: usize) {
        for &run in &self.runs[function] {
            self.window.push_back(run);
            self.times[run] += 1;
            if self.times[run] == 1 {
                for &sharing in &self.sharing[run] {
                    self.seen[sharing] += 1;
                }
            }
            if self.window.len() <= WINDOW {
                continue;
            }
            if let Some(gone) = self.window.pop_front() {
                self.times[gone] -= 1;
                if self.times[gone] == 0 {
                    for &sharing in &self.sharing[gone] {
                        self.seen[sharing] -= 1;
                    }
                }
            }
        }
    }

    fn score(&self, function: usize) -> f64 {
        f64::from(self.seen[function]) * self.weights[function]
    }
}

fn weight(body: &[u8]) -> f64 {
    (body.len() as f64 + SHORT).powf(-LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function of its own kind, and one of the same kind that differs at its end.
    fn kin(kind: u8) -> [Vec<u8>; 2] {
        let common: Vec<u8> = (0..40).map(|at| kind.wrapping_mul(at + 3)).collect();
        [b"one", b"two"].map(|end| [&common, &end[..]].concat())
    }

    #[test]
    fn functions_follow_their_like_and_the_first_stays_first() {
        let ([one, other], [mine, yours]) = (kin(7), kin(31));
        let bodies: [&[u8]; 5] = [&one, &mine, b"", &yours, &other];
        assert_eq!(by_likeness(&bodies)[..2], [0, 4]);
        let order = by_likeness(&bodies);
        let place = |body: usize| order.iter().position(|&at| at == body).unwrap();
        assert_eq!(place(1).abs_diff(place(3)), 1, "{order:?}");
    }

    #[test]
    fn each_function_is_there_once_and_the_order_is_the_same_each_time() {
        let bodies: Vec<Vec<u8>> = (0..60).flat_map(kin).collect();
        let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        let order = by_likeness(&bodies);
        assert_eq!(order, by_likeness(&bodies));
        let mut sorted = order;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..bodies.len()).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_has_an_order_too() {
        assert!(by_likeness(&[]).is_empty());
    }
}
