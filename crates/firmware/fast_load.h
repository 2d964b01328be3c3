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
#define FAST_READ	64

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
  static const uint32_t table[256] = {  /* polynomial 0xedb88320, by bytes */
    0x00000000, 0x77073096, 0xee0e612c, 0x990951ba, 0x076dc419, 0x706af48f,
    0xe963a535, 0x9e6495a3, 0x0edb8832, 0x79dcb8a4, 0xe0d5e91e, 0x97d2d988,
    0x09b64c2b, 0x7eb17cbd, 0xe7b82d07, 0x90bf1d91, 0x1db71064, 0x6ab020f2,
    0xf3b97148, 0x84be41de, 0x1adad47d, 0x6ddde4eb, 0xf4d4b551, 0x83d385c7,
    0x136c9856, 0x646ba8c0, 0xfd62f97a, 0x8a65c9ec, 0x14015c4f, 0x63066cd9,
    0xfa0f3d63, 0x8d080df5, 0x3b6e20c8, 0x4c69105e, 0xd56041e4, 0xa2677172,
    0x3c03e4d1, 0x4b04d447, 0xd20d85fd, 0xa50ab56b, 0x35b5a8fa, 0x42b2986c,
    0xdbbbc9d6, 0xacbcf940, 0x32d86ce3, 0x45df5c75, 0xdcd60dcf, 0xabd13d59,
    0x26d930ac, 0x51de003a, 0xc8d75180, 0xbfd06116, 0x21b4f4b5, 0x56b3c423,
    0xcfba9599, 0xb8bda50f, 0x2802b89e, 0x5f058808, 0xc60cd9b2, 0xb10be924,
    0x2f6f7c87, 0x58684c11, 0xc1611dab, 0xb6662d3d, 0x76dc4190, 0x01db7106,
    0x98d220bc, 0xefd5102a, 0x71b18589, 0x06b6b51f, 0x9fbfe4a5, 0xe8b8d433,
    0x7807c9a2, 0x0f00f934, 0x9609a88e, 0xe10e9818, 0x7f6a0dbb, 0x086d3d2d,
    0x91646c97, 0xe6635c01, 0x6b6b51f4, 0x1c6c6162, 0x856530d8, 0xf262004e,
    0x6c0695ed, 0x1b01a57b, 0x8208f4c1, 0xf50fc457, 0x65b0d9c6, 0x12b7e950,
    0x8bbeb8ea, 0xfcb9887c, 0x62dd1ddf, 0x15da2d49, 0x8cd37cf3, 0xfbd44c65,
    0x4db26158, 0x3ab551ce, 0xa3bc0074, 0xd4bb30e2, 0x4adfa541, 0x3dd895d7,
    0xa4d1c46d, 0xd3d6f4fb, 0x4369e96a, 0x346ed9fc, 0xad678846, 0xda60b8d0,
    0x44042d73, 0x33031de5, 0xaa0a4c5f, 0xdd0d7cc9, 0x5005713c, 0x270241aa,
    0xbe0b1010, 0xc90c2086, 0x5768b525, 0x206f85b3, 0xb966d409, 0xce61e49f,
    0x5edef90e, 0x29d9c998, 0xb0d09822, 0xc7d7a8b4, 0x59b33d17, 0x2eb40d81,
    0xb7bd5c3b, 0xc0ba6cad, 0xedb88320, 0x9abfb3b6, 0x03b6e20c, 0x74b1d29a,
    0xead54739, 0x9dd277af, 0x04db2615, 0x73dc1683, 0xe3630b12, 0x94643b84,
    0x0d6d6a3e, 0x7a6a5aa8, 0xe40ecf0b, 0x9309ff9d, 0x0a00ae27, 0x7d079eb1,
    0xf00f9344, 0x8708a3d2, 0x1e01f268, 0x6906c2fe, 0xf762575d, 0x806567cb,
    0x196c3671, 0x6e6b06e7, 0xfed41b76, 0x89d32be0, 0x10da7a5a, 0x67dd4acc,
    0xf9b9df6f, 0x8ebeeff9, 0x17b7be43, 0x60b08ed5, 0xd6d6a3e8, 0xa1d1937e,
    0x38d8c2c4, 0x4fdff252, 0xd1bb67f1, 0xa6bc5767, 0x3fb506dd, 0x48b2364b,
    0xd80d2bda, 0xaf0a1b4c, 0x36034af6, 0x41047a60, 0xdf60efc3, 0xa867df55,
    0x316e8eef, 0x4669be79, 0xcb61b38c, 0xbc66831a, 0x256fd2a0, 0x5268e236,
    0xcc0c7795, 0xbb0b4703, 0x220216b9, 0x5505262f, 0xc5ba3bbe, 0xb2bd0b28,
    0x2bb45a92, 0x5cb36a04, 0xc2d7ffa7, 0xb5d0cf31, 0x2cd99e8b, 0x5bdeae1d,
    0x9b64c2b0, 0xec63f226, 0x756aa39c, 0x026d930a, 0x9c0906a9, 0xeb0e363f,
    0x72076785, 0x05005713, 0x95bf4a82, 0xe2b87a14, 0x7bb12bae, 0x0cb61b38,
    0x92d28e9b, 0xe5d5be0d, 0x7cdcefb7, 0x0bdbdf21, 0x86d3d2d4, 0xf1d4e242,
    0x68ddb3f8, 0x1fda836e, 0x81be16cd, 0xf6b9265b, 0x6fb077e1, 0x18b74777,
    0x88085ae6, 0xff0f6a70, 0x66063bca, 0x11010b5c, 0x8f659eff, 0xf862ae69,
    0x616bffd3, 0x166ccf45, 0xa00ae278, 0xd70dd2ee, 0x4e048354, 0x3903b3c2,
    0xa7672661, 0xd06016f7, 0x4969474d, 0x3e6e77db, 0xaed16a4a, 0xd9d65adc,
    0x40df0b66, 0x37d83bf0, 0xa9bcae53, 0xdebb9ec5, 0x47b2cf7f, 0x30b5ffe9,
    0xbdbdf21c, 0xcabac28a, 0x53b39330, 0x24b4a3a6, 0xbad03605, 0xcdd70693,
    0x54de5729, 0x23d967bf, 0xb3667a2e, 0xc4614ab8, 0x5d681b02, 0x2a6f2b94,
    0xb40bbe37, 0xc30c8ea1, 0x5a05df1b, 0x2d02ef8d};
  uint32_t crc = 0xffffffff;
  for (; size >= 4; size -= 4) {
    crc ^= FAST_WORD(words++);
    crc = (crc >> 8) ^ table[crc & 255];
    crc = (crc >> 8) ^ table[crc & 255];
    crc = (crc >> 8) ^ table[crc & 255];
    crc = (crc >> 8) ^ table[crc & 255];
  }
  if (size > 0) {
    uint32_t last = FAST_WORD(words);
    for (; size > 0; size--, last >>= 8)
      crc = (crc >> 8) ^ table[(crc ^ last) & 255];
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

/* That much heap, and what the table of strings may grow by. */
static size_t fast_grown (lua_State *L, size_t need, uint32_t strings) {
  const stringtable *t = &G(L)->strt;
  size_t size = (size_t)t->size, grown = size;
  while (grown > 0 && (size_t)t->nuse + strings > grown) grown *= 2;
  if (grown > size)  /* the last half of it is there until it has moved */
    need += FAST_BLOCK(grown * sizeof(void *))
          + FAST_BLOCK(grown / 2 * sizeof(void *))
          - FAST_BLOCK(size * sizeof(void *));
  return need + need / 16 + 24;  /* for rests too small to be blocks of their own */
}

/* Bytes of heap that loading the chunk needs at the most. */
static size_t fast_need (lua_State *L, const fast_chunk *c) {
  return fast_grown(L, c->heap, c->strings);
}

/* Whether that much heap is free, after a collection if need be; else pushes
** nil and a message. */
static int fast_room (lua_State *L, size_t need, const char *name) {
  if ((size_t)lua_freeheap() >= need) return 1;
  lua_gc(L, LUA_GCCOLLECT, 0);
  if ((size_t)lua_freeheap() >= need) return 1;
  lua_pushnil(L);
  lua_pushfstring(L, "chunk '%s' needs %d bytes of heap, %d are free",
                  name, (int)need, (int)lua_freeheap());
  return 0;
}

typedef struct fast_source {
  const uint32_t *next;
  uint32_t left;		/* bytes */
  uint32_t buffer[FAST_READ];
} fast_source;

static const char *fast_read (lua_State *L, void *ud, size_t *size) {
  fast_source *s = (fast_source *)ud;
  uint32_t n = (s->left < sizeof(s->buffer)) ? s->left : sizeof(s->buffer);
  uint32_t words = (n + 3) / 4;
  const uint32_t *from = s->next;
  uint32_t *to = s->buffer;
  (void)L;
  s->next += words;
  s->left -= n;
  for (; words >= 4; words -= 4, from += 4, to += 4) {
    to[0] = FAST_WORD(from);
    to[1] = FAST_WORD(from + 1);
    to[2] = FAST_WORD(from + 2);
    to[3] = FAST_WORD(from + 3);
  }
  for (; words > 0; words--)
    *to++ = FAST_WORD(from++);
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
} fast_guard;

static void *fast_alloc (void *ud, void *p, size_t osize, size_t nsize) {
  fast_guard *g = (fast_guard *)ud;
  void *q = g->alloc(g->ud, p, osize, nsize);
  if (q == NULL && nsize > 0) {
    lua_setallocf(g->L, g->alloc, g->ud);
    luaD_throw(g->L, LUA_ERRMEM);
  }
  return q;
}

static int fast_undump (lua_State *L, fast_source *s, const char *name) {
  fast_guard g;
  int status;
  g.L = L;
  g.alloc = lua_getallocf(L, &g.ud);
  lua_setallocf(L, fast_alloc, &g);
  status = fast_parse(L, s, name);
  lua_setallocf(L, g.alloc, g.ud);
  return status;
}

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
