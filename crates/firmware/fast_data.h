/*
** fast_data.h - data in the image as strings, whole or in parts
*/

#ifndef fast_data_h
#define fast_data_h

#include "fast_load.h"

/* the bytes of a chunk of data */
typedef struct fast_view {
  const uint32_t *words;
  uint32_t size;
  const TString *string;	/* the same as a string in flash, or NULL */
} fast_view;

#if defined(FAST_FREEZES)

/* frozen data is a string of the pool */
static const TString *fast_data_string (const fast_bundle *b, const fast_chunk *c) {
  const fast_frozen *z = NULL;
  if (b == &fast_frozen_bundle && fast_has_pool)
    z = fast_frozen_bundle.frozen[c - fast_frozen_bundle.chunks];
  return (z != NULL) ? (const TString *)(const void *)z->main : NULL;
}

/* whether no other string object equals it, so that Lua may have it */
#if LUA_VERSION_NUM == 501 && !defined(FAST_WRAP)
#define fast_is_canonical(L,s) \
	(fast_is_mapped(L) && fast_find_equal(fast_chain(&G(L)->strt, s), s) == NULL)
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

/* Finds the bytes of data; returns whether they have their checksum. */
static int fast_view_data (const fast_bundle *b, const fast_chunk *c, fast_view *v) {
  v->string = fast_data_string(b, c);
  v->size = c->size;
  if (v->string != NULL) {
    v->words = (const uint32_t *)(const void *)getstr(v->string);
    return fast_is_entry_valid(c);
  }
  v->words = FAST_AT(b->base, c->words);
  return fast_is_valid(b, c);
}

/* a part of some data */
typedef struct fast_data_part {
  fast_reader s;
  uint32_t at, n;		/* bytes */
} fast_data_part;

/* pushes the part as a string */
static void fast_push_bytes (lua_State *L, void *ud) {
  fast_data_part *part = (fast_data_part *)ud;
  fast_reader *s = &part->s;
  luaL_checkstack(L, 2, "a string");
  s->at = part->at;
  if (part->n <= sizeof(s->buffer)) {
    fast_read_bytes(s, s->buffer, part->n);
    lua_pushlstring(L, (const char *)s->buffer, part->n);
  }
  else {
    void *p = lua_newuserdata(L, part->n);
    fast_read_bytes(s, p, part->n);
    lua_pushlstring(L, (const char *)p, part->n);
    lua_remove(L, -2);
  }
}

/* Pushes n bytes from position 'at' on; or nil and a message, if they are too large for
** the heap. Returns how many values it pushed. */
static int fast_push_part (lua_State *L, const fast_view *v, uint32_t at, uint32_t n,
                           const char *name) {
  fast_data_part part;
  int status;
  size_t need = FAST_STRING((size_t)n);
  if (n > sizeof(part.s.buffer)) need += FAST_BLOCK(sizeof(Udata) + n);
  if (!fast_check_heap(L, fast_heap_need(L, need, 1), name)) return 2;
  part.s.words = v->words;
  part.s.size = v->size;
  part.at = at;
  part.n = n;
  status = fast_pcall(L, fast_push_bytes, &part);
  if (fast_retry(L, status)) status = fast_pcall(L, fast_push_bytes, &part);
  return (status == 0) ? 1 : fast_return_error(L);
}

#endif
