//! A core under sanitizers in a process of its own, which loads and runs what it is given.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use fastlua_bytecode::{Chunk, Dialect, Layout, NumberModel, write};
use fastlua_cores::edits::{EditError, released};
use fastlua_cores::emergency::{Mode, collect_in_emergencies};
use fastlua_cores::packed_lines::pack_lines;
use tempfile::NamedTempFile;

/// The options of the C compiler. Behaviour of stock Lua with ordinary programs is not checked: it adds
/// nothing to null pointers, calls `memcpy` with them where there is nothing to copy, and negates the
/// smallest integer (`1 >> math.mininteger`). 5.1's `unpack` knows a range that is too long by a sum that has run over, which
/// a compiler need not let happen; without `-fwrapv` `unpack({}, -2147483648, 2147483647)` writes behind the stack.
const FLAGS: &[&str] = &[
    "-std=gnu11",
    "-O1",
    "-g",
    "-w",
    "-fsanitize=address,undefined",
    "-fno-sanitize=nonnull-attribute,pointer-overflow,signed-integer-overflow",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
    "-fwrapv",
];

/// The exit status of a process that took too long; `EXIT_LATE` in `soundness.c`.
const LATE: i32 = 3;

/// Why there is no core.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or process.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The sources are not those that the edits are for.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The C compiler refuses the core.
    #[error("the core {0} does not compile:\n{1}")]
    Compiler(String, String),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// By itself.
    Ran,
    /// With an error of Lua's.
    Error,
    /// At the limit of instructions.
    Limit,
    /// The core's loader did not take it.
    Refused,
    /// It took too long and was ended.
    Late,
}

/// A process that a sanitizer or a signal ended.
#[derive(Debug, Clone)]
pub struct Crash {
    /// What it said.
    pub report: String,
}

/// How a chunk is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunOptions {
    /// By `fast_undump.h` from NodeMCU's dump, else by the core's own loader from a stock one.
    pub fast: bool,
    /// Each such allocation fails; 0 for none.
    pub every: u32,
    /// Bytes of heap.
    pub heap: u32,
    /// The mode of 5.1's collector.
    pub collector: Collector,
}

/// When the allocator of NodeMCU's 5.1 collects. That of 5.3 does so when memory fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collector {
    /// Never.
    Stock,
    /// When memory fails.
    OnFailure,
    /// When more bytes than these are in use.
    OnLimit(u32),
    /// Before each allocation, as a chip that boots; longer strings than 4 kB are an error.
    Always,
}

impl Collector {
    /// The arguments of `lua_setegcmode`.
    fn mode(self) -> [u32; 2] {
        let mode = match self {
            Collector::Stock => Mode::NotActive,
            Collector::OnFailure => Mode::OnAllocFailure,
            Collector::OnLimit(bytes) => return [2, bytes],
            Collector::Always => Mode::Always,
        };
        let (mode, limit) = mode.numbers();
        [mode as u32, limit as u32]
    }
}

/// A compiled core, and the process that runs it while it lives.
pub struct CoreProcess {
    model: NumberModel,
    nodemcu: Layout,
    program: PathBuf,
    /// What the process says.
    errors: NamedTempFile,
    process: Option<Process>,
}

struct Process {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl CoreProcess {
    /// Compiles the core of a number model in `folder`, if it is not there yet.
    ///
    /// # Errors
    /// There is no C compiler with sanitizers, or the folder can't be written to.
    pub fn new(model: NumberModel, folder: &Path) -> Result<CoreProcess, Error> {
        let program = folder.join(model.name());
        if !program.exists() {
            compile(&model, folder, &program)?;
        }
        let nodemcu = |layout: &Layout| layout.format.is_nodemcu() && layout.numbers() == model;
        Ok(CoreProcess {
            model,
            nodemcu: Layout::all().find(nodemcu).expect("each model has one"),
            errors: NamedTempFile::new_in(folder)?,
            program,
            process: None,
        })
    }

    /// NodeMCU's layout of its number model.
    pub fn layout(&self) -> Layout {
        self.nodemcu
    }

    /// Runs a chunk. `None` if it has no dump: the writer refuses what no dump can hold.
    pub(crate) fn run(
        &mut self,
        chunk: &Chunk,
        options: RunOptions,
    ) -> io::Result<Option<Result<Answer, Crash>>> {
        let layout = match options.fast {
            true => self.nodemcu,
            false => Layout::stock(self.model, 8),
        };
        let chunk = Chunk {
            layout,
            main: chunk.main.clone(),
        };
        let Ok(dump) = write(&chunk) else {
            return Ok(None);
        };
        let [mode, limit] = options.collector.mode();
        let head = [
            dump.len() as u32,
            options.fast.into(),
            options.every,
            options.heap,
            mode,
            limit,
        ];
        let mut record: Vec<u8> = head.iter().flat_map(|n| n.to_ne_bytes()).collect();
        record.extend(dump);
        if self.process.is_none() {
            self.process = Some(self.start()?);
        }
        let process = self.process.as_mut().expect("it was started");
        let mut answer = [0];
        let told = process.input.write_all(&record).and_then(|()| {
            process.input.flush()?;
            process.output.read_exact(&mut answer)
        });
        Ok(Some(match (told, answer) {
            (Ok(()), [b'r']) => Ok(Answer::Ran),
            (Ok(()), [b'e']) => Ok(Answer::Error),
            (Ok(()), [b'l']) => Ok(Answer::Limit),
            (Ok(()), _) => Ok(Answer::Refused),
            (Err(_), _) => self.autopsy()?,
        }))
    }

    fn start(&self) -> io::Result<Process> {
        // the C stack is the host's matter: patterns of 5.1 recurse as deep as they are long
        let mut child = Command::new("sh")
            .args(["-c", "ulimit -s unlimited 2>/dev/null; exec \"$0\""])
            .arg(&self.program)
            // a crash is found again by its walk: where its memory came from need not be kept
            .env(
                "ASAN_OPTIONS",
                "detect_leaks=0:allocator_may_return_null=1:quarantine_size_mb=16:malloc_context_size=1",
            )
            .env("UBSAN_OPTIONS", "print_stacktrace=1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(self.errors.path())?)
            .spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        Ok(Process {
            child,
            input: input.expect("it is piped"),
            output: output.expect("it is piped"),
        })
    }

    /// Why the process ended.
    fn autopsy(&mut self) -> io::Result<Result<Answer, Crash>> {
        let Some(mut process) = self.process.take() else {
            return Ok(Ok(Answer::Late));
        };
        drop(process.input);
        let status = process.child.wait()?;
        if status.code() == Some(LATE) {
            return Ok(Ok(Answer::Late));
        }
        let said = fs::read(self.errors.path())?;
        let report = format!("{status}\n{}", String::from_utf8_lossy(&said));
        Ok(Err(Crash { report }))
    }
}

impl Drop for CoreProcess {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            drop(process.input);
            // it ends with its input; nothing is to be done if that fails
            let _ = process.child.wait();
        }
    }
}

fn compile(model: &NumberModel, folder: &Path, program: &Path) -> Result<(), Error> {
    let sources = folder.join(format!("src{}", model.dialect.version()));
    fs::create_dir_all(&sources)?;
    let put = |name: &str, text: &[u8]| fs::write(sources.join(name), text);
    let mut core = pack_lines(released(model.dialect), model.dialect)?;
    // 5.3's own loader crashes where memory ends, as NodeMCU's does, if it gets these edits
    if model.dialect == Dialect::Lua51 {
        core = collect_in_emergencies(core, model.dialect)?;
    }
    for (name, text) in core {
        put(name, text.as_bytes())?;
    }
    for (name, text) in fastlua_cores::HEADERS.iter().chain(fastlua_firmware::STOCK) {
        put(name, text.as_bytes())?;
    }
    put("fast_load.h", fastlua_firmware::fast_load_h().as_bytes())?;
    put("soundness.c", include_bytes!("../../csrc/soundness.c"))?;
    let output = Command::new("cc")
        .args(FLAGS)
        .args(model.flags())
        .arg("-I")
        .arg(&sources)
        .arg(sources.join("soundness.c"))
        .arg("-o")
        .arg(program)
        .arg("-lm")
        .output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Error::Compiler(
            model.name(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )),
    }
}
