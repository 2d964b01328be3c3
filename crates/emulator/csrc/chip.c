/*
** chip.c - the Lua library 'chip'
** free()		free bytes of the heap
** used()		bytes used as the chip counts, bytes asked for, blocks
** peak([restart])	peaks of the first two
** calls()		allocations so far; of these, in vain
** limit([bytes])	lets that much be free from now on; nothing: all there is
** failat([n [,more]])	the n-th allocation from now fails, and 'more' (all) after it
** count(f, ...)	instructions of the call, then its results
** egc(mode, limit)	5.1: as node.egc.setmode
** store(name)		the module of this name in the image for LFS
** reads([on])		in an image that counts reads of its constants: narrow, word and
**			unaligned ones since the last call; switches counting
*/

#include "numbers.h"
#include "lauxlib.h"
#include "chip.h"
#include "core.h"
#include "runtime.h"

/* the image's C module, where it has one */
int luaopen_fast (lua_State *L) __attribute__ ((weak));

void chip_open_fast (lua_State *L) {
  if (luaopen_fast == NULL) return;
  lua_pushcfunction(L, luaopen_fast);
  lua_call(L, 0, 1);
  lua_setglobal(L, "fast");
}

/* what fast.c asks of its platform */
int lua_freeheap (void);
uint32_t fast_clock (void);

int lua_freeheap (void) {
  return (int)heap_left();
}

/*
** Microseconds. No division, which takes its time by the value: figures would
** vary.
*/
uint32_t fast_clock (void) {
  return (uint32_t)((uint64_t)ticks() * TICK_TIME >> 32);
}

static int push_all (lua_State *L, const uint32_t *n, int count) {
  int i;
  for (i = 0; i < count; i++) lua_pushinteger(L, (lua_Integer)n[i]);
  return count;
}

static int chip_free (lua_State *L) {
  uint32_t n = heap_left();
  return push_all(L, &n, 1);
}

static int chip_used (lua_State *L) {
  uint32_t n[] = {heap.used, heap.live, heap.blocks};
  return push_all(L, n, 3);
}

static int chip_peak (lua_State *L) {
  uint32_t n[] = {heap.used_peak, heap.live_peak};
  if (lua_toboolean(L, 1)) heap_mark();
  return push_all(L, n, 2);
}

static int chip_calls (lua_State *L) {
  uint32_t n[] = {heap.calls, heap.failed};
  return push_all(L, n, 2);
}

static int chip_limit (lua_State *L) {
  uint32_t bytes = (uint32_t)luaL_optinteger(L, 1, (lua_Integer)HEAP_SIZE);
  heap.limit = (bytes > HEAP_SIZE - heap.used) ? HEAP_SIZE : heap.used + bytes;
  return 0;
}

static int chip_failat (lua_State *L) {
  lua_Integer n = luaL_optinteger(L, 1, 0);
  lua_Integer more = luaL_optinteger(L, 2, -1);
  heap_fail((uint32_t)n, (uint32_t)more);
  return 0;
}

static int chip_count (lua_State *L) {
  uint32_t n;
  luaL_checkany(L, 1);
  lua_pushnil(L);
  lua_insert(L, 1);  /* place of the count */
  n = ticks();
  lua_call(L, lua_gettop(L) - 2, LUA_MULTRET);
  n = ticks_between(n, ticks());
  lua_pushinteger(L, (lua_Integer)n);
  lua_replace(L, 1);
  return lua_gettop(L);
}

#if FASTLUA_LUA == 51
static int chip_egc (lua_State *L) {
  lua_setegcmode(L, luaL_checkint(L, 1), luaL_optint(L, 2, 0));
  return 0;
}
#endif

static int chip_reads (lua_State *L) {
  uint32_t n[3];
  trap_set(0);
  n[0] = trap_reads.narrow;
  n[1] = trap_reads.words;
  n[2] = trap_reads.unaligned;
  trap_reads = (trap_counts){0, 0, 0};
  if (!trap_available()) return luaL_error(L, "this image does not count reads");
  if (lua_toboolean(L, 1)) trap_set(1);
  return push_all(L, n, 3);
}

static const luaL_Reg functions[] = {
  {"calls", chip_calls},
  {"count", chip_count},
#if FASTLUA_LUA == 51
  {"egc", chip_egc},
#endif
  {"failat", chip_failat},
  {"free", chip_free},
  {"limit", chip_limit},
  {"peak", chip_peak},
  {"reads", chip_reads},
  {"store", core_store},
  {"used", chip_used},
  {NULL, NULL}
};

int luaopen_chip (lua_State *L) {
  const luaL_Reg *f;
  lua_newtable(L);
  for (f = functions; f->name != NULL; f++) {
    lua_pushcfunction(L, f->func);
    lua_setfield(L, -2, f->name);
  }
  return 1;
}
