/*
** taken.c - luaN_init that fills the place of the second table of strings,
** as LFS does
*/

#include "lstate.h"

static void *taken[1];

#if LUA_VERSION_NUM == 501
void luaN_init (lua_State *L);
void luaN_init (lua_State *L) {
  G(L)->ROstrt.hash = (void *)taken;
  G(L)->ROstrt.size = 1;
}
#else
int luaN_init (lua_State *L);
int luaN_init (lua_State *L) {
  G(L)->ROstrt.hash = (void *)taken;
  G(L)->ROstrt.size = 1;
  return 0;
}
#endif
