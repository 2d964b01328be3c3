/*
** fast_slot.h - a region of the image for chunks that 'fastlua patch' writes there
** after the firmware is built
** The region is a constant. Its header describes the firmware, then the contents: that
** part is zero while the slot is empty. Contents are found by their offset from the
** start of the region; only frozen objects have addresses.
** fast_chunks.h defines FAST_SLOT, the size of the region, and properties of the core.
*/

#ifndef fast_slot_h
#define fast_slot_h

#include <stddef.h>
#include <string.h>

#include "fast_load.h"
#include "fast_deflated.h"
#include "fast_packed.h"

#define FAST_SLOT_LAYOUT	1

/* bytes of a sector of flash, which is erased as a whole: a slot shares none with code */
#define FAST_SLOT_SECTOR	4096

#define FAST_SLOT_FREEZES	1u	/* the core runs frozen chunks */
#define FAST_SLOT_HOOK		2u	/* and the start-up hook is in */
#define FAST_SLOT_INFLATES	4u	/* it loads deflated chunks */
#define FAST_SLOT_UNPACKS	8u	/* and packed ones */
#define FAST_SLOT_LOADS		(FAST_SLOT_INFLATES | FAST_SLOT_UNPACKS)

/* limit of its chunks and of its functions: each takes a bit of RAM */
#define FAST_SLOT_LIMIT		(FAST_SLOT / 128)

typedef struct fast_slot_header {
  char magic[16];		/* without a terminating zero */
  uint32_t layout;		/* FAST_SLOT_LAYOUT */
  uint32_t capacity;		/* bytes of the region, with this header */
  const void *self, *end;	/* addresses */
  uint32_t flags;
  uint32_t block[3];		/* FAST_BLOCK_HEADER, _LEAST, _ALIGN */
  uint32_t limits[2];		/* chunks, functions of frozen chunks */
  char variant[32];
  char version[16];
  unsigned char core[64];	/* sizes, offsets and tags of the core's objects */
  uint32_t checksum;		/* FAST_SLOT_CHECKSUM */
  uint32_t used;		/* bytes from the start; 0: the slot is empty */
  uint32_t hash;		/* XXH32 of these without the header */
  uint32_t count;		/* of chunks */
  uint32_t index, sources;	/* arrays: fast_chunk, and a record of each source */
  uint32_t frozen;		/* array of fast_frozen *; 0: none is frozen */
  uint32_t pool, pool_size, pool_used;
  uint32_t pool_bytes;		/* of flash, with the strings */
  uint32_t seed;		/* of 5.3's hashes */
  uint32_t functions;		/* of frozen chunks */
  uint32_t bundle[2];		/* its name */
  uint32_t shared;		/* what packed chunks share; 0: none is packed */
  uint32_t reserved[5];		/* zero */
  uint32_t header_hash;		/* XXH32 of all before it */
} fast_slot_header;

_Static_assert(sizeof(void *) == 4, "a slot is for a chip of 32 bits");
_Static_assert(sizeof(fast_slot_header) == 256, "the header has 256 bytes");
_Static_assert(FAST_SLOT % FAST_SLOT_SECTOR == 0 && FAST_SLOT > 0, "a slot has whole sectors");
_Static_assert(FAST_BLOCK(1) == ((FAST_BLOCK_MINIMUM + FAST_BLOCK_HEADER + FAST_BLOCK_ALIGN - 1)
                                 / FAST_BLOCK_ALIGN * FAST_BLOCK_ALIGN)
               && FAST_BLOCK(50) == ((50 + FAST_BLOCK_HEADER + FAST_BLOCK_ALIGN - 1)
                                     / FAST_BLOCK_ALIGN * FAST_BLOCK_ALIGN),
               "FAST_BLOCK and its three numbers agree");

#if !defined(FAST_FREEZES)
#define FAST_SLOT_FLAGS		FAST_SLOT_LOADS
#define FAST_MARK		0
#elif defined(FAST_WRAP)
#define FAST_SLOT_FLAGS		(FAST_SLOT_LOADS | FAST_SLOT_FREEZES | FAST_SLOT_HOOK)
#else
#define FAST_SLOT_FLAGS		(FAST_SLOT_LOADS | FAST_SLOT_FREEZES)
#endif

/* changes whenever one field changes, but for self and end, which check each other */
#define FAST_SLOT_CHECKSUM \
	(FAST_CHECKSUM_SEED + FAST_SLOT_LAYOUT * 3u + FAST_SLOT * 5u + FAST_SLOT_FLAGS * 7u \
	+ FAST_BLOCK_HEADER * 11u + FAST_BLOCK_MINIMUM * 13u + FAST_BLOCK_ALIGN * 17u \
	+ FAST_SLOT_LIMIT * 19u + FAST_SLOT_LIMIT * 23u + FAST_SLOT_TEXT_SUM + FAST_SLOT_CORE_SUM)

static const struct fast_slot {
  fast_slot_header head;
  char contents[FAST_SLOT - sizeof(fast_slot_header)];
} fast_slot __attribute__((used, aligned(FAST_SLOT_SECTOR))) = {
  .head = {
    .magic = {'f', 'a', 's', 't', 'l', 'u', 'a', ' ', 's', 'l', 'o', 't', '\r', '\n', 26, '\n'},
    .layout = FAST_SLOT_LAYOUT, .capacity = FAST_SLOT,
    .self = &fast_slot, .end = (const char *)&fast_slot + FAST_SLOT,
    .flags = FAST_SLOT_FLAGS,
    .block = {FAST_BLOCK_HEADER, FAST_BLOCK_MINIMUM, FAST_BLOCK_ALIGN},
    .limits = {FAST_SLOT_LIMIT, FAST_SLOT_LIMIT},
    .variant = FAST_VARIANT, .version = FAST_VERSION,
    .core = FAST_SLOT_CORE, .checksum = FAST_SLOT_CHECKSUM
  }
};

/* Words of the header, and the address that it records. They are volatile, as 'patch'
** may have changed them since the compiler saw the initializer. */
#define fast_slot_word(field)	FAST_WORD(&fast_slot.head.field)
#define fast_slot_start() \
	((size_t)*(const void *const volatile *)&fast_slot.head.self)

/* address of something in the slot, whose offset is in the header */
#define fast_slot_at(t,field)	((const t *)(fast_slot_start() + fast_slot_word(field)))

static uint32_t fast_slot_checked[FAST_SLOT_LIMIT / 32 + 1];
static fast_bundle fast_slot_image;
#if defined(FAST_FREEZES)
/* no string table, so that nothing is mapped, while the slot is empty */
static const fast_link *fast_pool = (const fast_link *)&fast_slot;
#endif
static char fast_slot_state;	/* FAST_SLOT_UNCHECKED to FAST_SLOT_DAMAGED */

#define FAST_SLOT_UNCHECKED	0
#define FAST_SLOT_EMPTY		1
#define FAST_SLOT_VALID		2
#define FAST_SLOT_DAMAGED	3

/* Whether the contents have their checksum. */
static int fast_slot_is_valid (void) {
  const uint32_t *words = (const uint32_t *)fast_slot_start();
  uint32_t size = offsetof(fast_slot_header, header_hash), used = fast_slot_word(used);
  return words == (const uint32_t *)&fast_slot
         && fast_hash(words, size) == fast_slot_word(header_hash)
         && used >= sizeof(fast_slot_header) && used <= FAST_SLOT
         && fast_slot_word(count) <= FAST_SLOT_LIMIT
         && fast_slot_word(functions) <= FAST_SLOT_LIMIT
         && fast_hash(words + sizeof(fast_slot_header) / 4, used - sizeof(fast_slot_header))
            == fast_slot_word(hash);
}

/* Checks the slot, once. */
static void fast_slot_open (void) {
  if (fast_slot_state != FAST_SLOT_UNCHECKED) return;
  fast_slot_state = FAST_SLOT_EMPTY;
  fast_slot_image.checked = fast_slot_checked;
  if (fast_slot_word(used) == 0 && fast_slot_word(header_hash) == 0) return;
  fast_slot_state = FAST_SLOT_DAMAGED;
  if (!fast_slot_is_valid()) return;
  fast_slot_state = FAST_SLOT_VALID;
  fast_slot_image.chunks = fast_slot_at(fast_chunk, index);
  fast_slot_image.count = fast_slot_word(count);
  fast_slot_image.base = fast_slot_start();
  fast_slot_image.deflated = fast_load_deflated;
  fast_slot_image.packed = fast_load_packed;
  fast_slot_image.shared = (const uint32_t *)(size_t)fast_slot_word(shared);
#if defined(FAST_FREEZES)
  if (fast_slot_word(frozen) == 0) return;
  fast_slot_image.frozen = fast_slot_at(struct fast_frozen *const, frozen);
  fast_pool = fast_slot_at(fast_link, pool);
#endif
}

#define FAST_FUNCTIONS	FAST_SLOT_LIMIT
#define FAST_SEED	fast_slot_word(seed)
#define FAST_POOL_SIZE	((int)fast_slot_word(pool_size))
#define FAST_POOL_USED	fast_slot_word(pool_used)
#define FAST_POOL_BYTES	fast_slot_word(pool_bytes)

/* pushes the table fast.info().slot */
static void fast_slot_info (lua_State *L) {
  static const char *const states[] = {"", "empty", "good", "damaged"};
  static const char digits[] = "0123456789abcdef";
  char name[16];
  int i;
  for (i = 0; i < 16; i++)
    name[i] = digits[fast_slot_word(bundle[i / 8]) >> (4 * (i % 8 ^ 1)) & 15];
  lua_createtable(L, 0, 5);
  lua_pushstring(L, states[(int)fast_slot_state]);
  lua_setfield(L, -2, "state");
  lua_pushinteger(L, FAST_SLOT);
  lua_setfield(L, -2, "capacity");
  lua_pushinteger(L, (lua_Integer)(size_t)&fast_slot);
  lua_setfield(L, -2, "address");
  if (fast_slot_state != FAST_SLOT_VALID) return;
  lua_pushinteger(L, (lua_Integer)fast_slot_word(used));
  lua_setfield(L, -2, "used");
  lua_pushlstring(L, name, sizeof(name));
  lua_setfield(L, -2, "bundle");
}

#endif
