/*
** host.c - stock Lua on a PC, built from the unit that the chip runs: runs one script
*/

#define luai_makeseed()		0

#include "lua_unit.h"

int main (int argc, char **argv) {
  int status = 1;
  lua_State *L = luaL_newstate();
  if (argc != 2 || L == NULL) return 2;
  luaL_openlibs(L);
  if (luaL_loadfile(L, argv[1]) == 0)
    status = lua_pcall(L, 0, 0, 0);
  if (status != 0) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  lua_close(L);
  return status != 0;
}
