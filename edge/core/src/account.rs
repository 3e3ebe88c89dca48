//! Accounts: what a registration and a sign-in must look like.

use protocol::api::{FieldError, RegisterRequest};

use crate::name::check_name;

/// Shortest and longest password, in characters (NIST SP 800-63B asks for at least 8 and no composition rules).
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=128;
/// Longest e-mail address and local part, in bytes (RFC 5321, 4.5.3.1).
const MAX_EMAIL: usize = 254;
const MAX_LOCAL_PART: usize = 64;

/// A registration that may be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Normalized.
    pub email: String,
    pub name: String,
}

/// Checks a registration; an error names every field at fault.
pub fn check_registration(request: &RegisterRequest) -> Result<NewAccount, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut refuse = |field: &str, message: &str| {
        errors.push(FieldError {
            field: field.into(),
            message: message.into(),
        });
    };
    let email = normalize_email(&request.email);
    if email.is_none() {
        refuse("email", "an e-mail address looks like name@example.com");
    }
    if !PASSWORD.contains(&request.password.chars().count()) {
        refuse("password", "a password has 8 to 128 characters");
    }
    let name = check_name(&request.name);
    if let Err(error) = name {
        refuse("name", &error.to_string());
    }
    match (email, name, errors.is_empty()) {
        (Some(email), Ok(name), true) => Ok(NewAccount { email, name }),
        _ => Err(errors),
    }
}

/// The address in the form under which its account is found, or `None` if it is not an address.
pub fn normalize_email(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let (local, domain) = email.rsplit_once('@')?;
    let local_is_fine = (1..=MAX_LOCAL_PART).contains(&local.len())
        && local
            .chars()
            .all(|c| !c.is_whitespace() && !c.is_control() && c != '@');
    let label_is_fine =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    let domain_is_fine = domain.contains('.') && domain.split('.').all(label_is_fine);
    (email.len() <= MAX_EMAIL && local_is_fine && domain_is_fine).then_some(email)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(email: &str, password: &str, name: &str) -> Result<NewAccount, Vec<String>> {
        check_registration(&RegisterRequest {
            email: email.into(),
            password: password.into(),
            name: name.into(),
        })
        .map_err(|errors| errors.into_iter().map(|error| error.field).collect())
    }

    #[test]
    fn an_address_is_normalized() {
        let account = register(" Ada@Example.COM ", "password123", " Ada ").unwrap();
        assert_eq!(account.email, "ada@example.com");
        assert_eq!(account.name, "Ada");
    }

    #[test]
    fn each_field_at_fault_is_named() {
        assert_eq!(
            register("x", "short", "").unwrap_err(),
            ["email", "password", "name"]
        );
        assert_eq!(
            register("a@b.co", &"x".repeat(129), "a\u{7}b").unwrap_err(),
            ["password", "name"]
        );
        assert_eq!(
            register("a@b.co", "password123", "\u{3164}").unwrap_err(),
            ["name"]
        );
        assert!(register("a@b.co", "пароль12", "Ω").is_ok());
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "", "@", "a@", "@b.co", "a@b", "a b@c.de", "a@b..c", "a@b c.de", "a@b@c.de", &long,
        ] {
            assert_eq!(normalize_email(bad), None, "{bad:?} passed");
        }
    }
}
