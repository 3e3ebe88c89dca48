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

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection, Function,
        ImportSection, RefType, TableSection, TableType, TypeSection, ValType,
    };
    use wasmparser::Operator;

    use super::*;

    /// How many functions the module has. Those with even numbers are of one kind, those with odd ones of another.
    const FUNCTIONS: u32 = 6;

    /// A module with one import, whose functions each call the next and say in a constant which they are; each is exported by
    /// its number, and stands in a table.
    fn module() -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        types.ty().function([ValType::I64], []);
        let mut imports = ImportSection::new();
        imports.import("from", "outside", EntityType::Function(0));
        let (mut functions, mut exports, mut code) = (
            FunctionSection::new(),
            ExportSection::new(),
            CodeSection::new(),
        );
        for function in 0..FUNCTIONS {
            functions.function(function % 2);
            exports.export(&function.to_string(), ExportKind::Func, 1 + function);
            let mut body = Function::new([]);
            let mut instructions = body.instructions();
            for step in 0..20 {
                let kind = i64::from(function % 2 + 1);
                instructions.i64_const(kind * (1 << 40) + step).drop();
            }
            instructions.i32_const(function as i32).drop();
            if (function + 1) % 2 == 1 {
                instructions.i64_const(0);
            }
            instructions.call(1 + (function + 1) % FUNCTIONS).end();
            code.function(&body);
        }
        let mut tables = TableSection::new();
        tables.table(TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: u64::from(FUNCTIONS),
            maximum: None,
            shared: false,
        });
        let mut elements = ElementSection::new();
        let all: Vec<u32> = (1..=FUNCTIONS).collect();
        elements.active(
            None,
            &ConstExpr::i32_const(0),
            Elements::Functions(all.into()),
        );
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions);
        module.section(&tables).section(&exports).section(&elements);
        module.section(&code);
        module.finish()
    }

    /// Of each function by its number: which it says it is, which it calls, and its type.
    fn bodies(module: &[u8]) -> Vec<(i32, u32, u32)> {
        let (mut types, mut bodies) = (Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(module) {
            match payload.unwrap() {
                Payload::FunctionSection(section) => {
                    types = section.into_iter().map(Result::unwrap).collect();
                }
                Payload::CodeSectionEntry(body) => {
                    let (mut own, mut called) = (-1, 0);
                    for operator in body.get_operators_reader().unwrap() {
                        match operator.unwrap() {
                            Operator::I32Const { value } => own = value,
                            Operator::Call { function_index } => called = function_index,
                            _ => {}
                        }
                    }
                    bodies.push((own, called, types[bodies.len()]));
                }
                _ => {}
            }
        }
        bodies
    }

    #[test]
    fn exports_calls_and_tables_lead_to_the_functions_that_they_led_to() {
        let arranged = arranged(&module()).unwrap();
        let bodies = bodies(&arranged);
        let own = |number: u32| bodies[number as usize - 1].0;
        let order: Vec<i32> = bodies.iter().map(|body| body.0).collect();
        assert_ne!(order, (0..FUNCTIONS as i32).collect::<Vec<_>>());
        for &(function, called, of_type) in &bodies {
            assert_eq!(own(called), (function + 1) % FUNCTIONS as i32);
            assert_eq!(of_type as i32, function % 2);
        }
        let mut seen = 0;
        for payload in Parser::new(0).parse_all(&arranged) {
            match payload.unwrap() {
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export.unwrap();
                        assert_eq!(export.name, own(export.index).to_string());
                        seen += 1;
                    }
                }
                Payload::ElementSection(elements) => {
                    for element in elements {
                        let wasmparser::ElementItems::Functions(items) = element.unwrap().items
                        else {
                            panic!("other elements than were written");
                        };
                        for (at, item) in (0..).zip(items) {
                            assert_eq!(own(item.unwrap()), at);
                            seen += 1;
                        }
                    }
                }
                _ => {}
            }
        }
        assert_eq!(seen, 2 * FUNCTIONS);
    }
}
