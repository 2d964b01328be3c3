/*
** fast_undump.h - makes the functions of a dump straight from flash
** The dump is one that fastlua has read back and whose checksum was right, and
** the variant's conditions hold for this core: nothing but memory can fail.
** At each allocation all that is made so far can be reached from the stack,
** with sizes that are true and nothing in an array that is not set: an
** emergency collection may come at any of them, and an error may, after which
** the collector frees it all.
*/

#ifndef fast_undump_h
#define fast_undump_h

#include "lgc.h"
#include "lmem.h"
#include "lstring.h"
#include "ltable.h"
#include "lzio.h"

/* whether dumps are NodeMCU's or stock Lua's */
#if defined(LUA_USE_ESP) || defined(ESP_PLATFORM) || defined(LUA_USE_HOST)
#define FAST_NODEMCU	1
#else
#define FAST_NODEMCU	0
#endif

_Static_assert(sizeof(Instruction) == 4, "code is copied by words");

/* words of the buffer between flash and what wants it in one piece */
#define FAST_BUFFER_WORDS	64

/* a chunk as it is read */
typedef struct fast_source {
  lua_State *L;
  const uint32_t *words;
  uint32_t at, size;		/* bytes */
  uint32_t buffer[FAST_BUFFER_WORDS];
#if LUA_VERSION_NUM == 501
  Mbuffer longer;		/* for strings that do not fit */
#endif
} fast_source;

static uint32_t fast_byte (fast_source *s) {
  uint32_t at = s->at++;
  return (FAST_WORD(s->words + at / 4) >> at % 4 * 8) & 255;
}

static void fast_words (fast_source *s, uint32_t *to, uint32_t n) {
  const uint32_t *from = s->words + s->at / 4;
  uint32_t shift = s->at % 4 * 8;
  s->at += 4 * n;
  if (shift == 0)
    for (; n > 0; n--) *to++ = FAST_WORD(from++);
  else if (n > 0) {
    uint32_t low = FAST_WORD(from++);
    for (; n > 0; n--) {
      uint32_t high = FAST_WORD(from++);
      *to++ = (low >> shift) | (high << (32 - shift));
      low = high;
    }
  }
}

/* bytes to where a word may be written */
static void fast_bytes (fast_source *s, void *to, uint32_t n) {
  char *p = (char *)to + (n & ~3u);
  fast_words(s, (uint32_t *)to, n / 4);
  for (n %= 4; n > 0; n--) *p++ = (char)fast_byte(s);
}

/* a number of n bytes, at most 8 */
static void fast_value (fast_source *s, void *to, uint32_t n) {
  uint32_t words[2];
  fast_words(s, words, n / 4);
  memcpy(to, words, n);
}

static lua_Number fast_number (fast_source *s) {
  lua_Number x;
  fast_value(s, &x, sizeof(x));
  return x;
}

/* a new array for a field of f that has none yet */
#define fast_vector(L,f,array,size,n,t) \
	if ((n) > 0) { (f)->array = luaM_newvector(L, n, t); (f)->size = (int)(n); }

static TString *fast_read_string (fast_source *s, uint32_t n) {
  lua_State *L = s->L;
  char *to = (char *)s->buffer;
#if LUA_VERSION_NUM == 501
  if (n > sizeof(s->buffer)) to = luaZ_openspace(L, &s->longer, n);
#else
  if (n > LUAI_MAXSHORTLEN) {
    TString *ts = luaS_createlngstrobj(L, n);
    fast_bytes(s, getstr(ts), n);
    return ts;
  }
#endif
  fast_bytes(s, to, n);
  return luaS_newlstr(L, to, n);
}

/* What the formats write in different ways: an integer or a size, a string or
** none, a constant (where there is nil already). */

#if LUA_VERSION_NUM == 503 && FAST_NODEMCU

static uint32_t fast_int (fast_source *s) {
  uint32_t x = 0, b;
  do x = x << 7 | ((b = fast_byte(s)) & 0x7f); while (b & 0x80);
  return x;
}

/* what begins in a byte with a type in it */
static lua_Integer fast_typed (fast_source *s, uint32_t b) {
  lua_Unsigned x = b & 0x0f;
  while (b & 0x80) x = x << 7 | ((b = fast_byte(s)) & 0x7f);
  return l_castU2S(x);
}

static TString *fast_read_name (fast_source *s) {
  uint32_t n = (uint32_t)fast_typed(s, fast_byte(s));
  return (n == 0) ? NULL : fast_read_string(s, n - 1);
}

static void fast_read_constant (fast_source *s, TValue *o) {
  uint32_t b = fast_byte(s);
  switch (b & 0x70) {
    case 0x00: break;
    case 0x10: setbvalue(o, b & 1); break;
    case 0x20: setfltvalue(o, fast_number(s)); break;
    case 0x30: setivalue(o, fast_typed(s, b)); break;
    case 0x40: setivalue(o, -1 - fast_typed(s, b)); break;
    default:
      setsvalue2n(s->L, o, fast_read_string(s, (uint32_t)fast_typed(s, b) - 1));
  }
}

#else

static uint32_t fast_int (fast_source *s) {
  uint32_t word;
  fast_words(s, &word, 1);
  return word;
}

#if LUA_VERSION_NUM == 501

/* its length counts a final zero */
static TString *fast_read_name (fast_source *s) {
  uint32_t n = fast_int(s);
  TString *ts;
  if (!FAST_NODEMCU) s->at += sizeof(size_t) - 4;
  if (n == 0) return NULL;
  ts = fast_read_string(s, n - 1);
  s->at++;
  return ts;
}

#else

static TString *fast_read_name (fast_source *s) {
  uint32_t n = fast_byte(s);
  if (n == 255) {
    n = fast_int(s);
    s->at += sizeof(size_t) - 4;
  }
  return (n == 0) ? NULL : fast_read_string(s, n - 1);
}

static lua_Integer fast_integer (fast_source *s) {
  lua_Integer x;
  fast_value(s, &x, sizeof(x));
  return x;
}

#endif

static void fast_read_constant (fast_source *s, TValue *o) {
  switch (fast_byte(s)) {
    case LUA_TNIL: break;
    case LUA_TBOOLEAN: setbvalue(o, (int)fast_byte(s)); break;
#if LUA_VERSION_NUM == 501
    case LUA_TNUMBER: setnvalue(o, fast_number(s)); break;
#else
    case LUA_TNUMFLT: setfltvalue(o, fast_number(s)); break;
    case LUA_TNUMINT: setivalue(o, fast_integer(s)); break;
#endif
    default: setsvalue2n(s->L, o, fast_read_name(s));
  }
}

#endif

static void fast_align (fast_source *s) {
  if (LUA_VERSION_NUM == 501 && FAST_NODEMCU) s->at = (s->at + 3) & ~3u;
}

static void fast_read_function (fast_source *s, Proto *f);

static void fast_read_code (fast_source *s, Proto *f) {
  uint32_t n = fast_int(s);
  fast_align(s);
  fast_vector(s->L, f, code, sizecode, n, Instruction)
  fast_words(s, (uint32_t *)f->code, n);
}

static void fast_read_constants (fast_source *s, Proto *f) {
  uint32_t i, n = fast_int(s);
  fast_vector(s->L, f, k, sizek, n, TValue)
  for (i = 0; i < n; i++) setnilvalue(&f->k[i]);
  for (i = 0; i < n; i++) fast_read_constant(s, &f->k[i]);
}

static void fast_read_children (fast_source *s, Proto *f) {
  uint32_t i, n = fast_int(s);
  fast_vector(s->L, f, p, sizep, n, Proto *)
  for (i = 0; i < n; i++) f->p[i] = NULL;
  for (i = 0; i < n; i++) {
    f->p[i] = luaF_newproto(s->L);
    f->p[i]->source = f->source;
    fast_read_function(s, f->p[i]);
  }
}

static void fast_read_lines (fast_source *s, Proto *f) {
  uint32_t n = fast_int(s);
  fast_align(s);
#if !FAST_NODEMCU
  fast_vector(s->L, f, lineinfo, sizelineinfo, n, int)
  fast_words(s, (uint32_t *)f->lineinfo, n);
#elif LUA_VERSION_NUM == 503
  fast_vector(s->L, f, lineinfo, sizelineinfo, n, lu_byte)
  fast_bytes(s, f->lineinfo, n);
#else
  if (n > 0) {
    f->packedlineinfo = luaM_newvector(s->L, n, unsigned char);
    fast_bytes(s, f->packedlineinfo, n);
  }
#endif
}

static void fast_read_locals (fast_source *s, Proto *f) {
  uint32_t i, n = fast_int(s);
  fast_vector(s->L, f, locvars, sizelocvars, n, LocVar)
  for (i = 0; i < n; i++) f->locvars[i].varname = NULL;
  for (i = 0; i < n; i++) {
    f->locvars[i].varname = fast_read_name(s);
    f->locvars[i].startpc = (int)fast_int(s);
    f->locvars[i].endpc = (int)fast_int(s);
  }
}

static void fast_read_upvalues (fast_source *s, Proto *f) {
#if LUA_VERSION_NUM == 501
  uint32_t i, n = fast_int(s);
  fast_vector(s->L, f, upvalues, sizeupvalues, n, TString *)
  for (i = 0; i < n; i++) f->upvalues[i] = NULL;
  for (i = 0; i < n; i++) f->upvalues[i] = fast_read_name(s);
#else
  uint32_t named = FAST_NODEMCU && fast_byte(s);
  uint32_t i, n = fast_int(s);
  fast_vector(s->L, f, upvalues, sizeupvalues, n, Upvaldesc)
  for (i = 0; i < n; i++) f->upvalues[i].name = NULL;
  for (i = 0; i < n; i++) {
    if (named) f->upvalues[i].name = fast_read_name(s);
    f->upvalues[i].instack = (lu_byte)fast_byte(s);
    f->upvalues[i].idx = (lu_byte)fast_byte(s);
  }
#endif
}

/* fills in f, which has its parent's source */
static void fast_read_function (fast_source *s, Proto *f) {
  TString *source = fast_read_name(s);
  if (source != NULL) f->source = source;
  f->linedefined = (int)fast_int(s);
  f->lastlinedefined = (int)fast_int(s);
#if LUA_VERSION_NUM == 501
  f->nups = (lu_byte)fast_byte(s);
#endif
  f->numparams = (lu_byte)fast_byte(s);
  f->is_vararg = (lu_byte)fast_byte(s);
  f->maxstacksize = (lu_byte)fast_byte(s);
#if LUA_VERSION_NUM == 503 && FAST_NODEMCU
  fast_read_children(s, f);
#endif
  fast_read_code(s, f);
  fast_read_constants(s, f);
#if LUA_VERSION_NUM == 503
  fast_read_upvalues(s, f);
#endif
#if LUA_VERSION_NUM == 501 || !FAST_NODEMCU
  fast_read_children(s, f);
#endif
  fast_read_lines(s, f);
  fast_read_locals(s, f);
#if LUA_VERSION_NUM == 501
  fast_read_upvalues(s, f);
#elif !FAST_NODEMCU
  {
    uint32_t i, n = fast_int(s);
    for (i = 0; i < n; i++) f->upvalues[i].name = fast_read_name(s);
  }
#endif
}

/* bytes of a dump before its main function */
#if LUA_VERSION_NUM == 501
#define FAST_HEADER	12
#elif FAST_NODEMCU
#define FAST_HEADER	(18 + sizeof(lua_Number))
#else
#define FAST_HEADER	(18 + sizeof(lua_Integer) + sizeof(lua_Number))
#endif

/* pushes a closure of a main function, which the collector can reach */
static void fast_close_over (lua_State *L, Proto *f) {
#if LUA_VERSION_NUM == 501
  Closure *c = luaF_newLclosure(L, 0, hvalue(gt(L)));
  c->l.p = f;
  setclvalue(L, L->top, c);
  L->top++;
#else
  LClosure *c = luaF_newLclosure(L, f->sizeupvalues);
  c->p = f;
  setclLvalue(L, L->top, c);
  L->top++;
  luaF_initupvals(L, c);
  setobj(L, c->upvals[0]->v,
         luaH_getint(hvalue(&G(L)->l_registry), LUA_RIDX_GLOBALS));
  luaC_upvalbarrier(L, c->upvals[0]);
#endif
}

static void fast_make_main (lua_State *L, void *ud) {
  fast_source *s = (fast_source *)ud;
  Proto *f = luaF_newproto(L);
  StkId anchor = L->top++;
#if LUA_VERSION_NUM == 501
  setptvalue2s(L, anchor, f);
#else
  val_(anchor).gc = obj2gco(f);
  settt_(anchor, ctb(LUA_TPROTO));
#endif
#if LUA_VERSION_NUM == 501
  s->buffer[0] = 0x3f3d;  /* "=?", not read from flash by bytes */
  f->source = luaS_newlstr(L, (const char *)s->buffer, 2);
#endif
  fast_read_function(s, f);
  fast_close_over(L, f);
  lua_remove(L, -2);  /* the anchor */
}

/* Pushes the main function of a dump; else, where memory ends, a message, and
** returns the error. */
static int fast_undump (lua_State *L, fast_source *s) {
  int status;
  luaC_checkGC(L);
  lua_checkstack(L, 4);
  s->L = L;
  s->at = FAST_HEADER;
#if LUA_VERSION_NUM == 501
  luaZ_initbuffer(L, &s->longer);
#endif
  status = luaD_pcall(L, fast_make_main, s, savestack(L, L->top), L->errfunc);
#if LUA_VERSION_NUM == 501
  luaZ_freebuffer(L, &s->longer);
#endif
  return status;
}

#endif
