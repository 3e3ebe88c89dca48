//! The log: lines of JSON, with the id of the request that each is about. Ids only: no name, no address, no text of anybody.

use serde_json::{Value, json};
use worker::{console_error, console_log};

use crate::metrics;
use crate::trace::at_hand;

/// Something has happened.
pub fn event(event: &str, more: Value) {
    console_log!("{}", line("info", "event", event, more));
}

/// Something has gone wrong, on the platform's side or ours.
pub fn fault(fault: &str, more: Value) {
    metrics::count("connect_edge_faults_total", &[]);
    console_error!("{}", line("error", "fault", fault, more));
}

fn line(level: &str, kind: &str, what: &str, more: Value) -> Value {
    let mut line = json!({ "level": level, kind: what });
    let Value::Object(fields) = &mut line else {
        return line;
    };
    if let Some(following) = at_hand() {
        fields.insert("request".into(), json!(following.request));
        let here = following.here();
        if here.sampled {
            fields.insert("trace".into(), json!(here.trace.to_string()));
        }
    }
    if let Value::Object(more) = more {
        fields.extend(more);
    }
    line
}
