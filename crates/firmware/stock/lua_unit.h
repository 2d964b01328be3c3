/*
** lua_unit.h - stock Lua with its libraries as one unit, for one number model
** FASTLUA_LUA: 51 or 53; numbers.h says what FASTLUA_INTEGER and FASTLUA_FLOAT are
*/

#define LUA_CORE
#define LUA_LIB
#define liolib_c	/* 5.1's luaconf.h has a part for each of these */
#define loslib_c

#include "numbers.h"
#include "corefiles.h"

#include "lauxlib.c"
#include "lbaselib.c"
#include "ldblib.c"
#include "liolib.c"
#include "linit.c"
#include "lmathlib.c"
#include "loadlib.c"
#include "loslib.c"
#include "lstrlib.c"
#include "ltablib.c"
#if FASTLUA_LUA == 53
#include "lbitlib.c"
#include "lcorolib.c"
#include "lutf8lib.c"
#endif
