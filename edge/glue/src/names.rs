//! The compiled Worker without what it says about itself: the names of its functions, a tenth of what would be uploaded.

use anyhow::{Context, Result, ensure};

/// What a WebAssembly module starts with: its magic number and version (Core Specification, 5.5.16).
const HEADER: &[u8] = b"\0asm\x01\0\0\0";
/// The id of a custom section, which changes nothing in what a module does (5.5.3).
const CUSTOM: u8 = 0;

/// The module without its custom sections. The functions keep their numbers, by which a stack names them.
pub fn without(module: &[u8]) -> Result<Vec<u8>> {
    ensure!(module.starts_with(HEADER), "not a WebAssembly module");
    let mut kept = HEADER.to_vec();
    let mut rest = &module[HEADER.len()..];
    while let [id, sized @ ..] = rest {
        let (size, body) = number(sized).context("a section without a size")?;
        let after = body.get(size..).context("a section that is cut off")?;
        let (section, following) = rest.split_at(rest.len() - after.len());
        if *id != CUSTOM {
            kept.extend(section);
        }
        rest = following;
    }
    Ok(kept)
}

/// Reads a number (LEB128, 5.2.2) of at most 32 bits.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(sections: &[(u8, &[u8])]) -> Vec<u8> {
        let mut module = HEADER.to_vec();
        for (id, body) in sections {
            module.extend([*id, body.len() as u8 | 0x80, 0]);
            module.extend(*body);
        }
        module
    }

    #[test]
    fn custom_sections_go_and_all_others_stay_in_their_order() {
        let full = module(&[(0, b"\x04name?"), (1, b"types"), (0, b""), (10, b"code")]);
        assert_eq!(
            without(&full).unwrap(),
            module(&[(1, b"types"), (10, b"code")])
        );
    }

    #[test]
    fn what_is_no_module_is_refused() {
        for broken in [
            b"".to_vec(),
            b"\0asm\x02\0\0\0".to_vec(),
            module(&[(1, b"types")])[..13].to_vec(),
            [HEADER, &[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0]].concat(),
        ] {
            assert!(without(&broken).is_err(), "{broken:?}");
        }
    }
}
