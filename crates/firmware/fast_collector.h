/*
** fast_collector.h - blocks the collector while a chunk is loaded
** NodeMCU's 5.1 boots in a mode in which each allocation begins with a full collection.
** The core's parser and undump block the collector, and so do the loaders here. An
** allocation that fails meanwhile is an error at once, without a collection; so the load
** is tried again after one (fast_retry). 5.3 and stock 5.1 do not have this mode. 5.3
** collects when an allocation fails, but while it begins to compile (fast_load.h).
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

/* Blocks the collector. Returns the flags that it had before. */
static int fast_block_collector (lua_State *L) {
  int flags = G(L)->gcflags;
  set_block_gc(L);
  return flags;
}

/* An error in between unblocks it, and one while the string table grows leaves a flag
** set that would keep it from growing for good. */
static void fast_restore_collector (lua_State *L, int flags) {
  G(L)->gcflags = (lu_byte)flags;
}

#else

static int fast_block_collector (lua_State *L) {
  (void)L;
  return 0;
}

static void fast_restore_collector (lua_State *L, int flags) {
  (void)L;
  (void)flags;
}

#endif

/* Calls f with the collector blocked. Returns the status; where that is an error its
** message is on the stack. */
static int fast_pcall (lua_State *L, Pfunc f, void *ud) {
  int flags, status;
  luaC_checkGC(L);
  flags = fast_block_collector(L);
  status = luaD_pcall(L, f, ud, savestack(L, L->top), L->errfunc);
  fast_restore_collector(L, flags);
  return status;
}

/* Whether to try again what ended with that status: there was not enough memory. Then
** pops the message and collects. */
static int fast_retry (lua_State *L, int status) {
  if (status != LUA_ERRMEM) return 0;
  lua_pop(L, 1);
#if LUA_VERSION_NUM == 501
  lua_gc(L, LUA_GCCOLLECT, 0);
#else
  luaC_fullgc(L, 1);  /* finalizers wait, as in a collection that the core begins */
#endif
  return 1;
}

#endif
