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
#define FAST_P_AFTER	6	/* the first part */

/* Bx of a jump to the next instruction */
#define FAST_P_NO_JUMP	131071

/* the bits that come next, from the top on */
typedef struct fast_ahead {
  uint32_t bits, have;
} fast_ahead;

/* a packed chunk as it is read */
typedef struct fast_pack {
  fast_ahead a;
  uint32_t at, end;		/* half words that are read, and that there are */
  const uint32_t *words;
  uint32_t line;		/* the last function's first */
  Proto *f;			/* whose code is read */
  uint32_t spelled, next;	/* constants and functions of it so far */
  uint32_t depth;		/* levels of functions */
  const uint32_t *tables, *after, *tokens, *fixed, *firsts, *operands;
  const uint32_t *names, *pool;
  fast_dump d;			/* for strings out of lists */
} fast_pack;

/* heap that unpacking takes besides what it makes */
#define FAST_PACKED_HEAP	FAST_BLOCK(sizeof(fast_pack))

/* what is done for each symbol: as a call it would take half as much again */
#define FAST_INLINE	static inline __attribute__((always_inline))

static void fast_broken (fast_pack *p) {
  lua_pushliteral(p->d.L, "packed chunk is damaged");
  lua_error(p->d.L);
}

/* Whether so much was read that never was there; up to a word is ahead. */
#define fast_over(p)	((p)->at > (p)->end + 2)

/* before n things that take a bit each */
static void fast_within (fast_pack *p, uint32_t n) {
  if (fast_over(p) || n / 16 > p->end) fast_broken(p);
}

/* 16 bits at least, zeros behind the end */
FAST_INLINE void fast_fill (fast_pack *p, fast_ahead *a) {
  if (a->have < 16) {
    uint32_t at = p->at++, half = 0;
    if (at < p->end) half = fast_peek(p->words + at / 2) << at % 2 * 16 >> 16;
    a->bits |= half << (16 - a->have);
    a->have += 16;
  }
}

/* n bits, from 1 to 16 */
static uint32_t fast_raw (fast_pack *p, uint32_t n) {
  uint32_t x;
  fast_fill(p, &p->a);
  x = p->a.bits >> (32 - n);
  p->a.bits <<= n;
  p->a.have -= n;
  return x;
}

/* 32, the high half first */
static uint32_t fast_word (fast_pack *p) {
  uint32_t high = fast_raw(p, 16) << 16;
  return high | fast_raw(p, 16);
}

/* A table has a word for each length of codes, from its shortest on: the
** highest code, ones after it, and what makes a code a symbol's place. */
FAST_INLINE uint32_t fast_symbol (fast_pack *p, fast_ahead *a, uint32_t table) {
  const uint32_t *w = p->tables + (table >> 4);
  uint32_t top, left = table & 15, word;
  fast_fill(p, a);
  top = a->bits >> 16;
  while (top > (word = fast_peek(w)) >> 16) w++, left--;
  a->bits <<= 16 - left;
  a->have -= 16 - left;
  word = (word + (top >> left)) & 0xffff;
  return fast_peek(p->tables + word / 4) >> word % 4 * 8 & 255;
}

/* what follows the symbol of a number that is not below 16: behind the escape
** another, then the bits of the number under its highest two */
static uint32_t fast_rest (fast_pack *p, uint32_t x) {
  uint32_t rest, n;
  if (x == FAST_P_ESCAPE) x = fast_raw(p, 8);
  if (x < 16) return x;
  rest = x / 2 - 5;
  for (x = 2 | x % 2; rest > 0; rest -= n) {
    n = (rest < 16) ? rest : 16;
    x = x << n | fast_raw(p, n);
  }
  return x;
}

/* the same of the state that is kept in a */
static uint32_t fast_rest_of (fast_pack *p, fast_ahead *a, uint32_t x) {
  p->a = *a;
  x = fast_rest(p, x);
  *a = p->a;
  return x;
}

static uint32_t fast_any (fast_pack *p, uint32_t table) {
  uint32_t symbol = fast_symbol(p, &p->a, table);
  return (symbol == FAST_P_ESCAPE) ? fast_raw(p, 8) : symbol;
}

/* its values below 16 are themselves, then there are two for each power of 2 */
static uint32_t fast_amount (fast_pack *p, uint32_t table) {
  uint32_t x = fast_symbol(p, &p->a, table);
  return (x < 16) ? x : fast_rest(p, x);
}

/* what names a table that no instruction names */
#define fast_fixed(place)	fast_peek(p->fixed + (place))

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
  fast_ahead a = p->a;
  uint32_t last = 0;
  for (; n > 0; n--) {
    last = fast_symbol(p, &a, fast_fixed(FAST_P_CHARACTER + last / 16));
    if (last == FAST_P_ESCAPE) {
      p->a = a;
      last = fast_raw(p, 8);
      a = p->a;
    }
    *to++ = (char)last;
  }
  p->a = a;
}

static TString *fast_spelled (fast_pack *p) {
  lua_State *L = p->d.L;
  uint32_t n = fast_amount(p, fast_fixed(FAST_P_LENGTH));
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
  for (i = 0; i < n / 4; i++) words[i] = fast_word(p);
  memcpy(to, words, n);
}

/* the next constant of the function, where there is nil already */
static void fast_spell (fast_pack *p, uint32_t kind) {
  TValue *o = &p->f->k[p->spelled];
  TString *ts;
  uint32_t type;
  if (p->spelled >= (uint32_t)p->f->sizek) fast_broken(p);
  type = fast_symbol(p, &p->a, fast_fixed(FAST_P_TYPE + kind));
  if (type == FAST_P_ESCAPE) type = fast_raw(p, 8);
  switch (type) {
    case 2: break;
    case 3: case 4: setbvalue(o, (int)type - 3); break;
    case 5: case 6: {
      int x = (int)fast_amount(p, fast_fixed(FAST_P_INTEGER));
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
        uint32_t i = fast_any(p, fast_fixed(FAST_P_NAMED + kind)) * 8;
        ts = fast_from_list(p, p->names, i + fast_raw(p, 3));
      }
      else if (type == 1)
        ts = fast_from_list(p, p->pool, fast_amount(p, fast_fixed(FAST_P_POOL)));
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
    uint32_t back = fast_symbol(p, &p->a, fast_fixed(FAST_P_REFERENCE + kind));
    if (back >= 16) back = fast_rest(p, back);
    if (back > 1) return p->spelled + 1 - back;
    fast_spell(p, back == 0 ? kind : FAST_P_OTHER);
    if (back == 0) return p->spelled - 1;
  }
}

/* The bits ahead stay in registers, but where a constant is read. */
static void fast_unpack_code (fast_pack *p, uint32_t n) {
  fast_ahead ahead = p->a;
  Instruction *code = p->f->code;
  uint32_t none = (uint32_t)(p->tokens - p->after) - 1;  /* no opcode before */
  uint32_t a = 0, last = none;
  for (; n > 0; n--) {
    uint32_t after = fast_peek(p->after + last);
    uint32_t how, place, token = fast_symbol(p, &ahead, after & 0xffff);
    if (token == FAST_P_ESCAPE) {
      p->a = ahead;
      token = fast_raw(p, 8);
      if (token == FAST_P_ESCAPE) *code++ = fast_word(p);
      ahead = p->a;
      if (token == FAST_P_ESCAPE) {
        last = none;
        continue;
      }
    }
    if (token >= (uint32_t)(p->fixed - p->tokens)) fast_broken(p);
    how = fast_peek(p->tokens + token);
    last = how & 63;
    token = last;
    if (how & 0xc00) {
      uint32_t table = (how >> 6 & 15) + (after >> 16);
      uint32_t x = fast_symbol(p, &ahead, fast_peek(p->firsts + table));
      if (x >= 16) x = fast_rest_of(p, &ahead, x);
      if (how & 0x800) x = a = (a + fast_signed(x)) & 255;
      token |= x << 6;
    }
    /* B, then C, or Bx from the fourth way on */
    place = 23;
    for (how >>= 12; how != 0; how >>= 9) {
      uint32_t way = how & 7, x = how >> 3 & 63;
      if (way == 3 || way == 4) {
        p->a = ahead;
        x = fast_constant(p, x);
        ahead = p->a;
        if (way == 3) x = (x & 255) | 256;
      }
      else if (way != 0) {
        x = fast_symbol(p, &ahead, fast_peek(p->operands + x));
        if (x >= 16) x = fast_rest_of(p, &ahead, x);
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
  p->a = ahead;
}

/* fills in f, which has its parent's source */
static void fast_unpack_function (fast_pack *p, Proto *f) {
  lua_State *L = p->d.L;
  uint32_t i, n, k;
  f->numparams = (lu_byte)fast_amount(p, fast_fixed(FAST_P_PARAMS));
  f->is_vararg = (lu_byte)fast_amount(p, fast_fixed(FAST_P_VARARG));
  f->maxstacksize = (lu_byte)fast_amount(p, fast_fixed(FAST_P_STACK));
  n = fast_amount(p, fast_fixed(FAST_P_UPVALUES));
  i = fast_amount(p, fast_fixed(FAST_P_LINE));
  p->line += fast_signed(i);
  f->linedefined = (int)p->line;
  i = fast_amount(p, fast_fixed(FAST_P_LINES));
  f->lastlinedefined = (int)(p->line + fast_signed(i));
#if LUA_VERSION_NUM == 501
  f->nups = (lu_byte)n;
#else
  fast_within(p, n);
  fast_vector(L, f, upvalues, sizeupvalues, n, Upvaldesc)
  for (i = 0; i < n; i++) {
    Upvaldesc *u = &f->upvalues[i];
    u->name = NULL;
    u->instack = (lu_byte)(fast_amount(p, fast_fixed(FAST_P_INSTACK)) & 1);
    u->idx = (lu_byte)fast_amount(p, fast_fixed(FAST_P_INDEX + u->instack));
  }
#endif
  n = fast_amount(p, fast_fixed(FAST_P_CODE));
  k = fast_amount(p, fast_fixed(FAST_P_CONSTANTS));
  i = fast_amount(p, fast_fixed(FAST_P_FUNCTIONS));
  fast_within(p, n);
  fast_within(p, k);
  fast_within(p, i);
  fast_vector(L, f, code, sizecode, n, Instruction)
  fast_vector(L, f, k, sizek, k, TValue)
  while (k > 0) setnilvalue(&f->k[--k]);
  fast_vector(L, f, p, sizep, i, Proto *)
  while (i > 0) f->p[--i] = NULL;
  p->f = f;
  p->spelled = p->next = 0;
  fast_unpack_code(p, n);
  while (p->spelled < (uint32_t)f->sizek) fast_spell(p, FAST_P_OTHER);
  fast_within(p, 0);
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
  uint32_t place = FAST_WORD(shared + FAST_P_PLACE);
  fast_pack *p = (fast_pack *)luaM_malloc(L, sizeof(fast_pack));
  int status;
  p->words = words;
  p->a.bits = p->a.have = p->at = p->line = p->depth = 0;
  p->end = size / 2;
  p->tables = tables;
  p->after = tables + FAST_P_AFTER;
  p->tokens = tables + FAST_WORD(tables + FAST_P_TOKENS);
  p->fixed = tables + FAST_WORD(tables + FAST_P_FIXED);
  p->firsts = tables + FAST_WORD(tables + FAST_P_FIRSTS);
  p->operands = tables + FAST_WORD(tables + FAST_P_OPERANDS);
  p->names = tables + FAST_WORD(tables + FAST_P_NAMES);
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
