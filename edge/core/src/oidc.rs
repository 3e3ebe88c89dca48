//! Single sign-on by OpenID Connect (Core 1.0, with PKCE, RFC 7636): the providers of an installation, and what is kept of a
//! sign-in while its browser is away at one of them.

mod id_token;
mod keys;

use protocol::client::Role;
use protocol::query::SignedOnQuery;
use serde::Deserialize;
use serde_json::Value;

pub use id_token::{IdToken, Identified, Rejected};
pub use keys::{Algorithm, choose};

/// What a provider sends: an object of JSON. It is looked into by name, since it says much more than what matters here, and code that
/// reads each kind of it into a type of its own would be larger than all of the rules.
pub type Claims = serde_json::Map<String, Value>;

/// How long somebody may take at the provider, in milliseconds.
pub const ATTEMPT: u64 = 15 * 60 * 1000;
/// Longest address to come back to, in characters.
const MAX_BACK: usize = 512;
/// What is asked for, unless it is configured.
const SCOPES: &str = "openid profile email";
/// Who leaves a company is out within a day, unless it is configured.
const SESSION_HOURS: u32 = 24;

/// A provider, as an operator configures it (an entry of `CONNECT_OIDC`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// In addresses: lower-case letters, digits and dashes.
    pub id: String,
    /// What people know it by.
    pub name: String,
    /// As its documents and tokens spell it, to the letter.
    pub issuer: String,
    pub client_id: String,
    /// Absent for a public client.
    pub client_secret: Option<String>,
    pub scopes: String,
    /// For how many hours somebody is signed in, until the provider is asked again.
    pub session_hours: u32,
    /// What its people are in rooms; who fits none of these is what anybody is.
    pub roles: Vec<RoleRule>,
}

/// People of whom a claim says this have this role in every room, unless its host rules otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRule {
    /// The claim's name; with dots for a claim within a claim (`realm_access.roles`).
    pub claim: String,
    /// The value, or one of the values where there is a list.
    pub value: String,
    pub role: Role,
}

/// What an entry may say.
const FIELDS: [&str; 8] = [
    "id",
    "name",
    "issuer",
    "clientId",
    "clientSecret",
    "scopes",
    "sessionHours",
    "roles",
];

/// Reads the providers of an installation. An error says what is wrong with the configuration, without any of its values.
pub fn parse_providers(text: &str) -> Result<Vec<Provider>, &'static str> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let providers = serde_json::from_str(text).ok().and_then(|list: Value| {
        let list = list.as_array()?;
        list.iter().map(Provider::read).collect()
    });
    let providers: Vec<Provider> = providers.ok_or(
        "must be a JSON list of {id, name, issuer, clientId, clientSecret, scopes, sessionHours, roles}",
    )?;
    for (at, provider) in providers.iter().enumerate() {
        provider.check()?;
        if providers[..at].iter().any(|other| other.id == provider.id) {
            return Err("each provider has an id of its own");
        }
    }
    Ok(providers)
}

impl RoleRule {
    fn read(rule: &Value) -> Option<Self> {
        let rule = rule.as_object()?;
        let text = |name: &str| Some(rule.get(name)?.as_str()?.to_owned());
        let known = rule.len() == 3;
        known.then_some(Self {
            claim: text("claim")?,
            value: text("value")?,
            role: Role::deserialize(rule.get("role")?).ok()?,
        })
    }
}

impl Provider {
    fn read(entry: &Value) -> Option<Self> {
        let entry = entry.as_object()?;
        if !entry.keys().all(|name| FIELDS.contains(&&**name)) {
            return None;
        }
        let text = |name: &str| match entry.get(name) {
            None => Some(None),
            Some(value) => Some(Some(value.as_str()?.to_owned())),
        };
        let hours = match entry.get("sessionHours") {
            None => SESSION_HOURS,
            Some(hours) => hours.as_u64()?.try_into().ok()?,
        };
        let roles = match entry.get("roles") {
            None => Vec::new(),
            Some(rules) => {
                let rules = rules.as_array()?.iter();
                rules.map(RoleRule::read).collect::<Option<_>>()?
            }
        };
        Some(Self {
            id: text("id")??,
            name: text("name")??,
            issuer: text("issuer")??,
            client_id: text("clientId")??,
            client_secret: text("clientSecret")?,
            scopes: text("scopes")?.unwrap_or_else(|| SCOPES.into()),
            session_hours: hours,
            roles,
        })
    }

    fn check(&self) -> Result<(), &'static str> {
        let fine = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if !(1..=32).contains(&self.id.len()) || !self.id.bytes().all(fine) {
            return Err("an id has 1 to 32 lower-case letters, digits and dashes");
        }
        if !is_safe(&self.issuer) {
            return Err("an issuer is an https:// address");
        }
        if !self.scopes.split(' ').any(|scope| scope == "openid") {
            return Err("the scopes contain openid");
        }
        if self.roles.iter().any(|rule| rule.role == Role::Guest) {
            return Err("a guest is who has no account: no claim makes one");
        }
        Ok(())
    }

    /// What the account of this subject is found by. It has blanks, which no address has; and no other provider's subject, nor
    /// an address that somebody registered with a password, is the same.
    pub fn account(&self, subject: &str) -> String {
        format!("oidc {} {subject}", self.issuer)
    }

    /// For how long somebody is signed in, in milliseconds.
    pub fn session(&self) -> u64 {
        u64::from(self.session_hours) * 3_600_000
    }

    /// The role that these claims give, the highest if they give several.
    pub fn role(&self, claims: &Claims) -> Option<Role> {
        let fits = |rule: &&RoleRule| has(claims, rule);
        self.roles.iter().filter(fits).map(|rule| rule.role).max()
    }
}

fn has(claims: &Claims, rule: &RoleRule) -> bool {
    // A claim that has dots in its name, as those of namespaces do, comes first.
    let value = claims.get(&rule.claim).or_else(|| {
        let mut parts = rule.claim.split('.');
        let first = claims.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    });
    let is = |value: &Value| match value {
        Value::String(text) => *text == rule.value,
        Value::Bool(flag) => flag.to_string() == rule.value,
        _ => false,
    };
    match value {
        Some(Value::Array(values)) => values.iter().any(is),
        Some(value) => is(value),
        None => false,
    }
}

/// Whether tokens and secrets may go to this address: TLS, or this very machine.
pub fn is_safe(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() || authority.contains('@') {
        return false;
    }
    let loopback = ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| {
        let rest = authority.strip_prefix(host);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    });
    scheme == "https" || (scheme == "http" && loopback)
}

/// An address of our own to come back to, if that is what this is: browsers read `//host` and `/\host` as another site.
pub fn back(asked: &str) -> Option<&str> {
    let fine = asked.chars().count() <= MAX_BACK
        && asked.starts_with('/')
        && !asked[1..].starts_with(['/', '\\'])
        && asked.chars().all(|c| !c.is_control() && c != '\\');
    fine.then_some(asked)
}

/// A sign-in that is under way at a provider. The browser keeps it, signed, in a cookie that no script reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The provider's id.
    pub provider: String,
    /// Comes back with the answer: who answers has been asked by this browser.
    pub state: String,
    /// Comes back in the ID token: it was made for this sign-in.
    pub nonce: String,
    /// Shows the provider that who exchanges the code is who asked for it.
    pub verifier: String,
    /// Where the person wants to be afterwards, on our own site.
    pub back: String,
    /// Unix time in milliseconds.
    pub until: u64,
}

/// Why nobody is signed in. The words are for addresses and counters; the page has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing is known of the sign-in: it took too long, or another browser began it.
    Expired,
    /// The person, or the provider, did not want to.
    Denied,
    /// The provider did not answer, or not as the standard says.
    Provider,
    /// What it sent does not prove who this is.
    Rejected,
    /// It does not tell an e-mail address.
    NoAddress,
    /// Too many were tried from this address.
    TooMany,
}

impl Failure {
    /// Its name in the address of the sign-in page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Denied => "denied",
            Self::Provider => "provider",
            Self::Rejected => "rejected",
            Self::NoAddress => "no-address",
            Self::TooMany => "too-many",
        }
    }
}

impl Attempt {
    /// As it is kept: none of the first has a blank, and the rest is the address.
    pub fn to_text(&self) -> String {
        let Self {
            provider,
            state,
            nonce,
            verifier,
            back,
            until,
        } = self;
        [provider, state, nonce, verifier, &until.to_string(), back]
            .map(String::as_str)
            .join(" ")
    }

    /// The attempt that was kept as this text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, ' ');
        let mut part = || parts.next().map(str::to_owned);
        let (provider, state, nonce, verifier) = (part()?, part()?, part()?, part()?);
        Some(Self {
            provider,
            state,
            nonce,
            verifier,
            until: part()?.parse().ok()?,
            back: part()?,
        })
    }

    /// The parameters of the request for authorization. `challenge` is the base64url of the verifier's SHA-256.
    pub fn request<'a>(
        &'a self,
        provider: &'a Provider,
        redirect: &'a str,
        challenge: &'a str,
    ) -> [(&'static str, &'a str); 8] {
        [
            ("response_type", "code"),
            ("client_id", &provider.client_id),
            ("redirect_uri", redirect),
            ("scope", &provider.scopes),
            ("state", &self.state),
            ("nonce", &self.nonce),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ]
    }

    /// The code that came back for this attempt. `is_same` compares in constant time.
    pub fn accept(
        &self,
        provider: &Provider,
        answer: SignedOnQuery,
        is_same: impl Fn(&str, &str) -> bool,
        now: u64,
    ) -> Result<String, Failure> {
        let state = answer.state.unwrap_or_default();
        if self.provider != provider.id || now >= self.until || !is_same(&self.state, &state) {
            return Err(Failure::Expired);
        }
        if answer.iss.is_some_and(|issuer| issuer != provider.issuer) {
            return Err(Failure::Rejected);
        }
        if answer.error.is_some() {
            return Err(Failure::Denied);
        }
        answer.code.ok_or(Failure::Provider)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub(super) fn provider() -> Provider {
        let text = json!([{
            "id": "acme",
            "name": "Acme",
            "issuer": "https://id.acme.example",
            "clientId": "connect",
            "roles": [
                { "claim": "groups", "value": "staff", "role": "moderator" },
                { "claim": "groups", "value": "visitors", "role": "viewer" },
                { "claim": "realm_access.roles", "value": "admin", "role": "host" },
                { "claim": "https://acme.example/trainer", "value": "true", "role": "moderator" },
            ],
        }]);
        parse_providers(&text.to_string()).unwrap().remove(0)
    }

    #[test]
    fn what_is_wrong_with_a_configuration_is_said() {
        assert_eq!(parse_providers(" "), Ok(Vec::new()));
        assert_eq!(provider().scopes, SCOPES);
        let entry = |id: &str, issuer: &str, scopes: &str, role: &str| {
            json!({ "id": id, "name": "x", "issuer": issuer, "clientId": "c", "scopes": scopes,
                "roles": [{ "claim": "c", "value": "v", "role": role }] })
        };
        let fine = || entry("a", "https://a.example", "openid", "viewer");
        let table = [
            (json!({}), "must be a JSON list"),
            (json!([{ "id": "a" }]), "must be a JSON list"),
            (
                json!([entry("A b", "https://a.example", "openid", "viewer")]),
                "an id has",
            ),
            (json!([fine(), fine()]), "an id of its own"),
            (
                json!([entry("a", "http://a.example", "openid", "viewer")]),
                "https://",
            ),
            (
                json!([entry("a", "https://a.example", "email", "viewer")]),
                "openid",
            ),
            (
                json!([entry("a", "https://a.example", "openid", "guest")]),
                "a guest is",
            ),
        ];
        for (configured, said) in table {
            let error = parse_providers(&configured.to_string()).unwrap_err();
            assert!(error.contains(said), "{configured}: {error}");
        }
    }

    #[test]
    fn secrets_go_over_tls_or_stay_on_the_machine() {
        for (address, safe) in [
            ("https://id.example", true),
            ("https://id.example:8443/realm?x#y", true),
            ("http://127.0.0.1:3000", true),
            ("http://localhost/a", true),
            ("http://[::1]:3000/", true),
            ("http://id.example", false),
            ("http://localhost.evil.example", false),
            ("http://127.0.0.1@evil.example", false),
            ("http://127.0.0.1.evil.example", false),
            ("ftp://127.0.0.1", false),
            ("https://", false),
            ("id.example", false),
        ] {
            assert_eq!(is_safe(address), safe, "{address}");
        }
    }

    #[test]
    fn one_comes_back_to_our_own_site_alone() {
        for (asked, fine) in [
            ("/", true),
            ("/call/abc-defg?x=1#y", true),
            ("", false),
            ("call/abc", false),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("/a\\b", false),
            ("https://evil.example", false),
            ("/a\r\nset-cookie: x", false),
            ("/\t/evil.example", false),
        ] {
            assert_eq!(back(asked).is_some(), fine, "{asked:?}");
        }
        assert!(back(&format!("/{}", "x".repeat(MAX_BACK))).is_none());
    }

    #[test]
    fn claims_become_the_highest_role_that_they_give() {
        let provider = provider();
        for (claims, role) in [
            (json!({}), None),
            (json!({ "groups": "staff" }), Some(Role::Moderator)),
            (
                json!({ "groups": ["visitors", "staff"] }),
                Some(Role::Moderator),
            ),
            (json!({ "groups": ["visitors"] }), Some(Role::Viewer)),
            (json!({ "groups": ["staffing"] }), None),
            (json!({ "groups": { "staff": true } }), None),
            (
                json!({ "realm_access": { "roles": ["admin"] } }),
                Some(Role::Host),
            ),
            (json!({ "realm_access": "admin" }), None),
            (
                json!({ "https://acme.example/trainer": true }),
                Some(Role::Moderator),
            ),
            (json!({ "https://acme.example/trainer": "yes" }), None),
        ] {
            let claimed = serde_json::from_value(claims.clone()).unwrap();
            assert_eq!(provider.role(&claimed), role, "{claims}");
        }
    }

    #[test]
    fn an_account_is_of_one_issuer_and_one_subject() {
        let mut other = provider();
        other.issuer = "https://id.other.example".into();
        assert_ne!(provider().account("1"), other.account("1"));
        assert_ne!(provider().account("1"), provider().account("2"));
        assert!(crate::email::normalize_email(&provider().account("1")).is_none());
    }

    #[test]
    fn only_the_answer_to_this_attempt_is_taken() {
        let provider = provider();
        let attempt = Attempt {
            provider: "acme".into(),
            state: "s".into(),
            nonce: "n".into(),
            verifier: "v".into(),
            back: "/".into(),
            until: 1_000,
        };
        let answer = |code: Option<&str>,
                      state: Option<&str>,
                      error: Option<&str>,
                      iss: Option<&str>| SignedOnQuery {
            code: code.map(Into::into),
            state: state.map(Into::into),
            error: error.map(Into::into),
            iss: iss.map(Into::into),
        };
        let ours = Some("https://id.acme.example");
        let kept = Attempt {
            back: "/a call?b=c d".into(),
            ..attempt.clone()
        };
        assert_eq!(Attempt::parse(&kept.to_text()), Some(kept));
        assert_eq!(Attempt::parse("acme s n v 1"), None);
        for (answer, now, expected) in [
            (answer(Some("c"), Some("s"), None, None), 999, Ok("c")),
            (answer(Some("c"), Some("s"), None, ours), 999, Ok("c")),
            (
                answer(Some("c"), Some("s"), None, ours),
                1_000,
                Err(Failure::Expired),
            ),
            (
                answer(Some("c"), Some("t"), None, ours),
                0,
                Err(Failure::Expired),
            ),
            (
                answer(Some("c"), None, None, ours),
                0,
                Err(Failure::Expired),
            ),
            (
                answer(Some("c"), Some("s"), None, Some("https://evil.example")),
                0,
                Err(Failure::Rejected),
            ),
            (
                answer(None, Some("s"), Some("access_denied"), ours),
                0,
                Err(Failure::Denied),
            ),
            (
                answer(None, Some("t"), Some("access_denied"), ours),
                0,
                Err(Failure::Expired),
            ),
            (
                answer(None, Some("s"), None, ours),
                0,
                Err(Failure::Provider),
            ),
        ] {
            let said = format!("{answer:?} at {now}");
            let code = attempt.accept(&provider, answer, |a, b| a == b, now);
            assert_eq!(
                code.as_deref(),
                expected.as_ref().map(|code| *code),
                "{said}"
            );
        }
        let mut other = provider.clone();
        other.id = "other".into();
        let answered = answer(Some("c"), Some("s"), None, None);
        let code = attempt.accept(&other, answered, |a, b| a == b, 0);
        assert_eq!(code, Err(Failure::Expired));
    }
}
