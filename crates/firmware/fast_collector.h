/*
** fast_collector.h - blocks the collector while a chunk is loaded
** NodeMCU's 5.1 boots in a mode in which each allocation begins with a full collection.
** The core's parser and undump block the collector, and so do the loaders here. An
** allocation that fails meanwhile is an error at once, without a collection; so the load
** is tried again after one (fast_retry). 5.3 and stock 5.1 do not have this mode.
*/

#ifndef fast_collector_h
#define fast_collector_h

#include "lua.h"
#include "lauxlib.h"
#include "lobject.h"
#include "lstate.h"
#include "ldo.h"
#include "lgc.h"

#if LUA_VERSION_NUM == 501 && defined(EGC_ALWAYS)

/* Blocks the collector. Returns whether it was blocked before. */
static int fast_block_collector (lua_State *L) {
  int blocked = is_block_gc(L) != 0;
  set_block_gc(L);
  return blocked;
}

static void fast_restore_collector (lua_State *L, int blocked) {
  if (blocked) set_block_gc(L);
  else unset_block_gc(L);
}

#else

static int fast_block_collector (lua_State *L) {
  (void)L;
  return 0;
}

static void fast_restore_collector (lua_State *L, int blocked) {
  (void)L;
  (void)blocked;
}

#endif

/* Calls f with the collector blocked. Returns the status; where that is an error its
** message is on the stack. */
static int fast_pcall (lua_State *L, Pfunc f, void *ud) {
  int blocked, status;
  luaC_checkGC(L);
  blocked = fast_block_collector(L);
  status = luaD_pcall(L, f, ud, savestack(L, L->top), L->errfunc);
  fast_restore_collector(L, blocked);
  return status;
}

/* Whether to try again what ended with that status: there was not enough memory while
** the collector was blocked. Then pops the message and collects. */
static int fast_retry (lua_State *L, int status) {
  if (LUA_VERSION_NUM != 501 || status != LUA_ERRMEM) return 0;
  lua_pop(L, 1);
  lua_gc(L, LUA_GCCOLLECT, 0);
  return 1;
}

#endif
