/*
** fast_frozen.h - runs Lua chunks in place, as constants in flash
**
** A frozen chunk is one closure in RAM on a main function in flash. What must
** hold, and why:
** 1. Nothing may write to a frozen object: it is in flash. The core marks, sweeps
**    and fixes no object that has its LFSBIT.
** 2. An interned string is one object, as strings are compared by address. So
**    frozen strings are constants of running code only while 'ROstrt' is the pool
**    (fast_is_mapped): then luaS_newlstr finds them.
** 3. Once mapped the pool stays: frozen strings may be keys anywhere.
** 4. luaS_newlstr asks the table in RAM first. A string that was there before
**    the pool was mapped stays the one object of that name; a function with a
**    frozen duplicate of it as a constant may not run. It gets a shadow, a function
**    in RAM with constants of its own, and so do those around it, since they
**    name it. Code and debug data of a shadow stay in flash.
** 5. Once the pool is mapped no new duplicate appears in RAM. So it is known at
**    that time, and for good, which functions need shadows.
** 6. A shadow has the LFSBIT: else the collector would free it, and flash with
**    it. It is in a userdata that the registry holds, and its constants are in
**    the arrays of tables, which the collector marks as any table.
**    They are made once and found by every later load.
** 7. A function in flash may name a frozen source name or local variable that
**    is not canonical: the core reads the bytes of these, and compares none.
** 8. The hash of 5.3 begins with a seed, which must be ours before the first
**    string is hashed. Only the start-up hook comes early enough. Without it,
**    and where LFS has ROstrt, every function is a shadow with strings in RAM.
*/

#ifndef fast_frozen_h
#define fast_frozen_h

#include <string.h>

#include "lua.h"
#include "lobject.h"
#include "lstate.h"
#include "ldo.h"
#include "lgc.h"
#include "ltable.h"
#include "fast_load.h"

/* Without the pool: shadows are never freed, so they are made only if they take at most
** this percentage of the heap that bytecode takes. */
#if !defined(FAST_SHADOW_PERCENT)
#define FAST_SHADOW_PERCENT	75
#endif

/* the bundle with frozen chunks: there is one at most, as there is one pool */
#if defined(FAST_SLOT)
#define fast_frozen_bundle	fast_slot_image
#define fast_has_pool		(fast_slot_image.frozen != NULL)
#define fast_open_slot		fast_slot_open
#else
#define fast_frozen_bundle	fast_image
#define fast_has_pool		1
#define fast_open_slot()	((void)0)
#endif

#if LUA_VERSION_NUM == 501 || defined(FAST_WRAP)

static int fast_is_mapped (lua_State *L) {
  return G(L)->ROstrt.hash == (fast_link *)fast_pool;
}

static void fast_set_pool (lua_State *L) {
  stringtable *t = &G(L)->ROstrt;
  t->hash = (fast_link *)fast_pool;
  t->nuse = FAST_POOL_USED;
  t->size = FAST_POOL_SIZE;
}

#else
#define fast_is_mapped(L)	((void)(L), (void)fast_pool, 0)
#endif

#if defined(FAST_WRAP)

/*
** The start-up hook, for firmware that is linked with -Wl,--wrap=luaN_init.
** The core calls luaN_init to map LFS before it interns any string, and 5.3
** once more as a library; by then there are strings.
*/
static void fast_map_at_start (lua_State *L) {
  fast_open_slot();
  if (fast_has_pool && G(L)->strt.nuse == 0 && G(L)->ROstrt.hash == NULL) {
#if LUA_VERSION_NUM != 501
    G(L)->seed = FAST_SEED;
#endif
    fast_set_pool(L);
  }
}

#if LUA_VERSION_NUM == 501

void __real_luaN_init (lua_State *L);
void __wrap_luaN_init (lua_State *L);

void __wrap_luaN_init (lua_State *L) {
  __real_luaN_init(L);
  fast_map_at_start(L);
}

#else

int __real_luaN_init (lua_State *L);
int __wrap_luaN_init (lua_State *L);

int __wrap_luaN_init (lua_State *L) {
  int status = __real_luaN_init(L);
  fast_map_at_start(L);
  return status;
}

#endif

#endif

#if LUA_VERSION_NUM == 501 && !defined(FAST_WRAP)

/* a bit for each function: it needs a shadow */
static uint32_t fast_shadow_bits[(FAST_FUNCTIONS + 31) / 32];
#define fast_needs_shadow(n)	(fast_shadow_bits[(n) >> 5] >> ((n) & 31) & 1)

typedef struct fast_duplicate_filter {	/* frozen strings with a duplicate in RAM */
  uint32_t number;		/* of the next function */
  uint32_t bits[8];		/* set for the addresses of all duplicates, and some more */
} fast_duplicate_filter;

#define fast_filter_word(t,o)	(&(t)->bits[((size_t)(o) >> 8) & 7])
#define fast_filter_bit(o)	(1u << (((size_t)(o) >> 3) & 31))

/* the string of this chain that equals ts */
static GCObject *fast_find_equal (GCObject *chain, const TString *ts) {
  GCObject *o;
  for (o = chain; o != NULL; o = o->gch.next) {
    const TString *other = rawgco2ts(o);
    if (other->tsv.hash == ts->tsv.hash && other->tsv.len == ts->tsv.len
        && memcmp(getstr(other), getstr(ts), ts->tsv.len) == 0)
      return o;
  }
  return NULL;
}

#define fast_chain(t,ts)	((t)->hash[lmod((ts)->tsv.hash, (t)->size)])

/* whether a constant of f has a duplicate in RAM; t, if not NULL, rules most out */
static int fast_has_duplicate (lua_State *L, const Proto *f, fast_duplicate_filter *t) {
  int i;
  for (i = 0; i < f->sizek; i++) {
    const TValue *k = &f->k[i];
    if (!ttisstring(k)) continue;
    if (t != NULL && (*fast_filter_word(t, gcvalue(k)) & fast_filter_bit(gcvalue(k))) == 0)
      continue;
    if (fast_find_equal(fast_chain(&G(L)->strt, rawtsvalue(k)), rawtsvalue(k)) != NULL)
      return 1;
  }
  return 0;
}

static int fast_mark_shadows (lua_State *L, const Proto *f, fast_duplicate_filter *t) {
  uint32_t number = t->number++;
  int i, needs = fast_has_duplicate(L, f, t);
  for (i = 0; i < f->sizep; i++)
    needs |= fast_mark_shadows(L, f->p[i], t);
  if (needs) fast_shadow_bits[number >> 5] |= 1u << (number & 31);
  return needs;
}

/*
** Maps the pool, unless LFS has ROstrt. There are few strings in RAM, so these are
** looked up in the pool and not the other way round. Nothing is allocated between
** that and the mapping. (4, 5)
*/
static void fast_map_pool (lua_State *L) {
  fast_duplicate_filter t;
  int i, found = 0;
  if (!fast_has_pool || G(L)->ROstrt.hash != NULL) return;
  memset(&t, 0, sizeof(t));
  memset(fast_shadow_bits, 0, sizeof(fast_shadow_bits));
  for (i = 0; i < G(L)->strt.size; i++) {
    GCObject *o;
    for (o = G(L)->strt.hash[i]; o != NULL; o = o->gch.next) {
      const TString *ts = rawgco2ts(o);
      GCObject *frozen = fast_find_equal(fast_pool[lmod(ts->tsv.hash, FAST_POOL_SIZE)], ts);
      if (frozen == NULL) continue;
      found = 1;
      *fast_filter_word(&t, frozen) |= fast_filter_bit(frozen);
    }
  }
  if (found)
    for (i = 0; i < (int)fast_frozen_bundle.count; i++) {
      const fast_frozen *z = fast_frozen_bundle.frozen[i];
      if (z == NULL || fast_frozen_bundle.chunks[i].kind == FAST_DATA) continue;
      t.number = z->number;
      if (fast_frozen_bundle.chunks[i].depth <= FAST_DEPTH) fast_mark_shadows(L, z->main, &t);
      else fast_shadow_bits[z->number >> 5] |= 1u << (z->number & 31);  /* is refused */
    }
  fast_set_pool(L);
}

#else

#define fast_needs_shadow(n)	((void)(n), 0)
#define fast_has_duplicate(L,f,t)	1
#define fast_map_pool(L)	((void)L)	/* the hook has done it, or it can't be done */

#endif

static int fast_has_shadow (lua_State *L, uint32_t number) {
  return !fast_is_mapped(L) || fast_needs_shadow(number);
}

/* the frozen form of a chunk, or NULL if it is loaded as bytecode or is data */
static inline const fast_frozen *fast_frozen_of (lua_State *L, const fast_bundle *b,
                                                 const fast_chunk *c) {
  const fast_frozen *z = NULL;
  if (b == &fast_frozen_bundle && fast_has_pool && c->kind != FAST_DATA)
    z = fast_frozen_bundle.frozen[c - fast_frozen_bundle.chunks];
  if (z == NULL || fast_is_mapped(L) || c->words == NULL
      || z->heap <= c->heap / 100 * FAST_SHADOW_PERCENT)
    return z;
  return NULL;
}

/* Whether a shadow has constants of its own, and not just functions: a parent's
** stay in flash. A duplicate may have been collected since; then none comes back. */
static int fast_has_constants (lua_State *L, const Proto *f) {
  return f->sizek > 0 && (!fast_is_mapped(L) || fast_has_duplicate(L, f, NULL));
}

/* state of making the shadows of a frozen chunk */
typedef struct fast_shadows {
  const fast_frozen *frozen;
  uint32_t number;		/* of the next function */
  uint32_t functions, tables, children;	/* how many, then how many are left */
  size_t heap;
  Proto *next;			/* memory for shadows */
  Proto **links;		/* and for their arrays of functions */
  int anchor;			/* table of the tables of constants */
} fast_shadows;

static void fast_count_shadows (lua_State *L, const Proto *f, fast_shadows *s) {
  int i;
  if (fast_has_shadow(L, s->number++)) {
    s->functions++;
    s->children += (uint32_t)f->sizep;
    if (fast_has_constants(L, f)) {
      s->tables++;
      s->heap += FAST_SHADOW((size_t)f->sizek, (size_t)f->sizep);
    }
    else s->heap += FAST_SHADOW(0, (size_t)f->sizep);
  }
  for (i = 0; i < f->sizep; i++)
    fast_count_shadows(L, f->p[i], s);
}

#if LUA_VERSION_NUM == 501
/* lua_createtable of NodeMCU's core makes two: its sethvalue evaluates twice */
static void fast_new_table (lua_State *L, int n) {
  Table *t;
  luaC_checkGC(L);
  t = luaH_new(L, n, 0);
  sethvalue(L, L->top, t);
  L->top++;
}
#else
#define fast_new_table(L,n)	lua_createtable(L, n, 0)
#endif

/* Constants of a shadow, with the canonical strings. */
static TValue *fast_copy_constants (lua_State *L, const Proto *f, fast_shadows *s) {
  TValue *array;
  int i;
  if (!fast_has_constants(L, f)) return f->k;
  fast_new_table(L, f->sizek);
  array = hvalue(L->top - 1)->array;
  for (i = 0; i < f->sizek; i++) {
    const TValue *k = &f->k[i];
    if (!ttisstring(k)) {
      setobj2n(L, &array[i], k);
      continue;
    }
#if LUA_VERSION_NUM == 501
    lua_pushlstring(L, svalue(k), tsvalue(k)->len);
#else
    lua_pushlstring(L, svalue(k), vslen(k));
#endif
    lua_rawseti(L, -2, i + 1);
  }
  lua_rawseti(L, s->anchor, (int)s->tables-- + 1);
  return array;
}

/* f itself, or its shadow */
static Proto *fast_make_shadow (lua_State *L, const Proto *f, fast_shadows *s) {
  int wants = fast_has_shadow(L, s->number++);
  Proto *p = (Proto *)f, **links = NULL;
  int i;
  if (wants) {
    p = s->next++;
    links = s->links;
    s->links += f->sizep;
    *p = *f;
    p->k = fast_copy_constants(L, f, s);
    p->p = links;
  }
  for (i = 0; i < f->sizep; i++) {
    Proto *child = fast_make_shadow(L, f->p[i], s);
    if (wants) links[i] = child;
  }
  return p;
}

/* Makes the shadows of a chunk: from here on registry[chunk] holds them. */
static void fast_make_shadows (lua_State *L, void *ud) {
  fast_shadows *s = (fast_shadows *)ud;
  luaL_checkstack(L, 8, "a chunk");
  lua_pushlightuserdata(L, (void *)s->frozen);
  fast_new_table(L, (int)s->tables + 1);
  s->anchor = lua_gettop(L);
  s->next = (Proto *)lua_newuserdata(L, s->functions * sizeof(Proto)
                                        + s->children * sizeof(Proto *));
  s->links = (Proto **)(s->next + s->functions);
  lua_rawseti(L, s->anchor, 1);
  s->number = s->frozen->number;
  fast_make_shadow(L, s->frozen->main, s);
  lua_rawset(L, LUA_REGISTRYINDEX);
}

/* the main function's shadow, if it has been made */
static Proto *fast_find_shadow (lua_State *L, const fast_frozen *z) {
  Proto *f = NULL;
  lua_pushlightuserdata(L, (void *)z);
  lua_rawget(L, LUA_REGISTRYINDEX);
  if (lua_istable(L, -1)) {
    lua_rawgeti(L, -1, 1);
    f = (Proto *)lua_touserdata(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return f;
}

/* Bytes that the registry grows by, if no slot of it is free. */
static size_t fast_registry_need (lua_State *L) {
  const Table *t = hvalue(&G(L)->l_registry);
  const Node *n;
  for (n = t->node; n < t->lastfree; n++)
    if (ttisnil(gkey(n))) return 0;
  return FAST_BLOCK(2 * (size_t)sizenode(t) * sizeof(Node));
}

/* Bytes of heap that the shadows of a chunk need at most; s gets the counts for
** fast_make_shadows. */
static size_t fast_shadows_need (lua_State *L, const fast_chunk *c,
                                 const fast_frozen *z, fast_shadows *s) {
  memset(s, 0, sizeof(*s));
  s->frozen = z;
  s->number = z->number;
  s->heap = FAST_SHADOWS;
  fast_count_shadows(L, z->main, s);
  return fast_registry_need(L)
       + (fast_is_mapped(L) ? s->heap  /* no string is new */
                            : fast_heap_need(L, z->heap, c->strings));
}

/* how many upvalues a main function has; its fields of a byte are read by words */
static uint32_t fast_upvalue_count (const Proto *f) {
#if LUA_VERSION_NUM == 501
  size_t at = (size_t)&f->nups;
  return (FAST_WORD((const uint32_t *)(at & ~(size_t)3)) >> at % 4 * 8) & 255;
#else
  return (uint32_t)f->sizeupvalues;
#endif
}

/* Bytes of heap that loading a frozen chunk needs at most. */
static size_t fast_frozen_need (lua_State *L, const fast_chunk *c,
                                const fast_frozen *z) {
  fast_shadows s;
  if (!fast_has_shadow(L, z->number) || fast_find_shadow(L, z) != NULL)
    return FAST_CLOSURE(fast_upvalue_count(z->main));
  if (c->depth > FAST_DEPTH) return z->heap;  /* is refused */
  return fast_shadows_need(L, c, z, &s) + FAST_CLOSURE(fast_upvalue_count(z->main));
}

/* Makes the shadows that were counted; the status, and where it is an error a message on
** the stack. */
static int fast_try_shadows (lua_State *L, const fast_shadows *counted) {
  fast_shadows s = *counted;
  int status = fast_pcall(L, fast_make_shadows, &s);
  if (fast_retry(L, status)) {
    s = *counted;
    status = fast_pcall(L, fast_make_shadows, &s);
  }
  return status;
}

/* how many upvalues a compiler gives a main function */
#define FAST_MAIN_UPVALUES	((LUA_VERSION_NUM == 501) ? 0u : 1u)

/*
** Pushes a closure of a frozen main function with FAST_MAIN_UPVALUES as fast_push_closure
** does, but without an error and without a collection. Returns whether there was memory
** for it.
*/
static int fast_push_closure_at_once (lua_State *L, Proto *f) {
  global_State *g = G(L);
#if LUA_VERSION_NUM == 501
  Closure *c;
  int flags;
  flags = fast_block_collector(L);
  c = (Closure *)(*g->frealloc)(g->ud, NULL, 0, sizeLclosure(0));
  fast_restore_collector(L, flags);
  if (c == NULL) return 0;
  g->totalbytes += sizeLclosure(0);
  luaC_link(L, obj2gco(c), LUA_TFUNCTION);
  c->l.isC = 0;
  c->l.env = hvalue(gt(L));
  c->l.nupvalues = 0;
  c->l.p = f;
  setclvalue(L, L->top, c);
#else
  LClosure *c;
  UpVal *up;
  c = (LClosure *)(*g->frealloc)(g->ud, NULL, LUA_TFUNCTION, sizeLclosure(1));
  if (c == NULL) return 0;
  up = (UpVal *)(*g->frealloc)(g->ud, NULL, 0, sizeof(UpVal));
  if (up == NULL) {
    (*g->frealloc)(g->ud, c, sizeLclosure(1), 0);
    return 0;
  }
  g->GCdebt += (l_mem)(sizeLclosure(1) + sizeof(UpVal));
  c->tt = LUA_TLCL;
  c->marked = luaC_white(g);
  c->next = g->allgc;
  g->allgc = obj2gco(c);
  c->p = f;
  c->nupvalues = 1;
  c->upvals[0] = up;
  up->refcount = 1;
  up->v = &up->u.value;
  setobj(L, up->v, luaH_getint(hvalue(&g->l_registry), LUA_RIDX_GLOBALS));
  setclLvalue(L, L->top, c);
#endif
  L->top++;
  return 1;
}

static void fast_push_frozen_closure (lua_State *L, void *ud) {
  Proto *f = (Proto *)ud;
  fast_push_closure(L, f, fast_upvalue_count(f));
}

/* Pushes a frozen chunk, as fast_push_chunk does. */
static int fast_push_frozen (lua_State *L, const fast_chunk *c,
                             const fast_frozen *z, const char *name) {
  Proto *f = (Proto *)z->main;
  int status;
  if (fast_has_shadow(L, z->number)) {
    f = fast_find_shadow(L, z);
    if (f == NULL) {
      fast_shadows s;
      if (fast_is_too_deep(L, c, name)) return 2;
      if (!fast_check_heap(L, fast_shadows_need(L, c, z, &s), name)) return 2;
      if (fast_try_shadows(L, &s) != 0) return fast_return_error(L);
      f = fast_find_shadow(L, z);
    }
  }
  luaC_checkGC(L);
  if (fast_upvalue_count(f) == FAST_MAIN_UPVALUES  /* a closure that was dumped has others */
      && fast_push_closure_at_once(L, f)) return 1;
  if (!fast_check_heap(L, FAST_CLOSURE(1), name)) return 2;
  status = fast_pcall(L, fast_push_frozen_closure, f);
  if (fast_retry(L, status)) status = fast_pcall(L, fast_push_frozen_closure, f);
  return (status == 0) ? 1 : fast_return_error(L);
}

#if defined(FAST_NAMED) && (LUA_VERSION_NUM == 501 || defined(FAST_WRAP))
#define FAST_FINDS_NAMED
/*
** Pushes the frozen chunk whose name is that very string. While the pool is mapped no
** other string has that name, and as long as it is not, nobody has this string. Returns
** whether it pushed it: there may be too little memory, or a shadow is needed.
*/
static inline int fast_push_named (lua_State *L, const TString *name) {
  size_t at = (size_t)name - (size_t)&fast_named;
  const fast_frozen *z;
  if (at >= sizeof(fast_named)) return 0;
  at -= offsetof(struct fast_named_string, head);
  z = ((const struct fast_named_string *)((const char *)&fast_named + at))->chunk;
  if (fast_needs_shadow(z->number)) return 0;
  luaC_checkGC(L);
  return fast_push_closure_at_once(L, (Proto *)z->main);
}
#endif

#endif
