//! Names as others see them, of people and of rooms: one line of text that shows something, and stays where it stands.

use protocol::api::MAX_NAME;
use unicode_normalization::UnicodeNormalization;

/// Characters that show nothing by themselves, besides white space: those with the property
/// Default_Ignorable_Code_Point (Unicode 17, DerivedCoreProperties.txt), which are filled up with format characters and
/// letters that are blank by definition. In a name they have their work: they join an emoji, part a Persian word, or say
/// which way a sign belongs.
const INVISIBLE: [std::ops::RangeInclusive<char>; 20] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    // Hangul fillers, as are U+3164 and U+FFA0.
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    // The Braille pattern without a dot.
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    // The last three of these frame annotations between lines.
    '\u{fff0}'..='\u{fffb}',
    '\u{1bca0}'..='\u{1bca3}',
    // A note without a head.
    '\u{1d159}'..='\u{1d159}',
    '\u{1d173}'..='\u{1d17a}',
    // Tags, which spell flags after a black one.
    '\u{e0000}'..='\u{e007f}',
    '\u{e0080}'..='\u{e0fff}',
];

/// Why a name is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    #[error("a name has 1 to {MAX_NAME} characters")]
    Length,
    #[error("a name is one line, without control characters")]
    Control,
    #[error("a name shows something: this one is made of characters that cannot be seen")]
    Invisible,
    #[error(
        "a name holds no characters that turn the direction of the text around it (U+202A to U+202E, U+2066 to U+2069)"
    )]
    Direction,
}

/// The name, composed (Unicode's NFC) and without the white space around it, or why it is none.
pub fn check_name(text: &str) -> Result<String, BadName> {
    let composed: String = text.nfc().collect();
    let name = composed.trim().to_owned();
    // White space counts, although it goes: whoever writes a client is told one length.
    if name.is_empty() || composed.chars().count() > MAX_NAME {
        return Err(BadName::Length);
    }
    if name.chars().any(breaks_line) {
        return Err(BadName::Control);
    }
    if name.chars().any(turns_text) {
        return Err(BadName::Direction);
    }
    if name.chars().all(is_invisible) {
        return Err(BadName::Invisible);
    }
    Ok(name)
}

/// Whether this shows nothing by itself.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_whitespace() || INVISIBLE.iter().any(|range| range.contains(&c))
}

fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Embeddings, overrides and isolates (UAX #9, 2.1 to 2.4): one that is not closed turns what follows the name, too. The
/// marks for a single place (U+200E, U+200F, U+061C) do not.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_the_world_are_taken_as_they_are() {
        for name in [
            "Ada",
            "Ω",
            "O’Neill-Łukasiewicz",
            "דוד בן־גוריון",
            "محمد بن سلمان",
            // A zero-width non-joiner parts the word.
            "می\u{200c}خواهم",
            // A mark keeps the full stop on the right side.
            "א. ב.\u{200f}",
            "김철수",
            // Jamo, with a filler in the place of a missing first sound.
            "\u{115f}\u{1161}",
            "山田 太郎",
            "👩\u{200d}🚀",
            "👨\u{200d}👩\u{200d}👧\u{200d}👦",
            "❤\u{fe0f}",
            // Scotland's flag, spelled by tags.
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            "क्\u{200d}ष",
        ] {
            assert_eq!(check_name(name).as_deref(), Ok(name), "{name:?}");
        }
        assert_eq!(check_name("\u{3000}Ada \n").as_deref(), Ok("Ada"));
        assert_eq!(check_name("Zoe\u{308}").as_deref(), Ok("Zoë"));
    }

    #[test]
    fn a_name_that_shows_nothing_is_none() {
        for name in [
            "\u{200b}",
            "\u{200d}\u{200d}",
            "\u{3164}",
            "\u{115f}\u{1160}",
            "\u{ffa0} \u{ffa0}",
            "\u{ad}",
            "\u{2800}\u{2800}",
            "\u{feff}",
            "\u{fe0f}",
            "\u{200e}\u{200f}\u{61c}",
            "\u{e0041}",
            "\u{2060}\u{a0}\u{180e}",
            "\u{fff9}\u{fffb}",
        ] {
            assert_eq!(check_name(name), Err(BadName::Invisible), "{name:?}");
        }
        for name in ["", " \t\n ", "\u{3000}\u{2003}"] {
            assert_eq!(check_name(name), Err(BadName::Length), "{name:?}");
        }
    }

    #[test]
    fn a_name_is_as_long_as_it_is_written() {
        let wide = format!(" a{}", " ".repeat(MAX_NAME));
        assert_eq!(check_name(&wide), Err(BadName::Length));
        assert_eq!(check_name(" a ").as_deref(), Ok("a"));
        assert!(check_name(&"e\u{301}".repeat(MAX_NAME)).is_ok());
    }

    #[test]
    fn a_name_leaves_the_text_around_it_alone() {
        for turn in [
            '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}',
            '\u{2068}', '\u{2069}',
        ] {
            let name = format!("Ada{turn}gnp.exe");
            assert_eq!(check_name(&name), Err(BadName::Direction), "{name:?}");
        }
        for name in ["a\u{7}b", "a\nb", "a\u{2028}b", "a\u{85}b"] {
            assert_eq!(check_name(name), Err(BadName::Control), "{name:?}");
        }
        assert_eq!(check_name(&"x".repeat(81)), Err(BadName::Length));
    }
}
