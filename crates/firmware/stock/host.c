/*
** host.c - stock Lua with a C module built in: runs one script on a PC
** HOST_MODULE: name of the module, fast unless defined
*/

#include "lua_unit.h"
#include "run_script.h"

#include <stdint.h>
#include <time.h>

int lua_freeheap (void) {
  return INT_MAX;
}

uint32_t fast_clock (void) {
  return (uint32_t)((uint64_t)clock() * 1000000 / CLOCKS_PER_SEC);
}

#if !defined(HOST_MODULE)
#define HOST_MODULE	fast
#endif
#define HOST_OPEN_(m)	luaopen_ ## m
#define HOST_OPEN(m)	HOST_OPEN_(m)
#define HOST_NAME_(m)	#m
#define HOST_NAME(m)	HOST_NAME_(m)

int HOST_OPEN(HOST_MODULE) (lua_State *L);

int main (int argc, char **argv) {
  lua_State *L = luaL_newstate();
  if (argc != 2 || L == NULL) return 2;
  luaL_openlibs(L);
  HOST_OPEN(HOST_MODULE)(L);
  lua_setglobal(L, HOST_NAME(HOST_MODULE));
  return run_script(L, argv[1]);
}
