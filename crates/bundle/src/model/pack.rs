//! Packs the chunks of a bundle, with the strings that they share, and proves each.

use fastlua_bytecode::packed::{Pool, read, write};
use xxhash_rust::xxh32::xxh32;

use super::{Bundle, Dump, Fault, Form};

/// Packs the chunks whose form is packed, from their dumps or from an earlier packing, with the strings that
/// the packed chunks of their variant share, and proves each: it is read back and compared. Call it once the
/// forms of all chunks are known, and again after they change.
///
/// # Errors
/// A chunk is different after reading: a fault of fastlua.
pub fn pack(bundle: &mut Bundle) -> Result<(), Fault> {
    pack_with(bundle, |bundle, v| {
        pool_of_packed(bundle, v, |i| bundle.chunks[i].form == Form::Packed)
    })
}

/// The same, where chunks share no strings: for chunks that are in C modules, each with its own ([`module_headers`](crate::module_headers)).
///
/// # Errors
/// As of [`pack`].
pub fn pack_without_pool(bundle: &mut Bundle) -> Result<(), Fault> {
    pack_with(bundle, |_, _| Pool::default())
}

/// The strings that the packed chunks of a variant share, if the chunks with these indices are packed.
pub(crate) fn pool_of_packed(bundle: &Bundle, v: usize, is_packed: impl Fn(usize) -> bool) -> Pool {
    let chunks = bundle.chunks.iter().enumerate();
    let packed = chunks.filter(|(i, _)| is_packed(*i));
    let packed = packed.filter_map(|(_, chunk)| chunk.dumps[v].as_ref()?.chunk());
    Pool::of(bundle.variants[v].layout.dialect(), packed)
}

/// The bytes of a chunk as a packed one; none if the variant does not have it.
///
/// # Errors
/// A fault of fastlua.
pub(crate) fn packed(
    bundle: &Bundle,
    v: usize,
    i: usize,
    pool: &Pool,
) -> Result<Option<Vec<u8>>, Fault> {
    let Some(dump) = &bundle.chunks[i].dumps[v] else {
        return Ok(None);
    };
    let fault = |reason: String| fault_of_packing(bundle, v, i, &reason);
    let Some(compiled) = dump.chunk() else {
        return Err(fault("the chunk to pack was not kept".into()));
    };
    match write(compiled, pool) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) => Err(fault(error.to_string())),
    }
}

fn fault_of_packing(bundle: &Bundle, v: usize, i: usize, reason: &str) -> Fault {
    let chunk = &bundle.chunks[i];
    Fault {
        message: format!("{}: bug in fastlua: {reason}", chunk.file),
        chunk: chunk.name.clone(),
        file: chunk.file.clone(),
        line: None,
        column: None,
        variants: vec![bundle.variants[v].name.clone()],
        because: None,
    }
}

fn pack_with(bundle: &mut Bundle, pool: impl Fn(&Bundle, usize) -> Pool) -> Result<(), Fault> {
    bundle.common = Vec::with_capacity(bundle.variants.len());
    for v in 0..bundle.variants.len() {
        let pool = pool(bundle, v);
        for i in 0..bundle.chunks.len() {
            if bundle.chunks[i].form != Form::Packed {
                continue;
            }
            let Some(bytes) = packed(bundle, v, i, &pool)? else {
                continue;
            };
            let compiled = bundle.chunks[i].dumps[v].as_ref().and_then(Dump::chunk);
            let reason = match compiled.map(|c| (c, read(&bytes, &c.layout, &pool))) {
                Some((compiled, Ok(back))) if back == *compiled => None,
                Some((_, Err(error))) => Some(format!("packed: {error}")),
                _ => Some("the packed chunk reads back as a different one".into()),
            };
            if let Some(reason) = reason {
                return Err(fault_of_packing(bundle, v, i, &reason));
            }
            if let Some(dump) = &mut bundle.chunks[i].dumps[v] {
                dump.xxh32 = xxh32(&bytes, 0);
                dump.bytes = bytes;
            }
        }
        bundle.common.push(pool);
    }
    Ok(())
}
