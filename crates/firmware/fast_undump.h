/*
** fast_undump.h - loads binary chunks straight from flash
** fastlua has read the dump back, its checksum is right, and the conditions of
** its variant hold for this core: only an allocation can fail.
** At each allocation all objects made so far are reachable from the stack, all
** sizes are true and all elements of arrays are set. So the collector may run at
** any of them; after an error it frees what was made.
*/

#ifndef fast_undump_h
#define fast_undump_h

#include <string.h>

#include "lua.h"
#include "lobject.h"
#include "lstate.h"
#include "ldo.h"
#include "lfunc.h"
#include "lgc.h"
#include "lmem.h"
#include "lstring.h"
#include "ltable.h"
#include "lundump.h"
#include "lzio.h"
#include "fast_collector.h"
#include "fast_flash.h"

/* whether dumps are in NodeMCU's format or in stock Lua's */
#if defined(LUA_USE_ESP) || defined(ESP_PLATFORM) || defined(LUA_USE_HOST)
#define FAST_NODEMCU	1
#else
#define FAST_NODEMCU	0
#endif

#if LUA_VERSION_NUM == 503 && FAST_NODEMCU && !defined(LUAU_TMASK)
/* NodeMCU's lundump.h names the types of a dump; stock Lua's in its place does not */
#define LUAU_TNIL	0x00
#define LUAU_TBOOLEAN	0x10
#define LUAU_TNUMFLT	0x20
#define LUAU_TNUMPINT	0x30
#define LUAU_TNUMNINT	0x40	/* an integer below 0, as -1 - n */
#define LUAU_TMASK	0x70
#define LUAU_DMASK	0x0f	/* the highest bits of a number or a length */
#endif

_Static_assert(sizeof(Instruction) == 4, "code is copied by words");

/* state of reading a dump */
typedef struct fast_dump {
  fast_reader flash;
  lua_State *L;
#if LUA_VERSION_NUM == 501
  Mbuffer longer;		/* for strings that do not fit */
#endif
} fast_dump;

/* n bytes of a number: 4 or 8 */
static void fast_read_value (fast_dump *d, void *to, uint32_t n) {
  uint32_t words[2];
  fast_read_words(&d->flash, words, n / 4);
  memcpy(to, words, n);
}

static lua_Number fast_read_number (fast_dump *d) {
  lua_Number x;
  fast_read_value(d, &x, sizeof(x));
  return x;
}

/* a string of the next n bytes */
static TString *fast_make_string (fast_dump *d, uint32_t n) {
  lua_State *L = d->L;
#if LUA_VERSION_NUM == 501
  if (n > sizeof(d->flash.buffer)) {
    char *to = luaZ_openspace(L, &d->longer, n);
    fast_read_bytes(&d->flash, to, n);
    return luaS_newlstr(L, to, n);
  }
#else
  if (n > LUAI_MAXSHORTLEN) {
    TString *ts = luaS_createlngstrobj(L, n);
    fast_read_bytes(&d->flash, getstr(ts), n);
    return ts;
  }
#endif
  fast_read_to_buffer(&d->flash, n);
  return luaS_newlstr(L, (const char *)d->flash.buffer, n);
}

/* The formats differ in integers and sizes, in strings (NULL where there is none)
** and in constants; the constant is nil before it is read. */

#if LUA_VERSION_NUM == 503 && FAST_NODEMCU

static uint32_t fast_read_int (fast_dump *d) {
  uint32_t x = 0, b;
  do x = x << 7 | ((b = fast_read_byte(&d->flash)) & 0x7f); while (b & 0x80);
  return x;
}

/* the integer that begins in b, beside a type */
static lua_Integer fast_read_typed_int (fast_dump *d, uint32_t b) {
  lua_Unsigned x = b & LUAU_DMASK;
  while (b & 0x80) x = x << 7 | ((b = fast_read_byte(&d->flash)) & 0x7f);
  return l_castU2S(x);
}

static TString *fast_read_string (fast_dump *d) {
  uint32_t n = (uint32_t)fast_read_typed_int(d, fast_read_byte(&d->flash));
  return (n == 0) ? NULL : fast_make_string(d, n - 1);
}

static void fast_read_constant (fast_dump *d, TValue *o) {
  uint32_t b = fast_next_byte(&d->flash);
  switch (b & LUAU_TMASK) {
    case LUAU_TNIL: break;
    case LUAU_TBOOLEAN: setbvalue(o, b & 1); break;
    case LUAU_TNUMFLT: setfltvalue(o, fast_read_number(d)); break;
    case LUAU_TNUMPINT: setivalue(o, fast_read_typed_int(d, b)); break;
    case LUAU_TNUMNINT: setivalue(o, -1 - fast_read_typed_int(d, b)); break;
    default:  /* LUAU_TSSTRING, LUAU_TLSTRING */
      setsvalue2n(d->L, o, fast_make_string(d, (uint32_t)fast_read_typed_int(d, b) - 1));
  }
}

#else

static inline uint32_t fast_next_int (fast_reader *s) {
  const uint32_t *from = s->words + s->at / 4;
  uint32_t shift = s->at % 4 * 8, word = fast_read_word(from);
  s->at += 4;
  return (shift == 0) ? word : fast_join_words(word, fast_read_word(from + 1), shift);
}

static uint32_t fast_read_int (fast_dump *d) {
  return fast_next_int(&d->flash);
}

#if LUA_VERSION_NUM == 501

/* its length counts a final zero */
static TString *fast_read_string (fast_dump *d) {
  uint32_t n = fast_next_int(&d->flash);
  TString *ts;
  if (!FAST_NODEMCU) d->flash.at += sizeof(size_t) - 4;
  if (n == 0) return NULL;
  ts = fast_make_string(d, n - 1);
  d->flash.at++;
  return ts;
}

#else

static TString *fast_read_string (fast_dump *d) {
  uint32_t n = fast_read_byte(&d->flash);
  if (n == 255) {
    n = fast_read_int(d);
    d->flash.at += sizeof(size_t) - 4;
  }
  return (n == 0) ? NULL : fast_make_string(d, n - 1);
}

static lua_Integer fast_read_integer (fast_dump *d) {
  lua_Integer x;
  fast_read_value(d, &x, sizeof(x));
  return x;
}

#endif

static void fast_read_constant (fast_dump *d, TValue *o) {
  switch (fast_next_byte(&d->flash)) {
    case LUA_TNIL: break;
    case LUA_TBOOLEAN: setbvalue(o, (int)fast_read_byte(&d->flash)); break;
#if LUA_VERSION_NUM == 501
    case LUA_TNUMBER: setnvalue(o, fast_read_number(d)); break;
#else
    case LUA_TNUMFLT: setfltvalue(o, fast_read_number(d)); break;
    case LUA_TNUMINT: setivalue(o, fast_read_integer(d)); break;
#endif
    default: setsvalue2n(d->L, o, fast_read_string(d));
  }
}

#endif

static void fast_skip_padding (fast_dump *d) {
  if (LUA_VERSION_NUM == 501 && FAST_NODEMCU) d->flash.at = (d->flash.at + 3) & ~3u;
}

static void fast_read_function (fast_dump *d, Proto *f);

static void fast_read_code (fast_dump *d, Proto *f) {
  uint32_t n = fast_read_int(d);
  fast_skip_padding(d);
  if (n > 0) {
    f->code = luaM_newvector(d->L, n, Instruction);
    f->sizecode = (int)n;
  }
  fast_read_words(&d->flash, (uint32_t *)f->code, n);
}

static void fast_read_constants (fast_dump *d, Proto *f) {
  uint32_t n = fast_read_int(d);
  TValue *k, *end;
  if (n > 0) {
    f->k = luaM_newvector(d->L, n, TValue);
    f->sizek = (int)n;
  }
  end = f->k + n;
  for (k = f->k; k < end; k++) setnilvalue(k);
  for (k = f->k; k < end; k++) fast_read_constant(d, k);
}

static void fast_read_children (fast_dump *d, Proto *f) {
  uint32_t i, n = fast_read_int(d);
  if (n > 0) {
    f->p = luaM_newvector(d->L, n, Proto *);
    f->sizep = (int)n;
  }
  for (i = 0; i < n; i++) f->p[i] = NULL;
  for (i = 0; i < n; i++) {
    f->p[i] = luaF_newproto(d->L);
    f->p[i]->source = f->source;
    fast_read_function(d, f->p[i]);
  }
}

static void fast_read_lines (fast_dump *d, Proto *f) {
  uint32_t n = fast_read_int(d);
  fast_skip_padding(d);
#if !FAST_NODEMCU
  if (n > 0) {
    f->lineinfo = luaM_newvector(d->L, n, int);
    f->sizelineinfo = (int)n;
  }
  fast_read_words(&d->flash, (uint32_t *)f->lineinfo, n);
#elif LUA_VERSION_NUM == 503
  if (n > 0) {
    f->lineinfo = luaM_newvector(d->L, n, lu_byte);
    f->sizelineinfo = (int)n;
  }
  fast_read_bytes(&d->flash, f->lineinfo, n);
#else
  if (n > 0) {
    f->packedlineinfo = luaM_newvector(d->L, n, unsigned char);
    fast_read_bytes(&d->flash, f->packedlineinfo, n);
  }
#endif
}

static void fast_read_locals (fast_dump *d, Proto *f) {
  uint32_t i, n = fast_read_int(d);
  if (n > 0) {
    f->locvars = luaM_newvector(d->L, n, LocVar);
    f->sizelocvars = (int)n;
  }
  for (i = 0; i < n; i++) f->locvars[i].varname = NULL;
  for (i = 0; i < n; i++) {
    f->locvars[i].varname = fast_read_string(d);
    f->locvars[i].startpc = (int)fast_read_int(d);
    f->locvars[i].endpc = (int)fast_read_int(d);
  }
}

static void fast_read_upvalues (fast_dump *d, Proto *f) {
#if LUA_VERSION_NUM == 501
  uint32_t i, n = fast_read_int(d);
  if (n > 0) {
    f->upvalues = luaM_newvector(d->L, n, TString *);
    f->sizeupvalues = (int)n;
  }
  for (i = 0; i < n; i++) f->upvalues[i] = NULL;
  for (i = 0; i < n; i++) f->upvalues[i] = fast_read_string(d);
#else
  uint32_t named = FAST_NODEMCU && fast_read_byte(&d->flash);
  uint32_t i, n = fast_read_int(d);
  if (n > 0) {
    f->upvalues = luaM_newvector(d->L, n, Upvaldesc);
    f->sizeupvalues = (int)n;
  }
  for (i = 0; i < n; i++) f->upvalues[i].name = NULL;
  for (i = 0; i < n; i++) {
    if (named) f->upvalues[i].name = fast_read_string(d);
    f->upvalues[i].instack = (lu_byte)fast_read_byte(&d->flash);
    f->upvalues[i].idx = (lu_byte)fast_read_byte(&d->flash);
  }
#endif
}

/* fills in f, which has its parent's source already */
static void fast_read_function (fast_dump *d, Proto *f) {
  TString *source = fast_read_string(d);
  if (source != NULL) f->source = source;
  f->linedefined = (int)fast_read_int(d);
  f->lastlinedefined = (int)fast_read_int(d);
#if LUA_VERSION_NUM == 501
  f->nups = (lu_byte)fast_read_byte(&d->flash);
#endif
  f->numparams = (lu_byte)fast_read_byte(&d->flash);
  f->is_vararg = (lu_byte)fast_read_byte(&d->flash);
  f->maxstacksize = (lu_byte)fast_read_byte(&d->flash);
#if LUA_VERSION_NUM == 503 && FAST_NODEMCU
  fast_read_children(d, f);
#endif
  fast_read_code(d, f);
  fast_read_constants(d, f);
#if LUA_VERSION_NUM == 503
  fast_read_upvalues(d, f);
#endif
#if LUA_VERSION_NUM == 501 || !FAST_NODEMCU
  fast_read_children(d, f);
#endif
  fast_read_lines(d, f);
  fast_read_locals(d, f);
#if LUA_VERSION_NUM == 501
  fast_read_upvalues(d, f);
#elif !FAST_NODEMCU
  {
    uint32_t i, n = fast_read_int(d);
    for (i = 0; i < n; i++) f->upvalues[i].name = fast_read_string(d);
  }
#endif
}

/*
** The header of a dump: its bytes, and its words up to the last one that depends on the
** core. 5.1: signature; version, format, byte order, size of int; size of size_t, of an
** instruction, of a number, whether numbers are integers. 5.3: signature; version,
** format, two bytes that reveal damage; four of them; NodeMCU: sizes of int, of an
** instruction, of an integer, of a float; stock: of size_t between the first two. Then
** numbers that are the same in each dump of these sizes.
*/
#define FAST_BYTES(a,b,c,d) \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define FAST_SIGNATURE		FAST_BYTES(27, 'L', 'u', 'a')
#define FAST_DUMP_SIZE_T	(FAST_NODEMCU ? 4 : sizeof(size_t))

#if LUA_VERSION_NUM == 501
#define FAST_HEADER		12
#define FAST_HEADER_WORDS	3
#define FAST_IS_INTEGER		((lua_Number)1 / 2 == 0)
#elif FAST_NODEMCU
#define FAST_HEADER		(18 + sizeof(lua_Number))
#define FAST_HEADER_WORDS	4
#else
#define FAST_HEADER		(18 + sizeof(lua_Integer) + sizeof(lua_Number))
#define FAST_HEADER_WORDS	5
#endif

/* the words of this core's own header; of the last one of stock 5.3 a byte */
static void fast_own_header (uint32_t *words) {
  words[0] = FAST_SIGNATURE;
#if LUA_VERSION_NUM == 501
  words[1] = FAST_BYTES(0x51, 0, 1, sizeof(int));
  words[2] = FAST_BYTES(FAST_DUMP_SIZE_T, sizeof(Instruction), sizeof(lua_Number),
                        FAST_IS_INTEGER);
#else
  words[1] = FAST_BYTES(0x53, FAST_NODEMCU ? 10 : 0, 0x19, 0x93);
  words[2] = FAST_BYTES(13, 10, 26, 10);
#if FAST_NODEMCU
  words[3] = FAST_BYTES(sizeof(int), sizeof(Instruction), sizeof(lua_Integer),
                        sizeof(lua_Number));
#else
  words[3] = FAST_BYTES(sizeof(int), sizeof(size_t), sizeof(Instruction),
                        sizeof(lua_Integer));
  words[4] = sizeof(lua_Number);
#endif
#endif
}

static void fast_read_header (const uint32_t *from, uint32_t *words) {
  int i;
  for (i = 0; i < FAST_HEADER_WORDS; i++) words[i] = FAST_WORD(from + i);
  if (FAST_HEADER_WORDS == 5) words[FAST_HEADER_WORDS - 1] &= 255;
}

/* whether this core can load a dump */
static int fast_is_own_dump (const uint32_t *dump) {
  uint32_t words[FAST_HEADER_WORDS], own[FAST_HEADER_WORDS];
  fast_read_header(dump, words);
  fast_own_header(own);
  return memcmp(words, own, sizeof(own)) == 0;
}

/* pushes the name of the variant that has this header: of NodeMCU's or, with the width
** of pointers where they matter, stock Lua's */
static void fast_push_variant (lua_State *L, const uint32_t *words) {
  const unsigned char *h = (const unsigned char *)words;
  if (h[4] == 0x51)
    lua_pushfstring(L, "%s51-%s", FAST_NODEMCU ? "lua" : "puc", h[11] ? "int" : "float");
  else if (h[4] == 0x53 && h[5] == 10)
    lua_pushfstring(L, "lua53-int%d-float%d", h[14] * 8, h[15] * 8);
  else if (h[4] == 0x53)
    lua_pushfstring(L, "puc53-int%d-float%d", h[15] * 8,
                    FAST_HEADER_WORDS == 5 ? h[FAST_HEADER_WORDS * 4 - 4] * 8 : 0);
  else lua_pushliteral(L, "another Lua");
  if (!FAST_NODEMCU && (h[4] == 0x51 || h[5] == 0)) {
    lua_pushfstring(L, "-%dbit", h[h[4] == 0x51 ? 8 : 13] * 8);
    lua_concat(L, 2);
  }
}

/* pushes a message about a dump of another variant */
static void fast_push_variants (lua_State *L, const uint32_t *dump, const char *name) {
  uint32_t words[FAST_HEADER_WORDS], own[FAST_HEADER_WORDS];
  fast_read_header(dump, words);
  fast_own_header(own);
  fast_push_variant(L, words);
  fast_push_variant(L, own);
  lua_pushfstring(L, "chunk '%s' is for %s, but this firmware is %s", name,
                  lua_tostring(L, -2), lua_tostring(L, -1));
  lua_replace(L, -3);
  lua_pop(L, 1);
}

/* how many upvalues a function in RAM has */
#if LUA_VERSION_NUM == 501
#define FAST_UPVALUES(f)	((uint32_t)(f)->nups)
#else
#define FAST_UPVALUES(f)	((uint32_t)(f)->sizeupvalues)
#endif

/* Pushes a closure of a main function that the collector can reach. If
** string.dump made the function it has upvalues; they are new, as in the core. */
static void fast_push_closure (lua_State *L, Proto *f, uint32_t n) {
#if LUA_VERSION_NUM == 501
  uint32_t i;
  UpVal *first = NULL;
  Closure *c;
  setnilvalue(L->top);
  L->top++;
  if (n > 0) {  /* at first it is all of them, so that none is unset */
    first = luaF_newupval(L);
    (L->top - 1)->value.gc = obj2gco(first);
    (L->top - 1)->tt = LUA_TUPVAL;
  }
  c = luaF_newLclosure(L, (int)n, hvalue(gt(L)));
  c->l.p = f;
  for (i = 0; i < n; i++) c->l.upvals[i] = first;
  setclvalue(L, L->top - 1, c);
  for (i = 1; i < n; i++) c->l.upvals[i] = luaF_newupval(L);
#else
  LClosure *c = luaF_newLclosure(L, (int)n);
  c->p = f;
  setclLvalue(L, L->top, c);
  L->top++;
  luaF_initupvals(L, c);
  if (n == 0) return;
  setobj(L, c->upvals[0]->v,
         luaH_getint(hvalue(&G(L)->l_registry), LUA_RIDX_GLOBALS));
  luaC_upvalbarrier(L, c->upvals[0]);
#endif
}

/* pushes a new function, so that the collector finds it */
static Proto *fast_push_proto (fast_dump *d) {
  lua_State *L = d->L;
  Proto *f;
  StkId anchor;
  luaL_checkstack(L, 4, "a chunk");
  f = luaF_newproto(L);
  anchor = L->top++;
#if LUA_VERSION_NUM == 501
  setptvalue2s(L, anchor, f);
  d->flash.buffer[0] = '=' | '?' << 8;  /* a literal would be read from flash by bytes */
  f->source = luaS_newlstr(L, (const char *)d->flash.buffer, 2);
#else
  val_(anchor).gc = obj2gco(f);
  settt_(anchor, ctb(LUA_TPROTO));
#endif
  return f;
}

static void fast_undump_main (lua_State *L, void *ud) {
  fast_dump *d = (fast_dump *)ud;
  Proto *f = fast_push_proto(d);
  fast_read_function(d, f);
  fast_push_closure(L, f, FAST_UPVALUES(f));
  lua_remove(L, -2);  /* the anchor */
}

/* Pushes the main function of a dump, or a message. Returns the status. */
static int fast_undump (lua_State *L, const uint32_t *words) {
  fast_dump d;
  int status;
  d.flash.words = words;
  d.flash.at = FAST_HEADER;
  d.L = L;
#if LUA_VERSION_NUM == 501
  luaZ_initbuffer(L, &d.longer);
#endif
  status = fast_pcall(L, fast_undump_main, &d);
#if LUA_VERSION_NUM == 501
  luaZ_freebuffer(L, &d.longer);
#endif
  return status;
}

#endif
