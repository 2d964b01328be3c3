//! The lines that the measuring program prints (`csrc/harness.c`), read.

/// What the load of a chunk costs, in a Lua state of its own without libraries but `fast`, which
/// has loaded an empty chunk before, after two full collections, with the collector stopped.
///
/// *Live* bytes are those that were asked for. *Heap* bytes are what they take of the chip's heap
/// (`csrc/CHIP/blocks.c`). With the ESP8266's SDK: a header of 16 and steps of 8, and up to 32 more where
/// a rest is too small to be a block; `realloc` moves, so that both blocks exist for a moment. With
/// ESP-IDF: a header of 4, steps of 4, at least 12, and up to 12 more; `realloc` moves only where the
/// block can't grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Instructions, less those of an empty call.
    pub instructions: u32,
    /// Blocks that were asked for, those of `realloc` included.
    pub allocations: u32,
    /// Most live bytes at any time, over those before.
    pub live_peak: u32,
    /// Live bytes more than before, after two full collections with the function on the stack.
    pub live_kept: i32,
    /// Most heap bytes at any time, over those before.
    pub heap_peak: u32,
    /// Heap bytes more than before, as `live_kept`.
    pub heap_kept: i32,
    /// Blocks more than before, as `live_kept`.
    pub blocks: i32,
    /// Of `live_kept`, bytes of line numbers, names of locals and (5.1) of upvalues, without
    /// their strings. Stock Lua has 4 bytes for each instruction where NodeMCU packs line numbers.
    pub debug: u32,
    /// Of `live_kept`, bytes by which the table of strings grew (it doubles at 32, 64, … strings; 128, … in 5.3).
    pub string_table: i32,
    /// Bytes of C stack.
    pub stack: u32,
    /// Instructions to make an empty table before the chunk was loaded.
    pub table_before: u32,
    /// The same with its main function alive. Where 5.1's allocator collects before each allocation, that walks it.
    pub table: u32,
}

/// Reads that a load does of the image's constants, which are in flash on the chip. Only of the ESP8266:
/// the ESP32-C3 reads flash as it reads RAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reads {
    /// Of one or two bytes: on the chip an exception each, which the firmware's handler mends.
    pub narrow: u32,
    /// Of four bytes.
    pub words: u32,
    /// Across a multiple of their size: they crash the chip.
    pub unaligned: u32,
}

/// The run of a chunk's main function without arguments, in a state with Lua's libraries and a
/// working collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Instructions, less those of an empty call.
    pub instructions: u32,
    /// Blocks that were asked for.
    pub allocations: u32,
    /// As in [`Load`].
    pub live_peak: u32,
    /// As in [`Load`].
    pub heap_peak: u32,
    /// Bytes of C stack.
    pub stack: u32,
    /// What it printed.
    pub output: Vec<u8>,
    /// The message where it raised an error.
    pub error: Option<String>,
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// The load, or why there is none: Lua's message.
    pub load: Result<Load, String>,
    /// Where they were asked for.
    pub reads: Option<Reads>,
    /// Where it was asked for and the chunk loads.
    pub run: Option<Run>,
}

/// A line that does not say what the harness says.
#[derive(Debug)]
pub(crate) struct BadLine(pub(crate) String);

/// What one job's lines say.
#[derive(Default)]
struct Lines {
    load: Option<(Load, Reads)>,
    refused: Option<String>,
    run: Option<Run>,
    failed: Option<String>,
    output: Vec<u8>,
}

/// Reads the lines of `count` jobs. Each must have ended.
pub(crate) fn parse(text: &str, count: usize) -> Result<Vec<Measured>, BadLine> {
    let mut jobs: Vec<Lines> = (0..count).map(|_| Lines::default()).collect();
    let mut done = false;
    for line in text.lines() {
        match read_line(line, &mut jobs) {
            Some(end) if !done => done = end,
            _ => return Err(BadLine(line.into())),
        }
    }
    if !done {
        return Err(BadLine("(no end)".into()));
    }
    jobs.into_iter().map(measured).collect()
}

fn measured(lines: Lines) -> Result<Measured, BadLine> {
    let (load, reads) = match (lines.load, lines.refused) {
        (Some((load, reads)), None) => (Ok(load), Some(reads)),
        (None, Some(message)) => (Err(message), None),
        _ => return Err(BadLine("(a job without its line, or with both)".into())),
    };
    let run = lines.run.map(|run| Run {
        output: lines.output,
        error: lines.failed,
        ..run
    });
    Ok(Measured { load, reads, run })
}

/// Some(whether it is the last line), or nothing where the line is wrong.
fn read_line(line: &str, jobs: &mut [Lines]) -> Option<bool> {
    let mut words = line.split(' ');
    let kind = words.next()?;
    let number: usize = words.next()?.parse().ok()?;
    if kind == "done" {
        return (number == jobs.len() && words.next().is_none()).then_some(true);
    }
    let job = jobs.get_mut(number)?;
    match kind {
        "load" => {
            let mut fields = Fields(words);
            let mut load = Load {
                instructions: fields.next("instructions")?,
                allocations: fields.next("allocations")?,
                live_peak: fields.next("live_peak")?,
                live_kept: fields.next("live_kept")?,
                heap_peak: fields.next("heap_peak")?,
                heap_kept: fields.next("heap_kept")?,
                blocks: fields.next("blocks")?,
                debug: fields.next("debug")?,
                string_table: fields.next("string_table")?,
                stack: fields.next("stack")?,
                table_before: 0,
                table: 0,
            };
            let reads = Reads {
                narrow: fields.next("narrow")?,
                words: fields.next("words")?,
                unaligned: fields.next("unaligned")?,
            };
            load.table_before = fields.next("table_before")?;
            load.table = fields.next("table")?;
            job.load = Some((load, reads));
            fields.0.next().is_none().then_some(false)
        }
        "run" => {
            let mut fields = Fields(words);
            job.run = Some(Run {
                instructions: fields.next("instructions")?,
                allocations: fields.next("allocations")?,
                live_peak: fields.next("live_peak")?,
                heap_peak: fields.next("heap_peak")?,
                stack: fields.next("stack")?,
                output: Vec::new(),
                error: None,
            });
            fields.0.next().is_none().then_some(false)
        }
        _ => {
            let bytes = from_hex(words.next()?)?;
            let message = || String::from_utf8_lossy(&bytes).into_owned();
            match kind {
                "refused" => job.refused = Some(message()),
                "failed" => job.failed = Some(message()),
                "output" => job.output.extend(bytes),
                _ => return None,
            }
            words.next().is_none().then_some(false)
        }
    }
}

/// Words `name=number`, in order.
struct Fields<'a>(std::str::Split<'a, char>);

impl Fields<'_> {
    fn next<T: std::str::FromStr>(&mut self, name: &str) -> Option<T> {
        let (found, value) = self.0.next()?.split_once('=')?;
        (found == name).then(|| value.parse().ok())?
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16);
    text.as_bytes()
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOAD: &str = "load 0 instructions=9 allocations=2 live_peak=30 live_kept=-1 heap_peak=40 \
         heap_kept=8 blocks=1 debug=0 string_table=0 stack=5 narrow=1 words=2 unaligned=0 table_before=3 table=4";

    #[test]
    fn reads_what_the_harness_prints() {
        let text = format!(
            "{LOAD}\noutput 0 6869\noutput 0 0a\nfailed 0 6f68\n\
             run 0 instructions=1 allocations=0 live_peak=0 heap_peak=0 stack=8\nrefused 1 6e6f\ndone 2\n"
        );
        let found = parse(&text, 2).unwrap();
        assert_eq!(found[0].load.as_ref().unwrap().live_kept, -1);
        assert_eq!(found[0].reads.unwrap().words, 2);
        let run = found[0].run.as_ref().unwrap();
        assert_eq!(
            (run.output.as_slice(), run.error.as_deref()),
            (&b"hi\n"[..], Some("oh"))
        );
        assert_eq!(found[1].load, Err("no".into()));
    }

    #[test]
    fn refuses_anything_else() {
        for text in [
            String::new(),
            LOAD.into(),
            "done 1".into(),
            format!("{LOAD}\ndone 2"),
            format!("{LOAD}\ndone 1\n{LOAD}"),
            format!("{LOAD} more=1\ndone 1"),
            format!("{}\ndone 1", LOAD.replace("live_kept", "kept")),
            format!("{LOAD}\noutput 0 6\ndone 1"),
            format!("{LOAD}\nrefused 0 61\ndone 1"),
            "hello\ndone 0".into(),
        ] {
            assert!(parse(&text, 1).is_err(), "{text}");
        }
    }
}
