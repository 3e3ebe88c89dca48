//! What a client tells of its join becomes spans, as far as it can be believed.

use protocol::joining::{JoinOutcome, JoinReport, JoinSteps};
use protocol::otlp::Span;
use protocol::trace::{SpanId, TraceParent};

/// The longest join that is told of, in milliseconds: a page gives up after 30 s, and may tell of it late.
const LONGEST: f64 = 120_000.0;
/// What takes longer than this is worth a look, in milliseconds.
pub const SLOW: u64 = 5_000;

/// A step of a join: the name of its span, since when, and until when it lasted.
type Step = (
    &'static str,
    fn(&JoinSteps) -> Option<f64>,
    fn(&JoinSteps) -> Option<f64>,
);

const STEPS: [Step; 10] = [
    ("client.offer", |_| Some(0.0), |s| s.offer),
    ("client.ticket", |_| Some(0.0), |s| s.ticket),
    ("client.socket", |s| s.ticket, |s| s.open),
    ("client.welcome", |s| s.open, |s| s.welcome),
    ("client.answer", |s| s.offer, |s| s.answer),
    ("client.ice", |s| s.answer, |s| s.ice),
    ("client.dtls", |s| s.ice, |s| s.connected),
    ("client.channel", |s| s.connected, |s| s.ready),
    ("client.slots", |s| s.ready, |s| s.slots),
    ("client.first-frame", |s| s.connected, |s| s.frame),
];

/// A join that was told of.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub traceparent: TraceParent,
    pub outcome: JoinOutcome,
    /// How long it took, in milliseconds.
    pub took: u64,
    age: f64,
    steps: JoinSteps,
}

/// The word of what a join has come to, in metrics and spans.
pub fn word(outcome: JoinOutcome) -> &'static str {
    match outcome {
        JoinOutcome::Joined => "joined",
        JoinOutcome::Failed => "failed",
        JoinOutcome::GivenUp => "given-up",
    }
}

impl Told {
    /// The report, if it can be one of a join. Otherwise the field that cannot be.
    ///
    /// # Errors
    /// The name of the field.
    pub fn of(report: JoinReport) -> Result<Self, &'static str> {
        let JoinReport {
            traceparent,
            outcome,
            age,
            took,
            steps,
        } = report;
        let traceparent = traceparent.parse().map_err(|_| "traceparent")?;
        if !(0.0..=LONGEST).contains(&age) {
            return Err("age");
        }
        if !(0.0..=age).contains(&took) {
            return Err("took");
        }
        let is_within = |step: &Step| (step.2)(&steps).is_none_or(|at| (0.0..=age).contains(&at));
        if !STEPS.iter().all(is_within) {
            return Err("steps");
        }
        Ok(Self {
            traceparent,
            outcome,
            took: took as u64,
            age,
            steps,
        })
    }

    /// Whether it is worth a look, however few are looked at.
    pub fn is_remarkable(&self) -> bool {
        self.outcome == JoinOutcome::Failed || self.took > SLOW
    }

    /// The spans of the client: that of the whole join, and one for each step that was done. The client's clock may say
    /// anything, so ours says when `now` is, in Unix milliseconds. `fresh` draws the id of a span.
    ///
    /// # Errors
    /// That of `fresh`.
    pub fn spans<E>(
        &self,
        now: u64,
        mut fresh: impl FnMut() -> Result<SpanId, E>,
    ) -> Result<Vec<Span>, E> {
        let click = now as f64 - self.age;
        let at = |ms: f64| ((click + ms) * 1_000_000.0) as u64;
        let parent = self.traceparent;
        let whole = Span {
            parent: None,
            ..Span::of(parent, parent.span, "join", (at(0.0), at(self.took as f64)))
        };
        let mut spans = vec![
            whole
                .with("connect.outcome", word(self.outcome))
                .failed(self.outcome == JoinOutcome::Failed),
        ];
        for (name, since, until) in STEPS {
            if let Some(until) = until(&self.steps) {
                let since = since(&self.steps).unwrap_or(0.0).min(until);
                spans.push(Span::of(parent, fresh()?, name, (at(since), at(until))));
            }
        }
        Ok(spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> JoinReport {
        JoinReport {
            traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into(),
            outcome: JoinOutcome::Joined,
            age: 1_000.0,
            took: 300.0,
            steps: JoinSteps {
                ticket: Some(40.0),
                open: Some(60.5),
                frame: Some(300.0),
                ..JoinSteps::default()
            },
        }
    }

    #[test]
    fn steps_become_spans_by_the_clock_of_the_edge() {
        let told = Told::of(report()).unwrap();
        let mut next = 0;
        let fresh = || {
            next += 1;
            Ok::<_, ()>(SpanId([next; 8]))
        };
        let spans = told.spans(10_000, fresh).unwrap();
        let told: Vec<_> = spans
            .iter()
            .map(|span| (span.name, span.start / 1_000, span.end / 1_000))
            .collect();
        assert_eq!(
            told,
            [
                ("join", 9_000_000, 9_300_000),
                ("client.ticket", 9_000_000, 9_040_000),
                ("client.socket", 9_040_000, 9_060_500),
                // DTLS was not told of.
                ("client.first-frame", 9_000_000, 9_300_000),
            ]
        );
        assert_eq!(spans[0].parent, None);
        assert!(
            spans[1..]
                .iter()
                .all(|span| span.parent == Some(spans[0].id))
        );
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_field() {
        type Spoil = fn(&mut JoinReport);
        let spoilt: [(&str, Spoil); 6] = [
            ("traceparent", |report| {
                report.traceparent = "ada@example.com".into()
            }),
            ("age", |report| report.age = 1e9),
            ("age", |report| report.age = f64::NAN),
            ("took", |report| report.took = 1_001.0),
            ("steps", |report| report.steps.ice = Some(-1.0)),
            ("steps", |report| report.steps.frame = Some(f64::INFINITY)),
        ];
        for (field, spoil) in spoilt {
            let mut report = report();
            spoil(&mut report);
            assert_eq!(Told::of(report), Err(field));
        }
    }

    #[test]
    fn what_fails_or_is_slow_is_always_looked_at() {
        let mut report = report();
        assert!(!Told::of(report.clone()).unwrap().is_remarkable());
        report.outcome = JoinOutcome::GivenUp;
        assert!(!Told::of(report.clone()).unwrap().is_remarkable());
        report.outcome = JoinOutcome::Failed;
        assert!(Told::of(report.clone()).unwrap().is_remarkable());
        report.outcome = JoinOutcome::Joined;
        (report.age, report.took) = (9_000.0, 6_000.0);
        assert!(Told::of(report).unwrap().is_remarkable());
    }
}
