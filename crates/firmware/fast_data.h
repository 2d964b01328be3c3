/*
** fast_data.h - data of the image: all of it as a string, or a part that is
** read straight from flash
*/

#ifndef fast_data_h
#define fast_data_h

#include "fast_load.h"

/* where the bytes of some data are */
typedef struct fast_view {
  const uint32_t *words;
  uint32_t size;
  const TString *string;	/* all of them in flash, as the core has them */
} fast_view;

#if defined(FAST_FREEZES)

/* frozen data is a string of the pool */
static const TString *fast_data_string (const fast_bundle *b, const fast_chunk *c) {
  const fast_frozen *z = NULL;
  if (b == &fast_freezer && fast_has_pool)
    z = fast_freezer.frozen[c - fast_freezer.chunks];
  return (z != NULL) ? (const TString *)(const void *)z->main : NULL;
}

/* whether it is the one object of its bytes */
#if LUA_VERSION_NUM == 501 && !defined(FAST_WRAP)
#define fast_is_canonical(L,s) \
	(fast_is_mapped(L) && fast_twin(fast_chain(&G(L)->strt, s), s) == NULL)
#else
#define fast_is_canonical(L,s)	fast_is_mapped(L)
#endif

static void fast_push_string (lua_State *L, const TString *ts) {
  setsvalue(L, L->top, (TString *)ts);
  L->top++;
}

#else
#define fast_data_string(b,c)	((void)(b), (void)(c), (const TString *)NULL)
#define fast_is_canonical(L,s)	((void)(L), 0)
#define fast_push_string(L,s)	((void)(L), (void)(s))
#endif

/* Whether the data is as it was built. */
static int fast_look (const fast_bundle *b, const fast_chunk *c, fast_view *v) {
  v->string = fast_data_string(b, c);
  v->size = c->size;
  if (v->string != NULL) {
    v->words = (const uint32_t *)(const void *)getstr(v->string);
    return fast_listed(c);
  }
  v->words = FAST_AT(b->base, c->words);
  return fast_sound(b, c);
}

/* Pushes n bytes from there on; or nil and a message, if the heap can not hold
** them. Returns how many values it pushed. */
static int fast_push_part (lua_State *L, const fast_view *v, uint32_t at, uint32_t n,
                           const char *name) {
  fast_source s;
  size_t need = FAST_STRING((size_t)n);
  if (n > sizeof(s.buffer)) need += FAST_BLOCK(sizeof(Udata) + n);
  if (!fast_room(L, fast_grown(L, need, 1), name)) return 2;
  s.words = v->words;
  s.at = at;
  s.size = v->size;
  if (n <= sizeof(s.buffer)) {
    fast_bytes(&s, s.buffer, n);
    lua_pushlstring(L, (const char *)s.buffer, n);
  }
  else {
    void *p = lua_newuserdata(L, n);
    fast_bytes(&s, p, n);
    lua_pushlstring(L, (const char *)p, n);
    lua_remove(L, -2);
  }
  return 1;
}

#endif
