/*
** fast_chunks.h - in place of a generated one: the simulator sets the chunks
** before it opens the module
*/

#ifndef fast_chunks_h
#define fast_chunks_h

#include <limits.h>
#include <time.h>

fast_bundle fastlua_image;
const char *fastlua_about[3];  /* version, variant, bundle */

#define fast_image	fastlua_image
#define FAST_VERSION	fastlua_about[0]
#define FAST_VARIANT	fastlua_about[1]
#define FAST_BUNDLE	fastlua_about[2]

int lua_freeheap (void) {  /* the PC's heap does not end */
  return INT_MAX;
}

uint32_t fast_clock (void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint32_t)((uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000);
}

#endif
