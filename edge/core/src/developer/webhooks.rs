//! Webhooks: endpoints of an account, what is delivered to them, when that is tried again, and when it is given up.

use protocol::developer::{Delivery, DeliveryState, Endpoint, EventKind};
use protocol::id::RoomId;
use serde::{Deserialize, Serialize};

use crate::limits::Limit;
use crate::table::{Table, integer, json, text};

/// How many endpoints an account has at most.
pub const MAX_ENDPOINTS: usize = 10;
/// How long an answer is waited for, in milliseconds.
pub const TIMEOUT: u64 = 10_000;
/// After which times a delivery that failed is tried again, in milliseconds: together a day.
const AGAIN: [u64; 10] = [
    5_000,
    30_000,
    2 * 60_000,
    10 * 60_000,
    30 * 60_000,
    3_600_000,
    2 * 3_600_000,
    4 * 3_600_000,
    8 * 3_600_000,
    8 * 3_600_000,
];
/// After how long without any success an endpoint is disabled, in milliseconds.
const DISABLED_AFTER: u64 = 3 * 24 * 3_600_000;
/// How long a secret that was replaced signs beside its successor, in milliseconds.
const BOTH_SIGN: u64 = 24 * 3_600_000;
/// How many deliveries of an endpoint wait at most, and how many of those that do not are kept for its owner to read.
pub const MAX_WAITING: u64 = 10_000;
pub const KEPT: u64 = 200;
/// How many go to an endpoint at once: few while it fails, so that others are not held up by it.
const AT_ONCE: u32 = 5;
/// How many test deliveries an endpoint may be sent.
pub const TESTS: Limit = Limit {
    burst: 10,
    window: 60_000,
};

/// The endpoints of an account.
pub const ENDPOINTS: Table = Table {
    name: "endpoints",
    tag: "",
    since: 2,
    columns: &[
        text("id").key(),
        text("url"),
        json("events"),
        text("secret"),
        json("former").optional(),
        integer("created_at"),
        integer("failing_since").optional(),
        text("disabled").optional(),
    ],
    indexes: &[],
};

/// What was and is to be delivered.
pub const DELIVERIES: Table = Table {
    name: "deliveries",
    tag: "",
    since: 2,
    columns: &[
        text("endpoint").key(),
        text("id").key(),
        text("event"),
        integer("at"),
        text("state"),
        integer("tries"),
        integer("due").optional(),
        integer("status").optional(),
        text("error").optional(),
        text("body"),
    ],
    indexes: &[
        (2, "(endpoint, due) WHERE due IS NOT NULL"),
        (2, "(endpoint, at)"),
    ],
};

/// An endpoint as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    pub id: String,
    pub url: String,
    pub events: Vec<EventKind>,
    /// By which deliveries are signed, as its owner was told it.
    pub secret: String,
    #[serde(default)]
    pub former: Option<FormerSecret>,
    pub created_at: u64,
    /// Since when nothing was delivered.
    #[serde(default)]
    pub failing_since: Option<u64>,
    /// Why nothing goes there any more.
    #[serde(default)]
    pub disabled: Option<String>,
}

/// A secret that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerSecret {
    pub secret: String,
    pub until: u64,
}

/// A delivery as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    pub endpoint: String,
    /// The id of what happened, the same for each endpoint and each try.
    pub id: String,
    pub event: EventKind,
    /// When it happened.
    pub at: u64,
    pub state: DeliveryState,
    pub tries: u32,
    /// When it is tried next.
    #[serde(default)]
    pub due: Option<u64>,
    /// What was answered last, and what went wrong.
    #[serde(default)]
    pub status: Option<u16>,
    #[serde(default)]
    pub error: Option<String>,
    /// What is sent. It is forgotten once it has arrived or was given up.
    pub body: String,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Answered(u16),
    /// There was no answer.
    Failed(&'static str),
}

impl Outcome {
    fn is_success(&self) -> bool {
        matches!(self, Self::Answered(200..=299))
    }

    /// What went wrong, in words.
    fn words(&self) -> Option<String> {
        match self {
            Self::Answered(200..=299) => None,
            Self::Answered(300..=399) => Some("it leads elsewhere, where nothing is sent".into()),
            Self::Answered(status) => Some(format!("it answered {status}")),
            Self::Failed(why) => Some((*why).into()),
        }
    }
}

impl Stored {
    /// Whether this is delivered to it.
    pub fn wants(&self, event: EventKind) -> bool {
        self.disabled.is_none() && (event == EventKind::Test || self.events.contains(&event))
    }

    /// Another secret from now on; the former signs beside it for a day.
    pub fn rotated(self, secret: String, now: u64) -> Self {
        let former = FormerSecret {
            secret: self.secret,
            until: now + BOTH_SIGN,
        };
        Self {
            secret,
            former: Some(former),
            ..self
        }
    }

    /// The secrets that sign.
    pub fn secrets(&self, now: u64) -> impl Iterator<Item = &str> {
        let former = self.former.as_ref().filter(|former| now < former.until);
        let former = former.map(|former| former.secret.as_str());
        std::iter::once(self.secret.as_str()).chain(former)
    }

    /// How many deliveries go there at once.
    pub fn at_once(&self) -> u32 {
        self.failing_since.map_or(AT_ONCE, |_| 1)
    }

    /// The endpoint after a try; none if it is as it was.
    pub fn after(&self, outcome: &Outcome, now: u64) -> Option<Self> {
        let next = match outcome {
            Outcome::Answered(410) => Self {
                disabled: Some("it said that it is gone (410)".into()),
                ..self.clone()
            },
            outcome if outcome.is_success() => Self {
                failing_since: None,
                ..self.clone()
            },
            _ => {
                let since = self.failing_since.unwrap_or(now);
                let is_long = now >= since + DISABLED_AFTER;
                let words = || "it took nothing for three days".to_owned();
                Self {
                    failing_since: Some(since),
                    disabled: is_long.then(words).or_else(|| self.disabled.clone()),
                    ..self.clone()
                }
            }
        };
        (next != *self).then_some(next)
    }

    /// The endpoint once its owner has enabled it again.
    pub fn enabled(self) -> Self {
        Self {
            failing_since: None,
            disabled: None,
            ..self
        }
    }

    /// As its owner sees it.
    pub fn view(self) -> Endpoint {
        Endpoint {
            id: self.id,
            url: self.url,
            events: self.events,
            created_at: self.created_at,
            failing_since: self.failing_since,
            disabled: self.disabled,
        }
    }
}

impl Outgoing {
    /// A new one, due at once.
    pub fn new(endpoint: &Stored, happened: &Happened, now: u64) -> Self {
        Self {
            endpoint: endpoint.id.clone(),
            id: happened.id.clone(),
            event: happened.event,
            at: happened.at,
            state: DeliveryState::Waiting,
            tries: 0,
            due: Some(now),
            status: None,
            error: None,
            body: happened.body.clone(),
        }
    }

    /// The same after a try.
    pub fn after(self, outcome: &Outcome, now: u64) -> Self {
        let tries = self.tries + 1;
        let wait = AGAIN.get(self.tries as usize);
        let (state, due) = match (outcome.is_success(), wait) {
            (true, _) => (DeliveryState::Delivered, None),
            (false, Some(wait)) => (DeliveryState::Waiting, Some(now + wait)),
            (false, None) => (DeliveryState::GivenUp, None),
        };
        Self {
            state,
            tries,
            due,
            status: match outcome {
                Outcome::Answered(status) => Some(*status),
                Outcome::Failed(_) => None,
            },
            error: outcome.words(),
            body: match due {
                Some(_) => self.body,
                None => String::new(),
            },
            ..self
        }
    }

    /// As its owner sees it.
    pub fn view(self) -> Delivery {
        Delivery {
            id: self.id,
            event: self.event,
            at: self.at,
            state: self.state,
            tries: self.tries,
            due: self.due,
            status: self.status,
            error: self.error,
        }
    }
}

/// Something that happened, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    pub id: String,
    pub event: EventKind,
    /// Unix time in milliseconds.
    pub at: u64,
    pub body: String,
}

/// When the log of an endpoint is cut to what is kept ([`KEPT`]): to look costs as many rows as that, so it is not done each time.
#[derive(Debug, Default)]
pub struct Cuts(Vec<(String, u32)>);

/// One in so many is cut after.
const CUT_AFTER: u32 = 50;

impl Cuts {
    /// Whether to cut the log of this endpoint, of which one more is done: after the first one that this is asked about, since nobody
    /// knows how many there were before this began to count, and after each fiftieth from then on.
    pub fn is_due(&mut self, endpoint: &str) -> bool {
        let Some((_, done)) = self.0.iter_mut().find(|(id, _)| id == endpoint) else {
            // Those of endpoints that were deleted go first.
            if self.0.len() >= MAX_ENDPOINTS {
                self.0.remove(0);
            }
            self.0.push((endpoint.to_owned(), 0));
            return true;
        };
        *done = (*done + 1) % CUT_AFTER;
        *done == 0
    }
}

/// The id of what happened in a room: told again, it is the same.
pub fn id_of(room: &RoomId, seq: u64, part: u32) -> String {
    format!("msg_{room}_{seq}_{part}")
}

/// What is signed (Standard Webhooks): the id, the time in seconds, and the body.
pub fn signed(id: &str, seconds: u64, body: &str) -> String {
    format!("{id}.{seconds}.{body}")
}

/// Each kind once, and none that is not to be chosen.
pub fn chosen(events: &[EventKind]) -> Vec<EventKind> {
    let mut events: Vec<EventKind> = events.to_vec();
    events.retain(|event| *event != EventKind::Test);
    events.sort();
    events.dedup();
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Stored {
        Stored {
            id: "e".into(),
            url: "https://example.com/".into(),
            events: vec![EventKind::RoomStarted, EventKind::ParticipantJoined],
            secret: "new".into(),
            former: None,
            created_at: 0,
            failing_since: None,
            disabled: None,
        }
    }

    fn outgoing() -> Outgoing {
        let happened = Happened {
            id: id_of(&"room".parse().unwrap(), 7, 0),
            event: EventKind::RoomStarted,
            at: 1_000,
            body: "{}".into(),
        };
        Outgoing::new(&endpoint(), &happened, 1_000)
    }

    #[test]
    fn a_delivery_is_tried_for_a_day() {
        let mut now = 1_000;
        let mut delivery = outgoing();
        let mut waits = Vec::new();
        while let Some(due) = delivery.due {
            waits.push(due - now);
            now = due;
            delivery = delivery.after(&Outcome::Failed("no answer within 10 s"), now);
        }
        assert_eq!(waits[..4], [0, 5_000, 30_000, 120_000]);
        let hours = (now - 1_000) as f64 / 3_600_000.0;
        assert!((23.0..25.0).contains(&hours), "{hours} h");
        assert_eq!(
            (delivery.state, delivery.tries),
            (DeliveryState::GivenUp, 11)
        );
        assert_eq!(delivery.body, "", "what was given up is forgotten");
        assert_eq!(delivery.error.as_deref(), Some("no answer within 10 s"));
    }

    #[test]
    fn what_is_answered_by_success_has_arrived() {
        for (status, arrived) in [
            (200, true),
            (204, true),
            (299, true),
            (301, false),
            (307, false),
            (400, false),
            (410, false),
            (500, false),
            (199, false),
        ] {
            let after = outgoing().after(&Outcome::Answered(status), 2_000);
            assert_eq!(after.state == DeliveryState::Delivered, arrived, "{status}");
            assert_eq!(after.status, Some(status));
            assert_eq!(after.error.is_none() && after.body.is_empty(), arrived);
        }
    }

    #[test]
    fn an_endpoint_that_takes_nothing_for_long_is_disabled() {
        let failed = Outcome::Answered(500);
        let failing = endpoint().after(&failed, 1_000).unwrap();
        assert_eq!((failing.failing_since, failing.at_once()), (Some(1_000), 1));
        assert_eq!(failing.after(&failed, 999 + DISABLED_AFTER), None);
        let disabled = failing.after(&failed, 1_000 + DISABLED_AFTER).unwrap();
        assert_eq!(
            disabled.disabled.as_deref(),
            Some("it took nothing for three days")
        );
        assert!(!disabled.wants(EventKind::RoomStarted) && !disabled.wants(EventKind::Test));
        assert!(disabled.enabled().wants(EventKind::RoomStarted));
        let well = failing.after(&Outcome::Answered(200), 2_000).unwrap();
        assert_eq!(well, endpoint());
        assert_eq!(endpoint().after(&Outcome::Answered(200), 2_000), None);
        let gone = endpoint().after(&Outcome::Answered(410), 2_000).unwrap();
        assert!(gone.disabled.is_some());
    }

    #[test]
    fn a_former_secret_signs_for_a_day_more() {
        let rotated = Stored {
            secret: "old".into(),
            ..endpoint()
        }
        .rotated("new".into(), 1_000);
        let secrets = |now| rotated.secrets(now).collect::<Vec<_>>();
        assert_eq!(secrets(999 + BOTH_SIGN), ["new", "old"]);
        assert_eq!(secrets(1_000 + BOTH_SIGN), ["new"]);
    }

    #[test]
    fn the_log_of_each_endpoint_is_cut_however_much_goes_to_others() {
        let mut cuts = Cuts::default();
        let mut uncut = 0;
        // Forty-nine to a busy one, and one to a quiet one; and every now and then the object sleeps, and counts anew.
        for round in 0..1_000 {
            if round % 70 == 0 {
                cuts = Cuts::default();
            }
            for _ in 0..49 {
                cuts.is_due("busy");
            }
            uncut = if cuts.is_due("quiet") { 0 } else { uncut + 1 };
            assert!(
                uncut < CUT_AFTER,
                "round {round}: {uncut} are more than are kept"
            );
        }
        // To look at the log each time would be too much.
        let due = (0..1_000).filter(|_| cuts.is_due("busy")).count();
        assert_eq!(due, 1_000 / CUT_AFTER as usize);
        for endpoint in 0..1_000 {
            cuts.is_due(&endpoint.to_string());
        }
        assert_eq!(cuts.0.len(), MAX_ENDPOINTS);
    }

    #[test]
    fn an_endpoint_gets_what_it_was_made_for_and_tests() {
        use EventKind::*;
        for (event, wanted) in [
            (RoomStarted, true),
            (ParticipantJoined, true),
            (RoomEnded, false),
            (ParticipantLeft, false),
            (ChatMessage, false),
            (Test, true),
        ] {
            assert_eq!(endpoint().wants(event), wanted, "{event:?}");
        }
        let all = [RoomEnded, Test, RoomStarted, RoomEnded];
        assert_eq!(chosen(&all), [RoomStarted, RoomEnded]);
    }

    #[test]
    fn what_is_signed_has_the_form_of_standard_webhooks() {
        assert_eq!(signed("msg_1", 1_700_000_000, "{}"), "msg_1.1700000000.{}");
    }
}
