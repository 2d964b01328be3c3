//! Strip levels, as a transformation of the model.

use bstr::BString;

use crate::layout::Format;
use crate::model::{Chunk, Function, FunctionPath};

/// How much of the debug data is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Strip {
    /// Level 0: all is kept.
    Keep = 0,
    /// Level 1: the names of locals and upvalues are dropped. NodeMCU's own default.
    #[default]
    Names = 1,
    /// Level 2: line info goes too, and the source name, but for NodeMCU's 5.3.
    Lines = 2,
}

impl Strip {
    /// Every level, from 0 up.
    pub const ALL: [Strip; 3] = [Strip::Keep, Strip::Names, Strip::Lines];

    /// The level with this number: 0, 1 or 2.
    pub fn from_level(level: u8) -> Option<Strip> {
        Strip::ALL.get(usize::from(level)).copied()
    }
}

impl Chunk {
    /// Drops what `level` says from every function, as NodeMCU's own compilers and stock Lua's do. That of NodeMCU's 5.3
    /// keeps the source name at every level; [`Chunk::set_source`] shortens it.
    pub fn strip(&mut self, level: Strip) {
        let keeps_source = self.layout.format == Format::NodeMcu53;
        self.main.for_each_mut(&mut |function| {
            if level >= Strip::Names {
                function.locals = Vec::new();
                function
                    .upvalues
                    .iter_mut()
                    .for_each(|upvalue| upvalue.name = None);
            }
            if level >= Strip::Lines {
                function.lines = Vec::new();
                if !keeps_source {
                    function.source = None;
                }
            }
        });
    }

    /// Gives the whole chunk the source name `source`, or none.
    pub fn set_source(&mut self, source: Option<BString>) {
        self.main
            .for_each_mut(&mut |function| function.source = None);
        self.main.source = source;
    }
}

impl Function {
    /// Calls `visit` with this function and all functions in it, outer ones first.
    pub fn for_each(&self, visit: &mut impl FnMut(&FunctionPath, &Function)) {
        self.visit(&mut FunctionPath::default(), visit);
    }

    fn visit(&self, path: &mut FunctionPath, visit: &mut impl FnMut(&FunctionPath, &Function)) {
        visit(path, self);
        for (index, function) in self.functions.iter().enumerate() {
            path.0.push(index as u32);
            function.visit(path, visit);
            path.0.pop();
        }
    }

    /// Calls `visit` with this function and all functions in it, outer ones first.
    pub fn for_each_mut(&mut self, visit: &mut impl FnMut(&mut Function)) {
        visit(self);
        self.functions
            .iter_mut()
            .for_each(|function| function.for_each_mut(visit));
    }
}
