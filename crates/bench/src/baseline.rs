//! Figures against those of before.

use std::fmt::{self, Display, Formatter};

use crate::{ChunkFigures, Column, Figures, Metric, On};

/// What differs from the figures of before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Figures that differ, in the order of the new ones.
    pub changes: Vec<Change>,
    /// Variants and chunks that only one of the two has.
    pub notes: Vec<String>,
}

/// How figures were measured. Only those of one kind can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// Where.
    pub on: On,
    /// [`VariantFigures::egc`](crate::VariantFigures::egc) of those that have one.
    pub egc: Option<String>,
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.on.fmt(f)?;
        match &self.egc {
            Some(egc) => write!(f, " with egc {egc}"),
            None => Ok(()),
        }
    }
}

/// Figures of two kinds: of the emulated chip and of a PC, of two chips, or of two modes of the collector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its figures were measured on {was}, these on {is}: they can't be compared")]
pub struct Incomparable {
    /// How the figures of before were measured.
    pub was: Kind,
    /// How the new ones were.
    pub is: Kind,
}

/// A figure that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The variant.
    pub variant: String,
    /// The chunk.
    pub chunk: String,
    /// The form; where it is the one that is built, the one before may have been another.
    pub form: Column,
    /// The form of before.
    pub was_form: Column,
    /// Where both were measured.
    pub on: On,
    /// Which figure.
    pub metric: Metric,
    /// The figure of before; none where it did not load.
    pub was: Option<i64>,
    /// The new one.
    pub is: Option<i64>,
    /// Whether the form is the one that is built, and the figure is larger by more than the
    /// tolerance.
    pub regression: bool,
}

impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, ", self.variant, self.chunk)?;
        if self.was_form != self.form {
            write!(f, "{} -> ", self.was_form)?;
        }
        let shown = |n: Option<i64>| n.map_or("none".into(), |n| self.on.show(self.metric, n));
        write!(f, "{}: {} ", self.form, self.metric.name())?;
        write!(f, "{} -> {}", shown(self.was), shown(self.is))?;
        if let (Some(was @ 1..), Some(is)) = (self.was, self.is) {
            write!(f, " ({:+.1} %)", (is - was) as f64 * 100.0 / was as f64)?;
        }
        if self.regression {
            f.write_str(", a regression")?;
        }
        Ok(())
    }
}

/// Compares. A form that is built may cost `tolerance` percent more; the others are only reported. Figures that only
/// one of the two has (a run, say) are left out.
///
/// # Errors
/// The two are of different kinds.
pub fn compare(was: &Figures, is: &Figures, tolerance: f64) -> Result<Comparison, Incomparable> {
    was.comparable(&is.kind())?;
    let mut comparison = Comparison::default();
    if was.compiler != is.compiler {
        let name = |figures: &Figures| figures.compiler.clone().unwrap_or_else(|| "none".into());
        comparison.notes.push(format!(
            "the cross compiler is {}, the baseline's was {}",
            name(is),
            name(was)
        ));
    }
    for new in &is.variants {
        let Some(old) = was.variants.iter().find(|v| v.variant == new.variant) else {
            let note = format!("{}: not in the baseline", new.variant);
            comparison.notes.push(note);
            continue;
        };
        for chunk in &new.chunks {
            match old.chunks.iter().find(|c| c.name == chunk.name) {
                Some(old) => comparison.chunk(is.on, &new.variant, old, chunk, tolerance),
                None => comparison
                    .notes
                    .push(format!("{}: {} is new", new.variant, chunk.name)),
            }
        }
        let gone = |c: &&ChunkFigures| !new.chunks.iter().any(|n| n.name == c.name);
        for chunk in old.chunks.iter().filter(gone) {
            let note = format!("{}: {} is gone", new.variant, chunk.name);
            comparison.notes.push(note);
        }
    }
    let gone = |v: &&crate::VariantFigures| !is.variants.iter().any(|n| n.variant == v.variant);
    for old in was.variants.iter().filter(gone) {
        let note = format!("{}: only in the baseline", old.variant);
        comparison.notes.push(note);
    }
    Ok(comparison)
}

impl Figures {
    /// How they were measured.
    pub fn kind(&self) -> Kind {
        Kind {
            on: self.on,
            egc: self.variants.iter().find_map(|v| v.egc.clone()),
        }
    }

    /// Whether figures of that kind can be compared with these.
    ///
    /// # Errors
    /// They are of another kind.
    pub fn comparable(&self, is: &Kind) -> Result<(), Incomparable> {
        let was = self.kind();
        match was == *is {
            true => Ok(()),
            false => Err(Incomparable {
                was,
                is: is.clone(),
            }),
        }
    }
}

impl Comparison {
    /// The changes for the worse, by more than the tolerance.
    pub fn regressions(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.regression)
    }

    fn chunk(
        &mut self,
        on: On,
        variant: &str,
        was: &ChunkFigures,
        is: &ChunkFigures,
        tolerance: f64,
    ) {
        for (&form, cost) in &is.forms {
            let built = form == is.built;
            let was_form = if built { was.built } else { form };
            let Some(old) = was.forms.get(&was_form) else {
                continue;
            };
            for metric in Metric::ALL {
                let (before, now) = (metric.of(old), metric.of(cost));
                let both = before.is_some() && now.is_some();
                let loads = metric == Metric::Load && old.load.is_some() != cost.load.is_some();
                if before == now || !(both || loads) {
                    continue;
                }
                let worse = match (before, now) {
                    (Some(before), Some(now)) => {
                        now as f64 > before as f64 + before.abs() as f64 * tolerance / 100.0
                    }
                    (_, now) => now.is_none(),
                };
                self.changes.push(Change {
                    variant: variant.into(),
                    chunk: is.name.clone(),
                    form,
                    was_form,
                    on,
                    metric,
                    was: before,
                    is: now,
                    regression: built && worse,
                });
            }
        }
    }
}
