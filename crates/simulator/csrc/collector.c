/*
** collector.c - how Lua 5.1 collects, for collector.rs
*/

#include "lua.h"

#if LUA_VERSION_NUM == 501
/* sets mode and limit */
int fastlua_setegcmode (lua_State *L) {
  lua_setegcmode(L, (int)lua_tointeger(L, 1), (int)lua_tointeger(L, 2));
  return 0;
}
#endif
