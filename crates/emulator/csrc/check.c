/*
** check.c - the harness measures what is known before anything else
*/

#include <string.h>

#include "numbers.h"
#include "lauxlib.h"
#include "core.h"
#include "harness.h"
#include "runtime.h"

void check_figure (const char *what, uint32_t got, uint32_t want) {
  if (got != want)
    runtime_fail("check failed: %s: measured %u, it is %u", what, (unsigned)got, (unsigned)want);
}

static void check_counter (void) {
  uint32_t from, to, i;
  COUNTER_LOOP(from, to, i);
  check_figure("instructions of a loop", ticks_between(from, to), 2002);
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
  core_collect(L);
  before = heap;
  if (luaL_loadbuffer(L, text, strlen(text), "=check") != 0)
    runtime_fail("check failed: %s", lua_tostring(L, -1));
  core_collect(L);
  if (!core_function(L, &code, &debug)) runtime_fail("check failed: no function");
  check_figure(text, heap.live - before.live, code.bytes + debug.bytes + strings);
  check_figure(text, heap.blocks - before.blocks, code.blocks + debug.blocks + (strings != 0));
  lua_close(L);
  check_figure("blocks after lua_close", heap.blocks, 0);
}

void harness_check (void) {
  check_counter();
  known_heap();
  check_chunk("", NULL);
  check_chunk("local __add = 7 return function () __add = __add + 1 return __add end", NULL);
  check_chunk("return '0123456789'", "0123456789");
}
