/*
** led.c - a C module with a Lua half
** led.set is C; led.blink is the chunk led-blink of led.lua:
**   fastlua build --emit header -o app/modules led.lua
** That writes led_lua.h, and fast_runtime.c, which is compiled with it
*/

#include "module.h"
#include "led_lua.h"

static int led_set (lua_State *L) {
  lua_pushstring(L, luaL_checkinteger(L, 1) != 0 ? "on" : "off");
  return 1;
}

LROT_BEGIN(led_meta, NULL, LROT_MASK_INDEX)
  LROT_FUNCENTRY(__index, led_lua_index)
LROT_END(led_meta, NULL, LROT_MASK_INDEX)

LROT_BEGIN(led, LROT_TABLEREF(led_meta), 0)
  LROT_FUNCENTRY(set, led_set)
LROT_END(led, LROT_TABLEREF(led_meta), 0)

NODEMCU_MODULE(LED, "led", led, NULL);
