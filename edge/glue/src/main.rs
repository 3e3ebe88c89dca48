//! Makes, of the compiled Worker, the modules that esbuild joins into what workerd runs: the bindings that wasm-bindgen
//! generates (`index.js`, `index_bg.wasm`), a shim that starts the Worker anew after a panic, and what it exports. Its
//! functions are arranged so that they pack well; their names stay behind, in `named.wasm`.

mod arrange;
mod exports;
mod names;
mod order;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

const SHIM: &str = include_str!("shim.js");

fn main() -> Result<()> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    match arguments.as_slice() {
        [compiled, folder] => make(compiled, folder),
        _ => bail!("usage: edge-glue COMPILED.wasm FOLDER"),
    }
}

fn make(compiled: &Path, folder: &Path) -> Result<()> {
    let mut bindings = Bindgen::new()
        .module(true)?
        .input_path(compiled)
        .out_name("index")
        .reset_state_function(true)
        .force_enable_abort_handler(true)
        .generate_output()?;
    bindings.emit(folder)?;
    let wasm = folder.join("index_bg.wasm");
    let bound = fs::read(&wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    let named = arrange::arranged(&bound)?;
    write(&wasm, names::without(&named)?)?;
    write(&folder.join("named.wasm"), named)?;
    // workerd compiles a WebAssembly module before it gives it to an import, and has no word for that.
    let script = bindings.js().replace("import source ", "import ");
    let exports = exports::of(&script)?;
    for (name, text) in [
        ("index.js", script.as_str()),
        ("shim.js", SHIM),
        ("worker.js", &exports),
    ] {
        write(&folder.join(name), text)?;
    }
    Ok(())
}

fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<()> {
    fs::write(path, contents).with_context(|| format!("cannot write {}", path.display()))
}
