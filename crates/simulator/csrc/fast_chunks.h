/*
** fast_chunks.h - in place of a generated one: the simulator sets the chunks
** before it opens the module
*/

#ifndef fast_chunks_h
#define fast_chunks_h

#include "fast_deflated.h"
#include "fast_packed.h"

/* image.rs fills in these */
_Static_assert(offsetof(fast_chunk, name) == 0
               && offsetof(fast_chunk, words) == sizeof(void *)
               && offsetof(fast_chunk, size) == 2 * sizeof(void *)
               && offsetof(fast_chunk, hash) == 2 * sizeof(void *) + 4
               && offsetof(fast_chunk, kind) == 2 * sizeof(void *) + 8
               && offsetof(fast_chunk, heap) == 2 * sizeof(void *) + 12
               && offsetof(fast_chunk, strings) == 2 * sizeof(void *) + 16
               && offsetof(fast_chunk, depth) == 2 * sizeof(void *) + 20
               && offsetof(fast_chunk, checksum) == 2 * sizeof(void *) + 24
               && sizeof(fast_chunk) == sizeof(struct {void *p[2]; uint32_t w[7];})
               && FAST_ENTRY_CHECKSUM(1000, 200, 10, 0, 0, 0) == 0x66617374u + 3000 + 1000 + 70
               && offsetof(fast_bundle, chunks) == 0
               && offsetof(fast_bundle, count) == sizeof(void *)
               && offsetof(fast_bundle, checked) == 2 * sizeof(void *)
               && offsetof(fast_bundle, frozen) == 3 * sizeof(void *)
               && offsetof(fast_bundle, base) == 4 * sizeof(void *)
               && offsetof(fast_bundle, deflated) == 5 * sizeof(void *)
               && offsetof(fast_bundle, packed) == 6 * sizeof(void *)
               && offsetof(fast_bundle, shared) == 7 * sizeof(void *),
               "index and bundle have the fields of Entry and Table");

fast_bundle fastlua_image = {NULL, 0, NULL, NULL, 0, fast_load_deflated, fast_load_packed, NULL, NULL};
const char *fastlua_about[3];  /* version, variant, bundle */

#define fast_image	fastlua_image
#define FAST_VERSION	fastlua_about[0]
#define FAST_VARIANT	fastlua_about[1]
#define FAST_BUNDLE	fastlua_about[2]

#endif
