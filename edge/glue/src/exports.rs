//! What the Worker exports: its Durable Objects, and itself with the handlers that it has.

use anyhow::{Result, ensure};

/// The handlers of events that workerd calls on a Worker. They take the event; what else they know is at the object.
const HANDLERS: [&str; 5] = ["fetch", "queue", "scheduled", "email", "connect"];

/// The module with the exports, by the bindings of wasm-bindgen, which declare one at the start of a line.
pub fn of(bindings: &str) -> Result<String> {
    let declared = |keyword, end| {
        let declarations = bindings.lines().filter_map(move |line| {
            let (name, _) = line.strip_prefix(keyword)?.split_once(end)?;
            Some(name.trim())
        });
        declarations.collect::<Vec<_>>()
    };
    let functions = declared("export function ", '(');
    let handlers: Vec<String> = HANDLERS
        .iter()
        .filter(|handler| functions.contains(handler))
        .map(|handler| format!("{handler}: compiled.{handler}"))
        .collect();
    ensure!(
        !handlers.is_empty(),
        "the compiled Worker handles no event: none of {HANDLERS:?} is among its functions {functions:?}"
    );
    let mut text = String::from(
        "import * as compiled from \"./index.js\";\nimport { entrypoint, lasting } from \"./shim.js\";\n\n",
    );
    for class in declared("export class ", '{') {
        text += &format!("export const {class} = lasting(compiled.{class});\n");
    }
    text += &format!(
        "export default entrypoint({{ {} }});\n",
        handlers.join(", ")
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_handlers_are_exported_and_nothing_else() {
        let bindings = "\
import source wasmModule from \"./index_bg.wasm\";
export class RoomObject {
    alarm() {}
}
export function __wbg_reset_state () {
}
export function fetch(req, env, ctx) {
}
export function start() {
}
";
        let exports = of(bindings).unwrap();
        let (_, body) = exports.split_once("\n\n").unwrap();
        assert_eq!(
            body,
            "export const RoomObject = lasting(compiled.RoomObject);\nexport default entrypoint({ fetch: compiled.fetch });\n"
        );
    }

    #[test]
    fn a_worker_that_handles_nothing_is_refused() {
        let error = of("export function start() {\n}\n").unwrap_err();
        assert!(error.to_string().contains("start"), "{error}");
    }
}
