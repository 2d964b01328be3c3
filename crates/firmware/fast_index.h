/*
** fast_index.h - what a bundle says of its chunks, and what loading one takes
** of the heap: the firmware's compiler turns the bundle's counts into bytes
*/

#ifndef fast_index_h
#define fast_index_h

#define LUA_CORE	/* for the sizes of the core's structures */

#include <stdint.h>

#include "lua.h"
#include "lobject.h"
#include "lfunc.h"

#define FAST_BYTECODE	0
#define FAST_SOURCE	1
#define FAST_DATA	2
#define FAST_DEFLATED	3	/* source */
#define FAST_PACKED	4	/* bytecode */

/* longest name with its zero, in words */
#define FAST_NAME	16

typedef struct fast_chunk {
  const uint32_t *name;		/* zero bytes after it, one at least */
  const uint32_t *words;	/* the chunk, zero bytes after it */
  uint32_t size;		/* its bytes */
  uint32_t hash;		/* XXH32 of these bytes */
  uint32_t kind;		/* one of these above */
  uint32_t heap;		/* bytes of heap that loading takes, but for
				** what compiling source takes */
  uint32_t strings;		/* short strings that may be new to the core */
  uint32_t depth;		/* levels of functions, 0 for source and data */
  uint32_t check;		/* FAST_CHECK of size to depth */
} fast_chunk;

/* the two pointers aside, which no compiler can sum up; another value of any
** one field gives another sum */
#define FAST_CHECK(s,h,k,p,t,d) \
	(0x66617374u + (s) * 3u + (h) * 5u + (k) * 7u + (p) * 11u + (t) * 13u + (d) * 17u)
#define FAST_CHUNK(n,w,s,h,k,p,t,d) \
	{n, w, s, h, k, (uint32_t)(p), t, d, FAST_CHECK(s, h, k, (uint32_t)(p), t, d)}

struct fast_frozen;
struct fast_bundle;

/* pushes a chunk's main function, or a message with the error that it returns */
typedef int (*fast_loader) (lua_State *L, const struct fast_bundle *b,
                            const fast_chunk *c, const char *name);

typedef struct fast_bundle {
  const fast_chunk *chunks;	/* sorted by name, byte by byte */
  uint32_t count;
  uint32_t *checked;		/* a bit a chunk, and one for what packed chunks
				** have in common: its checksum was right */
  const struct fast_frozen *const *frozen;	/* one a chunk, or NULL; NULL: none */
  size_t base;			/* what names and words are counted from */
  fast_loader deflated;		/* of FAST_DEFLATED; NULL: there are none */
  fast_loader packed;		/* of FAST_PACKED; NULL: there are none */
  const uint32_t *shared;	/* what these have in common, or NULL */
} fast_bundle;

/* a name, the words of a chunk, or what packed chunks have in common, of the
** bundle with that base */
#define FAST_AT(base,p)	((const uint32_t *)((base) + (size_t)(p)))

/* what a block of n bytes takes of the heap; module.h says it where Lua is
** stock */
#if defined(FAST_BLOCK)
#elif defined(ESP_PLATFORM)
#define FAST_BLOCK(n)	(4 + ((n) < 12 ? 12 : ((n) + 3) & ~3u))  /* TLSF */
#define FAST_BLOCK_HEAD		4
#define FAST_BLOCK_LEAST	12
#define FAST_BLOCK_ALIGN	4
#else
#define FAST_BLOCK(n)	(((n) + 16 + 7) & ~7u)  /* the SDK's pvPortMalloc */
#define FAST_BLOCK_HEAD		16
#define FAST_BLOCK_LEAST	1
#define FAST_BLOCK_ALIGN	8
#endif

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

#endif
