//! The tables of all classes of objects, as each migration makes them.

use std::fs;
use std::path::Path;

use super::Class;
use crate::{developer, directory, limiter, region, room, user};

/// What objects have stored is read from these columns for good: a change is a migration of its own.
#[test]
fn the_tables_of_all_objects_are_as_they_were() {
    let classes: [(&str, &Class); 6] = [
        ("room", &room::CLASS),
        ("user", &user::CLASS),
        ("developer", &developer::CLASS),
        ("directory", &directory::CLASS),
        ("region", &region::CLASS),
        ("limiter", &limiter::CLASS),
    ];
    for (name, Class { schema, .. }) in classes {
        let file = format!("src/store/tables/{name}.sql");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
        let number = |at: u32| format!("-- {at}\n{}", schema.migration(at));
        let now: String = (1..=schema.latest()).map(number).collect();
        if std::env::var_os("UPDATE_TABLES").is_some() {
            fs::write(&path, &now).expect("it can be written");
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            stored, now,
            "{file}: UPDATE_TABLES=1 cargo test -p edge tables, and only ever add to it"
        );
    }
}
