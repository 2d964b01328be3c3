/*
** lua.c - stock Lua and its libraries for the emulated chip, and what the
** harness asks of the core's own structures
*/

#define luai_makeseed()		0	/* 5.3's strings hash the same in each build */

#include "lua_unit.h"
#include "core.h"

#if FASTLUA_LUA == 51
#define closure_proto(o)	(clvalue(o)->l.p)
#define closure_size(o)		sizeLclosure(clvalue(o)->l.nupvalues)
#define closure_upvalues(o)	((size_t)clvalue(o)->l.nupvalues * sizeof(UpVal))
#define UPVALUE			sizeof(TString *)
#define is_closure(o)		(ttisfunction(o) && !clvalue(o)->c.isC)
#define string_at(L)		(&rawtsvalue((L)->top - 1)->tsv)
#define function_at(L)		((L)->top - 1)
#else
#define closure_proto(o)	(clLvalue(o)->p)
#define closure_size(o)		sizeLclosure(clLvalue(o)->nupvalues)
#define closure_upvalues(o)	((size_t)clLvalue(o)->nupvalues * sizeof(UpVal))
#define UPVALUE			sizeof(Upvaldesc)
#define is_closure(o)		ttisLclosure(o)
#define string_at(L)		tsvalue((L)->top - 1)
#define function_at(L)		((L)->top - 1)
#endif

static void add (core_bytes *total, size_t count, size_t size) {
  if (count == 0) return;
  total->bytes += count * size;
  total->blocks++;
}

/* a read-only function and all that it names lie in flash */
#if defined(FASTLUA_FLASH_STORE)
#define in_flash(p)	in_store(p)
#define sizelineinfo	sizelinenumbers	/* of what is not packed */
#elif defined(LFSBIT)
#define in_flash(p)	testbit((p)->marked, LFSBIT)
#else
#define in_flash(p)	0
#endif

static void add_proto (const Proto *p, core_bytes *code, core_bytes *debug) {
  int i;
  if (in_flash(p)) return;
  add(code, 1, sizeof(Proto));
  add(code, p->sizecode, sizeof(Instruction));
  add(code, p->sizek, sizeof(TValue));
  add(code, p->sizep, sizeof(Proto *));
  add(debug, p->sizelineinfo, sizeof(int));
  add(debug, p->sizelocvars, sizeof(LocVar));
  add(FASTLUA_LUA == 51 ? debug : code, p->sizeupvalues, UPVALUE);
  for (i = 0; i < p->sizep; i++) add_proto(p->p[i], code, debug);
}

int core_function (lua_State *L, core_bytes *code, core_bytes *debug) {
  memset(code, 0, sizeof(*code));
  memset(debug, 0, sizeof(*debug));
  if (!is_closure(function_at(L))) return 0;
  add(code, 1, closure_size(function_at(L)));
  if (closure_upvalues(function_at(L)) != 0) {
    code->bytes += closure_upvalues(function_at(L));
    code->blocks += closure_upvalues(function_at(L)) / sizeof(UpVal);
  }
  add_proto(closure_proto(function_at(L)), code, debug);
  return 1;
}

size_t core_string_table (lua_State *L) {
  return (size_t)G(L)->strt.size * sizeof(TString *);
}

void core_collect (lua_State *L) {
  size_t size;
  do {
    size = core_string_table(L);
    lua_gc(L, LUA_GCCOLLECT, 0);
  } while (core_string_table(L) < size);
}

size_t core_string (size_t n) {
  return sizeof(TString) + (n + 1);
}

int core_has_string (lua_State *L, const char *s) {
  int has;
  lua_pushstring(L, s);
  has = in_flash(string_at(L));
  lua_pop(L, 1);
  return has;
}

#if defined(FASTLUA_FLASH_STORE)
#include "store.h"
#else
int core_store (lua_State *L) {
  (void)L;
  return 0;
}
#endif
