//! Lua that collects as NodeMCU's does. Of 5.1 that is what a chip does while it boots, and at its prompt.
//!
//! NodeMCU's allocator can run a full collection by itself, an emergency collection (`EGC`). `lua_setegcmode` sets when, the
//! [`Mode`], and a limit; a chip boots with [`Mode::Always`] and 4,096. What the edits make of stock Lua:
//!
//! - `lua.h` has the modes and `lua_setegcmode`, `lstate.h` the fields `egcmode`, `memlimit` and `gcflags`, `lgc.h` the macros
//!   that block the collector (`is_block_gc`, `set_block_gc`, `unset_block_gc`): names, types and values are those of NodeMCU's
//!   core, as `fast.c` uses them.
//! - The collector is blocked in the parser, in undump, while a stack moves, and while it is at work; `collectgarbage'stop'`
//!   blocks it, too, and each error ends that.
//! - `memlimit` limits the results of `..`, and of all that `luaL_Buffer` joins, which has NodeMCU's size.
//! - A table of strings that can't grow for want of memory never grows again: a flag stays set.
//! - What stock Lua holds outside of the collector's reach while it allocates is put on the stack first.
//!
//! What differs from NodeMCU's: an emergency collection here neither shrinks a stack nor calls finalizers, which wait for
//! the next collection that a program asks for. New states have no mode, as NodeMCU's have until `lua.c` sets it; where
//! `FASTLUA_BOOT` is defined they have that of a chip that boots.

use std::fmt;

use fastlua_bytecode::Dialect;

use crate::edits::{Edit, EditError, File, edited};

/// When the allocator of NodeMCU's 5.1 collects by itself, as `node.egc` names it. (`ON_MEM_LIMIT`, which depends on a limit
/// and the free heap, is not among them.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Mode {
    /// Before each allocation: a chip boots so.
    #[default]
    Always,
    /// When an allocation fails, which is then tried again.
    OnAllocFailure,
    /// Never.
    NotActive,
}

impl Mode {
    /// All of them, that of a chip that boots first.
    pub const ALL: [Mode; 3] = [Mode::Always, Mode::OnAllocFailure, Mode::NotActive];

    /// Its name, such as `always`.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Always => "always",
            Mode::OnAllocFailure => "on-alloc-failure",
            Mode::NotActive => "not-active",
        }
    }

    /// What `lua_setegcmode` takes: the mode, and the limit that goes with it on a chip.
    pub fn numbers(self) -> (i32, i32) {
        match self {
            Mode::Always => (4, 4096),
            Mode::OnAllocFailure => (1, 0),
            Mode::NotActive => (0, 0),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

const EDITS: &[Edit] = &[
    // the modes, the fields and the flags
    (
        "lua.h",
        "LUA_API int (lua_gc) (lua_State *L, int what, int data);\n",
        "LUA_API int (lua_gc) (lua_State *L, int what, int data);\n\n\
         #define EGC_NOT_ACTIVE\t\t0\n#define EGC_ON_ALLOC_FAILURE\t1\n\
         #define EGC_ON_MEM_LIMIT\t2\n#define EGC_ALWAYS\t\t4\n\n\
         LUA_API void (lua_setegcmode) (lua_State *L, int mode, int limit);\n\n\
         /* free bytes of the heap, by which ON_MEM_LIMIT with a limit below 0 decides */\n\
         extern int lua_freeheap (void) __attribute__ ((weak));\n",
    ),
    (
        "lstate.h",
        "  lu_byte gcstate;  /* state of garbage collector */\n",
        "  lu_byte gcstate;  /* state of garbage collector */\n  lu_byte gcflags;  /* GCBlockGCBit, ... */\n  \
         lu_byte gcemergency;  /* the allocator collects */\n  int egcmode;  /* EGC_... */\n  \
         l_mem memlimit;  /* limit of EGC_ON_MEM_LIMIT, and of strings */\n  \
         lua_Alloc alloc;  /* what `frealloc' calls */\n  void *allocud;\n  \
         unsigned long emergencies;  /* collections of the allocator so far */\n",
    ),
    (
        "lgc.h",
        "#define luaC_white(g)",
        "/* flags of the collector */\n#define GCBlockGCBit\t\t0\n#define GCResizingStringsBit\t1\n\
         #define is_block_gc(L)\t\ttestbit(G(L)->gcflags, GCBlockGCBit)\n\
         #define set_block_gc(L)\t\tl_setbit(G(L)->gcflags, GCBlockGCBit)\n\
         #define unset_block_gc(L)\tresetbit(G(L)->gcflags, GCBlockGCBit)\n\n\
         LUAI_FUNC void *luaC_realloc (void *ud, void *block, size_t osize, size_t nsize);\n\n\
         #define luaC_white(g)",
    ),
    (
        "lstate.c",
        "  g->frealloc = f;\n  g->ud = ud;\n",
        "  g->alloc = f;\n  g->allocud = ud;\n  g->frealloc = luaC_realloc;\n  g->ud = L;\n  \
         g->gcflags = g->gcemergency = 0;\n  g->emergencies = 0;\n  g->egcmode = EGC_NOT_ACTIVE;\n  g->memlimit = 0;\n",
    ),
    (
        "lstate.c",
        "  else\n    luai_userstateopen(L);\n",
        "  else {\n    luai_userstateopen(L);\n#if defined(FASTLUA_BOOT)\n    \
         lua_setegcmode(L, EGC_ALWAYS, 4096);\n#endif\n  }\n",
    ),
    ("lapi.c", "  f = G(L)->frealloc;", "  f = G(L)->alloc;"),
    (
        "lapi.c",
        "  if (ud) *ud = G(L)->ud;",
        "  if (ud) *ud = G(L)->allocud;",
    ),
    ("lapi.c", "  G(L)->ud = ud;\n", "  G(L)->allocud = ud;\n"),
    ("lapi.c", "  G(L)->frealloc = f;", "  G(L)->alloc = f;"),
    (
        "lapi.c",
        "LUA_API int lua_gc (lua_State *L, int what, int data) {",
        "LUA_API void lua_setegcmode (lua_State *L, int mode, int limit) {\n  G(L)->egcmode = mode;\n  \
         G(L)->memlimit = limit;\n}\n\n\nLUA_API int lua_gc (lua_State *L, int what, int data) {",
    ),
    (
        "lapi.c",
        "      g->GCthreshold = MAX_LUMEM;\n",
        "      set_block_gc(L);\n",
    ),
    (
        "lapi.c",
        "      g->GCthreshold = g->totalbytes;\n",
        "      unset_block_gc(L);\n",
    ),
    (
        "lapi.c",
        "      lu_mem a = (cast(lu_mem, data) << 10);\n",
        "      lu_mem a = (cast(lu_mem, data) << 10);\n      if (is_block_gc(L)) {\n        res = 1;\n        break;\n      }\n",
    ),
    // the collector: its own calls block it
    (
        "lgc.c",
        "void luaC_step (lua_State *L) {\n  global_State *g = G(L);\n",
        "static void step (lua_State *L) {\n  global_State *g = G(L);\n",
    ),
    (
        "lgc.c",
        "void luaC_fullgc (lua_State *L) {\n  global_State *g = G(L);\n",
        "static void fullgc (lua_State *L) {\n  global_State *g = G(L);\n",
    ),
    (
        "lgc.c",
        "void luaC_barrierf (",
        "static void unless_blocked (lua_State *L, void (*work) (lua_State *L)) {\n  if (is_block_gc(L)) return;\n  \
         set_block_gc(L);\n  work(L);\n  unset_block_gc(L);\n}\n\n\n\
         void luaC_step (lua_State *L) {\n  unless_blocked(L, step);\n}\n\n\n\
         void luaC_fullgc (lua_State *L) {\n  unless_blocked(L, fullgc);\n}\n\n\n\
         static void emergency (lua_State *L) {\n  global_State *g = G(L);\n  if (is_block_gc(L)) return;\n  \
         g->emergencies++;\n  g->gcemergency = 1;\n  luaC_fullgc(L);\n  g->gcemergency = 0;\n}\n\n\n\
         /* whether the limit forbids so many bytes more, after a cycle of the collector at the most */\n\
         static int over_limit (lua_State *L, size_t more) {\n  global_State *g = G(L);\n  \
         lu_mem limit = cast(lu_mem, g->memlimit);\n  int ended = 0;\n  if (more > limit) return 1;\n  \
         g->gcemergency = 1;\n  while (g->totalbytes >= limit - more && !is_block_gc(L)) {\n    \
         if (g->gcstate == GCSpause && ended++) break;\n    luaC_step(L);\n  }\n  \
         g->gcemergency = 0;\n  return g->totalbytes >= limit - more;\n}\n\n\n\
         /* the allocator: NodeMCU's modes in front of the state's own */\n\
         void *luaC_realloc (void *ud, void *block, size_t osize, size_t nsize) {\n  \
         lua_State *L = cast(lua_State *, ud);\n  global_State *g = G(L);\n  lua_Alloc alloc = g->alloc;\n  \
         void *to = g->allocud, *p;\n  int mode = g->egcmode;\n  if (nsize == 0) return alloc(to, block, osize, 0);\n  \
         if ((mode & EGC_ALWAYS) && !is_block_gc(L)) emergency(L);\n  \
         if ((mode & EGC_ON_MEM_LIMIT) && g->memlimit < 0 && lua_freeheap != NULL\n      \
         && lua_freeheap() < -g->memlimit)\n    emergency(L);\n  \
         if ((mode & EGC_ON_MEM_LIMIT) && g->memlimit > 0 && nsize > osize && over_limit(L, nsize - osize))\n    \
         return NULL;\n  p = alloc(to, block, osize, nsize);\n  \
         if (p == NULL && (mode & EGC_ON_ALLOC_FAILURE)) {\n    emergency(L);\n    \
         p = alloc(to, block, osize, nsize);\n  }\n  return p;\n}\n\n\n\
         void luaC_barrierf (",
    ),
    // an emergency may come while these are in use
    (
        "lgc.c",
        "  checkstacksizes(l, lim);\n",
        "  if (!g->gcemergency) checkstacksizes(l, lim);\n",
    ),
    (
        "lgc.c",
        "  markvalue(g, gt(l));\n  lim = l->top;\n",
        "  markvalue(g, gt(l));\n  if (l->stack == NULL) return;  /* a new thread */\n  lim = l->top;\n",
    ),
    (
        "lgc.c",
        "  if (luaZ_sizebuffer(&g->buff) > LUA_MINBUFFER*2) {",
        "  if (!g->gcemergency && luaZ_sizebuffer(&g->buff) > LUA_MINBUFFER*2) {",
    ),
    (
        "lgc.c",
        "      if (g->tmudata) {\n        GCTM(L);",
        "      if (g->tmudata && !g->gcemergency) {\n        GCTM(L);",
    ),
    (
        "lgc.c",
        "      markobject(g, cl->l.upvals[i]);\n",
        "      if (cl->l.upvals[i] != NULL) markobject(g, cl->l.upvals[i]);\n",
    ),
    (
        "ldo.c",
        "void luaD_throw (lua_State *L, int errcode) {\n",
        "void luaD_throw (lua_State *L, int errcode) {\n  unset_block_gc(L);\n  G(L)->gcemergency = 0;\n",
    ),
    (
        "ldo.c",
        "  luaM_reallocvector(L, L->stack, L->stacksize, realsize, TValue);\n",
        "  {\n    int blocked = is_block_gc(L);\n    set_block_gc(L);\n    \
         luaM_reallocvector(L, L->stack, L->stacksize, realsize, TValue);\n    \
         if (!blocked) unset_block_gc(L);\n  }\n",
    ),
    (
        "ldo.c",
        "  luaC_checkGC(L);\n  tf = ((c == LUA_SIGNATURE[0])",
        "  luaC_checkGC(L);\n  set_block_gc(L);\n  tf = ((c == LUA_SIGNATURE[0])",
    ),
    (
        "ldo.c",
        "  setclvalue(L, L->top, cl);\n  incr_top(L);\n}\n\n\nint luaD_protectedparser",
        "  setclvalue(L, L->top, cl);\n  incr_top(L);\n  unset_block_gc(L);\n}\n\n\nint luaD_protectedparser",
    ),
    // what is new stands on the stack before anything else is allocated
    (
        "ldo.c",
        "    htab = luaH_new(L, nvar, 1);  /* create `arg' table */\n",
        "    htab = luaH_new(L, nvar, 1);  /* create `arg' table */\n    sethvalue2s(L, L->top, htab);\n    L->top++;\n",
    ),
    (
        "ldo.c",
        "      setobj2n(L, luaH_setnum(L, htab, i+1), L->top - nvar + i);\n",
        "      setobj2n(L, luaH_setnum(L, htab, i+1), L->top - 1 - nvar + i);\n",
    ),
    (
        "ldo.c",
        "    setnvalue(luaH_setstr(L, htab, luaS_newliteral(L, \"n\")), cast_num(nvar));\n",
        "    setnvalue(luaH_setstr(L, htab, luaS_newliteral(L, \"n\")), cast_num(nvar));\n    L->top--;\n",
    ),
    (
        "lstate.c",
        "  stack_init(L1, L);  /* init stack */\n  setobj2n",
        "  setthvalue(L, L->top, L1);\n  L->top++;\n  stack_init(L1, L);  /* init stack */\n  L->top--;\n  setobj2n",
    ),
    (
        "ltable.c",
        "  setarrayvector(L, t, narray);\n  setnodevector(L, t, nhash);\n",
        "  sethvalue2s(L, L->top, t);\n  L->top++;\n  \
         setarrayvector(L, t, narray);\n  setnodevector(L, t, nhash);\n  L->top--;\n",
    ),
    (
        "lapi.c",
        "  setsvalue(L, &key, luaS_new(L, k));\n  luaV_settable(L, t, &key, L->top - 1);\n  L->top--;  /* pop value */\n",
        "  setsvalue(L, &key, luaS_new(L, k));\n  setobj2s(L, L->top, &key);\n  L->top++;\n  \
         luaV_settable(L, t, &key, L->top - 2);\n  L->top -= 2;  /* pop key and value */\n",
    ),
    (
        "lfunc.c",
        "  uv = luaM_new(L, UpVal);  /* not found: create a new one */\n",
        "  uv = luaM_new(L, UpVal);  /* not found: create a new one */\n  \
         for (pp = &L->openupval; *pp != NULL && ngcotouv(*pp)->v > level; )\n    \
         pp = &ngcotouv(*pp)->next;  /* what was before it may be gone */\n",
    ),
    (
        "lvm.c",
        "        ncl->l.p = p;\n",
        "        ncl->l.p = p;\n        setclvalue(L, ra, ncl);\n",
    ),
    (
        "lvm.c",
        "          L->top = L->ci->top;\n        }\n        if (c == 0) c = cast_int(*pc++);\n",
        "        }\n        if (c == 0) c = cast_int(*pc++);\n",
    ),
    (
        "lvm.c",
        "          luaC_barriert(L, h, val);\n        }\n",
        "          luaC_barriert(L, h, val);\n        }\n        L->top = L->ci->top;\n",
    ),
    (
        "ldebug.c",
        "    Table *t = luaH_new(L, 0, 0);\n",
        "    Table *t = luaH_new(L, 0, 0);\n    sethvalue(L, L->top, t);\n    L->top++;\n",
    ),
    (
        "ldebug.c",
        "    sethvalue(L, L->top, t); \n",
        "    L->top--;\n",
    ),
    // the table of strings grows before the new string is there, and once at a time
    (
        "lstring.c",
        "  if (G(L)->gcstate == GCSsweepstring)\n    return;  /* cannot resize during GC traverse */\n",
        "  if (G(L)->gcstate == GCSsweepstring || testbit(G(L)->gcflags, GCResizingStringsBit))\n    \
         return;  /* cannot resize during GC traverse */\n  l_setbit(G(L)->gcflags, GCResizingStringsBit);\n",
    ),
    (
        "lstring.c",
        "  tb->hash = newhash;\n}",
        "  tb->hash = newhash;\n  resetbit(G(L)->gcflags, GCResizingStringsBit);\n}",
    ),
    (
        "lstring.c",
        "  ts = cast(TString *, luaM_malloc(L, (l+1)*sizeof(char)+sizeof(TString)));\n",
        "  tb = &G(L)->strt;\n  if (tb->nuse + 1 > cast(lu_int32, tb->size) && tb->size <= MAX_INT/2)\n    \
         luaS_resize(L, tb->size*2);  /* too crowded */\n  \
         ts = cast(TString *, luaM_malloc(L, (l+1)*sizeof(char)+sizeof(TString)));\n",
    ),
    (
        "lstring.c",
        "  if (tb->nuse > cast(lu_int32, tb->size) && tb->size <= MAX_INT/2)\n    \
         luaS_resize(L, tb->size*2);  /* too crowded */\n  return ts;\n",
        "  return ts;\n",
    ),
    // the limit on strings, and the buffer by whose size they are joined
    (
        "lvm.c",
        "        if (l >= MAX_SIZET - tl) luaG_runerror(L, \"string length overflow\");\n",
        "        size_t most = cast(size_t, G(L)->memlimit);\n        if (most > MAX_SIZET) most = MAX_SIZET;\n        \
         if (l >= most - tl) luaG_runerror(L, \"string length overflow\");\n",
    ),
    (
        "luaconf.h",
        "#define LUAL_BUFFERSIZE\t\tBUFSIZ",
        "#define LUAL_BUFFERSIZE\t\t256",
    ),
    // a cycle begins when memory has grown by a tenth
    (
        "luaconf.h",
        "#define LUAI_GCPAUSE\t200",
        "#define LUAI_GCPAUSE\t110",
    ),
];

/// 5.3's own emergency collections have no modes. But NodeMCU's crash at a closure that has no function yet, as the compiler
/// has one for a moment.
const EDITS_53: &[Edit] = &[(
    "lgc.c",
    "  markobjectN(g, cl->p);",
    "  markobject(g, cl->p);",
)];

/// Makes the edits in all of Lua's sources and headers of that dialect, whatever else was edited there.
///
/// # Errors
/// Lua's sources are not those that the edits are for.
pub fn collect_in_emergencies(files: Vec<File>, dialect: Dialect) -> Result<Vec<File>, EditError> {
    match dialect {
        Dialect::Lua51 => edited(files, EDITS),
        Dialect::Lua53 => edited(files, EDITS_53),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edits::released;
    use crate::flash_store::flash_store_sources;
    use crate::packed_lines::pack_lines;
    use crate::read_only::read_only_sources;

    #[test]
    fn every_edit_is_made_whatever_else_was_edited() {
        for dialect in [Dialect::Lua51, Dialect::Lua53] {
            let with_lines = |files| pack_lines(files, dialect).unwrap();
            for files in [
                released(dialect),
                with_lines(released(dialect)),
                read_only_sources(dialect).unwrap(),
                with_lines(read_only_sources(dialect).unwrap()),
                flash_store_sources(dialect).unwrap(),
            ] {
                collect_in_emergencies(files, dialect).unwrap();
            }
        }
    }
}
