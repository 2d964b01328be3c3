/*
** check.c - the harness measures what is known before anything else
*/

#include <stdlib.h>
#include <string.h>

#include "numbers.h"
#include "lauxlib.h"
#include "core.h"
#include "harness.h"
#include "runtime.h"

static void check (const char *what, uint32_t got, uint32_t want) {
  if (got != want)
    runtime_fail("check failed: %s: measured %u, it is %u", what, (unsigned)got, (unsigned)want);
}

/* 1000 turns of two instructions, one before them, one that reads the counter */
static void check_counter (void) {
  uint32_t from, to, i;
  __asm__ volatile (
    "rsr %0, ccount\n\tmovi %2, 1000\n1:\taddi %2, %2, -1\n\tbnez %2, 1b\n\trsr %1, ccount"
    : "=r" (from), "=r" (to), "=r" (i));
  check("instructions of a loop", ticks_between(from, to), 2002);
}

static void check_heap (void) {
  char *p, *q;
  heap_reset(0);
  p = malloc(1);
  q = malloc(100);
  check("live bytes", heap.live, 101);
  check("used bytes", heap.used, 24 + 120);
  p = realloc(p, 9);  /* moves: both exist for a moment */
  check("live bytes at the peak", heap.live_peak, 101 + 9);
  check("used bytes at the peak", heap.used_peak, 24 + 120 + 32);
  free(q);
  free(p);
  check("used bytes in the end", heap.used, 0);
  check("allocations", heap.calls, 3);
  heap_fail(1, 0);
  p = malloc(8);
  check("an allocation that has to fail", p != NULL, 0);
  p = malloc(8);
  check("the one after it", p != NULL, 1);
  free(p);
  heap_reset(100);
  check("free bytes", heap_left(), 100);
  p = malloc(85);
  check("an allocation over the limit", p != NULL, 0);
}

/* a chunk's kept bytes, against what the core's own structures say they are */
static void check_chunk (const char *text, const char *string) {
  core_bytes code, debug;
  heap_state before;
  uint32_t strings = 0;
  lua_State *L;
  heap_reset(0);
  L = luaL_newstate();
  if (L == NULL) runtime_fail("check failed: no Lua state");
  lua_pushliteral(L, "=check");
  if (string != NULL && !core_has_string(L, string)) strings = core_string(strlen(string));
  lua_gc(L, LUA_GCCOLLECT, 0);
  before = heap;
  if (luaL_loadbuffer(L, text, strlen(text), "=check") != 0)
    runtime_fail("check failed: %s", lua_tostring(L, -1));
  lua_gc(L, LUA_GCCOLLECT, 0);
  if (!core_function(L, &code, &debug)) runtime_fail("check failed: no function");
  check(text, heap.live - before.live, code.bytes + debug.bytes + strings);
  check(text, heap.blocks - before.blocks, code.blocks + debug.blocks + (strings != 0));
  lua_close(L);
  check("blocks after lua_close", heap.blocks, 0);
}

void harness_check (void) {
  check_counter();
  check_heap();
  check_chunk("", NULL);
  check_chunk("local __add = 7 return function () __add = __add + 1 return __add end", NULL);
  check_chunk("return '0123456789'", "0123456789");
}
