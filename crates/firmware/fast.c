/*
** fast.c - Lua chunks that are part of the firmware image
**
** fast.load(name)	the chunk as a function; nil where there is none;
**			nil and a message where it can not be loaded
** fast.<name>		the same, but raises the message as an error
** fast.data(name [, offset [, length]])  data as a string, or a part of it; nil
**			where there is none; nil and a message where the heap
**			can not hold it
** fast.size(name)	bytes of data; nil where there is none
** fast.list([pattern])	iterates over name, size, form, and the heap that a load
**			needs at most (not for source)
** fast.info()		version, variant, bundle, chunks, flash, and how frozen
**			chunks run: hook, table, shadows, no
** fast.searcher(name)	for package.loaders (5.1), package.searchers (5.3)
** fast.verbose([on])	whether each load prints a line
*/

#include "module.h"
#include "fast_load.h"
#include "fast_chunks.h"

#if defined(FAST_FREEZES)
#include "fast_frozen.h"
#endif

#include "fast_data.h"

/* a clock in microseconds; the module.h of stock Lua has its own */
#if defined(fast_clock)
#elif defined(ESP_PLATFORM)
#include "esp_timer.h"
#define fast_clock()	((uint32_t)esp_timer_get_time())
#else
#include "user_interface.h"
#define fast_clock()	((uint32_t)system_get_time())
#endif

/* all RAM of the module beside the bits fast_image.checked */
static char fast_is_verbose;

static void fast_report (lua_State *L, const char *name, uint32_t since) {
  lua_getglobal(L, "print");
  if (!lua_isfunction(L, -1)) {
    lua_pop(L, 1);
    return;
  }
  lua_pushfstring(L, "Module %s loaded in %d ms, %d bytes of heap left", name,
                  (int)((fast_clock() - since + 500) / 1000), (int)lua_freeheap());
  lua_call(L, 1, 0);
}

/* the chunk of that name, or NULL, and its bundle */
static inline const fast_chunk *fast_find_name (const char *name, size_t len,
                                                const fast_bundle **b) {
#if defined(FAST_SLOT)
  const fast_chunk *c = fast_find(&fast_slot_image, name, len);
  *b = &fast_slot_image;
  if (c != NULL) return c;
#endif
  *b = &fast_image;
  return fast_find(&fast_image, name, len);
}

/* argument i, which may not be there */
#if LUA_VERSION_NUM == 501
#define fast_arg(L,i)	(L->base + (i) - 1)
#else
#define fast_arg(L,i)	(L->ci->func + (i))
#endif

/* argument i, which has to be a string: what luaL_checklstring does, in fewer instructions */
static inline const char *fast_check_string (lua_State *L, int i, size_t *len) {
  const TValue *o = fast_arg(L, i);
  if (o >= L->top || !ttisstring(o)) return luaL_checklstring(L, i, len);
#if LUA_VERSION_NUM == 501
  *len = tsvalue(o)->len;
#else
  *len = vslen(o);
#endif
  return svalue(o);
}

/* the chunk whose name is argument i, or NULL, and its bundle */
static const fast_chunk *fast_find_arg (lua_State *L, int i, const fast_bundle **b) {
  size_t len;
  const char *name = luaL_checklstring(L, i, &len);
  return fast_find_name(name, len, b);
}

/* pushes the chunk whose name is argument i, which is looked up, as fast_push_arg does */
static int fast_push_by_name (lua_State *L, int i) {
  uint32_t since = fast_is_verbose ? fast_clock() : 0;
  size_t len;
  const char *name = fast_check_string(L, i, &len);
  const fast_bundle *b;
  const fast_chunk *c = fast_find_name(name, len, &b);
#if defined(FAST_FREEZES)
  const fast_frozen *z = (c != NULL) ? fast_frozen_of(L, b, c) : NULL;
#endif
  int n;
  if (c == NULL) {
    lua_pushnil(L);
    return 1;
  }
#if defined(FAST_FREEZES)
  if (z != NULL) n = fast_push_frozen(L, c, z, name);
  else
#endif
  n = fast_push_chunk(L, b, c, name);
  if (fast_is_verbose && n == 1)
    fast_report(L, name, since);
  return n;
}

/* pushes the chunk whose name is argument i, or nil, or nil and a message; returns how
** many values */
static inline int fast_push_arg (lua_State *L, int i) {
#if defined(FAST_FINDS_NAMED)
  const TValue *o = fast_arg(L, i);
  if (o < L->top && ttisstring(o) && !fast_is_verbose
      && fast_push_named(L, (const TString *)gcvalue(o)))
    return 1;
#endif
  return fast_push_by_name(L, i);
}

/* the same, but raises the message as an error */
static int fast_push_or_error (lua_State *L, int i) {
  return (fast_push_arg(L, i) == 1) ? 1 : lua_error(L);
}

static int fast_load (lua_State *L) {
  return fast_push_arg(L, 1);
}

/* the data whose name is the first argument, or NULL */
static const fast_chunk *fast_find_data (lua_State *L, const fast_bundle **b) {
  const fast_chunk *c = fast_find_arg(L, 1, b);
  return (c != NULL && c->kind == FAST_DATA) ? c : NULL;
}

static int fast_size (lua_State *L) {
  const fast_bundle *b;
  const fast_chunk *c = fast_find_data(L, &b);
  if (c == NULL) lua_pushnil(L);
  else lua_pushinteger(L, (lua_Integer)c->size);
  return 1;
}

static int fast_data (lua_State *L) {
  const fast_bundle *b;
  const fast_chunk *c = fast_find_data(L, &b);
  lua_Integer at = luaL_optinteger(L, 2, 0), n;
  fast_view v;
  luaL_argcheck(L, at >= 0, 2, "negative");
  if (c == NULL) {
    lua_pushnil(L);
    return 1;
  }
  n = luaL_optinteger(L, 3, (lua_Integer)c->size);
  luaL_argcheck(L, n >= 0, 3, "negative");
  if (!fast_view_data(b, c, &v)) {
    lua_pushfstring(L, "'%s' is damaged in flash", lua_tostring(L, 1));
    return fast_return_error(L);
  }
  if (at > (lua_Integer)v.size) at = (lua_Integer)v.size;
  if (n > (lua_Integer)v.size - at) n = (lua_Integer)v.size - at;
  if (v.string != NULL && n == (lua_Integer)v.size && fast_is_canonical(L, v.string)) {
    fast_push_string(L, v.string);
    return 1;
  }
  return fast_push_part(L, &v, (uint32_t)at, (uint32_t)n, lua_tostring(L, 1));
}

static int fast_index (lua_State *L) {  /* __index(fast, name) */
  if (lua_type(L, 2) != LUA_TSTRING) return 0;
  return fast_push_or_error(L, 2);
}

static void fast_push_name (lua_State *L, const fast_bundle *b, const fast_chunk *c) {
  const uint32_t *at = FAST_AT(b->base, c->name);
  uint32_t name[FAST_NAME];
  uint32_t i = 0;
  do name[i] = FAST_WORD(at + i);
  while (name[i++] >> 24 != 0);  /* the last word ends with a zero */
  lua_pushstring(L, (const char *)name);
}

/* whether string.find finds the pattern in the name on top */
static int fast_name_matches (lua_State *L, int pattern) {
  int found;
  lua_getglobal(L, "string");
  lua_getfield(L, -1, "find");
  lua_replace(L, -2);
  lua_pushvalue(L, -2);
  lua_pushvalue(L, pattern);
  lua_call(L, 2, 1);
  found = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return found;
}

/* pushes what fast.list returns after a chunk's name; returns how many values */
static int fast_describe (lua_State *L, const fast_bundle *b, const fast_chunk *c) {
  static const char *const kinds[] = {"bytecode", "source", "data", "deflated", "packed"};
#if defined(FAST_FREEZES)
  const fast_frozen *z = fast_frozen_of(L, b, c);
  if (z != NULL) {
    lua_pushinteger(L, (lua_Integer)z->size);
    lua_pushliteral(L, "frozen");
    lua_pushinteger(L, (lua_Integer)fast_frozen_need(L, c, z));
    return 3;
  }
#else
  (void)b;
#endif
  lua_pushinteger(L, (lua_Integer)c->size);
  lua_pushstring(L, kinds[c->kind <= FAST_PACKED ? c->kind : FAST_BYTECODE]);
  if (c->kind != FAST_BYTECODE && c->kind != FAST_PACKED) return 2;
  lua_pushinteger(L, (lua_Integer)fast_chunk_need(L, c));
  return 3;
}

#if defined(FAST_SLOT)
#define fast_first_bundle	fast_slot_image

/* the bundle after that one */
static const fast_bundle *fast_next_bundle (const fast_bundle *b) {
  return (b == &fast_slot_image) ? &fast_image : NULL;
}

/* whether a bundle that is searched before b has the name on top */
static int fast_is_hidden (lua_State *L, const fast_bundle *b) {
  size_t len;
  const char *name = lua_tolstring(L, -1, &len);
  return b != &fast_slot_image && fast_find(&fast_slot_image, name, len) != NULL;
}
#else
#define fast_first_bundle		fast_image
#define fast_next_bundle(b)		((void)(b), (const fast_bundle *)NULL)
#define fast_is_hidden(L,b)	0
#endif

/* the iterator of fast.list: next(pattern, name) */
static int fast_next (lua_State *L) {
  const fast_bundle *b = &fast_first_bundle;
  const fast_chunk *c = b->chunks;
  if (!lua_isnoneornil(L, 2)) {
    c = fast_find_arg(L, 2, &b);
    luaL_argcheck(L, c != NULL, 2, "no chunk of that name");
    c++;
  }
  for (;;) {
    for (; c < b->chunks + b->count; c++) {
      fast_push_name(L, b, c);
      if (!fast_is_hidden(L, b) && (lua_isnoneornil(L, 1) || fast_name_matches(L, 1)))
        return 1 + fast_describe(L, b, c);
      lua_pop(L, 1);
    }
    b = fast_next_bundle(b);
    if (b == NULL) return 0;
    c = b->chunks;
  }
}

static int fast_list (lua_State *L) {
  if (!lua_isnoneornil(L, 1)) luaL_checkstring(L, 1);
  lua_settop(L, 1);
  lua_pushcfunction(L, fast_next);
  lua_insert(L, 1);
  return 2;
}

/* bytes of flash of a bundle */
static uint32_t fast_flash_bytes (const fast_bundle *b) {
  uint32_t flash = 0, i;
  for (i = 0; i < b->count; i++)
    if (b->chunks[i].words != NULL) flash += (b->chunks[i].size + 3) & ~3u;
  if (b->shared != NULL) flash += 12 + FAST_WORD(FAST_AT(b->base, b->shared));
#if defined(FAST_FREEZES)
  for (i = 0; b->frozen != NULL && i < b->count; i++)
    if (b->frozen[i] != NULL) flash += b->frozen[i]->size;
  if (b->frozen != NULL) flash += FAST_POOL_BYTES;
#endif
  return flash;
}

static int fast_info (lua_State *L) {
  uint32_t flash = fast_flash_bytes(&fast_image), count = fast_image.count;
  lua_createtable(L, 0, 7);
#if defined(FAST_SLOT)
  flash += fast_flash_bytes(&fast_slot_image);
  count += fast_slot_image.count;
  fast_slot_info(L);
  lua_setfield(L, -2, "slot");
#endif
  lua_pushstring(L, FAST_VERSION);
  lua_setfield(L, -2, "version");
  lua_pushstring(L, FAST_VARIANT);
  lua_setfield(L, -2, "variant");
  lua_pushstring(L, FAST_BUNDLE);
  lua_setfield(L, -2, "bundle");
  lua_pushinteger(L, (lua_Integer)count);
  lua_setfield(L, -2, "chunks");
  lua_pushinteger(L, (lua_Integer)flash);
  lua_setfield(L, -2, "flash");
#if !defined(FAST_FREEZES)
  lua_pushliteral(L, "no");
#elif defined(FAST_WRAP)
  lua_pushstring(L, fast_is_mapped(L) ? "hook" : "shadows");
#else
  lua_pushstring(L, fast_is_mapped(L) ? "table" : "shadows");
#endif
  lua_setfield(L, -2, "frozen");
  return 1;
}

static int fast_is_chunk (const fast_chunk *c) {
  return c != NULL && c->kind != FAST_DATA;
}

static int fast_searcher (lua_State *L) {
  const fast_bundle *b;
  if (fast_is_chunk(fast_find_arg(L, 1, &b))) return fast_push_or_error(L, 1);
  lua_pushfstring(L, "\n\tno chunk '%s' in the image", lua_tostring(L, 1));
  return 1;
}

static int fast_verbose (lua_State *L) {
  if (!lua_isnoneornil(L, 1))
    fast_is_verbose = (char)lua_toboolean(L, 1);
  lua_pushboolean(L, fast_is_verbose);
  return 1;
}

#if !defined(FAST_IMAGE_FIRST)
/* Pushes the searcher of 'require' that looks for files, or nothing if there is none: a
** program may have changed its tables. Returns whether there is one. */
static int fast_push_file_searcher (lua_State *L) {
  int top = lua_gettop(L);
  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
  if (lua_istable(L, -1)) {
    lua_getfield(L, -1, "package");
    if (lua_istable(L, -1)) {
      lua_getfield(L, -1, (LUA_VERSION_NUM == 501) ? "loaders" : "searchers");
      if (lua_istable(L, -1)) {
        lua_rawgeti(L, -1, 2);
        if (lua_isfunction(L, -1)) return 1;
      }
    }
  }
  lua_settop(L, top);
  return 0;
}
#endif

/*
** __index(package.preload, name) makes 'require' find chunks, before LFS and
** at no cost in heap. Files come first, unless the build forbids it.
*/
static int fast_preload (lua_State *L) {
  const fast_bundle *b;
  if (!fast_is_chunk(fast_find_arg(L, 2, &b))) return 0;
#if !defined(FAST_IMAGE_FIRST)
  if (fast_push_file_searcher(L)) {
    lua_pushvalue(L, 2);
    lua_call(L, 1, 1);
    if (lua_isfunction(L, -1)) return 1;
  }
#endif
  return fast_push_or_error(L, 2);
}

LROT_BEGIN(fast_preload_meta, NULL, LROT_MASK_INDEX)
  LROT_FUNCENTRY(__index, fast_preload)
LROT_END(fast_preload_meta, NULL, LROT_MASK_INDEX)

LROT_BEGIN(fast_meta, NULL, LROT_MASK_INDEX)
  LROT_FUNCENTRY(__index, fast_index)
LROT_END(fast_meta, NULL, LROT_MASK_INDEX)

LROT_BEGIN(fast, LROT_TABLEREF(fast_meta), 0)
  LROT_FUNCENTRY(data, fast_data)
  LROT_FUNCENTRY(info, fast_info)
  LROT_FUNCENTRY(list, fast_list)
  LROT_FUNCENTRY(load, fast_load)
  LROT_FUNCENTRY(searcher, fast_searcher)
  LROT_FUNCENTRY(size, fast_size)
  LROT_FUNCENTRY(verbose, fast_verbose)
LROT_END(fast, LROT_TABLEREF(fast_meta), 0)

static int fast_init (lua_State *L) {
  int top = lua_gettop(L);
#if defined(FAST_SLOT)
  fast_slot_open();
#endif
#if defined(FAST_FREEZES)
  fast_map_pool(L);
#endif
  lua_getglobal(L, "package");
  if (lua_istable(L, -1)) {
    lua_getfield(L, -1, "preload");
    if (lua_istable(L, -1) && !lua_getmetatable(L, -1)) {
      lua_pushrotable(L, LROT_TABLEREF(fast_preload_meta));
      lua_setmetatable(L, -2);
    }
  }
  lua_settop(L, top);
  return 0;
}

NODEMCU_MODULE(FAST, "fast", fast, fast_init);
