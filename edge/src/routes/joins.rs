//! What clients tell of their joins: counted by what they came to, and exported as spans where their traces are.

use edge_core::joining::{Told, word};
use edge_core::token::Scope;
use protocol::joining::{JoinOutcome, JoinReport};
use protocol::otlp::Value;
use worker::{Env, Request, Response};

use super::{Answer, authenticate, now, room_id};
use crate::problem::Refusal;
use crate::{http, metrics, trace};

pub(super) async fn tell(mut request: Request, env: &Env, id: &str) -> Answer {
    let id = room_id(id)?;
    authenticate(&request, env, Scope::Room(&id))?;
    let report: JoinReport = http::json(&mut request).await?;
    let told = Told::of(report)
        .map_err(|field| Refusal::invalid_field(field, "cannot be that of a join"))?;
    let outcome = word(told.outcome);
    metrics::count("connect_edge_joins_total", &[("outcome", outcome)]);
    if told.outcome == JoinOutcome::Joined {
        metrics::observe("connect_edge_join_duration_seconds", &[], told.took);
    }
    if let Some(following) = trace::at_hand() {
        following.belongs_to(&told.traceparent.to_string(), env);
        for mut span in told.spans(now(), trace::fresh)? {
            let room = Value::from(id.as_str());
            span.attributes.push(("connect.room", room));
            following.keep(span, told.is_remarkable());
        }
    }
    Ok(Response::empty()?.with_status(204))
}
