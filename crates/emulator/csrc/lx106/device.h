/*
** device.h - stands before each C file of an image: it is the firmware's
** stand-in header, but for a block of the heap, which is as on the ESP8266
*/

#include "numbers.h"
#include "module.h"

#undef FAST_BLOCK
#undef FAST_BLOCK_HEADER
#undef FAST_BLOCK_ALIGN
#define FAST_BLOCK(n)	(((n) + 16 + 7) & ~7u)  /* heap.c */
#define FAST_BLOCK_HEADER		16
#define FAST_BLOCK_ALIGN	8
