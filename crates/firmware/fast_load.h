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
  uint32_t crc;			/* CRC-32 of these bytes */
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

/* words of flash that the reader hands over at once */
#define FAST_READ	32

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

static uint32_t fast_crc32 (const uint32_t *words, uint32_t size) {
  static const uint32_t table[16] = {  /* polynomial 0xedb88320, four bits */
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
    0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
    0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
  uint32_t crc = 0xffffffff;
  for (; size > 0; words++) {
    uint32_t n = (size < 4) ? size : 4, i = 2 * n;
    size -= n;
    for (crc ^= FAST_WORD(words) & (0xffffffff >> (32 - 8 * n)); i > 0; i--)
      crc = (crc >> 4) ^ table[crc & 15];
  }
  return ~crc;
}

/* Whether the chunk is as it was built; a sound one is looked at once. */
static int fast_sound (const fast_bundle *b, const fast_chunk *c) {
  uint32_t i = (uint32_t)(c - b->chunks), bit = 1u << (i & 31);
  if (b->checked[i >> 5] & bit) return 1;
  if (fast_crc32(c->words, c->size) != c->crc) return 0;
  if (c->kind == FAST_BYTECODE && FAST_WORD(c->words) != 0x61754c1b)
    return 0;  /* ESC L u a */
  b->checked[i >> 5] |= bit;
  return 1;
}

/* Bytes of heap that loading the chunk needs at the most. */
static size_t fast_need (lua_State *L, const fast_chunk *c) {
  const stringtable *t = &G(L)->strt;
  size_t need = c->heap, size = (size_t)t->size, grown = size;
  while (grown > 0 && (size_t)t->nuse + c->strings > grown) grown *= 2;
  if (grown > size)  /* the last half of it is there until it has moved */
    need += FAST_BLOCK(grown * sizeof(void *))
          + FAST_BLOCK(grown / 2 * sizeof(void *))
          - FAST_BLOCK(size * sizeof(void *));
  return need + need / 16 + 24;  /* for rests too small to be blocks of their own */
}

typedef struct fast_source {
  const uint32_t *next;
  uint32_t left;		/* bytes */
  uint32_t buffer[FAST_READ];
} fast_source;

static const char *fast_read (lua_State *L, void *ud, size_t *size) {
  fast_source *s = (fast_source *)ud;
  uint32_t n = (s->left < sizeof(s->buffer)) ? s->left : sizeof(s->buffer);
  uint32_t i;
  (void)L;
  for (i = 0; i < (n + 3) / 4; i++)
    s->buffer[i] = FAST_WORD(s->next++);
  s->left -= n;
  *size = n;
  return (n > 0) ? (const char *)s->buffer : NULL;
}

#if LUA_VERSION_NUM == 501

#define fast_parse(L,s,name)	lua_load(L, fast_read, s, name)
#define fast_undump		fast_parse

#else

#define fast_parse(L,s,name)	lua_load(L, fast_read, s, name, NULL)

/*
** While 5.3 undumps, an allocation that fails must not start its emergency
** collection, which would walk half-built functions: it throws at once.
*/
typedef struct fast_guard {
  lua_State *L;
  lua_Alloc alloc;
  void *ud;
  int message;			/* its place on the stack */
} fast_guard;

static void *fast_alloc (void *ud, void *p, size_t osize, size_t nsize) {
  fast_guard *g = (fast_guard *)ud;
  void *q = g->alloc(g->ud, p, osize, nsize);
  if (q == NULL && nsize > 0) {
    lua_setallocf(g->L, g->alloc, g->ud);
    lua_pushvalue(g->L, g->message);
    lua_error(g->L);
  }
  return q;
}

static int fast_undump (lua_State *L, fast_source *s, const char *name) {
  fast_guard g;
  int status;
  lua_pushliteral(L, "not enough memory");  /* the core has it: no new string */
  g.L = L;
  g.message = lua_gettop(L);
  g.alloc = lua_getallocf(L, &g.ud);
  lua_setallocf(L, fast_alloc, &g);
  status = fast_parse(L, s, name);
  lua_setallocf(L, g.alloc, g.ud);
  lua_remove(L, g.message);
  return status;
}

#endif

/*
** Pushes the chunk as a function; or nil and a message, if it is damaged or
** the heap can not hold it; or nil, if there is none of that name.
** Returns how many values it pushed.
*/
static int fast_push (lua_State *L, const fast_bundle *b, const char *name) {
  const fast_chunk *c = fast_find(b, name);
  fast_source s;
  size_t need;
  if (c == NULL) {
    lua_pushnil(L);
    return 1;
  }
  if (!fast_sound(b, c)) {
    lua_pushnil(L);
    lua_pushfstring(L, "chunk '%s' is damaged in flash", name);
    return 2;
  }
  need = fast_need(L, c);
  if ((size_t)lua_freeheap() < need) {
    lua_gc(L, LUA_GCCOLLECT, 0);
    if ((size_t)lua_freeheap() < need) {
      lua_pushnil(L);
      lua_pushfstring(L, "chunk '%s' needs %d bytes of heap, %d are free",
                      name, (int)need, (int)lua_freeheap());
      return 2;
    }
  }
  s.next = c->words;
  s.left = c->size;
  if (c->kind == FAST_BYTECODE) {
    if (fast_undump(L, &s, name) == 0) return 1;
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

#endif
