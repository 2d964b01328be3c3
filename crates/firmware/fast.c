/*
** fast.c - loads Lua chunks that are part of the firmware image
** fast.load(name): the chunk as a function, nil where there is none
** fast.<name>: the same
*/

#include <string.h>

#include "module.h"
#include "lauxlib.h"
#include "fast_chunks.h"

#define NCHUNKS		(sizeof(fast_chunks) / sizeof(fast_chunks[0]))

static const fast_chunk *fast_find (const char *name) {
  size_t lo = 0, hi = NCHUNKS;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    int order = strcmp(name, fast_chunks[mid].name);
    if (order == 0) return &fast_chunks[mid];
    if (order < 0) hi = mid;
    else lo = mid + 1;
  }
  return NULL;
}

static int fast_push (lua_State *L, const char *name) {
  const fast_chunk *c = fast_find(name);
  if (c == NULL)
    lua_pushnil(L);
  else if (luaL_loadbuffer(L, (const char *)c->words, c->size, name) != 0)
    return lua_error(L);
  return 1;
}

static int fast_load (lua_State *L) {
  return fast_push(L, luaL_checkstring(L, 1));
}

static int fast_get (lua_State *L) {  /* __index(fast, name) */
  return fast_push(L, luaL_checkstring(L, 2));
}

LROT_BEGIN(fast_meta, NULL, LROT_MASK_INDEX)
  LROT_FUNCENTRY(__index, fast_get)
LROT_END(fast_meta, NULL, LROT_MASK_INDEX)

LROT_BEGIN(fast, LROT_TABLEREF(fast_meta), 0)
  LROT_FUNCENTRY(load, fast_load)
LROT_END(fast, LROT_TABLEREF(fast_meta), 0)

NODEMCU_MODULE(FAST, "fast", fast, NULL);
