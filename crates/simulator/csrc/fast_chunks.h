/*
** fast_chunks.h - in place of a generated one: the simulator sets the chunks
** before it opens the module
*/

#ifndef fast_chunks_h
#define fast_chunks_h

fast_bundle fastlua_image;
const char *fastlua_about[3];  /* version, variant, bundle */

#define fast_image	fastlua_image
#define FAST_VERSION	fastlua_about[0]
#define FAST_VARIANT	fastlua_about[1]
#define FAST_BUNDLE	fastlua_about[2]

#endif
