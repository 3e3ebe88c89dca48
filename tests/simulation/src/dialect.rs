//! Nodes of other releases: what they say is what ours say, with more or with less in it.

use serde_json::{Value, json};

use crate::world::World;

/// How a node speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// One version later: messages and fields that nobody here knows.
    Later,
    /// One version earlier: without the fields that came since.
    Earlier,
}

impl Dialect {
    /// What goes over the wire in the place of a message.
    pub(crate) fn translate(self, mut message: Value) -> Vec<Value> {
        let Some(fields) = message.as_object_mut() else {
            return vec![message];
        };
        match self {
            Dialect::Later => {
                fields.insert("reason".into(), json!({ "code": 7, "words": ["later"] }));
                let unknown = json!({ "type": "forecast", "rain": [0.5, null], "flow": 3 });
                let hello = json!({ "type": "hello", "version": 2, "node": "n", "features": [] });
                vec![unknown, message, hello]
            }
            Dialect::Earlier => {
                fields.remove("attempt");
                fields.remove("hops");
                vec![message]
            }
        }
    }
}

impl World {
    /// From now on a node speaks like one of another release.
    pub fn speaks(&mut self, node: usize, dialect: Dialect) {
        self.dialects.insert(node, dialect);
    }
}
