/*
** fast_objects.h - Lua's own objects as constants in flash, for frozen chunks
** A core that can run them has objects that its collector leaves alone
** (LFSBIT) and a second table of strings (ROstrt), as NodeMCU's have for LFS.
** Any other core takes bytecode, and FAST_FREEZES is not defined.
*/

#ifndef fast_objects_h
#define fast_objects_h

#include <stddef.h>

#include "lua.h"
#include "lobject.h"
#include "lgc.h"
#include "lstring.h"
#include "fast_index.h"

#if defined(LFSBIT) && (LUA_VERSION_NUM != 501 || !defined(LUA_CROSS_COMPILER))
#define FAST_FREEZES
#endif

/* a frozen chunk's bytecode, which firmware with the start-up hook does not need */
#if defined(FAST_FREEZES) && defined(FAST_WRAP)
#define FAST_FALLS_BACK	0
#define FAST_FROZEN_CHUNK(n,w,s,h,k,p,t,d)	FAST_CHUNK(n, NULL, 0, 0, k, p, t, d)
#else
#define FAST_FALLS_BACK	1
#define FAST_FROZEN_CHUNK	FAST_CHUNK
#endif

/* frozen data is a string already */
#if defined(FAST_FREEZES)
#define FAST_FROZEN_DATA(n,w,s,h)	FAST_CHUNK(n, NULL, s, h, FAST_DATA, 0, 0, 0)
#else
#define FAST_FROZEN_DATA(n,w,s,h)	FAST_CHUNK(n, w, s, h, FAST_DATA, 0, 0, 0)
#endif

#if defined(FAST_FREEZES)

typedef struct fast_frozen {
  const Proto *main;		/* the string, where it is data */
  uint32_t number;		/* of main; a function comes before those in it */
  uint32_t size;		/* bytes of flash, without strings */
  uint32_t heap;		/* that shadows of all functions and strings take */
} fast_frozen;

/*
** What the objects need of the core. A field that is gone is an error of the compiler
** anyway; a new one changes a size.
*/
_Static_assert(sizeof(Instruction) == 4, "instructions have 4 bytes");
_Static_assert(sizeof(unsigned int) == 4, "hashes have 4 bytes");

#if defined(FASTLUA_TEST_CORE)	/* stock Lua, edited to have these */
#define FAST_ONLY_STOCK(...)	__VA_ARGS__
#if !defined(FASTLUA_TEST_FIELDS)
#define FASTLUA_TEST_FIELDS	/* further fields of functions */
#endif
#else
#define FAST_ONLY_STOCK(...)
#endif

#if LUA_VERSION_NUM == 501

_Static_assert(LFSBIT == 6, "LFSBIT is bit 6");
#define FAST_MARK	(1 << LFSBIT)

struct fast_proto_fields {
  CommonHeader;
  void *k, *code, *p, *lines, *locvars, *upvalues, *source;
  int sizeupvalues, sizek, sizecode;
  FAST_ONLY_STOCK(int sizelines;)
  int sizep, sizelocvars, linedefined, lastlinedefined;
  GCObject *gclist;
  lu_byte nups, numparams, is_vararg, maxstacksize;
  FAST_ONLY_STOCK(FASTLUA_TEST_FIELDS)
};
struct fast_string_fields {
  CommonHeader;
  FAST_ONLY_STOCK(lu_byte reserved;)
  unsigned int hash;
  size_t len;
};
_Static_assert(sizeof(((TString *)0)->tsv) == sizeof(struct fast_string_fields),
               "strings have other fields");
_Static_assert(offsetof(Proto, maxstacksize)
               == offsetof(struct fast_proto_fields, maxstacksize),
               "functions have other fields");

typedef GCObject *fast_link;

typedef TString fast_string_head;
/* a string: next of its chain, hash, reserved word, length, bytes */
#define FAST_STRING_FIELDS(nx,h,w,n,s) \
  {{.tsv = {.next = (GCObject *)(nx), .tt = LUA_TSTRING, .marked = FAST_MARK, \
    FAST_ONLY_STOCK(.reserved = (w),) .hash = (h), .len = (n)}}, s}
#define FAST_LONG_STRING_OBJECT(id,h,n,s)	FAST_STRING_OBJECT(id, NULL, h, 0, n, s)

#define FAST_NIL	{{NULL}, LUA_TNIL}
#define FAST_BOOLEAN(v)	{{.b = (v)}, LUA_TBOOLEAN}
#define FAST_NUMBER(v)	{{.n = (v)}, LUA_TNUMBER}
#define FAST_INTEGER	FAST_NUMBER
#define FAST_STRING_VALUE(id)	{{.gc = (GCObject *)&fast_s##id}, LUA_TSTRING}

#elif LUA_VERSION_NUM == 503

_Static_assert(LFSBIT == 5, "LFSBIT is bit 5");
#define FAST_MARK	(1 << LFSBIT)

struct fast_proto_fields {
  CommonHeader;
  lu_byte numparams, is_vararg, maxstacksize;
  int sizeupvalues, sizek, sizecode, sizelines, sizep, sizelocvars;
  int linedefined, lastlinedefined;
  void *k, *code, *p, *lines, *locvars, *upvalues;
  FAST_ONLY_STOCK(void *cache;)
  void *source;
  GCObject *gclist;
  FAST_ONLY_STOCK(FASTLUA_TEST_FIELDS)
};
struct fast_string_fields {
  CommonHeader;
  lu_byte extra, shrlen;
  unsigned int hash;
  union {size_t lnglen; void *hnext;} u;
};
_Static_assert(sizeof(TString) == sizeof(struct fast_string_fields),
               "strings have other fields");
_Static_assert(sizeof(Proto) == sizeof(struct fast_proto_fields),
               "functions have other fields");

typedef TString *fast_link;

typedef UTString fast_string_head;
#define FAST_STRING_FIELDS(nx,h,w,n,s) \
  {{.tsv = {.tt = LUA_TSHRSTR, .marked = FAST_MARK | BIT_ISCOLLECTABLE, \
    .extra = (w), .shrlen = (n), .hash = (h), .u = {.hnext = (TString *)(nx)}}}, s}
#define FAST_LONG_STRING_OBJECT(id,h,n,s) \
  static const FAST_STRING_TYPE(n) fast_s##id = { \
    {.tsv = {.tt = LUA_TLNGSTR, .marked = FAST_MARK | BIT_ISCOLLECTABLE, \
     .extra = 1, .hash = (h), .u = {.lnglen = (n)}}}, s};

#define FAST_NIL	{{NULL}, LUA_TNIL}
#define FAST_BOOLEAN(v)	{{.b = (v)}, LUA_TBOOLEAN}
#define FAST_NUMBER(v)	{{.n = (v)}, LUA_TNUMFLT}
#define FAST_INTEGER(v)	{{.i = (v)}, LUA_TNUMINT}
#define FAST_STRING_VALUE(id)	{{.gc = (GCObject *)&fast_s##id}, ctb(LUA_TSHRSTR)}
#define FAST_LONG_STRING_VALUE(id)	{{.gc = (GCObject *)&fast_s##id}, ctb(LUA_TLNGSTR)}

#else
#error "frozen chunks are for Lua 5.1 and 5.3"
#endif

/* its zeros fill the last word */
#define FAST_STRING_TYPE(n)	struct {fast_string_head head; char bytes[((n) + 4) & ~3];}
#define FAST_STRING_OBJECT(id,nx,h,w,n,s) \
  static const FAST_STRING_TYPE(n) fast_s##id = FAST_STRING_FIELDS(nx, h, w, n, s);

/* string number id that is the name of a frozen chunk, behind that chunk */
#define FAST_NAMED_FIELD(id,n) \
  struct {const fast_frozen *chunk; FAST_STRING_TYPE(n) string;} s##id;
#define FAST_NAMED_WORDS(id)	((const uint32_t *)(const void *)fast_s##id.bytes)
struct fast_named_string {
  const fast_frozen *chunk;
  fast_string_head head;
};

/* heap of the shadow of a function with k constants and p functions: its constants
** are the array of a table, so that the collector marks them */
#define FAST_SHADOW(k,p) \
	(sizeof(Proto) + (p) * sizeof(Proto *) + sizeof(TValue) \
	+ ((k) == 0 ? 0 : FAST_BLOCK(sizeof(Table)) + FAST_ARRAY(k, TValue)))
/* heap that a chunk's shadows take beside these */
#define FAST_SHADOWS	(FAST_BLOCK(sizeof(Table)) + FAST_BLOCK(sizeof(Udata)) \
	+ 2 * sizeof(Node))

#endif

#endif
