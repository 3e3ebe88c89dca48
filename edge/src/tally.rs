//! Refusals, counted by kind: a line in the log, a count, and a data point where the platform's metrics are bound.

use serde_json::json;
use worker::{AnalyticsEngineDataPointBuilder, Env};

use crate::{log, metrics};

/// The binding of the Workers Analytics Engine; it may be absent.
const DATASET: &str = "REFUSALS";

/// Counts a refusal. `kind` is that of a problem document, or the code of an error on a WebSocket.
pub fn refused(env: &Env, kind: &str) {
    log::event("refused", json!({ "kind": kind }));
    metrics::count("connect_edge_refusals_total", &[("kind", kind)]);
    if let Ok(dataset) = env.analytics_engine(DATASET) {
        // An error means a lost data point; the log has the line.
        let _ = AnalyticsEngineDataPointBuilder::new()
            .indexes([kind])
            .add_double(1)
            .write_to(&dataset);
    }
}
