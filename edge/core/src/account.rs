//! Accounts: what a registration must look like.

use protocol::api::{FieldError, RegisterRequest};

use crate::email::normalize_email;
use crate::name::check_name;
use crate::password;

/// A registration that may be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Normalized.
    pub email: String,
    pub name: String,
    /// Prepared.
    pub password: String,
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
    let password = password::prepare(&request.password);
    if let Err(message) = password::check(&password) {
        refuse("password", message);
    }
    let name = check_name(&request.name);
    if let Err(error) = name {
        refuse("name", &error.to_string());
    }
    match (email, name, errors.is_empty()) {
        (Some(email), Ok(name), true) => Ok(NewAccount {
            email,
            name,
            password,
        }),
        _ => Err(errors),
    }
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
    fn what_is_taken_is_taken_in_its_one_form() {
        let account = register(" Ada@Example.COM ", "Zu\u{308}richsee", " Ade\u{301}le ").unwrap();
        assert_eq!(account.email, "ada@example.com");
        assert_eq!(account.name, "Adéle");
        assert_eq!(account.password, "Zürichsee");
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
}
