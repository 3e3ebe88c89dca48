//! Mail goes out by a provider's HTTP API: a POST of JSON with a bearer key, in the form that Resend takes and others offer.
//! On a development machine, where none is configured, mails stand in the log and on a page.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;

use edge_core::mail::{Kind, Letter, Mail};
use futures_util::future::{Either, select};
use serde_json::json;
use worker::{
    Delay, Env, Error, Fetch, Headers, Method, Request, RequestInit, RequestRedirect, Response,
    Result, console_log,
};

/// How long a provider may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many mails the page of a development machine shows.
const SHOWN: usize = 50;
/// What a provider says of a mail that it will never take (RFC 9110, 15.5). What else it says may be over tomorrow, wrong keys
/// too.
const FOR_GOOD: [u16; 3] = [400, 413, 422];

/// Why a mail was not sent.
pub struct Failure {
    pub why: String,
    /// Whether it never will be.
    pub for_good: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            why: error.to_string(),
            for_good: false,
        }
    }
}

/// Where mails go.
enum Way {
    Provider(String),
    /// Nowhere but to whoever develops.
    Shown,
}

fn way(env: &Env) -> Option<Way> {
    let url = text(env, "CONNECT_MAIL_URL");
    match url {
        Some(url) => Some(Way::Provider(url)),
        None => is_development(env).then_some(Way::Shown),
    }
}

/// Whether mails go anywhere.
pub fn is_sent(env: &Env) -> bool {
    way(env).is_some() && text(env, "CONNECT_PUBLIC_URL").is_some()
}

/// Whether this is a development machine, as `cargo xtask dev` says, and no provider is configured.
fn is_development(env: &Env) -> bool {
    text(env, "CONNECT_MAIL_DEVELOPMENT").is_some() && text(env, "CONNECT_MAIL_URL").is_none()
}

/// Sends a mail whose link has this token.
pub async fn send(
    env: &Env,
    mail: &Mail,
    to: &str,
    token: &str,
) -> std::result::Result<(), Failure> {
    let origin = needed(env, "CONNECT_PUBLIC_URL")?;
    let letter = mail.kind.letter(origin.trim_end_matches('/'), token);
    match way(env) {
        Some(Way::Provider(url)) => post(env, &url, &mail.nonce, to, &letter).await,
        Some(Way::Shown) => {
            show(mail.kind, to, letter);
            Ok(())
        }
        None => Err(Failure {
            why: "no mail is configured".into(),
            for_good: true,
        }),
    }
}

async fn post(
    env: &Env,
    url: &str,
    id: &str,
    to: &str,
    letter: &Letter,
) -> std::result::Result<(), Failure> {
    let mut init = RequestInit::new();
    let headers = Headers::new();
    let key = needed(env, "CONNECT_MAIL_KEY")?;
    headers.set("authorization", &format!("Bearer {key}"))?;
    headers.set("content-type", "application/json")?;
    // Sent again, because its answer was lost, it is the same mail.
    headers.set("idempotency-key", id)?;
    let body = json!({
        "from": needed(env, "CONNECT_MAIL_FROM")?,
        "to": [to],
        "subject": letter.subject,
        "text": letter.text,
    });
    init.with_method(Method::Post)
        .with_headers(headers)
        .with_body(Some(body.to_string().into()))
        // The key is for nobody else.
        .with_redirect(RequestRedirect::Manual);
    let request = Fetch::Request(Request::new_with_init(url, &init)?);
    let answer = match select(pin!(request.send()), pin!(Delay::from(PATIENCE))).await {
        Either::Left((answer, _)) => answer?,
        Either::Right(_) => return Err(Error::RustError("no answer in time".into()).into()),
    };
    match answer.status_code() {
        200..=299 => Ok(()),
        status => Err(Failure {
            why: format!("the provider answers {status}"),
            for_good: FOR_GOOD.contains(&status),
        }),
    }
}

/// A variable that says something.
fn text(env: &Env, name: &str) -> Option<String> {
    let text = env.var(name).ok()?.to_string().trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn needed(env: &Env, name: &str) -> Result<String> {
    text(env, name).ok_or_else(|| Error::RustError(format!("{name} is not configured")))
}

thread_local! {
    /// The latest mails, of a development machine alone.
    static MAILS: RefCell<VecDeque<(Kind, String, Letter)>> = const { RefCell::new(VecDeque::new()) };
}

fn show(kind: Kind, to: &str, letter: Letter) {
    console_log!("Mail to {to}: {}\n{}", letter.subject, letter.text);
    MAILS.with_borrow_mut(|mails| {
        mails.push_front((kind, to.to_owned(), letter));
        mails.truncate(SHOWN);
    });
}

/// The latest mails, for whoever develops; nowhere else is there such a page.
pub fn page(env: &Env) -> Option<Result<Response>> {
    is_development(env).then(|| {
        let letters = MAILS.with_borrow(|mails| {
            let shown = mails.iter().map(|(_, to, letter)| {
                let text = letter.text.lines().map(|line| match line.starts_with("http") {
                    true => format!("<a href=\"{0}\">{0}</a>", escaped(line)),
                    false => escaped(line),
                });
                let text = text.collect::<Vec<_>>().join("\n");
                format!("<h2>{}</h2><p>To {}</p><pre>{text}</pre>", letter.subject, escaped(to))
            });
            shown.collect::<String>()
        });
        let begin = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Mail</title><h1>Mail</h1>";
        Response::from_html(format!("{begin}{letters}"))
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
