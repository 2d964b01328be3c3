/*
** fast_runtime.c - loads the Lua halves of C modules
** It is compiled once, however many modules of the firmware have a header NAME_lua.h.
** The module fast does not need it: fast.c has loaders of its own.
*/

#include "module.h"
#include "fast_runtime.h"
#include "fast_load.h"
#include "fast_deflated.h"
#include "fast_packed.h"
#include "fast_tables.h"

int fast_runtime_push (lua_State *L, const fast_bundle *b, const char *name) {
  return fast_push(L, b, name);
}

int fast_runtime_index (lua_State *L, const fast_bundle *b, const char *module) {
  size_t len;
  const char *field;
  if (lua_type(L, 2) != LUA_TSTRING) return 0;
  field = lua_tolstring(L, 2, &len);
  if (strlen(field) != len) return 0;  /* no chunk has a zero in its name */
  lua_pushfstring(L, "%s-%s", module, field);
  return (fast_push(L, b, lua_tostring(L, -1)) == 1) ? 1 : lua_error(L);
}

int fast_runtime_deflated (lua_State *L, const fast_bundle *b, const fast_chunk *c,
                           const char *name) {
  return fast_load_deflated(L, b, c, name);
}

int fast_runtime_packed (lua_State *L, const fast_bundle *b, const fast_chunk *c,
                         const char *name) {
  return fast_load_packed(L, b, c, name);
}
