/*
** packed.h - stands before each C file that includes Lua's headers, so that
** as in the firmware a value with a 64-bit number takes 12 bytes
*/

#ifndef packed_h
#define packed_h

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma pack(4)

#endif
