//! The private endpoint: `/metrics` for Prometheus; `/livez` and `/readyz` for whoever supervises the process.

use std::fmt;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;

/// The node looks after itself once a second. When it has not for so long, it hangs as a whole.
const STALE: Duration = Duration::from_secs(5);

/// How the node was when it looked last.
#[derive(Debug, Clone, Copy)]
pub struct Health {
    looked: Instant,
    /// A shard that has ended or hangs.
    lost_shard: Option<usize>,
    readiness: Readiness,
}

/// Whether the node may take sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    Ready,
    NotRegistered,
    Draining,
    Overloaded,
}

impl Health {
    /// How it is now.
    pub fn now(lost_shard: Option<usize>, readiness: Readiness) -> Self {
        Self {
            looked: Instant::now(),
            lost_shard,
            readiness,
        }
    }

    /// Whether the process does its work. The edge has no part in it: without one, calls go on.
    fn live(&self, now: Instant) -> (StatusCode, String) {
        if now.saturating_duration_since(self.looked) > STALE {
            return unavailable("the node hangs");
        }
        match self.lost_shard {
            Some(shard) => unavailable(format_args!("shard {shard} is lost")),
            None => (StatusCode::OK, "live\n".to_owned()),
        }
    }

    fn ready(&self) -> (StatusCode, String) {
        if let Some(shard) = self.lost_shard {
            return unavailable(format_args!("shard {shard} is lost"));
        }
        match self.readiness {
            Readiness::Ready => (StatusCode::OK, "ready\n".to_owned()),
            Readiness::NotRegistered => unavailable("not registered with the edge"),
            Readiness::Draining => unavailable("draining"),
            Readiness::Overloaded => unavailable("overloaded"),
        }
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::now(None, Readiness::NotRegistered)
    }
}

fn unavailable(why: impl fmt::Display) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n"))
}

/// The routes.
pub fn router(metrics: PrometheusHandle, health: watch::Receiver<Health>) -> Router {
    let page = move || async move {
        let text = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
        (text, metrics.render())
    };
    let same = health.clone();
    let live = move || async move { health.borrow().live(Instant::now()) };
    let ready = move || async move { same.borrow().ready() };
    Router::new()
        .route("/metrics", get(page))
        .route("/livez", get(live))
        .route("/readyz", get(ready))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_stands_still_is_not_live() {
        let health = Health::now(None, Readiness::NotRegistered);
        assert_eq!(health.live(health.looked + STALE).0, StatusCode::OK);
        let later = health.looked + STALE + Duration::from_millis(1);
        assert_eq!(health.live(later).0, StatusCode::SERVICE_UNAVAILABLE);
    }
}
