//! Passwords: one form for all ways in which keyboards give the same one (OpaqueString of PRECIS, RFC 8265, 4.2).
//!
//! Stricter than that profile we are with nobody: a character that is not assigned yet, or joins an emoji, is as good as any.

use protocol::api::{MAX_PASSWORD, MIN_PASSWORD};
use unicode_normalization::UnicodeNormalization;

/// The form that is hashed.
pub fn prepare(password: &str) -> String {
    // 2. Additional mapping, 4. normalization; there is no mapping of width or case.
    password
        .chars()
        .map(|c| if is_space(c) { ' ' } else { c })
        .nfc()
        .collect()
}

/// Longest password that is looked at, in characters: longer than any that was taken, so that none fits by its beginning.
const MAX_PRESENTED: usize = 2 * MAX_PASSWORD;

/// What somebody typed to sign in, in the form that is hashed.
pub fn presented(typed: &str) -> String {
    // Cut last: one character may be typed as several.
    prepare(typed).chars().take(MAX_PRESENTED).collect()
}

/// Why a password cannot be taken, of those that are prepared.
pub fn check(prepared: &str) -> Result<(), &'static str> {
    if !(MIN_PASSWORD..=MAX_PASSWORD).contains(&prepared.chars().count()) {
        return Err("a password has 8 to 128 characters");
    }
    if prepared.chars().any(char::is_control) {
        return Err("a password has no control characters, such as a tab");
    }
    Ok(())
}

/// What separates words (general category Zs, Unicode 17).
fn is_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8265, 4.3.
    #[test]
    fn the_examples_of_the_standard_hold() {
        for legal in [
            "correct horse battery staple",
            "Correct Horse Battery Staple",
            "πßå",
            "Jack of ♦s",
        ] {
            assert_eq!(prepare(legal), legal);
        }
        assert_eq!(prepare("foo\u{1680}bar"), "foo bar");
        assert!(check(&prepare("")).is_err());
        assert!(check(&prepare("my cat is a \u{9}by")).is_err());
    }

    #[test]
    fn a_password_is_the_same_from_every_keyboard() {
        assert_eq!(prepare("Zu\u{308}richsee"), prepare("Zürichsee"));
        assert_eq!(prepare("de\u{301}ja\u{300} vu\u{a0}!"), "déjà vu !");
        // Width and case are part of it.
        assert_ne!(prepare("ｐａｓｓｗｏｒｄ"), "password");
        assert_ne!(prepare("PASSWORD"), "password");
        assert_eq!(
            prepare(&prepare("e\u{323}\u{301}")),
            prepare("e\u{301}\u{323}")
        );
    }

    #[test]
    fn what_was_taken_fits_however_it_is_typed() {
        // Three characters typed, one of the password.
        let typed = "u\u{308}\u{304}".repeat(128);
        assert!(check(&prepare(&typed)).is_ok());
        assert_eq!(presented(&typed), prepare(&typed));
        assert_ne!(presented(&format!("{typed}x")), prepare(&typed));
        assert!(presented(&"x".repeat(1_000)).len() < 1_000);
    }

    #[test]
    fn characters_are_counted_as_they_are_prepared() {
        assert!(check(&prepare(&"u\u{308}".repeat(128))).is_ok());
        assert!(check(&prepare(&"u\u{308}".repeat(129))).is_err());
        assert!(check(&prepare(&"u\u{308}".repeat(7))).is_err());
        assert!(check("пароль12").is_ok());
    }
}
