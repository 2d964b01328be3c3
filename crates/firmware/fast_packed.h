/*
** fast_packed.h - loads packed chunks straight from flash
** fastlua has read the chunk back and its checksum is right. As in fast_undump.h,
** at each allocation all objects are reachable, with true sizes and all elements
** set, except code, which the collector does not read. Nevertheless each count and
** each index is checked: a damaged chunk ends in an error.
** The packed chunks of a bundle share tables, with the names that every firmware
** has, and a pool of strings. Without these no chunk can be read, so their checksum
** is computed at the first load.
*/

#ifndef fast_packed_h
#define fast_packed_h

#include "fast_load.h"

/* the escape: 8 bits follow, which are a symbol that the table does not have */
#define FAST_P_ESCAPE	255

/* indices of the tables for everything but instructions; the last four groups have
** one table for each kind of constant, or for the high half of the last character */
#define FAST_P_PARAMS	0
#define FAST_P_VARARG	1
#define FAST_P_STACK	2
#define FAST_P_UPVALUES	3
#define FAST_P_LINE	4
#define FAST_P_LINES	5
#define FAST_P_CODE	6
#define FAST_P_CONSTANTS	7
#define FAST_P_FUNCTIONS	8
#define FAST_P_INSTACK	9
#define FAST_P_INDEX	10
#define FAST_P_INTEGER	12
#define FAST_P_POOL	13
#define FAST_P_LENGTH	14
#define FAST_P_REFERENCE	15
#define FAST_P_TYPE	20
#define FAST_P_NAMED	25
#define FAST_P_CHARACTER	30

/* kind of a constant that no instruction uses where it is read */
#define FAST_P_OTHER	4

/* types of constants; a type that is none of these is a string by characters */
#define FAST_P_TNAME	0	/* a string that every firmware has */
#define FAST_P_TPOOL	1	/* a string of the pool */
#define FAST_P_TNIL	2
#define FAST_P_TFALSE	3
#define FAST_P_TTRUE	4
#define FAST_P_TPOSITIVE	5	/* an integer */
#define FAST_P_TNEGATIVE	6	/* an integer, as -1 - n */
#define FAST_P_TWIDE	7	/* the bytes of an integer */
#define FAST_P_TFLOAT	9	/* the bytes of a number */

/* words of what packed chunks share: size in bytes from FAST_P_PLACE on, their
** XXH32, a checksum of both; the offset of the pool in words from the tables, or 0;
** the tables */
#define FAST_P_SIZE	0
#define FAST_P_HASH	1
#define FAST_P_CHECKSUM	2
#define FAST_P_PLACE	3
#define FAST_P_TABLES	4

/* changes whenever one of both changes */
#define FAST_SHARED_CHECKSUM(size,hash)	(FAST_CHECKSUM_SEED + (size) * 3u + (hash) * 5u)

/* the first words of the tables: offsets of their parts */
#define FAST_P_TOKENS	0
#define FAST_P_FIXED	1
#define FAST_P_FIRSTS	2
#define FAST_P_OPERANDS	3
#define FAST_P_NAMES	4
#define FAST_P_PARTS	5
#define FAST_P_AFTER	6	/* the first part */

/* Bx of a jump to the next instruction */
#define FAST_P_NO_JUMP	131071

/* a chunk's words and the tables for its symbols */
typedef struct fast_bitstream {
  const uint32_t *words, *tables;
  uint32_t last;		/* the chunk's last word */
} fast_bitstream;

/* state of reading a packed chunk */
typedef struct fast_unpacker {
  fast_bitstream z;
  uint32_t at;			/* position in bits */
  uint32_t line;		/* where the last function is defined */
  Proto *f;			/* the function that is read */
  uint32_t nk, np;		/* how many of its constants and functions were read */
  uint32_t depth;		/* levels of functions */
  const uint32_t *pool;
  const uint32_t *parts[FAST_P_PARTS];	/* of the tables */
  fast_dump d;			/* for strings out of lists */
} fast_unpacker;

/* heap that unpacking takes beside the objects it makes */
#define FAST_PACKED_HEAP	FAST_BLOCK(sizeof(fast_unpacker))

/* for what runs at each symbol, where calls would take half as long again */
#define FAST_INLINE	static inline __attribute__((always_inline))

static __attribute__((noreturn, noinline)) void fast_unpack_error (fast_unpacker *p) {
  lua_pushliteral(p->d.L, "packed chunk is damaged");
  lua_error(p->d.L);
  __builtin_unreachable();
}

/* refuses a count of elements that are larger than the chunk, at a bit each */
static __attribute__((noinline)) void fast_check_count (fast_unpacker *p, uint32_t n) {
  if (n / 32 > p->z.last) fast_unpack_error(p);
}

/* 32 bits of two words, from bit at % 32 of the first on */
FAST_INLINE uint32_t fast_funnel_shift (uint32_t first, uint32_t second, uint32_t at) {
#if defined(__XTENSA__)
  uint32_t joined;
  __asm__ ("ssl %3\n\tsrc %0, %1, %2" : "=r" (joined) : "r" (first), "r" (second), "r" (at));
  return joined;
#else
  return first << (at & 31) | second >> 1 >> (~at & 31);
#endif
}

/* the bits of the last word from a position on, then zeros; there are none after it */
static __attribute__((noinline)) uint32_t fast_last_bits (fast_unpacker *p, uint32_t at) {
  if (at / 32 > p->z.last) fast_unpack_error(p);
  return fast_read_word(p->z.words + p->z.last) << at % 32;
}

/* the 32 bits from a position on, with zeros after the last word */
FAST_INLINE uint32_t fast_peek_bits (fast_unpacker *p, const fast_bitstream *z, uint32_t at) {
  const uint32_t *w = z->words + at / 32;
  if (at / 32 >= z->last) return fast_last_bits(p, at);
  return fast_funnel_shift(fast_read_word(w), fast_read_word(w + 1), at);
}

/* the next n bits, from 1 to 32 */
static __attribute__((noinline)) uint32_t fast_read_bits (fast_unpacker *p, uint32_t n) {
  uint32_t x = fast_peek_bits(p, &p->z, p->at) >> (32 - n);
  p->at += n;
  return x;
}

/* Decodes the symbol at a position. A table has a word for each length of codes, the
** shortest first: in the high half the highest code, with ones after it, in the low
** half what is added to a code to get the index of its symbol. */
FAST_INLINE uint32_t fast_decode_symbol_at (fast_unpacker *p, const fast_bitstream *z,
                                            uint32_t *at, uint32_t table) {
  const uint32_t *w = z->tables + (table >> 4);
  uint32_t top = fast_peek_bits(p, z, *at) >> 16 << 16, left = table % 16 + 16, word;
  while (top > (word = fast_read_word(w))) w++, left--;
  *at += 32 - left;
  word = (word + (top >> left)) & 0xffff;
  return fast_read_word(z->tables + word / 4) >> word % 4 * 8 & 255;
}
#define fast_decode_symbol(p,at,table)	fast_decode_symbol_at(p, &(p)->z, at, table)

/* the number that begins with a symbol of 16 or more: after the escape there is a
** symbol of 8 bits; then come the bits below the number's highest two */
static uint32_t fast_read_rest (fast_unpacker *p, uint32_t x) {
  uint32_t rest;
  if (x == FAST_P_ESCAPE) x = fast_read_bits(p, 8);
  if (x < 16) return x;
  rest = x / 2 - 5;
  if (rest > 30) fast_unpack_error(p);
  return (2 | x % 2) << rest | fast_read_bits(p, rest);
}

/* the same from the position *at */
static uint32_t fast_read_rest_at (fast_unpacker *p, uint32_t *at, uint32_t x) {
  p->at = *at;
  x = fast_read_rest(p, x);
  *at = p->at;
  return x;
}

/* the table with that index of those for everything but instructions */
#define fast_table_at(p,i)	fast_read_word((p)->parts[FAST_P_FIXED] + (i))

/* a number: a symbol below 16 is the number, the others stand for two ranges of each
** power of 2 */
static __attribute__((noinline))
uint32_t fast_read_unsigned (fast_unpacker *p, uint32_t i) {
  uint32_t x = fast_decode_symbol(p, &p->at, fast_table_at(p, i));
  return (x < 16) ? x : fast_read_rest(p, x);
}

/* a number whose lowest bit is its sign */
#define fast_zigzag(x)	((x) >> 1 ^ (0u - ((x) & 1)))

/* String i of a list: the list has the count, the offset of each fourth string, and
** each string after its length. */
static TString *fast_list_string (fast_unpacker *p, const uint32_t *list, uint32_t i) {
  fast_reader *s = &p->d.flash;
  uint32_t n;
  if (list == NULL || i >= fast_read_word(list)) fast_unpack_error(p);
  s->words = list;
  s->at = fast_read_word(list + 1 + i / 8) >> i / 4 % 2 * 16 & 0xffff;
  for (i %= 4; n = fast_read_byte(s), i > 0; i--) s->at += n;
  return fast_make_string(&p->d, n);
}

/* n characters, each with the table that the high half of the one before selects */
static __attribute__((noinline))
void fast_decode_text (fast_unpacker *p, char *to, uint32_t n) {
  const uint32_t *after = p->parts[FAST_P_FIXED] + FAST_P_CHARACTER;
  const fast_bitstream z = p->z;  /* a copy, which writes to "to" can't change */
  uint32_t at = p->at, last = 0;
  for (; n > 0; n--) {
    last = fast_decode_symbol_at(p, &z, &at, fast_read_word(after + last / 16));
    if (last == FAST_P_ESCAPE) {
      p->at = at;
      last = fast_read_bits(p, 8);
      at = p->at;
    }
    *to++ = (char)last;
  }
  p->at = at;
}

static TString *fast_decode_string (fast_unpacker *p) {
  lua_State *L = p->d.L;
  uint32_t n = fast_read_unsigned(p, FAST_P_LENGTH);
  char *to = (char *)p->d.flash.buffer;
  fast_check_count(p, n);
#if LUA_VERSION_NUM == 503
  if (n > LUAI_MAXSHORTLEN) {
    TString *ts = luaS_createlngstrobj(L, n);
    fast_decode_text(p, getstr(ts), n);
    return ts;
  }
#else
  if (n > sizeof(p->d.flash.buffer)) to = luaZ_openspace(L, &p->d.longer, n);
#endif
  fast_decode_text(p, to, n);
  return luaS_newlstr(L, to, n);
}

/* n bytes of a number: 4 or 8 */
static void fast_read_raw (fast_unpacker *p, void *to, uint32_t n) {
  uint32_t i, words[2];
  for (i = 0; i < n / 4; i++) words[i] = fast_read_bits(p, 32);
  memcpy(to, words, n);
}

/* reads the function's next constant, which is nil before */
static void fast_unpack_constant (fast_unpacker *p, uint32_t kind) {
  TValue *o = &p->f->k[p->nk];
  TString *ts;
  uint32_t type;
  if (p->nk >= (uint32_t)p->f->sizek) fast_unpack_error(p);
  type = fast_decode_symbol(p, &p->at, fast_table_at(p, FAST_P_TYPE + kind));
  if (type == FAST_P_ESCAPE) type = fast_read_bits(p, 8);
  switch (type) {
    case FAST_P_TNIL: break;
    case FAST_P_TFALSE: case FAST_P_TTRUE: setbvalue(o, type == FAST_P_TTRUE); break;
    case FAST_P_TPOSITIVE: case FAST_P_TNEGATIVE: {
      int x = (int)fast_read_unsigned(p, FAST_P_INTEGER);
      if (type == FAST_P_TNEGATIVE) x = -1 - x;
#if LUA_VERSION_NUM == 503
      setivalue(o, x);
#else
      setnvalue(o, (lua_Number)x);
#endif
      break;
    }
#if LUA_VERSION_NUM == 503
    case FAST_P_TWIDE: {
      lua_Integer x;
      fast_read_raw(p, &x, sizeof(x));
      setivalue(o, x);
      break;
    }
#endif
    case FAST_P_TFLOAT: {
      lua_Number x;
      fast_read_raw(p, &x, sizeof(x));
#if LUA_VERSION_NUM == 503
      setfltvalue(o, x);
#else
      setnvalue(o, x);
#endif
      break;
    }
    default:
      if (type == FAST_P_TNAME) {
        uint32_t i = fast_decode_symbol(p, &p->at, fast_table_at(p, FAST_P_NAMED + kind));
        if (i == FAST_P_ESCAPE) i = fast_read_bits(p, 8);
        ts = fast_list_string(p, p->parts[FAST_P_NAMES], i * 8 + fast_read_bits(p, 3));
      }
      else if (type == FAST_P_TPOOL)
        ts = fast_list_string(p, p->pool, fast_read_unsigned(p, FAST_P_POOL));
      else ts = fast_decode_string(p);
      setsvalue2n(p->d.L, o, ts);
  }
  p->nk++;
}

/* The index of a constant. 0 stands for the next one, which is read here; 1 says that
** the next one is read here but not used, and another number follows; 2 and more count
** back from the last one that was read. */
static uint32_t fast_constant_index (fast_unpacker *p, uint32_t kind) {
  for (;;) {
    uint32_t back = fast_decode_symbol(p, &p->at, fast_table_at(p, FAST_P_REFERENCE + kind));
    if (back >= 16) back = fast_read_rest(p, back);
    if (back > 1) return p->nk + 1 - back;
    fast_unpack_constant(p, back == 0 ? kind : FAST_P_OTHER);
    if (back == 0) return p->nk - 1;
  }
}

/* Reads n instructions. The position stays in a register except while a constant is
** read. */
static __attribute__((noinline)) void fast_unpack_code (fast_unpacker *p, uint32_t n) {
  uint32_t at = p->at;
  Instruction *code = p->f->code;
  /* stands for the opcode before the first */
  uint32_t none = (uint32_t)(p->parts[FAST_P_TOKENS] - p->z.tables) - FAST_P_AFTER - 1;
  uint32_t a = 0, last = none;
  for (; n > 0; n--) {
    uint32_t after = fast_read_word(p->z.tables + FAST_P_AFTER + last);
    uint32_t how, place, token = fast_decode_symbol(p, &at, after & 0xffff);
    if (token == FAST_P_ESCAPE) {
      p->at = at;
      token = fast_read_bits(p, 8);
      if (token == FAST_P_ESCAPE) *code++ = fast_read_bits(p, 32);
      at = p->at;
      if (token == FAST_P_ESCAPE) {
        last = none;
        continue;
      }
    }
    if (token >= (uint32_t)(p->parts[FAST_P_FIXED] - p->parts[FAST_P_TOKENS]))
      fast_unpack_error(p);
    how = fast_read_word(p->parts[FAST_P_TOKENS] + token);
    last = how & 63;
    token = last;
    if (how & 0xc00) {
      uint32_t table = (how >> 6 & 15) + (after >> 16);
      uint32_t x = fast_decode_symbol(p, &at, fast_read_word(p->parts[FAST_P_FIRSTS] + table));
      if (x >= 16) x = fast_read_rest_at(p, &at, x);
      if (how & 0x800) x = a = (a + fast_zigzag(x)) & 255;
      token |= x << 6;
    }
    /* B, then C, or Bx from the fourth way on */
    place = 23;
    for (how >>= 12; how != 0; how >>= 9) {
      uint32_t way = how & 7, x = how >> 3 & 63;
      if (way == 3 || way == 4) {
        p->at = at;
        x = fast_constant_index(p, x);
        at = p->at;
        if (way == 3) x = (x & 255) | 256;
      }
      else if (way != 0) {
        x = fast_decode_symbol(p, &at, fast_read_word(p->parts[FAST_P_OPERANDS] + x));
        if (x >= 16) x = fast_read_rest_at(p, &at, x);
        if (way > 1) x = fast_zigzag(x);
        if (way == 2) x += token >> 6 & 255;
        else if (way == 6) x += FAST_P_NO_JUMP;
        else if (way == 5) {
          x += p->np;
          p->np = x + 1;
        }
      }
      token |= x << (way > 3 ? 14 : place);
      place = 14;
    }
    *code++ = token;
  }
  p->at = at;
}

/* Fills in f, which has its parent's source already. Each read of the chunk may raise
** an error, so arrays are initialized before. */
static void fast_unpack_function (fast_unpacker *p, Proto *f) {
  lua_State *L = p->d.L;
  uint32_t i, n, k;
  f->numparams = (lu_byte)fast_read_unsigned(p, FAST_P_PARAMS);
  f->is_vararg = (lu_byte)fast_read_unsigned(p, FAST_P_VARARG);
  f->maxstacksize = (lu_byte)fast_read_unsigned(p, FAST_P_STACK);
  n = fast_read_unsigned(p, FAST_P_UPVALUES);
  i = fast_read_unsigned(p, FAST_P_LINE);
  p->line += fast_zigzag(i);
  f->linedefined = (int)p->line;
  i = fast_read_unsigned(p, FAST_P_LINES);
  f->lastlinedefined = (int)(p->line + fast_zigzag(i));
#if LUA_VERSION_NUM == 501
  f->nups = (lu_byte)n;
#else
  if (n > 255) fast_unpack_error(p);
  if (n > 0) {
    f->upvalues = (Upvaldesc *)luaM_malloc(L, n * sizeof(Upvaldesc));
    f->sizeupvalues = (int)n;
  }
  for (i = 0; i < n; i++) f->upvalues[i].name = NULL;
  for (i = 0; i < n; i++) {
    Upvaldesc *u = &f->upvalues[i];
    u->instack = (lu_byte)(fast_read_unsigned(p, FAST_P_INSTACK) & 1);
    u->idx = (lu_byte)fast_read_unsigned(p, FAST_P_INDEX + u->instack);
  }
#endif
  n = fast_read_unsigned(p, FAST_P_CODE);
  k = fast_read_unsigned(p, FAST_P_CONSTANTS);
  i = fast_read_unsigned(p, FAST_P_FUNCTIONS);
  fast_check_count(p, n);
  fast_check_count(p, k);
  fast_check_count(p, i);
  if (n > 0) {
    f->code = (Instruction *)luaM_malloc(L, n * sizeof(Instruction));
    f->sizecode = (int)n;
  }
  if (k > 0) {
    f->k = (TValue *)luaM_malloc(L, k * sizeof(TValue));
    f->sizek = (int)k;
  }
  while (k > 0) setnilvalue(&f->k[--k]);
  if (i > 0) {
    f->p = (Proto **)luaM_malloc(L, i * sizeof(Proto *));
    f->sizep = (int)i;
  }
  while (i > 0) f->p[--i] = NULL;
  p->f = f;
  p->nk = p->np = 0;
  fast_unpack_code(p, n);
  while (p->nk < (uint32_t)f->sizek) fast_unpack_constant(p, FAST_P_OTHER);
  if (f->sizep > 0 && ++p->depth >= FAST_DEPTH) fast_unpack_error(p);
  for (i = 0; i < (uint32_t)f->sizep; i++) {
    f->p[i] = luaF_newproto(L);
    f->p[i]->source = f->source;
    fast_unpack_function(p, f->p[i]);
  }
  if (f->sizep > 0) p->depth--;
}

static void fast_unpack_main (lua_State *L, fast_unpacker *p) {
  Proto *f = fast_push_proto(&p->d);
  if (p->z.last + 1 == 0) fast_unpack_error(p);
  fast_unpack_function(p, f);
  fast_push_closure(L, f, FAST_UPVALUES(f));
  lua_remove(L, -2);  /* the anchor */
}

/* a packed chunk while it is loaded */
typedef struct fast_packed {
  const uint32_t *words, *tables, *pool;
  uint32_t size;
  fast_unpacker *p;		/* in the heap: it is too large for the stack */
} fast_packed;

static void fast_unpack_chunk (lua_State *L, void *ud) {
  fast_packed *c = (fast_packed *)ud;
  fast_unpacker *p = (fast_unpacker *)luaM_malloc(L, sizeof(fast_unpacker));
  uint32_t i;
  c->p = p;
  p->z.words = c->words;
  p->z.last = c->size / 4 - 1;
  p->at = p->line = p->depth = 0;
  p->z.tables = c->tables;
  for (i = 0; i < FAST_P_PARTS; i++) p->parts[i] = c->tables + FAST_WORD(c->tables + i);
  p->pool = c->pool;
  p->d.L = L;
#if LUA_VERSION_NUM == 501
  luaZ_initbuffer(L, &p->d.longer);
#endif
  fast_unpack_main(L, p);
}

/* Pushes the main function of a packed chunk of size bytes, or a message. Returns the
** status. */
static int fast_unpack (lua_State *L, const uint32_t *words, uint32_t size,
                        const uint32_t *shared) {
  uint32_t place = FAST_WORD(shared + FAST_P_PLACE);
  fast_packed c;
  int status;
  c.words = words;
  c.tables = shared + FAST_P_TABLES;
  c.pool = (place != 0) ? c.tables + place : NULL;
  c.size = size;
  c.p = NULL;
  status = fast_pcall(L, fast_unpack_chunk, &c);
  if (c.p != NULL) {
#if LUA_VERSION_NUM == 501
    luaZ_freebuffer(L, &c.p->d.longer);
#endif
    luaM_freemem(L, c.p, sizeof(fast_unpacker));
  }
  return status;
}

/* Whether what packed chunks share has its checksum. It is computed once: 'checked'
** has a bit for it after those of the chunks. */
static int fast_is_shared_valid (const fast_bundle *b) {
  const uint32_t *words = FAST_AT(b->base, b->shared);
  uint32_t size = FAST_WORD(words + FAST_P_SIZE), hash = FAST_WORD(words + FAST_P_HASH);
  uint32_t bit = 1u << (b->count & 31);
  if (b->checked[b->count >> 5] & bit) return 1;
  if (FAST_WORD(words + FAST_P_CHECKSUM) != FAST_SHARED_CHECKSUM(size, hash)) return 0;
  if (fast_hash(words + FAST_P_PLACE, size) != hash) return 0;
  b->checked[b->count >> 5] |= bit;
  return 1;
}

/* Pushes the main function of a packed chunk, or a message. Returns the status. */
static int fast_load_packed (lua_State *L, const fast_bundle *b,
                             const fast_chunk *c, const char *name) {
  if (!fast_is_shared_valid(b)) {
    lua_pushfstring(L, "chunk '%s' is damaged in flash", name);
    return LUA_ERRRUN;
  }
  return fast_unpack(L, FAST_AT(b->base, c->words), c->size, FAST_AT(b->base, b->shared));
}

#endif
