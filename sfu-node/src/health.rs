//! The private endpoint: `/metrics` for Prometheus, `/healthz` for whoever supervises the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;

/// Whether the node is registered with the edge and does not drain.
pub type Healthy = Arc<AtomicBool>;

/// The routes.
pub fn router(metrics: PrometheusHandle, healthy: Healthy) -> Router {
    let page = move || async move {
        let text = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
        (text, metrics.render())
    };
    let health = move || async move {
        if healthy.load(Ordering::Relaxed) {
            (StatusCode::OK, "registered\n")
        } else {
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "not registered with the edge\n",
            )
        }
    };
    Router::new()
        .route("/metrics", get(page))
        .route("/healthz", get(health))
}
