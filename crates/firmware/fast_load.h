/*
** fast_load.h - finds a chunk of a bundle in flash and pushes it as a function
*/

#ifndef fast_load_h
#define fast_load_h

#include <string.h>

#include "lua.h"
#include "lauxlib.h"
#include "lstate.h"
#include "fast_flash.h"
#include "fast_index.h"
#include "fast_undump.h"

/* a chunk's name as words */
typedef struct fast_name_words {
  const uint32_t *full;		/* those before the last one */
  uint32_t count;		/* of these */
  uint32_t last;		/* its last bytes, with zeros behind them */
} fast_name_words;

/* how many words at the start of a chunk's name equal those of another name; one more
** than 'count' if the names are equal */
static uint32_t fast_equal_words (const uint32_t *at, const fast_name_words *w) {
  uint32_t i;
  for (i = 0; i < w->count; i++)
    if (fast_read_word(at + i) != w->full[i]) return i;
  return i + (fast_read_word(at + i) == w->last);
}

/* the chunk of that name, found by the hash of its words: see lookup.rs of fastlua */
#define FAST_NAME_FACTOR	0x9e3779b1u
static const fast_chunk *fast_find_by_hash (const fast_bundle *b, const fast_name_words *w,
                                            uint32_t h) {
  const uint32_t *entries = b->names + 1;
  uint32_t i, number;
  for (i = 0; i < w->count; i++) h = (h ^ w->full[i]) * FAST_NAME_FACTOR;
  h = (h ^ w->last) * FAST_NAME_FACTOR;
  for (h >>= fast_read_word(b->names); ; h++) {
    number = fast_read_word(entries + h / 2) >> (h % 2 * 16) & 0xffff;
    if (number == 0) return NULL;
    if (fast_equal_words(b->chunks[number - 1].name, w) > w->count) return &b->chunks[number - 1];
  }
}

/* the chunk of that name, found by binary search */
static const fast_chunk *fast_binary_search (const fast_bundle *b, const fast_name_words *w) {
  const fast_chunk *chunks = b->chunks;
  const uint32_t *full = w->full;
  size_t base = b->base;
  uint32_t count = w->count, last = w->last, lo = 0, hi = b->count;
  uint32_t first = (count > 0) ? full[0] : last;
  while (lo < hi) {
    uint32_t mid = (lo + hi) / 2, want = first, i = 0;
    const uint32_t *at = FAST_AT(base, chunks[mid].name);
    uint32_t here = fast_read_word(at);
    while (here == want) {
      if (i == count) return &chunks[mid];
      i++;
      here = fast_read_word(at + i);
      want = (i < count) ? full[i] : last;
    }
    /* little-endian words in the order of their bytes */
    if (__builtin_bswap32(want) < __builtin_bswap32(here)) hi = mid;
    else lo = mid + 1;
  }
  return NULL;
}

/* the chunk of that name, or NULL; no name has a zero in it */
static const fast_chunk *fast_find (const fast_bundle *b, const char *name, size_t len) {
  uint32_t buffer[FAST_NAME], shift;
  fast_name_words w;
  if (len == 0 || len >= sizeof(buffer) || name[len - 1] == '\0') return NULL;
  w.full = (const uint32_t *)(const void *)name;
  if ((size_t)name % sizeof(uint32_t) != 0)  /* no string of Lua's */
    w.full = (const uint32_t *)memcpy(buffer, name, len);
  w.count = (uint32_t)len / 4;
  w.last = 0;
  name += len & ~(size_t)3;
  for (shift = 0; shift < len % 4 * 8; shift += 8)
    w.last |= (uint32_t)(unsigned char)*name++ << shift;
  if (b->names != NULL) return fast_find_by_hash(b, &w, (uint32_t)len);
  return fast_binary_search(b, &w);
}

static uint32_t fast_rotate_left (uint32_t x, int n) {
  return x << n | x >> (32 - n);
}

/*
** XXH32 with seed 0, by words. A change within one word always changes it.
*/
static uint32_t fast_hash (const uint32_t *words, uint32_t size) {
  const uint32_t p1 = 2654435761u, p2 = 2246822519u, p3 = 3266489917u,
                 p4 = 668265263u, p5 = 374761393u;
  uint32_t left = size, h = p5;
  if (size >= 16) {
    uint32_t a = p1 + p2, b = p2, c = 0, d = 0u - p1;
    for (; left >= 16; left -= 16, words += 4) {
      a = fast_rotate_left(a + fast_read_word(words) * p2, 13) * p1;
      b = fast_rotate_left(b + fast_read_word(words + 1) * p2, 13) * p1;
      c = fast_rotate_left(c + fast_read_word(words + 2) * p2, 13) * p1;
      d = fast_rotate_left(d + fast_read_word(words + 3) * p2, 13) * p1;
    }
    h = fast_rotate_left(a, 1) + fast_rotate_left(b, 7)
      + fast_rotate_left(c, 12) + fast_rotate_left(d, 18);
  }
  h += size;
  for (; left >= 4; left -= 4)
    h = fast_rotate_left(h + fast_read_word(words++) * p3, 17) * p4;
  if (left > 0) {
    uint32_t last = fast_read_word(words);
    for (; left > 0; left--, last >>= 8)
      h = fast_rotate_left(h + (last & 255) * p5, 11) * p1;
  }
  h = (h ^ h >> 15) * p2;
  h = (h ^ h >> 13) * p3;
  return h ^ h >> 16;
}

/* Whether the chunk's index entry has its checksum. */
static int fast_is_entry_valid (const fast_chunk *c) {
  return c->checksum == FAST_ENTRY_CHECKSUM(c->size, c->hash, c->kind, c->heap,
                                            c->strings, c->depth);
}

/* Whether a chunk has its checksum. That of a valid chunk is computed once. */
static int fast_is_valid (const fast_bundle *b, const fast_chunk *c) {
  uint32_t i = (uint32_t)(c - b->chunks), bit = 1u << (i & 31);
  const uint32_t *words = FAST_AT(b->base, c->words);
  if (b->checked[i >> 5] & bit) return 1;
  if (!fast_is_entry_valid(c)) return 0;
  if (fast_hash(words, c->size) != c->hash) return 0;
  if (c->kind == FAST_BYTECODE && FAST_WORD(words) != FAST_SIGNATURE)
    return 0;
  if (c->kind > FAST_PACKED || (c->kind == FAST_DEFLATED && b->deflated == NULL)
      || (c->kind == FAST_PACKED && (b->packed == NULL || b->shared == NULL)))
    return 0;  /* a kind that this bundle does not have */
  b->checked[i >> 5] |= bit;
  return 1;
}

/* 'need' bytes of heap, and what the string table may grow by with that many more
** strings. */
static size_t fast_heap_need (lua_State *L, size_t need, uint32_t strings) {
  const stringtable *t = &G(L)->strt;
  size_t size = (size_t)t->size, grown = size;
  while (grown > 0 && (size_t)t->nuse + strings > grown) grown *= 2;
  if (grown > size)  /* while it is copied its last half exists twice */
    need += FAST_BLOCK(grown * sizeof(void *))
          + FAST_BLOCK(grown / 2 * sizeof(void *))
          - FAST_BLOCK(size * sizeof(void *));
  return need + need / 16 + 64;  /* for fragments too small to be blocks */
}

/* Bytes of heap that loading the chunk needs at most. */
static size_t fast_chunk_need (lua_State *L, const fast_chunk *c) {
  return fast_heap_need(L, c->heap, c->strings);
}

/* bytes of heap for the message that there is too little of it */
#define FAST_MESSAGE_HEAP	512

/* Whether that much heap is free, after a collection if necessary; else pushes nil and
** a message. */
static int fast_check_heap (lua_State *L, size_t need, const char *name) {
  if ((size_t)lua_freeheap() >= need) return 1;
  lua_gc(L, LUA_GCCOLLECT, 0);
  if ((size_t)lua_freeheap() >= need) return 1;
  lua_pushnil(L);
  if (lua_freeheap() < FAST_MESSAGE_HEAP)
    lua_pushliteral(L, "not enough memory");  /* the core has this string */
  else
    lua_pushfstring(L, "chunk '%s' needs %d bytes of heap, %d are free",
                    name, (int)need, (int)lua_freeheap());
  return 0;
}

/* lua_Reader of source in flash */
static const char *fast_source_reader (lua_State *L, void *ud, size_t *size) {
  fast_reader *s = (fast_reader *)ud;
  uint32_t n = s->size - s->at;
  (void)L;
  if (n > sizeof(s->buffer)) n = sizeof(s->buffer);
  *size = n;
  fast_read_bytes(s, s->buffer, n);
  return (n > 0) ? (const char *)s->buffer : NULL;
}

/* source that the core's compiler reads */
typedef struct fast_source_text {
  const char *name;
  lua_Reader reader;
  void *ud;			/* of the reader */
#if LUA_VERSION_NUM != 501
  const lua_Number *version;	/* the core's */
  int is_begun;
  const char *rest;		/* of the first piece, behind its first byte */
  size_t size;
#endif
} fast_source_text;

#if LUA_VERSION_NUM == 501

static int fast_parse_text (lua_State *L, fast_source_text *text, const char *name) {
  return lua_load(L, text->reader, text->ud, name);
}

#else

/*
** NodeMCU's compiler begins with a closure that has no function yet. A collection that
** an allocation which fails starts before the function is there crashes in it. The core
** does not collect as long as it has no version, as in a state that is not yet complete.
** So the version is NULL from the first byte of the text, which the core reads before it
** makes the closure, to the second byte, which it reads once the function is there.
*/
static const char *fast_text_reader (lua_State *L, void *ud, size_t *size) {
  fast_source_text *text = (fast_source_text *)ud;
  const char *piece;
  G(L)->version = text->version;
  if (text->size > 0) {
    *size = text->size;
    text->size = 0;
    return text->rest;
  }
  piece = text->reader(L, text->ud, size);
  if (!text->is_begun && piece != NULL && *size > 0) {
    text->is_begun = 1;
    text->rest = piece + 1;
    text->size = *size - 1;
    *size = 1;
    G(L)->version = NULL;
  }
  return piece;
}

static int fast_parse_text (lua_State *L, fast_source_text *text, const char *name) {
  int status;
  text->version = G(L)->version;
  text->is_begun = 0;
  text->size = 0;
  status = lua_load(L, fast_text_reader, text, name, NULL);
  G(L)->version = text->version;  /* an error may have come before the second byte */
  return status;
}

#endif

/* compiles a text and pushes its main function */
static void fast_parse (lua_State *L, void *ud) {
  fast_source_text *text = (fast_source_text *)ud;
  int status;
  luaL_checkstack(L, 4, "a chunk");
  status = fast_parse_text(L, text, lua_pushfstring(L, "@%s", text->name));
  if (status != 0) luaD_throw(L, status);
  lua_remove(L, -2);  /* the name */
}

/* Pushes the main function of source, or a message. Returns the status. */
static int fast_compile (lua_State *L, const fast_bundle *b,
                         const fast_chunk *c, const char *name) {
  fast_reader s;
  fast_source_text text;
  s.words = FAST_AT(b->base, c->words);
  s.at = 0;
  s.size = c->size;
  text.name = name;
  text.reader = fast_source_reader;
  text.ud = &s;
  return fast_pcall(L, fast_parse, &text);
}

/* levels of nested functions that a load may have: each takes about 64 bytes of C
** stack, beside 1 kB; the ESP8266's task has 4 kB */
#if defined(FAST_DEPTH)
#elif defined(ESP_PLATFORM)
#define FAST_DEPTH	64
#else
#define FAST_DEPTH	24
#endif

/* Whether a chunk has more levels; then pushes nil and a message. */
static int fast_is_too_deep (lua_State *L, const fast_chunk *c, const char *name) {
  if (c->depth <= FAST_DEPTH) return 0;
  lua_pushnil(L);
  lua_pushfstring(L, "chunk '%s' has %d levels of functions, the limit is %d",
                  name, (int)c->depth, FAST_DEPTH);
  return 1;
}

/* puts nil below the message on top; returns how many values these are */
static int fast_return_error (lua_State *L) {
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

/* Pushes the main function of a valid chunk, or a message. Returns the status. */
static int fast_load_chunk (lua_State *L, const fast_bundle *b,
                            const fast_chunk *c, const char *name) {
  if (c->kind == FAST_BYTECODE) return fast_undump(L, FAST_AT(b->base, c->words));
  if (c->kind == FAST_PACKED) return b->packed(L, b, c, name);
  if (c->kind == FAST_DEFLATED) return b->deflated(L, b, c, name);
  return fast_compile(L, b, c, name);
}

/*
** Pushes a chunk as a function; or nil and a message, if it is damaged or too large for
** the heap. Returns how many values it pushed.
*/
static int fast_push_chunk (lua_State *L, const fast_bundle *b,
                            const fast_chunk *c, const char *name) {
  int status;
  if (c->kind == FAST_DATA && fast_is_entry_valid(c)) {
    lua_pushfstring(L, "'%s' is data: use fast.data", name);
    return fast_return_error(L);
  }
  if (!fast_is_valid(b, c)) {
    lua_pushfstring(L, "chunk '%s' is damaged in flash", name);
    return fast_return_error(L);
  }
  if (c->kind == FAST_BYTECODE && !fast_is_own_dump(FAST_AT(b->base, c->words))) {
    fast_push_variants(L, FAST_AT(b->base, c->words), name);
    return fast_return_error(L);
  }
  if (fast_is_too_deep(L, c, name)) return 2;
  if (!fast_check_heap(L, fast_chunk_need(L, c), name)) return 2;
  status = fast_load_chunk(L, b, c, name);
  if (fast_retry(L, status)) status = fast_load_chunk(L, b, c, name);
  return (status == 0) ? 1 : fast_return_error(L);
}

/*
** The same by name; pushes nil if there is no chunk of that name.
*/
__attribute__((unused))
static int fast_push (lua_State *L, const fast_bundle *b, const char *name) {
  const fast_chunk *c = fast_find(b, name, strlen(name));
  if (c != NULL) return fast_push_chunk(L, b, c, name);
  lua_pushnil(L);
  return 1;
}

#endif
