/*
** module.h - stands in for NodeMCU's header where fast.c is built for stock Lua
** A read-only table becomes a list of entries, and NODEMCU_MODULE the
** function luaopen_<map> that makes an ordinary table of it. That is done after
** the module was opened, as the strings of a read-only table are not in RAM.
*/

#ifndef module_h
#define module_h

#include <stdint.h>

#include "lua.h"
#include "lauxlib.h"

typedef struct lrot_entry {
  const char *name;
  lua_CFunction function;	/* NULL: an integer */
  lua_Integer integer;
} lrot_entry;

typedef struct lrot_table {
  const struct lrot_table *meta;
  const lrot_entry *entries;
} lrot_table;

#define LROT_MASK_INDEX		0

/* what fast.c asks the platform for; the program defines the functions */
int lua_freeheap (void);	/* bytes */
uint32_t fast_clock (void);	/* microseconds */
#define fast_clock		fast_clock
#define FAST_BLOCK(n)		(n)
#define FAST_BLOCK_HEADER		0
#define FAST_BLOCK_MINIMUM	1
#define FAST_BLOCK_ALIGN	1

#define LROT_TABLEREF(t)	(&t##_lrot)
#define LROT_BEGIN(t,meta,mask)	static const lrot_entry t##_entries[] = {
#define LROT_FUNCENTRY(k,f)	{#k, f, 0},
#define LROT_INTENTRY(k,i)	{#k, NULL, i},
#define LROT_END(t,meta,mask) \
	{NULL, NULL, 0} }; static const lrot_table t##_lrot = {meta, t##_entries};

#define NODEMCU_MODULE(cfg,name,map,init) \
	int luaopen_##map (lua_State *L); \
	int luaopen_##map (lua_State *L) { \
	  int (*opened) (lua_State *) = init; \
	  if (opened != NULL) lua_pop(L, opened(L)); \
	  lrot_push(L, LROT_TABLEREF(map)); \
	  return 1; \
	} \
	typedef int lrot_ends_##map	/* takes the semicolon */

#define lua_pushrotable		lrot_push

/* fast_runtime.c has no table */
static __attribute__((unused)) void lrot_push (lua_State *L, const lrot_table *t) {
  const lrot_entry *e;
  lua_newtable(L);
  for (e = t->entries; e->name != NULL; e++) {
    if (e->function != NULL) lua_pushcfunction(L, e->function);
    else lua_pushinteger(L, e->integer);
    lua_setfield(L, -2, e->name);
  }
  if (t->meta != NULL) {
    lrot_push(L, t->meta);
    lua_setmetatable(L, -2);
  }
}

#endif
