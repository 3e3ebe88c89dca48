//! The compiled Worker with its functions in the order that packs best: the same functions, numbered anew wherever one is named.

use anyhow::{Context, Result};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, FunctionSection, Module, NameMap, NameSection};
use wasmparser::{CodeSectionReader, FunctionSectionReader, Name, Parser, Payload, TypeRef};

use crate::order;

/// The module with its functions arranged.
pub fn arranged(module: &[u8]) -> Result<Vec<u8>> {
    let mut arranging = Arranging::of(module).context("cannot read the module")?;
    let mut arranged = Module::new();
    arranging
        .parse_core_module(&mut arranged, Parser::new(0), module)
        .context("cannot write the module anew")?;
    Ok(arranged.finish())
}

/// Numbers functions anew.
struct Arranging {
    /// How many functions are imported: they are numbered first, and stay.
    imported: u32,
    /// The functions that the module defines, in their new order.
    order: Vec<usize>,
    /// The new place of each.
    places: Vec<u32>,
}

impl Arranging {
    fn of(module: &[u8]) -> Result<Self> {
        let (mut imported, mut bodies) = (0, Vec::new());
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(imports) => imported = functions(imports)?,
                Payload::CodeSectionEntry(body) => bodies.push(&module[body.range()]),
                _ => {}
            }
        }
        let order = order::by_likeness(&bodies);
        let mut places = vec![0; order.len()];
        for (place, &function) in (0..).zip(&order) {
            places[function] = place;
        }
        Ok(Self {
            imported,
            order,
            places,
        })
    }
}

/// How many functions are among the imports.
fn functions(imports: wasmparser::ImportSectionReader<'_>) -> Result<u32> {
    let mut count = 0;
    for import in imports.into_imports() {
        count += u32::from(matches!(import?.ty, TypeRef::Func(_)));
    }
    Ok(count)
}

impl Reencode for Arranging {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Self::Error>> {
        let place = function
            .checked_sub(self.imported)
            .and_then(|defined| self.places.get(defined as usize));
        Ok(place.map_or(function, |place| self.imported + place))
    }

    fn parse_function_section(
        &mut self,
        arranged: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let types = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for &function in &self.order {
            arranged.function(types[function]);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        arranged: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for function in self.order.clone() {
            self.parse_function_body(arranged, bodies[function].clone())?;
        }
        Ok(())
    }

    /// Names stand in the order of their numbers (Core Specification, 7.4.2).
    fn parse_custom_name_subsection(
        &mut self,
        names: &mut NameSection,
        section: Name<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let Name::Function(functions) = section else {
            return utils::parse_custom_name_subsection(self, names, section);
        };
        let mut sorted = Vec::new();
        for naming in functions {
            let naming = naming?;
            sorted.push((self.function_index(naming.index)?, naming.name));
        }
        sorted.sort_unstable();
        let mut map = NameMap::new();
        for (function, name) in sorted {
            map.append(function, name);
        }
        names.functions(&map);
        Ok(())
    }
}
