//! The layers of an m-line by their rids (RFC 8851, RFC 8853): as offered, and as answered.

use std::collections::HashSet;
use std::fmt::Write;

use super::description::Section;

/// Most simulcast layers of a source; more are neither answered nor received.
pub const MAX_LAYERS: usize = 3;
/// Longest rid in bytes: an element in the short form holds 16 (RFC 8285, 4.2), and one in the long form may hold more.
const MAX_RID: usize = 64;

/// The layers of an m-line, the lowest first; none without simulcast.
#[derive(Debug, Default)]
pub struct Rids<'a> {
    pub layers: Vec<Rid<'a>>,
    /// They were offered as one simulcast.
    is_simulcast: bool,
}

/// One layer.
#[derive(Debug, PartialEq, Eq)]
pub struct Rid<'a> {
    pub id: &'a str,
    /// What the client says of it, without its payload types: those are the m-line's.
    restrictions: Vec<&'a str>,
}

impl<'a> Rids<'a> {
    /// Reads what the client sends on an m-line.
    pub fn read(section: &Section<'a>) -> Self {
        let simulcast = section.value("simulcast").and_then(sent_in_simulcast);
        let is_in = |id: &str| simulcast.as_ref().is_none_or(|sent| sent.contains(id));
        let mut layers: Vec<Rid<'a>> = Vec::new();
        for rid in section.values("rid").filter_map(Rid::read) {
            let is_new = layers.iter().all(|known| known.id != rid.id);
            if is_new && is_in(rid.id) {
                layers.push(rid);
            }
            if layers.len() == MAX_LAYERS {
                break;
            }
        }
        Self {
            is_simulcast: simulcast.is_some() && !layers.is_empty(),
            layers,
        }
    }

    /// Their lines in the answer.
    pub fn answer(&self, out: &mut String) {
        for rid in &self.layers {
            out.push_str("a=rid:");
            out.push_str(rid.id);
            out.push_str(" recv");
            if !rid.restrictions.is_empty() {
                // Writing into a string cannot fail.
                let _ = write!(out, " {}", rid.restrictions.join(";"));
            }
            out.push_str("\r\n");
        }
        if self.is_simulcast {
            let ids: Vec<&str> = self.layers.iter().map(|rid| rid.id).collect();
            let _ = write!(out, "a=simulcast:recv {}\r\n", ids.join(";"));
        }
    }
}

impl<'a> Rid<'a> {
    /// `<id> send [<restriction>;…]`.
    fn read(value: &'a str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let id = words.next().filter(|id| id.len() <= MAX_RID)?;
        let is_rid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !id.bytes().all(is_rid) || words.next() != Some("send") {
            return None;
        }
        let restrictions = words.flat_map(|word| word.split(';'));
        let restrictions = restrictions.filter(|word| !word.is_empty() && !word.starts_with("pt="));
        Some(Self {
            id,
            restrictions: restrictions.collect(),
        })
    }
}

/// The rids in `send <a>[,<alternative>][;<b>…] [recv …]`; a paused one starts with a tilde.
fn sent_in_simulcast(value: &str) -> Option<HashSet<&str>> {
    let mut words = value.split_ascii_whitespace();
    words.find(|word| *word == "send")?;
    let rids = words.next()?.split([';', ',']);
    Some(rids.map(|rid| rid.trim_start_matches('~')).collect())
}

#[cfg(test)]
mod tests {
    use super::super::description::sections;
    use super::*;

    fn answer_to(lines: &str) -> String {
        let sdp = format!("v=0\r\nm=video 9 X 96\r\n{lines}");
        let (_, media) = sections(&sdp);
        let mut out = String::new();
        Rids::read(&media[0]).answer(&mut out);
        out
    }

    #[test]
    fn layers_are_answered_under_their_own_names_and_with_what_restricts_them() {
        let offer = "a=rid:hi-resolution send max-width=1280;pt=96\r\na=rid:q send\r\na=rid:x recv\r\n\
            a=simulcast:send ~q;hi-resolution recv x\r\n";
        assert_eq!(
            answer_to(offer),
            "a=rid:hi-resolution recv max-width=1280\r\na=rid:q recv\r\n\
            a=simulcast:recv hi-resolution;q\r\n"
        );
        assert_eq!(answer_to("a=rid:q recv\r\n"), "");
        assert_eq!(answer_to("a=rid:q\" send\r\n"), "");
    }

    #[test]
    fn layers_beyond_three_are_not_answered() {
        let offer = "a=rid:a send\r\na=rid:b send\r\na=rid:c send\r\na=rid:d send\r\n\
            a=simulcast:send a;b;c;d\r\n";
        assert!(answer_to(offer).ends_with("a=simulcast:recv a;b;c\r\n"));
    }
}
