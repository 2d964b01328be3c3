/*
** fast_load.h - loads Lua chunks straight from flash
** Flash is read in aligned 32-bit words only (FAST_WORD).
*/

#ifndef fast_load_h
#define fast_load_h

#define LUA_CORE	/* for the sizes of the core's structures */

#include <stdint.h>
#include <string.h>

#include "lua.h"
#include "lauxlib.h"
#include "lobject.h"
#include "lstate.h"
#include "lfunc.h"
#include "ldo.h"

/* a clock in microseconds, and what a block of n bytes takes of the heap;
** module.h brings its own where Lua is stock */
#if defined(FAST_BLOCK)
#elif defined(ESP_PLATFORM)
#include "esp_timer.h"
#define fast_clock()	((uint32_t)esp_timer_get_time())
#define FAST_BLOCK(n)	(4 + ((n) < 12 ? 12 : ((n) + 3) & ~3u))  /* TLSF */
#else
#include "user_interface.h"
#define fast_clock()	((uint32_t)system_get_time())
#define FAST_BLOCK(n)	(((n) + 16 + 7) & ~7u)  /* the SDK's pvPortMalloc */
#endif

/* what lies in flash, and how it is read: constants need no word on NodeMCU */
#if !defined(FAST_WORD)
#define FAST_FLASH
#define FAST_WORD(p)	(*(const volatile uint32_t *)(p))
#endif

#define FAST_BYTECODE	0
#define FAST_SOURCE	1

typedef struct fast_chunk {
  const uint32_t *name;		/* zero bytes after it, one at least */
  const uint32_t *words;	/* the chunk, zero bytes after it */
  uint32_t size;		/* its bytes */
  uint32_t hash;		/* XXH32 of these bytes */
  uint32_t kind;		/* FAST_BYTECODE, FAST_SOURCE */
  uint32_t heap;		/* bytes of heap that loading takes */
  uint32_t strings;		/* short strings that may be new to the core */
} fast_chunk;

typedef struct fast_bundle {
  const fast_chunk *chunks;	/* sorted by name, byte by byte */
  uint32_t count;
  uint32_t *checked;		/* a bit a chunk: its checksum was right */
} fast_bundle;

/*
** Heap that loading bytecode takes if the string table knows none of its
** strings: the main function's closure with so many upvalues; each function
** with so many instructions, constants, functions, upvalues that are
** described (5.1: named), local variables, bytes of line info; each different
** string of so many bytes; and, while 5.1 reads strings, the buffer for them
** with the smaller one that it replaces.
*/
#define FAST_ARRAY(n,t)	((n) == 0 ? 0 : FAST_BLOCK((n) * sizeof(t)))
#define FAST_FUNCTION(i,k,p,u,v,l) \
	(FAST_BLOCK(sizeof(Proto)) + FAST_ARRAY(i, Instruction) \
	+ FAST_ARRAY(k, TValue) + FAST_ARRAY(p, Proto *) \
	+ FAST_ARRAY(u, fast_upvalue) + FAST_ARRAY(v, LocVar) \
	+ FAST_ARRAY(l, char))
#if LUA_VERSION_NUM == 501
typedef TString *fast_upvalue;
#define FAST_CLOSURE(u)		FAST_BLOCK(sizeLclosure(0))
#define FAST_STRING(n)		FAST_BLOCK(sizeof(TString) + (n) + 1)
#define FAST_BUFFER(old,new)	(FAST_ARRAY(old, char) + FAST_ARRAY(new, char))
#else
typedef Upvaldesc fast_upvalue;
#define FAST_CLOSURE(u) \
	(FAST_BLOCK(sizeLclosure(u)) + (u) * FAST_BLOCK(sizeof(UpVal)))
#define FAST_STRING(n)		FAST_BLOCK(sizeof(UTString) + (n) + 1)
#define FAST_BUFFER(old,new)	0
#endif

/* longest name with its zero, in words */
#define FAST_NAME	16

#include "fast_undump.h"

static const fast_chunk *fast_find (const fast_bundle *b, const char *name) {
  uint32_t want[FAST_NAME] = {0};
  uint32_t lo = 0, hi = b->count;
  size_t len = strlen(name);
  if (len >= sizeof(want)) return NULL;
  memcpy(want, name, len);
  while (lo < hi) {
    uint32_t mid = lo + (hi - lo) / 2, i = 0;
    uint32_t here = FAST_WORD(&b->chunks[mid].name[0]);
    while (here == want[i] && i < len / 4)  /* the zero is in word len / 4 */
      here = FAST_WORD(&b->chunks[mid].name[++i]);
    if (here == want[i]) return &b->chunks[mid];
    /* little-endian words, compared as their bytes would be */
    if (__builtin_bswap32(want[i]) < __builtin_bswap32(here)) hi = mid;
    else lo = mid + 1;
  }
  return NULL;
}

static uint32_t fast_turn (uint32_t x, int n) {
  return x << n | x >> (32 - n);
}

/*
** XXH32 with seed 0, by words: four sums of a fourth of the words each, then
** the rest. A change within one word is always found.
*/
static uint32_t fast_hash (const uint32_t *words, uint32_t size) {
  const uint32_t p1 = 2654435761u, p2 = 2246822519u, p3 = 3266489917u,
                 p4 = 668265263u, p5 = 374761393u;
  uint32_t left = size, h = p5;
  if (size >= 16) {
    uint32_t a = p1 + p2, b = p2, c = 0, d = 0u - p1;
    for (; left >= 16; left -= 16, words += 4) {
      a = fast_turn(a + FAST_WORD(words) * p2, 13) * p1;
      b = fast_turn(b + FAST_WORD(words + 1) * p2, 13) * p1;
      c = fast_turn(c + FAST_WORD(words + 2) * p2, 13) * p1;
      d = fast_turn(d + FAST_WORD(words + 3) * p2, 13) * p1;
    }
    h = fast_turn(a, 1) + fast_turn(b, 7) + fast_turn(c, 12) + fast_turn(d, 18);
  }
  h += size;
  for (; left >= 4; left -= 4)
    h = fast_turn(h + FAST_WORD(words++) * p3, 17) * p4;
  if (left > 0) {
    uint32_t last = FAST_WORD(words);
    for (; left > 0; left--, last >>= 8)
      h = fast_turn(h + (last & 255) * p5, 11) * p1;
  }
  h = (h ^ h >> 15) * p2;
  h = (h ^ h >> 13) * p3;
  return h ^ h >> 16;
}

/* Whether the chunk is as it was built; a sound one is looked at once. */
static int fast_sound (const fast_bundle *b, const fast_chunk *c) {
  uint32_t i = (uint32_t)(c - b->chunks), bit = 1u << (i & 31);
  if (b->checked[i >> 5] & bit) return 1;
  if (fast_hash(c->words, c->size) != c->hash) return 0;
  if (c->kind == FAST_BYTECODE && FAST_WORD(c->words) != 0x61754c1b)
    return 0;  /* ESC L u a */
  b->checked[i >> 5] |= bit;
  return 1;
}

/* That much heap, and what the table of strings may grow by. */
static size_t fast_grown (lua_State *L, size_t need, uint32_t strings) {
  const stringtable *t = &G(L)->strt;
  size_t size = (size_t)t->size, grown = size;
  while (grown > 0 && (size_t)t->nuse + strings > grown) grown *= 2;
  if (grown > size)  /* the last half of it is there until it has moved */
    need += FAST_BLOCK(grown * sizeof(void *))
          + FAST_BLOCK(grown / 2 * sizeof(void *))
          - FAST_BLOCK(size * sizeof(void *));
  return need + need / 16 + 64;  /* for rests too small to be blocks of their own */
}

/* Bytes of heap that loading the chunk needs at the most. */
static size_t fast_need (lua_State *L, const fast_chunk *c) {
  return fast_grown(L, c->heap, c->strings);
}

/* heap that a message about heap may take while it is made */
#define FAST_MESSAGE	512

/* Whether that much heap is free, after a collection if need be; else pushes
** nil and a message. */
static int fast_room (lua_State *L, size_t need, const char *name) {
  if ((size_t)lua_freeheap() >= need) return 1;
  lua_gc(L, LUA_GCCOLLECT, 0);
  if ((size_t)lua_freeheap() >= need) return 1;
  lua_pushnil(L);
  if (lua_freeheap() < FAST_MESSAGE)
    lua_pushliteral(L, "not enough memory");  /* the core has this string */
  else
    lua_pushfstring(L, "chunk '%s' needs %d bytes of heap, %d are free",
                    name, (int)need, (int)lua_freeheap());
  return 0;
}

/* gives source to lua_load, a buffer at a time */
static const char *fast_reader (lua_State *L, void *ud, size_t *size) {
  fast_source *s = (fast_source *)ud;
  uint32_t n = s->size - s->at;
  (void)L;
  if (n > sizeof(s->buffer)) n = sizeof(s->buffer);
  *size = n;
  fast_bytes(s, s->buffer, n);
  return (n > 0) ? (const char *)s->buffer : NULL;
}

#if LUA_VERSION_NUM == 501
#define fast_parse(L,s,name)	lua_load(L, fast_reader, s, name)
#else
#define fast_parse(L,s,name)	lua_load(L, fast_reader, s, name, NULL)
#endif

/*
** Pushes a chunk as a function; or nil and a message, if it is damaged or the
** heap can not hold it. Returns how many values it pushed.
*/
static int fast_push_chunk (lua_State *L, const fast_bundle *b,
                            const fast_chunk *c, const char *name) {
  fast_source s;
  if (!fast_sound(b, c)) {
    lua_pushnil(L);
    lua_pushfstring(L, "chunk '%s' is damaged in flash", name);
    return 2;
  }
  if (!fast_room(L, fast_need(L, c), name)) return 2;
  s.words = c->words;
  s.at = 0;
  s.size = c->size;
  if (c->kind == FAST_BYTECODE) {
    if (fast_undump(L, &s) == 0) return 1;
    lua_pushnil(L);
    lua_insert(L, -2);  /* below the message */
    return 2;
  }
  lua_pushfstring(L, "@%s", name);
  if (fast_parse(L, &s, lua_tostring(L, -1)) == 0) {
    lua_remove(L, -2);
    return 1;
  }
  lua_pushnil(L);
  lua_replace(L, -3);  /* for the name, below the message */
  return 2;
}

/*
** The same by name; nil if there is none of that name.
*/
__attribute__((unused))
static int fast_push (lua_State *L, const fast_bundle *b, const char *name) {
  const fast_chunk *c = fast_find(b, name);
  if (c != NULL) return fast_push_chunk(L, b, c, name);
  lua_pushnil(L);
  return 1;
}

#endif
