/*
** core.h - sizes of the core's structures (lua.c), in bytes of payload
*/

#ifndef core_h
#define core_h

#include <stddef.h>

#include "lua.h"

typedef struct core_bytes {
  size_t bytes, blocks;
} core_bytes;

/*
** What the Lua function on top of the stack takes, with the functions in it
** but without strings: 'debug' is line numbers, names of locals and (5.1) of
** upvalues, 'code' the rest. 0 where there is no Lua function.
*/
int core_function (lua_State *L, core_bytes *code, core_bytes *debug);

/* The array of the table of strings. */
size_t core_string_table (lua_State *L);

/*
** Collects all garbage, and once more until the table of strings is as small
** as it gets: with most strings in flash each collection halves it.
*/
void core_collect (lua_State *L);

/* A string of n bytes. */
size_t core_string (size_t n);

/* Whether a short string is in flash, so that it takes no heap. */
int core_has_string (lua_State *L, const char *s);

/* A C function: the module of this name in the image for LFS, or nothing. */
int core_store (lua_State *L);

#endif
