/*
** fast_descriptor.h - the build descriptor, by which 'fastlua inspect' finds a bundle
** fast.info returns the bundle's name from here, so the linker keeps it.
*/

#ifndef fast_descriptor_h
#define fast_descriptor_h

#include "fast_index.h"

#define FAST_DESCRIPTOR_LAYOUT	1

#if !defined(FAST_FREEZES)
#define FAST_DESCRIPTOR_FLAGS	0u
#elif defined(FAST_WRAP)
#define FAST_DESCRIPTOR_FLAGS	3u	/* and the start-up hook is in */
#else
#define FAST_DESCRIPTOR_FLAGS	1u	/* the core runs frozen chunks */
#endif

static const struct fast_descriptor {
  char magic[16];		/* without a terminating zero */
  uint32_t layout;		/* FAST_DESCRIPTOR_LAYOUT, and bytes of a pointer */
  const void *self;		/* its own address */
  const fast_chunk *chunks;
  const struct fast_frozen *const *frozen;
  uint32_t count;
  uint32_t flags;
  char bundle[20];
  char variant[32];
  char version[16];
  uint32_t checksum;		/* changes whenever one field changes */
} fast_descriptor __attribute__((used)) = {
  .magic = {'f', 'a', 's', 't', 'l', 'u', 'a', ' ', 'm', 'o', 'd', 's', '\r', '\n', 26, '\n'},
  .layout = FAST_DESCRIPTOR_LAYOUT + 256 * sizeof(void *),
  .self = &fast_descriptor, .chunks = fast_chunks, .frozen = FAST_DESCRIPTOR_FROZEN,
  .count = FAST_DESCRIPTOR_COUNT, .flags = FAST_DESCRIPTOR_FLAGS,
  .bundle = FAST_BUNDLE_NAME, .variant = FAST_VARIANT, .version = FAST_VERSION,
  .checksum = (uint32_t)(FAST_CHECKSUM_SEED + (FAST_DESCRIPTOR_LAYOUT + 256 * sizeof(void *)) * 3u
         + FAST_DESCRIPTOR_COUNT * 5u + FAST_DESCRIPTOR_FLAGS * 7u + FAST_DESCRIPTOR_TEXT_SUM)
};

#define FAST_BUNDLE	fast_descriptor.bundle

#endif
