//! Delivering: what is due is sent whenever the alarm rings, a few at a time, and what comes of it is written down at once. What was
//! on its way when the object died is sent again.

use std::pin::pin;
use std::time::Duration;

use edge_core::developer::target::target;
use edge_core::developer::webhooks::{
    DELIVERIES, ENDPOINTS, KEPT, Outcome as Tried, Outgoing, Stored, TIMEOUT, signed,
};
use futures_util::future::{Either, join_all, select};
use worker::{
    AbortController, Date, Delay, Fetch, Headers, Method, Request, RequestInit, RequestRedirect,
    SqlStorageValue,
};

use super::DeveloperObject;
use super::webhooks::{SECRET, delivery_key, endpoint_key};
use crate::problem::Outcome;
use crate::{config, crypto};

impl DeveloperObject {
    /// Has the alarm ring when the next delivery is due.
    pub(super) async fn ring(&self, now: u64) -> Outcome<()> {
        let mut next: Option<u64> = None;
        let endpoints = self.endpoints()?.into_iter();
        for endpoint in endpoints.filter(|endpoint| endpoint.disabled.is_none()) {
            let first = self.due(&endpoint, u64::MAX >> 11, 1)?;
            let due = first.first().and_then(|delivery| delivery.due);
            next = next.into_iter().chain(due).min();
        }
        if let Some(next) = next {
            let wait = next.saturating_sub(now) as i64;
            self.state.storage().set_alarm(wait).await?;
        }
        Ok(())
    }

    /// Sends what is due.
    pub(super) async fn deliver(&self) -> Outcome<()> {
        let now = Date::now().as_millis();
        let mut tries = Vec::new();
        for endpoint in self.endpoints()? {
            if endpoint.disabled.is_some() {
                continue;
            }
            for delivery in self.due(&endpoint, now, endpoint.at_once())? {
                tries.push(self.try_one(endpoint.clone(), delivery));
            }
        }
        for tried in join_all(tries).await {
            tried?;
        }
        self.ring(Date::now().as_millis()).await
    }

    fn due(&self, endpoint: &Stored, until: u64, limit: u32) -> Outcome<Vec<Outgoing>> {
        let due = "WHERE endpoint = ? AND due IS NOT NULL AND due <= ? ORDER BY due LIMIT ?";
        let values = vec![
            endpoint.id.as_str().into(),
            SqlStorageValue::Integer(until as i64),
            SqlStorageValue::Integer(limit.into()),
        ];
        Ok(self.store.some(&DELIVERIES, due, values)?)
    }

    async fn try_one(&self, endpoint: Stored, delivery: Outgoing) -> Outcome<()> {
        let tried = self.send(&endpoint, &delivery).await;
        let now = Date::now().as_millis();
        // Meanwhile its owner may have changed or deleted it, or another delivery may have shown how it is.
        let Some(endpoint) = self
            .store
            .get_readable::<Stored>(endpoint_key(&endpoint.id))?
        else {
            return Ok(());
        };
        let key = delivery_key(&endpoint.id, &delivery.id);
        // It may have been given up with all others of the endpoint, and is not to be tried again.
        let delivery = self.store.get_readable::<Outgoing>(key)?;
        let Some(delivery) = delivery.filter(|delivery| delivery.due.is_some()) else {
            return Ok(());
        };
        self.store.put(&DELIVERIES, &delivery.after(&tried, now))?;
        if let Some(endpoint) = endpoint.after(&tried, now) {
            self.store.put(&ENDPOINTS, &endpoint)?;
            if endpoint.disabled.is_some() {
                self.give_up(&endpoint.id)?;
            }
        }
        self.forget_done(&endpoint.id)
    }

    async fn send(&self, endpoint: &Stored, delivery: &Outgoing) -> Tried {
        if target(&endpoint.url, config::webhooks_to_local(&self.env)).is_err() {
            return Tried::Failed("its address is not public, or not https");
        }
        let controller = AbortController::default();
        let Ok(request) = request(endpoint, delivery) else {
            return Tried::Failed("its address cannot be asked");
        };
        let (request, signal) = (Fetch::Request(request), controller.signal());
        let answer = pin!(request.send_with_signal(&signal));
        let late = pin!(Delay::from(Duration::from_millis(TIMEOUT)));
        let tried = match select(answer, late).await {
            Either::Left((Ok(response), _)) => Tried::Answered(response.status_code()),
            Either::Left((Err(_), _)) => Tried::Failed("it could not be reached"),
            Either::Right(_) => Tried::Failed("it did not answer within 10 s"),
        };
        // Nobody reads what else it says.
        controller.abort();
        tried
    }

    /// One more is done: forgets what is not kept of that, now and then.
    pub(super) fn forget_done(&self, endpoint: &str) -> Outcome<()> {
        if !self.cuts.borrow_mut().is_due(endpoint) {
            return Ok(());
        }
        let forget = "DELETE FROM deliveries WHERE endpoint = ? AND due IS NULL AND at < \
                      (SELECT at FROM deliveries WHERE endpoint = ? AND due IS NULL \
                      ORDER BY at DESC LIMIT 1 OFFSET ?)";
        let values = vec![
            endpoint.into(),
            endpoint.into(),
            SqlStorageValue::Integer(KEPT as i64),
        ];
        Ok(self.store.write(forget, values)?)
    }
}

fn request(endpoint: &Stored, delivery: &Outgoing) -> Outcome<Request> {
    let now = Date::now().as_millis();
    let seconds = now / 1_000;
    let text = signed(&delivery.id, seconds, &delivery.body);
    let signatures = endpoint.secrets(now).map(|secret| {
        let key = crypto::decode_padded(secret.trim_start_matches(SECRET)).unwrap_or_default();
        let mac = crypto::hmac(&key, text.as_bytes());
        format!("v1,{}", crypto::encode_padded(&mac))
    });
    let signatures: Vec<String> = signatures.collect();
    let headers = Headers::new();
    headers.set("content-type", "application/json")?;
    headers.set("user-agent", "Connect-Webhooks")?;
    headers.set("webhook-id", &delivery.id)?;
    headers.set("webhook-timestamp", &seconds.to_string())?;
    headers.set("webhook-signature", &signatures.join(" "))?;
    let mut init = RequestInit::new();
    // Where it would lead was not looked at: nothing is sent there.
    init.with_method(Method::Post)
        .with_headers(headers)
        .with_redirect(RequestRedirect::Manual)
        .with_body(Some(delivery.body.as_str().into()));
    Ok(Request::new_with_init(&endpoint.url, &init)?)
}
