/*
** fast_runtime.h - what fast_runtime.c gives to the C modules with a header
** NAME_lua.h: Lua chunks in flash, loaded by name
*/

#ifndef fast_runtime_h
#define fast_runtime_h

#include "fast_index.h"

/* Pushes the chunk of that name as a function; or nil and a message if it can not be
** loaded; or nil if there is none. Returns how many values it pushed. */
int fast_runtime_push (lua_State *L, const fast_bundle *b, const char *name);

/* __index of a module's table: the missing field at 2 is the chunk <module>-<field>.
** Pushes it, or nil; a chunk that can not be loaded is an error. */
int fast_runtime_index (lua_State *L, const fast_bundle *b, const char *module);

/* The loaders of bundles that have such chunks, and what all packed chunks share. The
** linker leaves out what no bundle has. */
int fast_runtime_deflated (lua_State *L, const fast_bundle *b, const fast_chunk *c,
                           const char *name);
int fast_runtime_packed (lua_State *L, const fast_bundle *b, const fast_chunk *c,
                         const char *name);
extern const uint32_t fast_runtime_tables[];

#endif
