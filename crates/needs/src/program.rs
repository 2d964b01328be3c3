//! The functions of all chunks, with the variables that they share.

use rustc_hash::FxHashMap as HashMap;

use fastlua_bytecode::{Chunk, Constant, Dialect, Function, Instruction, Op};

use crate::values::{BOOLEAN, NUMBER};
use crate::values::{Id, NIL, Value, Values};

/// A chunk with the name by which others load it.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// Its name.
    pub name: &'a str,
    /// The chunk; without debug data its uses have no lines.
    pub chunk: &'a Chunk,
}

/// A variable that functions share.
#[derive(Debug)]
pub(crate) struct Cell {
    /// The function whose register it is.
    pub owner: usize,
    /// All that is assigned to it, after it is shared.
    pub value: Id,
    /// What the functions that share it assign.
    pub from_inside: Id,
    /// The functions that read it.
    pub readers: Vec<usize>,
}

/// A register of a function that is shared, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shared {
    pub register: usize,
    pub from: usize,
    pub to: usize,
    pub cell: usize,
}

/// An upvalue of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Up {
    Globals,
    Cell(usize),
    Unknown,
}

#[derive(Debug)]
pub(crate) struct Body<'a> {
    pub function: &'a Function,
    pub dialect: Dialect,
    /// The number of its chunk.
    pub chunk: usize,
    pub children: Vec<usize>,
    pub upvalues: Vec<Up>,
    pub shared: Vec<Shared>,
    pub constants: Vec<Id>,
    /// What its arguments are known to be.
    pub parameters: Vec<Id>,
    /// What it returns.
    pub returned: Vec<Id>,
    /// The functions that call it.
    pub callers: Vec<usize>,
    /// Whether errors in it are caught.
    pub is_protected: bool,
}

#[derive(Debug)]
pub(crate) struct Program<'a> {
    pub bodies: Vec<Body<'a>>,
    /// The main function of each chunk.
    pub mains: Vec<usize>,
    pub cells: Vec<Cell>,
    /// Chunks by the number of their name.
    pub by_name: HashMap<Id, usize>,
}

impl<'a> Program<'a> {
    pub fn new(chunks: &[Named<'a>], values: &mut Values) -> Program<'a> {
        let mut program = Program {
            bodies: Vec::new(),
            mains: Vec::new(),
            cells: Vec::new(),
            by_name: HashMap::default(),
        };
        for (number, named) in chunks.iter().enumerate() {
            let dialect = named.chunk.layout.dialect();
            let main = program.add(&named.chunk.main, dialect, number, values);
            // the main function of 5.3 has the table of globals as its first upvalue
            let globals = match dialect {
                Dialect::Lua51 => Up::Unknown,
                Dialect::Lua53 => Up::Globals,
            };
            let count = program.bodies[main].upvalues.len();
            let mut upvalues = vec![Up::Unknown; count];
            if let Some(first) = upvalues.first_mut() {
                *first = globals;
            }
            program.bodies[main].upvalues = upvalues;
            program.share(main);
            program.mains.push(main);
            let name = values.name(named.name.as_bytes());
            program.by_name.entry(name).or_insert(number);
        }
        program
    }

    fn add(
        &mut self,
        function: &'a Function,
        dialect: Dialect,
        chunk: usize,
        values: &mut Values,
    ) -> usize {
        let constants = function.constants.iter().map(|constant| match constant {
            Constant::Nil => NIL,
            Constant::Boolean(_) => BOOLEAN,
            Constant::Integer(_) | Constant::Float(_) => NUMBER,
            Constant::String(text) => {
                let name = values.name(text);
                values.value(Value::Text(Some(name)))
            }
        });
        let constants = constants.collect();
        let number = self.bodies.len();
        self.bodies.push(Body {
            function,
            dialect,
            chunk,
            children: Vec::new(),
            upvalues: vec![Up::Unknown; function.upvalues.len()],
            shared: Vec::new(),
            constants,
            parameters: vec![crate::values::BOTTOM; function.params.into()],
            returned: Vec::new(),
            callers: Vec::new(),
            is_protected: false,
        });
        let children: Vec<usize> = function
            .functions
            .iter()
            .map(|child| self.add(child, dialect, chunk, values))
            .collect();
        self.bodies[number].children = children;
        number
    }

    /// Gives each function made in `parent` its upvalues, and so on inside.
    fn share(&mut self, parent: usize) {
        let function = self.bodies[parent].function;
        let dialect = self.bodies[parent].dialect;
        let mut pc = 0;
        while let Some(&word) = function.code.get(pc) {
            let word = Instruction(word);
            pc += 1;
            if word.opcode(dialect).map(|opcode| opcode.op) != Some(Op::CLOSURE) {
                continue;
            }
            let Some(&child) = self.bodies[parent].children.get(word.bx() as usize) else {
                continue;
            };
            let made = self.bodies[child].function;
            let behind = match dialect {
                Dialect::Lua51 => pc + made.upvalues.len(),
                Dialect::Lua53 => pc,
            };
            let upvalues = (0..made.upvalues.len()).map(|number| {
                let (in_stack, index) = match dialect {
                    Dialect::Lua53 => {
                        let upvalue = &made.upvalues[number];
                        (upvalue.in_stack, upvalue.index.into())
                    }
                    Dialect::Lua51 => {
                        let word = Instruction(*function.code.get(pc + number).unwrap_or(&0));
                        let op = word.opcode(dialect).map(|opcode| opcode.op);
                        (op == Some(Op::MOVE), word.b() as usize)
                    }
                };
                match in_stack {
                    true => Up::Cell(self.cell(parent, index, pc - 1, behind)),
                    false => *self.bodies[parent]
                        .upvalues
                        .get(index)
                        .unwrap_or(&Up::Unknown),
                }
            });
            let upvalues: Vec<Up> = upvalues.collect();
            for up in &upvalues {
                if let Up::Cell(cell) = *up
                    && self.cells[cell].readers.last() != Some(&child)
                {
                    self.cells[cell].readers.push(child);
                }
            }
            self.bodies[child].upvalues = upvalues;
            self.share(child);
            pc = behind;
        }
    }

    /// The variable in `register` that a closure made at `pc` shares; `behind` is the next instruction.
    fn cell(&mut self, owner: usize, register: usize, pc: usize, behind: usize) -> usize {
        let function = self.bodies[owner].function;
        let active = |local: &&fastlua_bytecode::Local| {
            (local.start_pc as usize..local.end_pc as usize).contains(&behind)
        };
        let local = function.locals.iter().filter(active).nth(register);
        let to = local.map_or(usize::MAX, |local| local.end_pc as usize);
        let mut known = self.bodies[owner].shared.iter();
        let same = known.find(|shared| {
            let is_same = shared.register == register && shared.to == to;
            is_same && (local.is_some() || shared.from <= pc)
        });
        if let Some(same) = same {
            return same.cell;
        }
        let cell = self.cells.len();
        self.cells.push(Cell {
            owner,
            value: crate::values::BOTTOM,
            from_inside: crate::values::BOTTOM,
            readers: Vec::new(),
        });
        self.bodies[owner].shared.push(Shared {
            register,
            from: pc,
            to,
            cell,
        });
        cell
    }
}
