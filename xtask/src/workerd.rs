//! The Worker in a plain workerd, as a box of one's own runs it: its configuration, from what `wrangler.toml` says.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::hasher::{Hasher, write_private};
use crate::{paths, secrets};

/// The date that decides how workerd behaves, variables, and objects, as `wrangler.toml` has them.
struct Worker {
    date: String,
    /// Name and value, the value in quotes as it stands there: TOML and Cap'n Proto quote alike.
    variables: Vec<(String, String)>,
    /// Binding and class.
    objects: Vec<(String, String)>,
}

impl Worker {
    fn read(text: &str) -> Self {
        let quoted = |text: &str, key: &str| {
            let (_, rest) = text.split_once(&format!("{key} = \""))?;
            rest.split('"').next().map(str::to_owned)
        };
        let mut section = "";
        let mut worker = Self {
            date: String::new(),
            variables: Vec::new(),
            objects: Vec::new(),
        };
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with('#'))
        {
            if line.starts_with('[') && line.ends_with(']') {
                section = line;
                continue;
            }
            match section {
                "" => worker.date = quoted(line, "compatibility_date").unwrap_or(worker.date),
                "[vars]" => worker.variables.extend(
                    line.split_once(" = ")
                        .map(|(name, value)| (name.to_owned(), value.to_owned())),
                ),
                "[durable_objects]" => worker
                    .objects
                    .extend(quoted(line, "{ name").zip(quoted(line, "class_name"))),
                _ => {}
            }
        }
        worker
    }
}

/// What stands before the Worker where it is metered.
const METER: &str = "xtask/src/cost/meter.js";

/// The command that serves the built Worker at a port, with its objects in a folder and the hasher beside it. Its configuration goes into
/// a file that only its owner may read, as there are secrets in it.
pub fn command(
    port: u16,
    folder: &Path,
    secrets: &[&Path],
    hasher: Option<&Hasher>,
    metered: bool,
) -> Result<Command> {
    let read =
        |path: &Path| fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error));
    let worker = Worker::read(&read(&paths::root().join("wrangler.toml"))?);
    let mut variables = worker.variables;
    for path in secrets {
        let text = read(path)?;
        let named = secrets::variables(&text);
        variables.extend(named.map(|(name, value)| (name.to_owned(), quote(value))));
    }
    variables.extend(hasher.map(|hasher| ("CONNECT_HASHER_KEY".into(), quote(hasher.key()))));
    let objects = folder.join("objects");
    fs::create_dir_all(&objects).map_err(|error| Failure::file("create", &objects, &error))?;
    let list = |lines: Vec<String>| lines.join(",\n    ");
    let mut bindings: Vec<String> = variables
        .iter()
        .map(|(name, value)| format!("(name = {}, text = {value})", quote(name)))
        .collect();
    bindings.extend(worker.objects.iter().map(|(name, class)| {
        format!(
            "(name = {}, durableObjectNamespace = {})",
            quote(name),
            quote(class)
        )
    }));
    let mut services = vec![
        "(name = \"edge\", worker = .edge)".to_owned(),
        format!(
            "(name = \"objects\", disk = (path = {}, writable = true))",
            quote(&objects.display().to_string())
        ),
    ];
    if let Some(hasher) = hasher {
        bindings.push("(name = \"HASHER\", service = \"hasher\")".into());
        services.push(format!(
            "(name = \"hasher\", external = (address = \"{}\", http = ()))",
            hasher.address()
        ));
    }
    let classes = worker.objects.iter().map(|(_, class)| {
        let class = quote(class);
        format!("(className = {class}, uniqueKey = {class}, enableSql = true)")
    });
    let build = paths::root().join("edge/build");
    let text = format!(
        r#"using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    {services}
  ],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "edge")],
);
const edge :Workerd.Worker = (
  modules = [
    {meter}(name = "index.js", esModule = embed {script}),
    (name = "index_bg.wasm", wasm = embed {wasm}),
  ],
  compatibilityDate = "{date}",
  bindings = [
    {bindings}
  ],
  durableObjectNamespaces = [
    {classes}
  ],
  durableObjectStorage = (localDisk = "objects"),
);
"#,
        services = list(services),
        meter = match metered {
            true => format!(
                "(name = \"meter.js\", esModule = embed {}),\n    ",
                quote(&paths::root().join(METER).display().to_string())
            ),
            false => String::new(),
        },
        script = quote(&build.join("index.js").display().to_string()),
        wasm = quote(&build.join("index_bg.wasm").display().to_string()),
        date = worker.date,
        bindings = list(bindings),
        classes = list(classes.collect()),
    );
    let file = folder.join("workerd.capnp");
    write_private(&file, &text)?;
    let mut command = Command::new(paths::root().join("node_modules/workerd/bin/workerd"));
    // The built Worker is named by its full path.
    command.args(["serve", "--import-path=/"]).arg(file);
    Ok(command)
}

/// A text as Cap'n Proto quotes it.
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrangler_toml_says_is_taken_over() {
        let path = paths::root().join("wrangler.toml");
        let worker = Worker::read(&fs::read_to_string(path).unwrap());
        assert_eq!(worker.date.len(), "2026-07-01".len());
        let value = |name: &str| {
            let mut named = worker.variables.iter().filter(|(known, _)| known == name);
            named.next().map(|(_, value)| value.as_str())
        };
        assert_eq!(value("CONNECT_LIMIT_REQUESTS"), Some("\"12000/60\""));
        assert_eq!(value("CONNECT_ORIGINS"), Some("\"\""));
        let objects = &worker.objects;
        assert!(
            objects.contains(&("USERS".into(), "UserObject".into())),
            "{objects:?}"
        );
        assert!(objects.len() >= 5, "{objects:?}");
    }

    #[test]
    fn a_text_is_quoted() {
        assert_eq!(quote(r#"[{"a":"\n"}]"#), r#""[{\"a\":\"\\n\"}]""#);
    }
}
