//! Tables: what each migration does, and what of a record is in its row.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Tea {
    leaf: String,
    #[serde(default)]
    sugar: bool,
    cup: Cup,
    #[serde(skip_serializing_if = "Option::is_none")]
    milk: Option<f64>,
    kinds: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cup {
    of_set: u64,
    name: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Drink {
    Tea(Tea),
}

static TEAS: Table = Table {
    name: "teas",
    tag: "Tea",
    since: 1,
    columns: &[
        text("leaf").key(),
        flag("sugar").since(2, "0"),
        integer("of_set").field("ofSet").inside("cup"),
        text("name").inside("cup").optional(),
        real("milk").optional(),
        json("kinds"),
    ],
    indexes: &[(2, "(of_set, leaf)")],
};
static SCHEMA: Schema = Schema {
    tables: &[&TEAS],
    scripts: &[(2, "UPDATE teas SET sugar = 1;\n")],
};

#[test]
fn a_migration_makes_tables_columns_and_indexes_of_its_number() {
    assert_eq!(SCHEMA.latest(), 2);
    let (tables, scripts): (_, &[_]) = (SCHEMA.tables, &[(7, "")]);
    assert_eq!(Schema { tables, scripts }.latest(), 7);
    assert_eq!(
        SCHEMA.migration(1),
        "CREATE TABLE IF NOT EXISTS \"teas\" (\"leaf\" TEXT NOT NULL, \"of_set\" INTEGER NOT NULL, \"name\" TEXT, \"milk\" REAL, \
         \"kinds\" TEXT NOT NULL, PRIMARY KEY (\"leaf\")) STRICT, WITHOUT ROWID;\n"
    );
    assert_eq!(
        SCHEMA.migration(2),
        "ALTER TABLE \"teas\" ADD COLUMN \"sugar\" INTEGER NOT NULL DEFAULT 0;\n\
         CREATE INDEX IF NOT EXISTS \"teas_0\" ON \"teas\" (of_set, leaf);\nUPDATE teas SET sugar = 1;\n"
    );
}

#[test]
fn what_has_no_place_in_a_row_is_refused_and_not_lost() {
    let tea = r#"{"leaf":"oolong","sugar":true,"cup":{"ofSet":1},"kinds":[]"#;
    assert!(TEAS.cells(&format!("{tea}}}")).is_ok());
    let error = |json: String| TEAS.cells(&json).unwrap_err().to_string();
    assert_eq!(
        error(format!("{tea},\"lemon\":1}}")),
        "teas has no column for lemon"
    );
    assert!(error(tea.replace(":1}", ":1.5}") + "}").starts_with("teas.of_set"));
    assert!(error(tea.replace(":1}", ":9007199254740993}") + "}").starts_with("teas.of_set"));
    assert!(error(tea.replace("\"kinds\":[]", "\"milk\":1") + "}").starts_with("teas.kinds"));
}

proptest! {
    #[test]
    fn a_row_gives_its_record_back(
        leaf in "\\PC*|[\"\\\\\n\u{0}]*",
        sugar: bool,
        of_set in 0u64..1 << 53,
        name in proptest::option::of("\\PC*"),
        milk in proptest::option::of((0u32..1 << 20).prop_map(|quarters| f64::from(quarters) / 4.0)),
        kinds: Vec<u8>,
    ) {
        let cup = Cup { of_set, name };
        let tea = Tea { leaf, sugar, cup, milk, kinds };
        let row = TEAS.row(&Drink::Tea(tea.clone())).unwrap();
        prop_assert_eq!(TEAS.record::<Drink>(&row).unwrap(), Drink::Tea(tea.clone()));
        prop_assert_eq!(TEAS.key_of(&row), TEAS.key([tea.leaf.as_str().into()]));
    }
}
