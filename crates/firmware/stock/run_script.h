/*
** run_script.h - how a host program ends
*/

/* runs a script and closes the state; the exit status */
static int run_script (lua_State *L, const char *file) {
  int status = 1;
  if (luaL_loadfile(L, file) == 0)
    status = lua_pcall(L, 0, 0, 0);
  if (status != 0)
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
  lua_close(L);
  return status != 0;
}
