/*
** device.h - stands before each C file of an image: it is the firmware's
** stand-in header, but for a block of the heap, which is as on the ESP32-C3
*/

#include "numbers.h"
#include "module.h"

#undef FAST_BLOCK
#undef FAST_BLOCK_HEADER
#undef FAST_BLOCK_MINIMUM
#undef FAST_BLOCK_ALIGN
#define FAST_BLOCK(n)	(4 + ((n) < 12 ? 12 : ((n) + 3) & ~3u))  /* blocks.c */
#define FAST_BLOCK_HEADER		4
#define FAST_BLOCK_MINIMUM	12
#define FAST_BLOCK_ALIGN	4
