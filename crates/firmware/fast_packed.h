/*
** fast_packed.h - makes the functions of a packed chunk straight from flash
** The chunk is one that fastlua has read back and whose checksum was right. As
** in fast_undump.h all that is made can be reached at each allocation, with
** true sizes and nothing unset but code, which the collector does not look at.
** Yet no count and no place in an array is taken unchecked: a chunk that is
** wrong ends in an error.
** The tables, of LUA_VERSION_NUM, and where their parts begin stand before this
** file: FAST_TABLES and FAST_TOKENS to FAST_NAMES.
*/

#ifndef fast_packed_h
#define fast_packed_h

#include "fast_undump.h"

/* the symbol that stands for one that a table has not */
#define FAST_ESCAPE	255

/* places of tables that no instruction names; the last four by kind of constant
** or by the top of the character before */
#define FAST_PARAMS	0
#define FAST_VARARG	1
#define FAST_STACK	2
#define FAST_UPVALUES	3
#define FAST_LINE	4
#define FAST_LINES	5
#define FAST_CODE	6
#define FAST_CONSTANTS	7
#define FAST_FUNCTIONS	8
#define FAST_INSTACK	9
#define FAST_INDEX	10
#define FAST_INTEGER	12
#define FAST_POOL	13
#define FAST_LENGTH	14
#define FAST_REFERENCE	15
#define FAST_TYPE	20
#define FAST_NAMED	25
#define FAST_CHARACTER	30

/* kind of a constant that is not spelled where it is used */
#define FAST_OTHER	4

/* what stands for no opcode before an instruction */
#define FAST_NO_OPCODE	(FAST_TOKENS - FAST_AFTER - 1)

/* Bx of a jump to the next instruction */
#define FAST_NO_JUMP	131071

/* a packed chunk as it is read */
typedef struct fast_pack {
  fast_dump d;			/* for strings out of lists */
  const uint32_t *words, *pool;
  uint32_t at, end;		/* bits */
  uint32_t line;		/* the last function's first */
  Proto *f;			/* whose code is read */
  uint32_t spelled, next;	/* constants and functions of it so far */
} fast_pack;

static void fast_broken (fast_pack *p) {
  lua_pushliteral(p->d.L, "packed chunk is damaged");
  lua_error(p->d.L);
}

/* before n things that take a bit each */
static void fast_within (fast_pack *p, uint32_t n) {
  if (p->at > p->end || n > p->end - p->at) fast_broken(p);
}

/* the next 32 bits; a word that has none ends the chunk */
static uint32_t fast_ahead (fast_pack *p) {
  const uint32_t *w = p->words + p->at / 32;
  uint32_t shift = p->at % 32;
  if (p->at >= p->end) fast_broken(p);
  return FAST_WORD(w) << shift | FAST_WORD(w + 1) >> 1 >> (31 - shift);
}

/* of these one at least */
static uint32_t fast_bits (fast_pack *p, uint32_t n) {
  uint32_t x = fast_ahead(p) >> (32 - n);
  p->at += n;
  return x;
}

/* half a word of a part of the tables */
static uint32_t fast_half (const uint32_t *part, uint32_t i) {
  return FAST_WORD(part + i / 2) >> i % 2 * 16 & 0xffff;
}

#define fast_fixed(place)	fast_half(FAST_TABLES + FAST_FIXED, place)

/* A table has a word for each length of codes, from its shortest on: the
** highest code, ones after it, and what makes a code a symbol's place. */
static uint32_t fast_symbol (fast_pack *p, uint32_t table) {
  const uint32_t *w = FAST_TABLES + (table >> 4);
  uint32_t ahead = fast_ahead(p) >> 16, left = 15 - (table & 15), word;
  while (ahead > (word = FAST_WORD(w)) >> 16) w++, left--;
  p->at += 16 - left;
  word = (word + (ahead >> left)) & 0xffff;
  return FAST_WORD(FAST_TABLES + word / 4) >> word % 4 * 8 & 255;
}

static uint32_t fast_any (fast_pack *p, uint32_t table) {
  uint32_t symbol = fast_symbol(p, table);
  return (symbol == FAST_ESCAPE) ? fast_bits(p, 8) : symbol;
}

/* its values below 16 are themselves, then there are two for each power of 2 */
static uint32_t fast_count (fast_pack *p, uint32_t table) {
  uint32_t symbol = fast_any(p, table), rest;
  if (symbol < 16) return symbol;
  rest = symbol / 2 - 5;
  if (rest > 30) fast_broken(p);
  return ((2 | symbol % 2) << rest) + fast_bits(p, rest);
}

/* with its sign in the lowest bit */
static uint32_t fast_distance (fast_pack *p, uint32_t table) {
  uint32_t x = fast_count(p, table);
  return x >> 1 ^ (0u - (x & 1));
}

/* The places of each eighth string, then each string behind its length. */
static TString *fast_from_list (fast_pack *p, const uint32_t *list, uint32_t i) {
  fast_source *s = &p->d.flash;
  uint32_t n;
  if (list == NULL) fast_broken(p);
  s->words = list;
  s->at = fast_half(list, i / 8);
  for (i %= 8; n = fast_byte(s), i > 0; i--) s->at += n;
  return fast_read_string(&p->d, n);
}

static TString *fast_spelled (fast_pack *p) {
  lua_State *L = p->d.L;
  uint32_t i, n = fast_count(p, fast_fixed(FAST_LENGTH)), last = 0;
  char *to = (char *)p->d.flash.buffer;
#if LUA_VERSION_NUM == 503
  TString *ts = NULL;
  fast_within(p, n);
  if (n > LUAI_MAXSHORTLEN) to = getstr(ts = luaS_createlngstrobj(L, n));
#else
  fast_within(p, n);
  if (n > sizeof(p->d.flash.buffer)) to = luaZ_openspace(L, &p->d.longer, n);
#endif
  for (i = 0; i < n; i++)
    to[i] = (char)(last = fast_any(p, fast_fixed(FAST_CHARACTER + last / 16)));
#if LUA_VERSION_NUM == 503
  if (ts != NULL) return ts;
#endif
  return luaS_newlstr(L, to, n);
}

/* a number's bytes, four at a time */
static void fast_plain (fast_pack *p, void *to, uint32_t n) {
  uint32_t i, words[2];
  for (i = 0; i < n / 4; i++) words[i] = fast_bits(p, 32);
  memcpy(to, words, n);
}

/* the next constant of the function, where there is nil already */
static void fast_spell (fast_pack *p, uint32_t kind) {
  TValue *o = &p->f->k[p->spelled];
  TString *ts;
  uint32_t type;
  if (p->spelled >= (uint32_t)p->f->sizek) fast_broken(p);
  type = fast_any(p, fast_fixed(FAST_TYPE + kind));
  switch (type) {
    case 2: break;
    case 3: case 4: setbvalue(o, (int)type - 3); break;
    case 5: case 6: {
      int x = (int)fast_count(p, fast_fixed(FAST_INTEGER));
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
        uint32_t i = fast_any(p, fast_fixed(FAST_NAMED + kind)) * 8;
        ts = fast_from_list(p, FAST_TABLES + FAST_NAMES, i + fast_bits(p, 3));
      }
      else if (type == 1)
        ts = fast_from_list(p, p->pool, fast_count(p, fast_fixed(FAST_POOL)));
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
    uint32_t back = fast_count(p, fast_fixed(FAST_REFERENCE + kind));
    if (back > 1) return p->spelled + 1 - back;
    fast_spell(p, back == 0 ? kind : FAST_OTHER);
    if (back == 0) return p->spelled - 1;
  }
}

/* B or C, or Bx from the fourth way on, where its instruction has it */
static uint32_t fast_operand (fast_pack *p, uint32_t a, uint32_t how) {
  uint32_t way = how & 7, table = how >> 3 & 63;
  if (way == 0) return 0;
  if (way == 3) return (fast_constant(p, table) & 255) | 256;
  if (way == 4) return fast_constant(p, table);
  table = fast_half(FAST_TABLES + FAST_OPERANDS, table);
  if (way == 1) return fast_count(p, table);
  a = fast_distance(p, table) + (way == 2 ? a : way == 5 ? p->next : FAST_NO_JUMP);
  if (way == 5) p->next = a + 1;
  return a;
}

static void fast_unpack_code (fast_pack *p, uint32_t n) {
  Instruction *code = p->f->code;
  uint32_t a = 0, last = FAST_NO_OPCODE;
  for (; n > 0; n--) {
    uint32_t after = FAST_WORD(FAST_TABLES + FAST_AFTER + last), token, word, b, c;
    token = fast_any(p, after & 0xffff);
    if (token == FAST_ESCAPE) {
      *code++ = fast_bits(p, 32);
      last = FAST_NO_OPCODE;
      continue;
    }
    if (token >= FAST_FIXED - FAST_TOKENS) fast_broken(p);
    token = FAST_WORD(FAST_TABLES + FAST_TOKENS + token);
    last = token & 63;
    word = 0;
    if (token >> 10 & 3) {
      uint32_t table = fast_half(FAST_TABLES + FAST_FIRSTS, (token >> 6 & 15) + (after >> 16));
      if (token >> 11 & 1) word = a = (a + fast_distance(p, table)) & 255;
      else word = fast_count(p, table);
    }
    b = fast_operand(p, word, token >> 12);
    c = fast_operand(p, word, token >> 21);
    b <<= (token >> 14 & 1) ? 14 : 23;
    *code++ = last | word << 6 | b | c << 14;
  }
}

/* fills in f, which has its parent's source */
static void fast_unpack_function (fast_pack *p, Proto *f) {
  lua_State *L = p->d.L;
  uint32_t i, n, k;
  f->numparams = (lu_byte)fast_count(p, fast_fixed(FAST_PARAMS));
  f->is_vararg = (lu_byte)fast_count(p, fast_fixed(FAST_VARARG));
  f->maxstacksize = (lu_byte)fast_count(p, fast_fixed(FAST_STACK));
  n = fast_count(p, fast_fixed(FAST_UPVALUES));
  p->line += fast_distance(p, fast_fixed(FAST_LINE));
  f->linedefined = (int)p->line;
  f->lastlinedefined = (int)(p->line + fast_distance(p, fast_fixed(FAST_LINES)));
#if LUA_VERSION_NUM == 501
  f->nups = (lu_byte)n;
#else
  fast_within(p, n);
  fast_vector(L, f, upvalues, sizeupvalues, n, Upvaldesc)
  for (i = 0; i < n; i++) {
    Upvaldesc *u = &f->upvalues[i];
    u->name = NULL;
    u->instack = (lu_byte)(fast_count(p, fast_fixed(FAST_INSTACK)) & 1);
    u->idx = (lu_byte)fast_count(p, fast_fixed(FAST_INDEX + u->instack));
  }
#endif
  n = fast_count(p, fast_fixed(FAST_CODE));
  k = fast_count(p, fast_fixed(FAST_CONSTANTS));
  i = fast_count(p, fast_fixed(FAST_FUNCTIONS));
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
  while (p->spelled < (uint32_t)f->sizek) fast_spell(p, FAST_OTHER);
  for (i = 0; i < (uint32_t)f->sizep; i++) {
    f->p[i] = luaF_newproto(L);
    f->p[i]->source = f->source;
    fast_unpack_function(p, f->p[i]);
  }
}

static void fast_unpack_main (lua_State *L, void *ud) {
  fast_pack *p = (fast_pack *)ud;
  Proto *f = fast_anchored(&p->d);
  fast_unpack_function(p, f);
  fast_close_over(L, f);
  lua_remove(L, -2);  /* the anchor */
}

/* Pushes the main function of a packed chunk of so many bytes, whose bundle has
** that pool; else a message, and returns the error. */
static int fast_unpack (lua_State *L, const uint32_t *words, uint32_t size,
                        const uint32_t *pool) {
  fast_pack p;
  p.words = words;
  p.pool = pool;
  p.at = p.line = 0;
  p.end = size * 8 - 32;
  return fast_protected(L, &p.d, fast_unpack_main, &p);
}

#endif
