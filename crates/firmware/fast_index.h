/*
** fast_index.h - the index of a bundle's chunks, and how much heap a load needs:
** the firmware's compiler turns the bundle's counts into bytes
*/

#ifndef fast_index_h
#define fast_index_h

#define LUA_CORE	/* for the sizes of the core's structures */

#include <stdint.h>

#include "lua.h"
#include "lobject.h"
#include "lfunc.h"

/* an attribute of constants that must be in flash; NodeMCU's linker scripts put all
** constants there, so it is empty */
#if !defined(FAST_FLASH)
#define FAST_FLASH
#endif

#define FAST_BYTECODE	0
#define FAST_SOURCE	1
#define FAST_DATA	2
#define FAST_DEFLATED	3	/* source */
#define FAST_PACKED	4	/* bytecode */

/* words of the longest name with its terminating zero */
#define FAST_NAME	16

typedef struct fast_chunk {
  const uint32_t *name;		/* padded with one zero byte or more */
  const uint32_t *words;	/* the chunk, padded with zero bytes */
  uint32_t size;		/* bytes of the chunk */
  uint32_t hash;		/* XXH32 of these bytes */
  uint32_t kind;		/* FAST_BYTECODE to FAST_PACKED */
  uint32_t heap;		/* bytes of heap that a load takes, without
				** those of compiling source */
  uint32_t strings;		/* short strings that may be new to the core */
  uint32_t depth;		/* levels of functions, 0 for source and data */
  uint32_t checksum;		/* FAST_ENTRY_CHECKSUM of size to depth */
} fast_chunk;

/* start value of checksums of a few numbers: "fast" */
#define FAST_CHECKSUM_SEED	0x66617374u

/* Checksum of an index entry. It changes whenever one field changes. The pointers are
** left out, as a sum with them is no constant expression. */
#define FAST_ENTRY_CHECKSUM(s,h,k,p,t,d) \
	(FAST_CHECKSUM_SEED + (s) * 3u + (h) * 5u + (k) * 7u + (p) * 11u + (t) * 13u + (d) * 17u)
#define FAST_CHUNK(n,w,s,h,k,p,t,d) \
	{n, w, s, h, k, (uint32_t)(p), t, d, FAST_ENTRY_CHECKSUM(s, h, k, (uint32_t)(p), t, d)}

struct fast_frozen;
struct fast_bundle;

/* pushes a chunk's main function, or a message; returns the status */
typedef int (*fast_loader) (lua_State *L, const struct fast_bundle *b,
                            const fast_chunk *c, const char *name);

typedef struct fast_bundle {
  const fast_chunk *chunks;	/* sorted by name, byte by byte */
  uint32_t count;
  uint32_t *checked;		/* bits, set once a checksum was found right: one for
				** each chunk, one for 'shared' */
  const struct fast_frozen *const *frozen;	/* for each chunk, or NULL: none is */
  size_t base;			/* address that names and words are relative to */
  fast_loader deflated;		/* loads FAST_DEFLATED, or NULL: there is none */
  fast_loader packed;		/* loads FAST_PACKED, or NULL: there is none */
  const uint32_t *shared;	/* what packed chunks share, or NULL */
  const uint32_t *names;	/* hash table of the names, or NULL */
} fast_bundle;

/* address of a name, a chunk's words, or 'shared' of a bundle with that base */
#define FAST_AT(base,p)	((const uint32_t *)((base) + (size_t)(p)))

/* bytes of heap that an allocation of n bytes takes; the module.h of stock Lua has its
** own */
#if defined(FAST_BLOCK)
#elif defined(ESP_PLATFORM)
#define FAST_BLOCK(n)	(4 + ((n) < 12 ? 12 : ((n) + 3) & ~3u))  /* TLSF */
#define FAST_BLOCK_HEADER		4
#define FAST_BLOCK_MINIMUM	12
#define FAST_BLOCK_ALIGN	4
#else
#define FAST_BLOCK(n)	(((n) + 16 + 7) & ~7u)  /* the SDK's pvPortMalloc */
#define FAST_BLOCK_HEADER		16
#define FAST_BLOCK_MINIMUM	1
#define FAST_BLOCK_ALIGN	8
#endif

/*
** Heap that loading bytecode takes if all its strings are new to the core: the main
** function's closure with u upvalues; each function with i instructions, k constants,
** p functions, u descriptions of upvalues (5.1: their names), v local variables, l
** bytes of line info; each different string of n bytes; and, while 5.1 reads strings,
** its buffer beside the smaller one that it replaces.
*/
#define FAST_ARRAY(n,t)	((n) == 0 ? 0 : FAST_BLOCK((n) * sizeof(t)))
#define FAST_FUNCTION(i,k,p,u,v,l) \
	(FAST_BLOCK(sizeof(Proto)) + FAST_ARRAY(i, Instruction) \
	+ FAST_ARRAY(k, TValue) + FAST_ARRAY(p, Proto *) \
	+ FAST_ARRAY(u, fast_upvalue) + FAST_ARRAY(v, LocVar) \
	+ FAST_ARRAY(l, char))
#define FAST_CLOSURE(u) \
	(FAST_BLOCK(sizeLclosure(u)) + (u) * FAST_BLOCK(sizeof(UpVal)))
#if LUA_VERSION_NUM == 501
typedef TString *fast_upvalue;
#define FAST_STRING(n)		FAST_BLOCK(sizeof(TString) + (n) + 1)
#define FAST_BUFFER(old,new)	(FAST_ARRAY(old, char) + FAST_ARRAY(new, char))
#else
typedef Upvaldesc fast_upvalue;
#define FAST_STRING(n)		FAST_BLOCK(sizeof(UTString) + (n) + 1)
#define FAST_BUFFER(old,new)	0
#endif

#endif
