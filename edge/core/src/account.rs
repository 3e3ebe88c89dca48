//! Accounts: what a registration must look like, and which ids there are.
//!
//! An account is found by its address: the object that holds it is named by a keyed hash of that. Once it is deleted the
//! address is free again, and who takes it then is somebody else: another account in the same object, of a later generation,
//! with an id of its own. What the first one was in rooms is not the second one's.

use protocol::api::{FieldError, RegisterRequest};
use protocol::id::UserId;
use serde::{Deserialize, Serialize};

use crate::email::normalize_email;
use crate::name::check_name;
use crate::password;
use crate::table::{Table, integer};

/// What stays of the accounts that an address had.
pub const GENERATIONS: Table = Table {
    name: "generations",
    tag: "",
    since: 2,
    columns: &[integer("deleted")],
    indexes: &[],
};

/// How many accounts of an address were deleted. Nothing else is kept of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generations {
    pub deleted: u32,
}

impl Generations {
    /// The id of the account that comes now, in the object of this name.
    pub fn next_id(self, object: &UserId) -> Option<UserId> {
        match self.deleted {
            0 => Some(object.clone()),
            deleted => format!("{object}-{deleted}").parse().ok(),
        }
    }
}

/// The name of the object that holds an account.
pub fn object_of(user: &UserId) -> &str {
    let id = user.as_str();
    id.split_once('-').map_or(id, |(object, _)| object)
}

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
    fn who_takes_an_address_again_is_somebody_else_in_the_same_object() {
        let object: UserId = "00ff".parse().unwrap();
        let ids: Vec<UserId> = (0..3)
            .filter_map(|deleted| Generations { deleted }.next_id(&object))
            .collect();
        let names: Vec<&str> = ids.iter().map(UserId::as_str).collect();
        assert_eq!(names, ["00ff", "00ff-1", "00ff-2"]);
        assert!(ids.iter().all(|id| object_of(id) == "00ff"));
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
