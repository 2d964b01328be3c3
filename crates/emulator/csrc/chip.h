/*
** chip.h - the Lua library 'chip': a script's view of heap, counts and faults
*/

#ifndef chip_h
#define chip_h

#include "lua.h"

int luaopen_chip (lua_State *L);

/* Calls luaopen_<name>, if the image has it, and sets the global. Raises errors. */
void chip_open_fast (lua_State *L);

#endif
