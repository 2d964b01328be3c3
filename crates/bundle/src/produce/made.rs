//! What the forms of an input have in common for a variant, and an input in one of them.

use fastlua_bytecode::{Function, Strip, is_bytecode};
use fastlua_compiler::loaded_text;

use super::TextError;
use super::build::{Outcome, Said, Squash};
use super::limits::TooMany;
use crate::model::{Dump, Form, Input, is_hidden};

/// Why an input can't be carried in a form, if no variant is asked.
pub(super) fn refused_as(input: &Input, form: Form) -> Option<TextError> {
    let reason = match form {
        Form::Packed if input.strip != Strip::Lines => format!(
            "packed chunks have no debug data, but strip level {} keeps some: use level 2, or another form",
            input.strip as u8
        ),
        form if form.is_source() && is_bytecode(&input.text) => {
            format!("bytecode can't be stored as {form}")
        }
        _ => return None,
    };
    Some(TextError::Given {
        file: input.file.clone(),
        reason,
    })
}

/// What forms of an input have in common for a variant.
#[derive(Default)]
pub(super) struct Made {
    pub(super) remarks: Vec<Said>,
    pub(super) locals: Vec<TooMany>,
    /// Numbers that the chip would read differently.
    pub(super) misread: Vec<Said>,
    /// The proved dump, if a form has one.
    pub(super) dump: Option<Result<Dump, Said>>,
    /// What squashed text has to give, if it is compared.
    pub(super) bare: Option<Function>,
}

impl Made {
    /// What one of the forms needs of it.
    pub(super) fn for_form(&self, form: Form) -> Made {
        let dump = self.dump.as_ref().filter(|_| !form.is_source());
        let dump = dump.map(|dump| match dump {
            Ok(dump) if !form.keeps_chunk() => Ok(dump.without_chunk()),
            dump => dump.clone(),
        });
        Made {
            remarks: self.remarks.clone(),
            locals: self.locals.clone(),
            misread: self.misread.clone(),
            dump,
            bare: None,
        }
    }
}

/// The outcome of an input in its form, with its errors and remarks.
pub(super) fn carried(input: &Input, made: Result<Made, Said>, squashed: &Squash) -> Outcome {
    let mut outcome = Outcome::default();
    let made = match made {
        Ok(made) => made,
        Err(said) => {
            outcome.errors.push(said);
            return outcome;
        }
    };
    if input.form.is_data() {
        outcome.dump = Some(Dump::source(input.text.clone()));
        return outcome;
    }
    outcome.remarks.extend(made.remarks);
    outcome.warn(input, is_hidden(&input.name));
    outcome.locals(input, &made.locals);
    if input.form.is_source() {
        outcome.remarks.extend(made.misread);
        match squashed {
            Some(Err(said)) => outcome.errors.push(said.clone()),
            Some(Ok(text)) => outcome.dump = Some(Dump::source(text.clone())),
            None => outcome.dump = Some(Dump::source(loaded_text(&input.text).into())),
        }
        return outcome;
    }
    match made.dump {
        Some(Ok(dump)) => {
            outcome.levels(input, &dump);
            outcome.dump = Some(dump);
        }
        Some(Err(said)) => outcome.errors.push(said),
        None => {}
    }
    outcome
}
