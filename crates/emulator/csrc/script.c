/*
** script.c - a main program: runs one Lua script with the libraries, fast and
** chip; exit status 1 and Lua's message where it fails. 5.1's allocator collects
** as on a chip that boots, until the script calls chip.egc.
*/

#include <stdio.h>

#include "numbers.h"
#include "lualib.h"
#include "lauxlib.h"
#include "chip.h"
#include "runtime.h"

extern const char script_start[], script_end[];  /* the linked text */

static int script_run (lua_State *L) {
  luaL_openlibs(L);
  chip_open_fast(L);
  lua_pushcfunction(L, luaopen_chip);
  lua_call(L, 0, 1);
  lua_setglobal(L, "chip");
#if FASTLUA_LUA == 51
  lua_setegcmode(L, EGC_ALWAYS, 4096);
#endif
  if (luaL_loadbuffer(L, script_start, (size_t)(script_end - script_start), "@script.lua") != 0)
    return lua_error(L);
  lua_call(L, 0, 0);
  return 0;
}

int main (void) {
  int status = 1;
  lua_State *L = luaL_newstate();
  if (L != NULL) {
    lua_pushcfunction(L, script_run);
    status = lua_pcall(L, 0, 0, 0);
    if (status != 0) {
      const char *message = lua_tostring(L, -1);
      fprintf(stderr, "%s\n", message != NULL ? message : "(an error that is not a string)");
    }
    lua_close(L);
    if (heap.blocks != 0)
      runtime_fail("%u blocks of the heap are left after lua_close", (unsigned)heap.blocks);
  }
  return status != 0;
}
