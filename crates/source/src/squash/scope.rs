//! Which variable a name means, and which variables must not get the same name.

use std::collections::HashMap;

/// A local variable, numbered in the order of declaration.
pub(super) type VarId = u32;
/// A spelling, numbered in the order of appearance.
pub(super) type Symbol = u32;

pub(super) const SELF: Symbol = 0;
pub(super) const ENV: Symbol = 1;
const ARG: Symbol = 2;

/// Names longer than this are never given, so that globals with longer ones need no care.
pub(super) const LONGEST_GIVEN: usize = 3;

pub(super) struct Variable {
    pub symbol: Symbol,
    /// Occurrences, the declaration included.
    pub uses: u32,
    /// Whether it keeps its name.
    pub pinned: bool,
    /// When it was declared and last used: see [`Scope::now`].
    pub declared: u32,
    pub last_use: u32,
    /// Depth of the function it belongs to.
    function: usize,
    /// The variable of the same name that it hides.
    hidden: Option<VarId>,
}

/// Variables that are in scope, and all that have been.
pub(super) struct Scope<'a> {
    symbols: HashMap<&'a [u8], Symbol>,
    pub spellings: Vec<&'a [u8]>,
    bound: Vec<Option<VarId>>,
    /// When a global of this name was last used.
    global_use: Vec<u32>,
    short_globals: Vec<Symbol>,
    pub variables: Vec<Variable>,
    active: Vec<VarId>,
    /// Whether each function around is a vararg function.
    functions: Vec<bool>,
    /// How many variables were in scope where each function around begins.
    outer: Vec<usize>,
    clock: u32,
    /// Pairs of variables that need different names.
    pub conflicts: Vec<(VarId, VarId)>,
    /// Variables that must not have the name of a global.
    pub global_conflicts: Vec<(VarId, Symbol)>,
}

impl<'a> Scope<'a> {
    pub fn new() -> Self {
        let mut scope = Scope {
            symbols: HashMap::new(),
            spellings: Vec::new(),
            bound: Vec::new(),
            global_use: Vec::new(),
            short_globals: Vec::new(),
            variables: Vec::new(),
            active: Vec::new(),
            functions: Vec::new(),
            outer: Vec::new(),
            clock: 0,
            conflicts: Vec::new(),
            global_conflicts: Vec::new(),
        };
        for name in ["self", "_ENV", "arg"] {
            scope.symbol(name.as_bytes());
        }
        scope
    }

    pub fn symbol(&mut self, name: &'a [u8]) -> Symbol {
        let next = self.spellings.len() as Symbol;
        let symbol = *self.symbols.entry(name).or_insert(next);
        if symbol == next {
            self.spellings.push(name);
            self.bound.push(None);
            self.global_use.push(0);
        }
        symbol
    }

    /// A point in the text: later ones are higher.
    pub fn now(&mut self) -> u32 {
        self.clock += 1;
        self.clock
    }

    pub fn open_function(&mut self) {
        self.functions.push(false);
        self.outer.push(self.active.len());
    }

    pub fn set_vararg(&mut self) {
        if let Some(vararg) = self.functions.last_mut() {
            *vararg = true;
        }
    }

    pub fn is_vararg(&self) -> bool {
        self.functions.last() == Some(&true)
    }

    pub fn close_function(&mut self, mark: usize) {
        self.close(mark);
        self.functions.pop();
        self.outer.pop();
    }

    /// How many locals of the current function are in scope.
    pub fn locals(&self) -> usize {
        self.active.len() - self.outer.last().copied().unwrap_or_default()
    }

    /// For [`Scope::close`].
    pub fn open(&self) -> usize {
        self.active.len()
    }

    pub fn declare(&mut self, symbol: Symbol) -> VarId {
        let id = self.variables.len() as VarId;
        let declared = self.now();
        self.variables.push(Variable {
            symbol,
            uses: 1,
            pinned: symbol == ENV,
            declared,
            last_use: declared,
            function: self.functions.len(),
            hidden: self.bound[symbol as usize].replace(id),
        });
        self.active.push(id);
        id
    }

    /// Ends the scope of all variables declared since `mark` was taken.
    pub fn close(&mut self, mark: usize) {
        while self.active.len() > mark {
            let Some(id) = self.active.pop() else { break };
            let variable = &self.variables[id as usize];
            let declared = variable.declared;
            self.bound[variable.symbol as usize] = variable.hidden;
            // What was used while this one was in sight must not be hidden by it.
            for &outer in &self.active {
                if self.variables[outer as usize].last_use > declared {
                    self.conflicts.push((outer, id));
                }
            }
            for &symbol in &self.short_globals {
                if self.global_use[symbol as usize] > declared {
                    self.global_conflicts.push((id, symbol));
                }
            }
        }
    }

    /// The variable that a name means here; none where it is a global.
    pub fn resolve(&mut self, symbol: Symbol) -> Option<VarId> {
        let now = self.now();
        let found = self.bound[symbol as usize];
        if symbol == ARG {
            self.pin_arg(found);
        }
        if let Some(id) = found {
            let variable = &mut self.variables[id as usize];
            variable.uses += 1;
            variable.last_use = now;
            return Some(id);
        }
        // 5.3 looks a global up in `_ENV`, whichever is in sight.
        if let Some(env) = self.bound[ENV as usize] {
            self.variables[env as usize].last_use = now;
        }
        if self.spellings[symbol as usize].len() <= LONGEST_GIVEN {
            if self.global_use[symbol as usize] == 0 {
                self.short_globals.push(symbol);
            }
            self.global_use[symbol as usize] = now;
        }
        None
    }

    /// Whether `id` belongs to a function around the current one.
    pub fn is_upvalue(&self, id: VarId) -> bool {
        self.variables[id as usize].function < self.functions.len()
    }

    /// In 5.1 a vararg function has a hidden local `arg` behind its parameters. A name `arg` that may mean it
    /// stays, and so does the variable that it means elsewhere.
    fn pin_arg(&mut self, found: Option<VarId>) {
        let Some(id) = found else { return };
        let own = self.variables[id as usize].function;
        // The main function, first in the list, has no `arg`.
        if self.functions.iter().skip(own.max(1)).any(|&vararg| vararg) {
            self.variables[id as usize].pinned = true;
        }
    }

    /// The last `count` parameters of the current function are all declared.
    pub fn end_parameters(&mut self, count: usize) {
        if !self.is_vararg() || self.functions.len() == 1 {
            return;
        }
        let first = self.active.len() - count;
        for &id in &self.active[first..] {
            let variable = &mut self.variables[id as usize];
            variable.pinned |= variable.symbol == ARG;
        }
    }
}
