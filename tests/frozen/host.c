/*
** host.c - Lua with read-only objects, fast and a heap that counts
** usage: host FORM STRESS CHUNK...; runs run.lua. FORM "write" writes to a frozen object.
*/

#include "lua_unit.h"
#include "run_script.h"

#include <stdint.h>

static size_t heap_used;

int lua_freeheap (void) {
  return INT_MAX;
}

uint32_t fast_clock (void) {
  return 0;
}

int luaopen_fast (lua_State *L);

/* always moves, so that a pointer that is kept too long is seen */
static void *heap_alloc (void *ud, void *p, size_t osize, size_t nsize) {
  void *q = NULL;
  (void)ud;
  if (p == NULL) osize = 0;
  if (nsize > 0) {
    q = malloc(nsize);
    if (p != NULL) memcpy(q, p, osize < nsize ? osize : nsize);
  }
  if (p != NULL) {
    memset(p, 0xee, osize);
    free(p);
  }
  heap_used += nsize - osize;
  return q;
}

static int host_heap (lua_State *L) {
  lua_pushinteger(L, (lua_Integer)heap_used);
  return 1;
}

static int host_note (lua_State *L) {
  fprintf(stderr, "%s\n", luaL_checkstring(L, 1));
  return 0;
}

/* the first constant of the chunk's main function */
static void host_write (lua_State *L, const char *name) {
  TValue *k;
  lua_getglobal(L, "fast");
  lua_getfield(L, -1, "load");
  lua_pushstring(L, name);
  lua_call(L, 1, 1);
#if LUA_VERSION_NUM == 501
  k = clvalue(L->top - 1)->l.p->k;
#else
  k = clLvalue(L->top - 1)->p->k;
#endif
  *(volatile char *)k = 1;
}

int main (int argc, char **argv) {
  int i, status;
  lua_State *L = lua_newstate(heap_alloc, NULL);
  if (argc < 4 || L == NULL) return 2;
  luaL_openlibs(L);
  lua_pushcfunction(L, luaopen_fast);
  lua_call(L, 0, 1);
  lua_setglobal(L, "fast");
  if (strcmp(argv[1], "write") == 0) {
    host_write(L, argv[3]);
    return 0;
  }
  lua_newtable(L);
  lua_pushcfunction(L, host_heap);
  lua_setfield(L, -2, "heap");
  lua_pushcfunction(L, host_note);
  lua_setfield(L, -2, "note");
  lua_pushstring(L, argv[1]);
  lua_setfield(L, -2, "form");
  lua_pushboolean(L, argv[2][0] == 'y');
  lua_setfield(L, -2, "stress");
  lua_newtable(L);
  for (i = 3; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - 2);
  }
  lua_setfield(L, -2, "chunks");
  lua_setglobal(L, "host");
  status = run_script(L, "run.lua");
  if (heap_used != 0) {
    fprintf(stderr, "%lu bytes are left\n", (unsigned long)heap_used);
    return 1;
  }
  return status;
}
