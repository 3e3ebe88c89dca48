//! What is written about the API.

use serde_json::Value;

use super::description::Caller::Anybody;
use super::description::Description;
use crate::problem::Kind;

pub fn openapi() -> Description {
    Description::new("documents", Anybody, "This document")
        .answers::<Value>(200, "OpenAPI 3.1.")
        .refuses(&[Kind::NotFound])
}
