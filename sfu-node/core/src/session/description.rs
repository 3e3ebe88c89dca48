//! A session description as sections of lines (RFC 8866): what stands above all m-lines, and each m-line. Some stacks end
//! lines with a space.

/// Words of an `m=` line before its formats.
pub const BEFORE_FORMATS: usize = 3;

/// One section: the lines from an `m=` on, or those above all.
#[derive(Debug, Clone)]
pub struct Section<'a> {
    pub lines: Vec<&'a str>,
}

/// The sections of a description, the one above all m-lines first.
pub fn sections(sdp: &str) -> (Section<'_>, Vec<Section<'_>>) {
    let mut session = Section { lines: Vec::new() };
    let mut media: Vec<Section<'_>> = Vec::new();
    let lines = sdp.lines().map(str::trim_end);
    for line in lines.filter(|line| !line.is_empty()) {
        if line.starts_with("m=") {
            media.push(Section { lines: vec![line] });
        } else {
            let section = media.last_mut().unwrap_or(&mut session);
            section.lines.push(line);
        }
    }
    (session, media)
}

impl<'a> Section<'a> {
    /// The values of an attribute, in order.
    pub fn values(&self, name: &'static str) -> impl Iterator<Item = &'a str> {
        let attributes = self.lines.iter().filter_map(|line| line.strip_prefix("a="));
        attributes.filter_map(move |attribute| attribute.strip_prefix(name)?.strip_prefix(':'))
    }

    /// The first value of an attribute.
    pub fn value(&self, name: &'static str) -> Option<&'a str> {
        self.values(name).next().map(str::trim_start)
    }

    /// Whether an attribute without a value is there.
    pub fn has(&self, name: &str) -> bool {
        let mut attributes = self.lines.iter().filter_map(|line| line.strip_prefix("a="));
        attributes.any(|attribute| attribute == name)
    }

    /// The words of its `m=` line.
    pub fn words(&self) -> impl Iterator<Item = &'a str> {
        let line = self.lines.first().and_then(|line| line.strip_prefix("m="));
        line.unwrap_or_default().split_ascii_whitespace()
    }
}
