//! Webhooks: the endpoints of an account, what happened that is to go there, and what their owner reads of it.

use edge_core::developer::target::target;
use edge_core::developer::webhooks::{
    DELIVERIES, ENDPOINTS, Happened, MAX_ENDPOINTS, MAX_WAITING, Outgoing, Stored, TESTS, chosen,
};
use edge_core::limits::Policy;
use edge_core::table::Key;
use protocol::developer::{
    ChangeEndpointRequest, CreateEndpointRequest, Delivery, DeliveryList, DeliveryState, Endpoint,
    EndpointList, EndpointSecret, EventKind, WebhookData, WebhookMessage,
};
use serde::Deserialize;
use serde_json::{Value, json};
use worker::SqlStorageValue;

use super::DeveloperObject;
use crate::problem::{Outcome, Refusal};
use crate::{config, crypto, http, rate};

/// What a secret begins with (Standard Webhooks).
pub(super) const SECRET: &str = "whsec_";
/// The rate of test deliveries.
const RATE: &str = "webhook-tests";
/// How many deliveries are shown.
const SHOWN: i64 = 100;

/// Of which endpoint something is made, of what body, and out of what seed.
type Made = (String, String, u64);

impl DeveloperObject {
    pub(super) fn endpoints(&self) -> Outcome<Vec<Stored>> {
        let oldest = "ORDER BY created_at, id";
        Ok(self.store.some(&ENDPOINTS, oldest, Vec::new())?)
    }

    pub(super) fn list_endpoints(&self) -> Outcome<Value> {
        let webhooks = self.endpoints()?.into_iter().map(Stored::view).collect();
        Ok(json!(EndpointList { webhooks }))
    }

    /// An endpoint, made out of this seed: made again, it is the same.
    pub(super) fn create_endpoint(&self, (_, body, seed): Made, now: u64) -> Outcome<Value> {
        let request: CreateEndpointRequest = http::read(&body)?;
        let url = self.target(&request.url)?;
        let events = checked(&request.events)?;
        let id = format!("{seed:014x}");
        let known = self.endpoints()?;
        if let Some(known) = known.iter().find(|known| known.id == id) {
            return Ok(json!(told(known.clone())));
        }
        if known.len() >= MAX_ENDPOINTS {
            let detail =
                format!("an account has at most {MAX_ENDPOINTS} webhooks: delete one first");
            return Err(Refusal::enough(&detail));
        }
        let endpoint = Stored {
            id,
            url,
            events,
            secret: secret()?,
            former: None,
            created_at: now,
            failing_since: None,
            disabled: None,
        };
        self.store.put(&ENDPOINTS, &endpoint)?;
        Ok(json!(told(endpoint)))
    }

    pub(super) async fn change_endpoint(
        &self,
        (id, body): (String, String),
        now: u64,
    ) -> Outcome<Value> {
        let change: ChangeEndpointRequest = http::read(&body)?;
        let mut endpoint = self.endpoint(&id)?;
        if let Some(url) = &change.url {
            endpoint.url = self.target(url)?;
        }
        if let Some(events) = &change.events {
            endpoint.events = checked(events)?;
        }
        match change.enabled {
            Some(true) => endpoint = endpoint.enabled(),
            Some(false) => {
                endpoint.disabled = Some("you have disabled it".into());
                self.give_up(&id)?;
            }
            None => {}
        }
        self.store.put(&ENDPOINTS, &endpoint)?;
        self.ring(now).await?;
        Ok(json!(endpoint.view()))
    }

    pub(super) fn delete_endpoint(&self, id: String) -> Outcome<Value> {
        self.endpoint(&id)?;
        self.store.delete(endpoint_key(&id))?;
        let deliveries = "DELETE FROM deliveries WHERE endpoint = ?";
        self.store.write(deliveries, vec![id.into()])?;
        Ok(Value::Null)
    }

    pub(super) fn rotate_secret(&self, (id, body, _): Made, now: u64) -> Outcome<Value> {
        let _: Value = http::read(&body)?;
        let endpoint = self.endpoint(&id)?.rotated(secret()?, now);
        self.store.put(&ENDPOINTS, &endpoint)?;
        Ok(json!(told(endpoint)))
    }

    pub(super) async fn test_endpoint(&self, (id, body, _): Made, now: u64) -> Outcome<Value> {
        let _: Value = http::read(&body)?;
        let endpoint = self.endpoint(&id)?;
        if endpoint.disabled.is_some() {
            return Err(Refusal::disabled());
        }
        rate::take(&self.store, RATE, &Policy::new(RATE, TESTS), now)?;
        let event = EventKind::Test;
        let message = WebhookMessage {
            kind: event,
            timestamp: now,
            data: WebhookData::default(),
        };
        let happened = Happened {
            id: format!("msg_test_{}", crypto::hex(&crypto::random::<8>()?)),
            event,
            at: now,
            body: serde_json::to_string(&message)?,
        };
        let delivery = Outgoing::new(&endpoint, &happened, now);
        self.store.put(&DELIVERIES, &delivery)?;
        self.ring(now).await?;
        Ok(json!(delivery.view()))
    }

    pub(super) fn deliveries(&self, id: String) -> Outcome<Value> {
        self.endpoint(&id)?;
        let latest = "WHERE endpoint = ? ORDER BY at DESC, id DESC LIMIT ?";
        let values = vec![id.into(), SqlStorageValue::Integer(SHOWN)];
        let deliveries: Vec<Outgoing> = self.store.some(&DELIVERIES, latest, values)?;
        let deliveries: Vec<Delivery> = deliveries.into_iter().map(Outgoing::view).collect();
        Ok(json!(DeliveryList { deliveries }))
    }

    /// Takes what has happened in a room of the account, once each, and says what is to be told from now on.
    pub(super) async fn happened(&self, happened: Vec<Happened>, now: u64) -> Outcome<Value> {
        let mut wanted: Vec<EventKind> = Vec::new();
        for endpoint in self.endpoints()? {
            for happened in &happened {
                if endpoint.wants(happened.event) {
                    self.take(&endpoint, happened, now)?;
                }
            }
            let is_on = endpoint.disabled.is_none();
            wanted.extend(endpoint.events.into_iter().filter(|_| is_on));
        }
        if !wanted.is_empty() {
            self.ring(now).await?;
        }
        Ok(json!(chosen(&wanted)))
    }

    fn take(&self, endpoint: &Stored, happened: &Happened, now: u64) -> Outcome<()> {
        let key = delivery_key(&endpoint.id, &happened.id);
        if self.store.get_readable::<Outgoing>(key)?.is_some() {
            return Ok(());
        }
        let mut delivery = Outgoing::new(endpoint, happened, now);
        // What is delivered does not pile up.
        if endpoint.failing_since.is_some() && self.waiting(&endpoint.id)? >= MAX_WAITING {
            delivery.state = DeliveryState::GivenUp;
            delivery.due = None;
            delivery.error = Some("too much waits for this address".into());
            delivery.body.clear();
        }
        self.store.put(&DELIVERIES, &delivery)?;
        match delivery.due {
            Some(_) => Ok(()),
            None => self.forget_done(&endpoint.id),
        }
    }

    fn waiting(&self, endpoint: &str) -> Outcome<u64> {
        #[derive(Deserialize)]
        struct Count {
            count: u64,
        }
        let count =
            "SELECT count(*) AS count FROM deliveries WHERE endpoint = ? AND due IS NOT NULL";
        let counts: Vec<Count> = self.store.rows(count, vec![endpoint.into()])?;
        Ok(counts.first().map_or(0, |row| row.count))
    }

    /// Nothing that waits goes to this endpoint any more.
    pub(super) fn give_up(&self, endpoint: &str) -> Outcome<()> {
        let give_up = "UPDATE deliveries SET state = 'givenUp', due = NULL, body = '', \
                       error = coalesce(error, 'the webhook was disabled') \
                       WHERE endpoint = ? AND due IS NOT NULL";
        self.store.prepare()?;
        Ok(self.store.write(give_up, vec![endpoint.into()])?)
    }

    pub(super) fn endpoint(&self, id: &str) -> Outcome<Stored> {
        let endpoint = self.store.get_readable(endpoint_key(id))?;
        endpoint.ok_or_else(|| Refusal::not_found("there is no webhook with this id"))
    }

    fn target(&self, url: &str) -> Outcome<String> {
        target(url, config::webhooks_to_local(&self.env))
            .map_err(|error| Refusal::invalid_field("url", &error.to_string()))
    }
}

fn checked(events: &[EventKind]) -> Outcome<Vec<EventKind>> {
    let events = chosen(events);
    if events.is_empty() {
        return Err(Refusal::invalid_field("events", "name at least one"));
    }
    Ok(events)
}

/// With its secret, as is told once.
fn told(endpoint: Stored) -> EndpointSecret {
    let secret = endpoint.secret.clone();
    let endpoint: Endpoint = endpoint.view();
    EndpointSecret { endpoint, secret }
}

fn secret() -> Outcome<String> {
    let key = crypto::encode_padded(&crypto::random::<32>()?);
    Ok(format!("{SECRET}{key}"))
}

pub(super) fn endpoint_key(id: &str) -> Key {
    ENDPOINTS.key([id.into()])
}

pub(super) fn delivery_key(endpoint: &str, id: &str) -> Key {
    DELIVERIES.key([endpoint.into(), id.into()])
}
