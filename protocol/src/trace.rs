//! By what a deed is followed through client, Worker, objects and nodes: a request by its id, a join by its trace (W3C Trace
//! Context, level 1). Neither says who somebody is.

use std::fmt::{self, Write};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest id of a request that is taken over, in bytes.
const MAX_REQUEST_ID: usize = 64;
/// `00-`, a trace, `-`, a span, `-`, flags (W3C Trace Context, 3.2.2).
const TRACEPARENT_BYTES: usize = 55;

/// A trace: all that one join has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(pub [u8; 16]);

/// One span of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(pub [u8; 8]);

/// Which trace something belongs to, which span it was caused by, and whether it is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceParent {
    pub trace: TraceId,
    pub span: SpanId,
    pub sampled: bool,
}

/// What messages between Worker, objects and nodes carry of the request that they are for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// The id of the request that it began with.
    pub request: RequestId,
    /// Absent where nobody traces it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<TraceParent>,
}

/// The id of a request, as it stands in every line of a log that is about it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestId(String);

/// Why a text is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a traceparent, or not the id of a request")
    }
}

impl std::error::Error for Malformed {}

impl TraceId {
    /// Whether it is one of this share of all traces, 0 to 1. All who ask say the same of one trace (the ratio is of its last
    /// seven bytes, which are random by W3C Trace Context, level 2).
    pub fn is_among(&self, share: f64) -> bool {
        let random = self.0[9..]
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte));
        share >= 1.0 || (random as f64) < share * (1_u64 << 56) as f64
    }
}

impl TraceParent {
    /// The same trace, caused by this span of it.
    pub fn child(self, span: SpanId) -> Self {
        Self { span, ..self }
    }
}

impl FromStr for TraceParent {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        // A later version may say more after the flags (3.2.4).
        let (known, more) = text.split_at_checked(TRACEPARENT_BYTES).ok_or(Malformed)?;
        let mut parts = known.split('-');
        let mut next = || parts.next().ok_or(Malformed);
        let (version, trace, span, flags) = (next()?, next()?, next()?, next()?);
        let [version]: [u8; 1] = bytes(version)?;
        let [flags] = bytes(flags)?;
        let (trace, span) = (bytes(trace)?, bytes(span)?);
        let is_later = version != 0 && version != 0xFF;
        let ends = more.is_empty() || is_later && more.starts_with('-');
        if version == 0xFF || !ends || trace == [0; 16] || span == [0; 8] {
            return Err(Malformed);
        }
        Ok(Self {
            trace: TraceId(trace),
            span: SpanId(span),
            sampled: flags & 1 == 1,
        })
    }
}

/// Lower-case hex digits, two for a byte.
fn bytes<const N: usize>(digits: &str) -> Result<[u8; N], Malformed> {
    let digits = digits.as_bytes();
    let is_hex = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() != 2 * N || !digits.iter().all(is_hex) {
        return Err(Malformed);
    }
    let value = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit - b'a' + 10,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0]) << 4 | value(pair[1]);
    }
    Ok(bytes)
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(f, &self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(f, &self.0)
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            trace,
            span,
            sampled,
        } = self;
        write!(f, "00-{trace}-{span}-{:02x}", u8::from(*sampled))
    }
}

impl TryFrom<String> for TraceParent {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<TraceParent> for String {
    fn from(parent: TraceParent) -> Self {
        parent.to_string()
    }
}

impl RequestId {
    /// A new one, of these random bytes.
    pub fn new(random: [u8; 8]) -> Self {
        let mut id = String::new();
        for byte in random {
            // Writing to a string does not fail.
            let _ = write!(id, "{byte:02x}");
        }
        Self(id)
    }

    /// The id as it stands in headers and logs.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RequestId {
    type Error = Malformed;

    /// What comes from outside must not be able to write a line of its own into a log, nor to say much.
    fn try_from(text: String) -> Result<Self, Malformed> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let fits = (8..=MAX_REQUEST_ID).contains(&text.len()) && text.bytes().all(is_plain);
        if fits { Ok(Self(text)) } else { Err(Malformed) }
    }
}

impl From<RequestId> for String {
    fn from(id: RequestId) -> Self {
        id.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_reads_back_as_it_is_written() {
        let parent: TraceParent = GOOD.parse().unwrap();
        assert!(parent.sampled);
        assert_eq!(parent.to_string(), GOOD);
        assert_eq!(parent.child(SpanId([1; 8])).trace, parent.trace);
        let later = GOOD.replacen("00", "cc", 1) + "-what-comes-later";
        assert_eq!(later.parse(), Ok(parent));
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        let zeros = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
        let no_span = "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01";
        let upper = GOOD.to_uppercase();
        let more = format!("{GOOD}-00");
        let never = GOOD.replacen("00", "ff", 1);
        let letters = "é".repeat(40);
        for bad in ["", "00", zeros, no_span, &upper, &more, &never, &letters] {
            assert_eq!(bad.parse::<TraceParent>(), Err(Malformed), "{bad}");
        }
    }

    #[test]
    fn all_say_the_same_of_one_trace() {
        let low = TraceId([0; 16]);
        let high = TraceId([0xFF; 16]);
        assert!(low.is_among(0.01) && !low.is_among(0.0));
        assert!(high.is_among(1.0) && !high.is_among(0.99));
    }

    #[test]
    fn no_request_names_itself_by_a_line_of_a_log() {
        let taken = |text: &str| RequestId::try_from(text.to_owned());
        assert_eq!(taken("8f3a.77-abc_D").unwrap().as_str(), "8f3a.77-abc_D");
        let long = "a".repeat(MAX_REQUEST_ID + 1);
        for bad in [
            "",
            "short",
            "a\nb cdefgh",
            "\"quoted\"",
            "ärger-mit-ids",
            &long,
        ] {
            assert_eq!(taken(bad), Err(Malformed), "{bad}");
        }
        assert_eq!(RequestId::new([0xAB; 8]).as_str(), "abababababababab");
    }
}
