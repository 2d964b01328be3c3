/*
** device.h - stands before each C file of an image: it is the firmware's
** stand-in header, but for a block of the heap, which is as on the ESP8266
*/

#include "numbers.h"
#include "module.h"

#undef FAST_BLOCK
#define FAST_BLOCK(n)	(((n) + 16 + 7) & ~7u)  /* heap.c */
