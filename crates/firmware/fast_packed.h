/*
** fast_packed.h - makes the functions of a packed chunk straight from flash
** The chunk is one that fastlua has read back and whose checksum was right. As
** in fast_undump.h all that is made can be reached at each allocation, with
** true sizes and nothing unset but code, which the collector does not look at.
** Yet no count and no place in an array is taken unchecked: a chunk that is
** wrong ends in an error.
** What the packed chunks of a bundle have in common is in flash once: tables,
** which hold the names that every firmware has, and the pool of strings. Without
** it no chunk can be read, so its checksum is computed at the first load.
*/

#ifndef fast_packed_h
#define fast_packed_h

#include "fast_load.h"

/* the symbol that stands for one that a table has not */
#define FAST_P_ESCAPE	255

/* places of tables that no instruction names; the last four by kind of constant
** or by the top of the character before */
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

/* kind of a constant that is not spelled where it is used */
#define FAST_P_OTHER	4

/* words of what chunks have in common: bytes from the fourth word on, their
** XXH32, and a sum of both; then the place of the pool, counted in words from
** the tables, or 0, and the tables */
#define FAST_P_SIZE	0
#define FAST_P_HASH	1
#define FAST_P_CHECK	2
#define FAST_P_PLACE	3
#define FAST_P_TABLES	4

/* another value of any one of both gives another sum */
#define FAST_SHARED_CHECK(size,hash)	(0x66617374u + (size) * 3u + (hash) * 5u)

/* words at the tables' beginning: where their parts begin */
#define FAST_P_TOKENS	0
#define FAST_P_FIXED	1
#define FAST_P_FIRSTS	2
#define FAST_P_OPERANDS	3
#define FAST_P_NAMES	4
#define FAST_P_PARTS	5
#define FAST_P_AFTER	6	/* the first part */

/* Bx of a jump to the next instruction */
#define FAST_P_NO_JUMP	131071

/* a chunk's words, and what it is read by */
typedef struct fast_basis {
  const uint32_t *words, *tables;
  uint32_t last;		/* the chunk's last word */
} fast_basis;

/* a packed chunk as it is read */
typedef struct fast_pack {
  fast_basis z;
  uint32_t at;			/* the place in bits */
  uint32_t line;		/* the last function's first */
  Proto *f;			/* whose code is read */
  uint32_t spelled, next;	/* constants and functions of it so far */
  uint32_t depth;		/* levels of functions */
  const uint32_t *pool;
  const uint32_t *parts[FAST_P_PARTS];	/* of the tables */
  fast_dump d;			/* for strings out of lists */
} fast_pack;

/* heap that unpacking takes besides what it makes */
#define FAST_PACKED_HEAP	FAST_BLOCK(sizeof(fast_pack))

/* what is done for each symbol: as a call it would take half as much again */
#define FAST_INLINE	static inline __attribute__((always_inline))

static __attribute__((noreturn, noinline)) void fast_broken (fast_pack *p) {
  lua_pushliteral(p->d.L, "packed chunk is damaged");
  lua_error(p->d.L);
  __builtin_unreachable();
}

/* A new array for a field of f that has none yet; of so many as were found to
** be within the chunk, so they can be multiplied. */
#define fast_array(L,f,array,size,n,t) \
	if ((n) > 0) { \
	  (f)->array = (t *)luaM_malloc(L, (n) * sizeof(t)); \
	  (f)->size = (int)(n); \
	}

/* before n things that take a bit each */
static __attribute__((noinline)) void fast_within (fast_pack *p, uint32_t n) {
  if (n / 32 > p->z.last) fast_broken(p);
}

/* the 32 bits that begin in the first of two words, behind at % 32 others */
FAST_INLINE uint32_t fast_joined (uint32_t first, uint32_t second, uint32_t at) {
#if defined(__XTENSA__)
  uint32_t joined;
  __asm__ ("ssl %3\n\tsrc %0, %1, %2" : "=r" (joined) : "r" (first), "r" (second), "r" (at));
  return joined;
#else
  return first << (at & 31) | second >> 1 >> (~at & 31);
#endif
}

/* the same where there is no second word; behind the last one there is nothing */
static __attribute__((noinline)) uint32_t fast_ending (fast_pack *p, uint32_t at) {
  if (at / 32 > p->z.last) fast_broken(p);
  return fast_peek(p->z.words + p->z.last) << at % 32;
}

/* the 32 bits at a place, with zeros behind the last word */
FAST_INLINE uint32_t fast_upcoming (fast_pack *p, const fast_basis *z, uint32_t at) {
  const uint32_t *w = z->words + at / 32;
  if (at / 32 >= z->last) return fast_ending(p, at);
  return fast_joined(fast_peek(w), fast_peek(w + 1), at);
}

/* the next n bits, from 1 to 32 */
static __attribute__((noinline)) uint32_t fast_raw (fast_pack *p, uint32_t n) {
  uint32_t x = fast_upcoming(p, &p->z, p->at) >> (32 - n);
  p->at += n;
  return x;
}

/* A table has a word for each length of codes, from its shortest on: the
** highest code, ones after it, and what makes a code a symbol's place. */
FAST_INLINE uint32_t fast_symbol_of (fast_pack *p, const fast_basis *z, uint32_t *at,
                                     uint32_t table) {
  const uint32_t *w = z->tables + (table >> 4);
  uint32_t top = fast_upcoming(p, z, *at) >> 16 << 16, left = table % 16 + 16, word;
  while (top > (word = fast_peek(w))) w++, left--;
  *at += 32 - left;
  word = (word + (top >> left)) & 0xffff;
  return fast_peek(z->tables + word / 4) >> word % 4 * 8 & 255;
}
#define fast_symbol(p,at,table)	fast_symbol_of(p, &(p)->z, at, table)

/* what follows the symbol of a number that is not below 16: behind the escape
** another, then the bits of the number under its highest two */
static uint32_t fast_rest (fast_pack *p, uint32_t x) {
  uint32_t rest;
  if (x == FAST_P_ESCAPE) x = fast_raw(p, 8);
  if (x < 16) return x;
  rest = x / 2 - 5;
  if (rest > 30) fast_broken(p);
  return (2 | x % 2) << rest | fast_raw(p, rest);
}

/* the same of the place that is kept in at */
static uint32_t fast_rest_of (fast_pack *p, uint32_t *at, uint32_t x) {
  p->at = *at;
  x = fast_rest(p, x);
  *at = p->at;
  return x;
}

/* what names a table that no instruction names */
#define fast_fixed(place)	fast_peek(p->parts[FAST_P_FIXED] + (place))

/* its values below 16 are themselves, then there are two for each power of 2 */
static __attribute__((noinline)) uint32_t fast_amount (fast_pack *p, uint32_t place) {
  uint32_t x = fast_symbol(p, &p->at, fast_fixed(place));
  return (x < 16) ? x : fast_rest(p, x);
}

/* a number with its sign in the lowest bit */
#define fast_signed(x)	((x) >> 1 ^ (0u - ((x) & 1)))

/* How many strings, the places of each fourth, each string behind its length. */
static TString *fast_from_list (fast_pack *p, const uint32_t *list, uint32_t i) {
  fast_source *s = &p->d.flash;
  uint32_t n;
  if (list == NULL || i >= fast_peek(list)) fast_broken(p);
  s->words = list;
  s->at = fast_peek(list + 1 + i / 8) >> i / 4 % 2 * 16 & 0xffff;
  for (i %= 4; n = fast_byte(s), i > 0; i--) s->at += n;
  return fast_read_string(&p->d, n);
}

/* n characters, each coded by the top of the one before */
static __attribute__((noinline)) void fast_text (fast_pack *p, char *to, uint32_t n) {
  const uint32_t *after = p->parts[FAST_P_FIXED] + FAST_P_CHARACTER;
  const fast_basis z = p->z;  /* which characters that are written can't be of */
  uint32_t at = p->at, last = 0;
  for (; n > 0; n--) {
    last = fast_symbol_of(p, &z, &at, fast_peek(after + last / 16));
    if (last == FAST_P_ESCAPE) {
      p->at = at;
      last = fast_raw(p, 8);
      at = p->at;
    }
    *to++ = (char)last;
  }
  p->at = at;
}

static TString *fast_spelled (fast_pack *p) {
  lua_State *L = p->d.L;
  uint32_t n = fast_amount(p, FAST_P_LENGTH);
  char *to = (char *)p->d.flash.buffer;
  fast_within(p, n);
#if LUA_VERSION_NUM == 503
  if (n > LUAI_MAXSHORTLEN) {
    TString *ts = luaS_createlngstrobj(L, n);
    fast_text(p, getstr(ts), n);
    return ts;
  }
#else
  if (n > sizeof(p->d.flash.buffer)) to = luaZ_openspace(L, &p->d.longer, n);
#endif
  fast_text(p, to, n);
  return luaS_newlstr(L, to, n);
}

/* a number's bytes, four at a time */
static void fast_plain (fast_pack *p, void *to, uint32_t n) {
  uint32_t i, words[2];
  for (i = 0; i < n / 4; i++) words[i] = fast_raw(p, 32);
  memcpy(to, words, n);
}

/* the next constant of the function, where there is nil already */
static void fast_spell (fast_pack *p, uint32_t kind) {
  TValue *o = &p->f->k[p->spelled];
  TString *ts;
  uint32_t type;
  if (p->spelled >= (uint32_t)p->f->sizek) fast_broken(p);
  type = fast_symbol(p, &p->at, fast_fixed(FAST_P_TYPE + kind));
  if (type == FAST_P_ESCAPE) type = fast_raw(p, 8);
  switch (type) {
    case 2: break;
    case 3: case 4: setbvalue(o, (int)type - 3); break;
    case 5: case 6: {
      int x = (int)fast_amount(p, FAST_P_INTEGER);
      if (type == 6) x = -1 - x;
#if LUA_VERSION_NUM == 503
      setivalue(o, x);
#else
      setnvalue(o, (lua_Number)x);
#endif
      break;
    }
#if LUA_VERSION_NUM == 503
    case 7: {
      lua_Integer x;
      fast_plain(p, &x, sizeof(x));
      setivalue(o, x);
      break;
    }
#endif
    case 9: {
      lua_Number x;
      fast_plain(p, &x, sizeof(x));
#if LUA_VERSION_NUM == 503
      setfltvalue(o, x);
#else
      setnvalue(o, x);
#endif
      break;
    }
    default:
      if (type == 0) {
        uint32_t i = fast_symbol(p, &p->at, fast_fixed(FAST_P_NAMED + kind));
        if (i == FAST_P_ESCAPE) i = fast_raw(p, 8);
        ts = fast_from_list(p, p->parts[FAST_P_NAMES], i * 8 + fast_raw(p, 3));
      }
      else if (type == 1)
        ts = fast_from_list(p, p->pool, fast_amount(p, FAST_P_POOL));
      else ts = fast_spelled(p);
      setsvalue2n(p->d.L, o, ts);
  }
  p->spelled++;
}

/* Of a constant the number: 0 is the next one, spelled here; 1 stands before
** another that is spelled here without being used; then the last one, and so
** on back. */
static uint32_t fast_constant (fast_pack *p, uint32_t kind) {
  for (;;) {
    uint32_t back = fast_symbol(p, &p->at, fast_fixed(FAST_P_REFERENCE + kind));
    if (back >= 16) back = fast_rest(p, back);
    if (back > 1) return p->spelled + 1 - back;
    fast_spell(p, back == 0 ? kind : FAST_P_OTHER);
    if (back == 0) return p->spelled - 1;
  }
}

/* The place stays in a register, but where a constant is read. */
static __attribute__((noinline)) void fast_unpack_code (fast_pack *p, uint32_t n) {
  uint32_t at = p->at;
  Instruction *code = p->f->code;
  /* no opcode before */
  uint32_t none = (uint32_t)(p->parts[FAST_P_TOKENS] - p->z.tables) - FAST_P_AFTER - 1;
  uint32_t a = 0, last = none;
  for (; n > 0; n--) {
    uint32_t after = fast_peek(p->z.tables + FAST_P_AFTER + last);
    uint32_t how, place, token = fast_symbol(p, &at, after & 0xffff);
    if (token == FAST_P_ESCAPE) {
      p->at = at;
      token = fast_raw(p, 8);
      if (token == FAST_P_ESCAPE) *code++ = fast_raw(p, 32);
      at = p->at;
      if (token == FAST_P_ESCAPE) {
        last = none;
        continue;
      }
    }
    if (token >= (uint32_t)(p->parts[FAST_P_FIXED] - p->parts[FAST_P_TOKENS])) fast_broken(p);
    how = fast_peek(p->parts[FAST_P_TOKENS] + token);
    last = how & 63;
    token = last;
    if (how & 0xc00) {
      uint32_t table = (how >> 6 & 15) + (after >> 16);
      uint32_t x = fast_symbol(p, &at, fast_peek(p->parts[FAST_P_FIRSTS] + table));
      if (x >= 16) x = fast_rest_of(p, &at, x);
      if (how & 0x800) x = a = (a + fast_signed(x)) & 255;
      token |= x << 6;
    }
    /* B, then C, or Bx from the fourth way on */
    place = 23;
    for (how >>= 12; how != 0; how >>= 9) {
      uint32_t way = how & 7, x = how >> 3 & 63;
      if (way == 3 || way == 4) {
        p->at = at;
        x = fast_constant(p, x);
        at = p->at;
        if (way == 3) x = (x & 255) | 256;
      }
      else if (way != 0) {
        x = fast_symbol(p, &at, fast_peek(p->parts[FAST_P_OPERANDS] + x));
        if (x >= 16) x = fast_rest_of(p, &at, x);
        if (way > 1) x = fast_signed(x);
        if (way == 2) x += token >> 6 & 255;
        else if (way == 6) x += FAST_P_NO_JUMP;
        else if (way == 5) {
          x += p->next;
          p->next = x + 1;
        }
      }
      token |= x << (way > 3 ? 14 : place);
      place = 14;
    }
    *code++ = token;
  }
  p->at = at;
}

/* Fills in f, which has its parent's source. Any read of the chunk may end in an
** error, so arrays are filled before. */
static void fast_unpack_function (fast_pack *p, Proto *f) {
  lua_State *L = p->d.L;
  uint32_t i, n, k;
  f->numparams = (lu_byte)fast_amount(p, FAST_P_PARAMS);
  f->is_vararg = (lu_byte)fast_amount(p, FAST_P_VARARG);
  f->maxstacksize = (lu_byte)fast_amount(p, FAST_P_STACK);
  n = fast_amount(p, FAST_P_UPVALUES);
  i = fast_amount(p, FAST_P_LINE);
  p->line += fast_signed(i);
  f->linedefined = (int)p->line;
  i = fast_amount(p, FAST_P_LINES);
  f->lastlinedefined = (int)(p->line + fast_signed(i));
#if LUA_VERSION_NUM == 501
  f->nups = (lu_byte)n;
#else
  if (n > 255) fast_broken(p);
  fast_array(L, f, upvalues, sizeupvalues, n, Upvaldesc)
  for (i = 0; i < n; i++) f->upvalues[i].name = NULL;
  for (i = 0; i < n; i++) {
    Upvaldesc *u = &f->upvalues[i];
    u->instack = (lu_byte)(fast_amount(p, FAST_P_INSTACK) & 1);
    u->idx = (lu_byte)fast_amount(p, FAST_P_INDEX + u->instack);
  }
#endif
  n = fast_amount(p, FAST_P_CODE);
  k = fast_amount(p, FAST_P_CONSTANTS);
  i = fast_amount(p, FAST_P_FUNCTIONS);
  fast_within(p, n);
  fast_within(p, k);
  fast_within(p, i);
  fast_array(L, f, code, sizecode, n, Instruction)
  fast_array(L, f, k, sizek, k, TValue)
  while (k > 0) setnilvalue(&f->k[--k]);
  fast_array(L, f, p, sizep, i, Proto *)
  while (i > 0) f->p[--i] = NULL;
  p->f = f;
  p->spelled = p->next = 0;
  fast_unpack_code(p, n);
  while (p->spelled < (uint32_t)f->sizek) fast_spell(p, FAST_P_OTHER);
  if (f->sizep > 0 && ++p->depth >= FAST_DEPTH) fast_broken(p);
  for (i = 0; i < (uint32_t)f->sizep; i++) {
    f->p[i] = luaF_newproto(L);
    f->p[i]->source = f->source;
    fast_unpack_function(p, f->p[i]);
  }
  if (f->sizep > 0) p->depth--;
}

static void fast_unpack_main (lua_State *L, void *ud) {
  fast_pack *p = (fast_pack *)ud;
  Proto *f = fast_anchored(&p->d);
  if (p->z.last + 1 == 0) fast_broken(p);
  fast_unpack_function(p, f);
  fast_close_over(L, f);
  lua_remove(L, -2);  /* the anchor */
}

/* Pushes the main function of a packed chunk of so many bytes, whose bundle has
** this in common; else a message, and returns the error. The state is in the
** heap as long as it takes. */
static int fast_unpack (lua_State *L, const uint32_t *words, uint32_t size,
                        const uint32_t *shared) {
  const uint32_t *tables = shared + FAST_P_TABLES;
  uint32_t i, place = FAST_WORD(shared + FAST_P_PLACE);
  fast_pack *p = (fast_pack *)luaM_malloc(L, sizeof(fast_pack));
  int status;
  p->z.words = words;
  p->z.last = size / 4 - 1;
  p->at = p->line = p->depth = 0;
  p->z.tables = tables;
  for (i = 0; i < FAST_P_PARTS; i++) p->parts[i] = tables + FAST_WORD(tables + i);
  p->pool = (place != 0) ? tables + place : NULL;
  status = fast_protected(L, &p->d, fast_unpack_main, p);
  luaM_freemem(L, p, sizeof(fast_pack));
  return status;
}

/* Whether what packed chunks have in common is as it was built; it is looked at
** once, for which there is a bit behind those of the chunks. */
static int fast_shared_sound (const fast_bundle *b) {
  const uint32_t *words = FAST_AT(b->base, b->shared);
  uint32_t size = FAST_WORD(words + FAST_P_SIZE), hash = FAST_WORD(words + FAST_P_HASH);
  uint32_t bit = 1u << (b->count & 31);
  if (b->checked[b->count >> 5] & bit) return 1;
  if (FAST_WORD(words + FAST_P_CHECK) != FAST_SHARED_CHECK(size, hash)) return 0;
  if (fast_hash(words + FAST_P_PLACE, size) != hash) return 0;
  b->checked[b->count >> 5] |= bit;
  return 1;
}

/* Pushes the main function of a packed chunk; else a message, and returns the
** error. */
static int fast_load_packed (lua_State *L, const fast_bundle *b,
                             const fast_chunk *c, const char *name) {
  if (!fast_shared_sound(b)) {
    lua_pushfstring(L, "chunk '%s' is damaged in flash", name);
    return LUA_ERRRUN;
  }
  return fast_unpack(L, FAST_AT(b->base, c->words), c->size, FAST_AT(b->base, b->shared));
}

#endif
