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
#include "lzio.h"
#include "fast_flash.h"

/* whether dumps are NodeMCU's or stock Lua's */
#if defined(LUA_USE_ESP) || defined(ESP_PLATFORM) || defined(LUA_USE_HOST)
#define FAST_NODEMCU	1
#else
#define FAST_NODEMCU	0
#endif

_Static_assert(sizeof(Instruction) == 4, "code is copied by words");

/* a dump as it is read */
typedef struct fast_dump {
  fast_source flash;
  lua_State *L;
#if LUA_VERSION_NUM == 501
  Mbuffer longer;		/* for strings that do not fit */
#endif
} fast_dump;

/* a number of n bytes, at most 8 */
static void fast_value (fast_dump *d, void *to, uint32_t n) {
  uint32_t words[2];
  fast_words(&d->flash, words, n / 4);
  memcpy(to, words, n);
}

static lua_Number fast_number (fast_dump *d) {
  lua_Number x;
  fast_value(d, &x, sizeof(x));
  return x;
}

/* a new array for a field of f that has none yet */
#define fast_vector(L,f,array,size,n,t) \
	if ((n) > 0) { (f)->array = luaM_newvector(L, n, t); (f)->size = (int)(n); }

static TString *fast_read_string (fast_dump *d, uint32_t n) {
  lua_State *L = d->L;
  char *to = (char *)d->flash.buffer;
#if LUA_VERSION_NUM == 501
  if (n > sizeof(d->flash.buffer)) to = luaZ_openspace(L, &d->longer, n);
#else
  if (n > LUAI_MAXSHORTLEN) {
    TString *ts = luaS_createlngstrobj(L, n);
    fast_bytes(&d->flash, getstr(ts), n);
    return ts;
  }
#endif
  fast_bytes(&d->flash, to, n);
  return luaS_newlstr(L, to, n);
}

/* What the formats write in different ways: an integer or a size, a string or
** none, a constant (where there is nil already). */

#if LUA_VERSION_NUM == 503 && FAST_NODEMCU

static uint32_t fast_int (fast_dump *d) {
  uint32_t x = 0, b;
  do x = x << 7 | ((b = fast_byte(&d->flash)) & 0x7f); while (b & 0x80);
  return x;
}

/* what begins in a byte with a type in it */
static lua_Integer fast_typed (fast_dump *d, uint32_t b) {
  lua_Unsigned x = b & 0x0f;
  while (b & 0x80) x = x << 7 | ((b = fast_byte(&d->flash)) & 0x7f);
  return l_castU2S(x);
}

static TString *fast_read_name (fast_dump *d) {
  uint32_t n = (uint32_t)fast_typed(d, fast_byte(&d->flash));
  return (n == 0) ? NULL : fast_read_string(d, n - 1);
}

static void fast_read_constant (fast_dump *d, TValue *o) {
  uint32_t b = fast_byte(&d->flash);
  switch (b & 0x70) {
    case 0x00: break;
    case 0x10: setbvalue(o, b & 1); break;
    case 0x20: setfltvalue(o, fast_number(d)); break;
    case 0x30: setivalue(o, fast_typed(d, b)); break;
    case 0x40: setivalue(o, -1 - fast_typed(d, b)); break;
    default:
      setsvalue2n(d->L, o, fast_read_string(d, (uint32_t)fast_typed(d, b) - 1));
  }
}

#else

static uint32_t fast_int (fast_dump *d) {
  uint32_t word;
  fast_words(&d->flash, &word, 1);
  return word;
}

#if LUA_VERSION_NUM == 501

/* its length counts a final zero */
static TString *fast_read_name (fast_dump *d) {
  uint32_t n = fast_int(d);
  TString *ts;
  if (!FAST_NODEMCU) d->flash.at += sizeof(size_t) - 4;
  if (n == 0) return NULL;
  ts = fast_read_string(d, n - 1);
  d->flash.at++;
  return ts;
}

#else

static TString *fast_read_name (fast_dump *d) {
  uint32_t n = fast_byte(&d->flash);
  if (n == 255) {
    n = fast_int(d);
    d->flash.at += sizeof(size_t) - 4;
  }
  return (n == 0) ? NULL : fast_read_string(d, n - 1);
}

static lua_Integer fast_integer (fast_dump *d) {
  lua_Integer x;
  fast_value(d, &x, sizeof(x));
  return x;
}

#endif

static void fast_read_constant (fast_dump *d, TValue *o) {
  switch (fast_byte(&d->flash)) {
    case LUA_TNIL: break;
    case LUA_TBOOLEAN: setbvalue(o, (int)fast_byte(&d->flash)); break;
#if LUA_VERSION_NUM == 501
    case LUA_TNUMBER: setnvalue(o, fast_number(d)); break;
#else
    case LUA_TNUMFLT: setfltvalue(o, fast_number(d)); break;
    case LUA_TNUMINT: setivalue(o, fast_integer(d)); break;
#endif
    default: setsvalue2n(d->L, o, fast_read_name(d));
  }
}

#endif

static void fast_align (fast_dump *d) {
  if (LUA_VERSION_NUM == 501 && FAST_NODEMCU) d->flash.at = (d->flash.at + 3) & ~3u;
}

static void fast_read_function (fast_dump *d, Proto *f);

static void fast_read_code (fast_dump *d, Proto *f) {
  uint32_t n = fast_int(d);
  fast_align(d);
  fast_vector(d->L, f, code, sizecode, n, Instruction)
  fast_words(&d->flash, (uint32_t *)f->code, n);
}

static void fast_read_constants (fast_dump *d, Proto *f) {
  uint32_t i, n = fast_int(d);
  fast_vector(d->L, f, k, sizek, n, TValue)
  for (i = 0; i < n; i++) setnilvalue(&f->k[i]);
  for (i = 0; i < n; i++) fast_read_constant(d, &f->k[i]);
}

static void fast_read_children (fast_dump *d, Proto *f) {
  uint32_t i, n = fast_int(d);
  fast_vector(d->L, f, p, sizep, n, Proto *)
  for (i = 0; i < n; i++) f->p[i] = NULL;
  for (i = 0; i < n; i++) {
    f->p[i] = luaF_newproto(d->L);
    f->p[i]->source = f->source;
    fast_read_function(d, f->p[i]);
  }
}

static void fast_read_lines (fast_dump *d, Proto *f) {
  uint32_t n = fast_int(d);
  fast_align(d);
#if !FAST_NODEMCU
  fast_vector(d->L, f, lineinfo, sizelineinfo, n, int)
  fast_words(&d->flash, (uint32_t *)f->lineinfo, n);
#elif LUA_VERSION_NUM == 503
  fast_vector(d->L, f, lineinfo, sizelineinfo, n, lu_byte)
  fast_bytes(&d->flash, f->lineinfo, n);
#else
  if (n > 0) {
    f->packedlineinfo = luaM_newvector(d->L, n, unsigned char);
    fast_bytes(&d->flash, f->packedlineinfo, n);
  }
#endif
}

static void fast_read_locals (fast_dump *d, Proto *f) {
  uint32_t i, n = fast_int(d);
  fast_vector(d->L, f, locvars, sizelocvars, n, LocVar)
  for (i = 0; i < n; i++) f->locvars[i].varname = NULL;
  for (i = 0; i < n; i++) {
    f->locvars[i].varname = fast_read_name(d);
    f->locvars[i].startpc = (int)fast_int(d);
    f->locvars[i].endpc = (int)fast_int(d);
  }
}

static void fast_read_upvalues (fast_dump *d, Proto *f) {
#if LUA_VERSION_NUM == 501
  uint32_t i, n = fast_int(d);
  fast_vector(d->L, f, upvalues, sizeupvalues, n, TString *)
  for (i = 0; i < n; i++) f->upvalues[i] = NULL;
  for (i = 0; i < n; i++) f->upvalues[i] = fast_read_name(d);
#else
  uint32_t named = FAST_NODEMCU && fast_byte(&d->flash);
  uint32_t i, n = fast_int(d);
  fast_vector(d->L, f, upvalues, sizeupvalues, n, Upvaldesc)
  for (i = 0; i < n; i++) f->upvalues[i].name = NULL;
  for (i = 0; i < n; i++) {
    if (named) f->upvalues[i].name = fast_read_name(d);
    f->upvalues[i].instack = (lu_byte)fast_byte(&d->flash);
    f->upvalues[i].idx = (lu_byte)fast_byte(&d->flash);
  }
#endif
}

/* fills in f, which has its parent's source */
static void fast_read_function (fast_dump *d, Proto *f) {
  TString *source = fast_read_name(d);
  if (source != NULL) f->source = source;
  f->linedefined = (int)fast_int(d);
  f->lastlinedefined = (int)fast_int(d);
#if LUA_VERSION_NUM == 501
  f->nups = (lu_byte)fast_byte(&d->flash);
#endif
  f->numparams = (lu_byte)fast_byte(&d->flash);
  f->is_vararg = (lu_byte)fast_byte(&d->flash);
  f->maxstacksize = (lu_byte)fast_byte(&d->flash);
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
    uint32_t i, n = fast_int(d);
    for (i = 0; i < n; i++) f->upvalues[i].name = fast_read_name(d);
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
  if (f->sizeupvalues == 0) return;  /* not of a compiler, but of string.dump */
  setobj(L, c->upvals[0]->v,
         luaH_getint(hvalue(&G(L)->l_registry), LUA_RIDX_GLOBALS));
  luaC_upvalbarrier(L, c->upvals[0]);
#endif
}

/* a new function on the stack, where the collector finds it */
static Proto *fast_anchored (fast_dump *d) {
  lua_State *L = d->L;
  Proto *f = luaF_newproto(L);
  StkId anchor = L->top++;
#if LUA_VERSION_NUM == 501
  setptvalue2s(L, anchor, f);
  d->flash.buffer[0] = 0x3f3d;  /* "=?", not read from flash by bytes */
  f->source = luaS_newlstr(L, (const char *)d->flash.buffer, 2);
#else
  val_(anchor).gc = obj2gco(f);
  settt_(anchor, ctb(LUA_TPROTO));
#endif
  return f;
}

static void fast_make_main (lua_State *L, void *ud) {
  fast_dump *d = (fast_dump *)ud;
  Proto *f = fast_anchored(d);
  fast_read_function(d, f);
  fast_close_over(L, f);
  lua_remove(L, -2);  /* the anchor */
}

/* Calls make with ud, which d is of; where that fails there is a message on
** the stack. */
static int fast_protected (lua_State *L, fast_dump *d, Pfunc make, void *ud) {
  int status;
  luaC_checkGC(L);
  lua_checkstack(L, 4);
  d->L = L;
#if LUA_VERSION_NUM == 501
  luaZ_initbuffer(L, &d->longer);
#endif
  status = luaD_pcall(L, make, ud, savestack(L, L->top), L->errfunc);
#if LUA_VERSION_NUM == 501
  luaZ_freebuffer(L, &d->longer);
#endif
  return status;
}

/* Pushes the main function of a dump; else, where memory ends, a message, and
** returns the error. */
static int fast_undump (lua_State *L, const uint32_t *words) {
  fast_dump d;
  d.flash.words = words;
  d.flash.at = FAST_HEADER;
  return fast_protected(L, &d, fast_make_main, &d);
}

#endif
