/*
** store.h - what NodeMCU's core does with an image for LFS that lies in flash,
** at the end of lua.c: luaN_init hands it to the core, core_store is
** node.LFS.get. The names of modules are walked through, as on the chip where
** its cache of fields does not know the name.
*/

#ifndef store_h
#define store_h

#define PLACE(i)	(lfs_region + lfs_region[i])

#if FASTLUA_LUA == 51

/* words: signature, size, main function, table of strings, strings, its size */
void luaN_init (lua_State *L) {
  if (lfs_region == NULL) return;
  G(L)->ROstrt.hash = (GCObject **)lfs_region[3];
  G(L)->ROstrt.nuse = lfs_region[4];
  G(L)->ROstrt.size = (int)lfs_region[5];
}

/* the image's own main function finds the module */
int core_store (lua_State *L) {
  Closure *c;
  if (lfs_region == NULL) return 0;
  c = luaF_newLclosure(L, 0, hvalue(gt(L)));
  c->l.p = (Proto *)lfs_region[2];
  setclvalue(L, L->top, c);
  incr_top(L);
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  if (lua_isfunction(L, -1)) return 1;
  lua_pushnil(L);
  return 1;
}

#else

typedef struct store_entry {
  const char *name;
  TValue function;
} store_entry;

/*
** words: signature, size, seed, time stamp, strings, the size of their table,
** its place, the place of the table of modules
*/
int luaN_init (lua_State *L) {
  if (lfs_region == NULL) return 0;
  G(L)->seed = lfs_region[2];
  G(L)->ROstrt.hash = (TString **)PLACE(6);
  G(L)->ROstrt.nuse = (int)lfs_region[4];
  G(L)->ROstrt.size = (int)lfs_region[5];
  return 0;
}

int core_store (lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  const store_entry *e;
  if (lfs_region == NULL) return 0;
  for (e = *(const store_entry *const *)(PLACE(7) + 3); e->name != NULL; e++) {
    LClosure *c;
    Proto *p = pvalue(&e->function);
    if (strcmp(e->name, name) != 0) continue;
    c = luaF_newLclosure(L, p->sizeupvalues);
    setclLvalue(L, L->top, c);
    luaD_inctop(L);
    luaF_initupvals(L, c);
    c->p = p;
    if (c->nupvalues >= 1) {
      const TValue *globals = luaH_getint(hvalue(&G(L)->l_registry), LUA_RIDX_GLOBALS);
      setobj(L, c->upvals[0]->v, globals);
      luaC_upvalbarrier(L, c->upvals[0]);
    }
    return 1;
  }
  return 0;
}

#endif

#endif
