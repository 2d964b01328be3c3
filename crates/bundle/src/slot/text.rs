//! Texts in headers: a field of fixed size with zero bytes behind the text.

/// Bytes of a variant's name with its zero.
pub const VARIANT: usize = 32;
/// Bytes of a version with its zero.
pub const VERSION: usize = 16;
/// Bytes of a bundle's name with its zeros.
pub const BUNDLE: usize = 20;

/// The text of a field; none if it is not printable ASCII, or bytes follow its terminating zero.
pub(crate) fn text(field: &[u8]) -> Option<String> {
    let end = field.iter().position(|b| *b == 0)?;
    let is_plain = field[..end].iter().all(u8::is_ascii_graphic);
    let is_rest_zero = field[end..].iter().all(|b| *b == 0);
    (is_plain && is_rest_zero).then(|| String::from_utf8_lossy(&field[..end]).into_owned())
}

/// What the words of a slot's variant and version add to the sum over its header: `FAST_SLOT_TEXT_SUM`.
pub fn text_sum(variant: &str, version: &str) -> u32 {
    sum(&[variant, version], &[VARIANT, VERSION])
}

/// What the words of a descriptor's variant add to its sum: `FAST_DESCRIPTOR_VARIANT`.
pub fn variant_sum(variant: &str) -> u32 {
    sum(&[variant], &[VARIANT])
}

/// What the words of a descriptor's bundle and version add to its sum, in `FAST_DESCRIPTOR_TEXT_SUM`.
pub fn descriptor_sum(bundle: &str, version: &str) -> u32 {
    sum(&[bundle, version], &[BUNDLE, VERSION]).wrapping_mul(3)
}

fn sum(texts: &[&str], sizes: &[usize]) -> u32 {
    let mut fields = Vec::new();
    for (text, size) in texts.iter().zip(sizes) {
        let start = fields.len();
        fields.extend(text.bytes().take(*size));
        fields.resize(start + size, 0);
    }
    let words = fields.chunks_exact(4).enumerate();
    words.fold(0, |sum: u32, (i, four)| {
        let word = four
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u32::from(*byte));
        sum.wrapping_add(word.wrapping_mul(2 * i as u32 + 29))
    })
}
