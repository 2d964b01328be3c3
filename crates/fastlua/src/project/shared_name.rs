//! Bytecode of one name for several variants: a chunk for which each variant has a file of its own.

use std::collections::BTreeMap;

use fastlua_bundle::{Input, NameError};
use fastlua_bytecode::{candidates, is_bytecode, read};
use fastlua_variants::Variant;

/// The inputs whose names have to differ: of bytecode that can be one chunk, the first.
pub(crate) fn with_own_names(inputs: &[Input]) -> impl Iterator<Item = &Input> {
    let mut first: BTreeMap<&str, &Input> = BTreeMap::new();
    inputs.iter().filter(move |input| {
        let first = *first.entry(&input.name).or_insert(input);
        first.file == input.file || !can_share(first, input)
    })
}

fn can_share(a: &Input, b: &Input) -> bool {
    let of = |input: &Input| (input.form, input.strip);
    let are_dumps = [a, b].map(|i| is_bytecode(&i.text) && !i.form.is_data());
    are_dumps == [true; 2] && of(a) == of(b)
}

/// Decides for each variant which of the inputs of one name it carries: the one that is bytecode of its layout. Where
/// none is, one that is not, so that the build says why.
///
/// # Errors
/// Two of one name are for the same variant.
pub(crate) fn assign(inputs: &mut [Input], variants: &[Variant]) -> Result<(), NameError> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, input) in inputs.iter().enumerate() {
        groups.entry(input.name.clone()).or_default().push(i);
    }
    for group in groups.into_values().filter(|group| group.len() > 1) {
        let mut lists: BTreeMap<usize, Vec<String>> = group.iter().map(|i| (*i, vec![])).collect();
        for variant in variants {
            if let Some(i) = carried(inputs, &group, variant)? {
                lists.entry(i).or_default().push(variant.name.clone());
            }
        }
        for (i, list) in lists {
            inputs[i].variants = Some(list);
        }
    }
    Ok(())
}

/// The one of a group that a variant carries; none where they are for others.
fn carried(
    inputs: &[Input],
    group: &[usize],
    variant: &Variant,
) -> Result<Option<usize>, NameError> {
    let layout = &variant.layout;
    let asked = || group.iter().copied().filter(|i| inputs[*i].is_for(variant));
    let mut fit = asked().filter(|i| read(&inputs[*i].text, layout).is_ok());
    match (fit.next(), fit.next()) {
        (Some(first), Some(second)) => Err(NameError::Same {
            name: inputs[first].name.clone(),
            first_file: inputs[first].file.clone(),
            second_file: inputs[second].file.clone(),
        }),
        (Some(one), None) => Ok(Some(one)),
        _ => {
            let damaged = asked().find(|i| candidates(&inputs[*i].text).contains(layout));
            Ok(damaged.or_else(|| asked().next()))
        }
    }
}
