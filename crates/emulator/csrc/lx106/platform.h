/*
** platform.h - what SoftFloat asks of its host, for the lx106
*/

#define LITTLEENDIAN		1
#define INLINE			static inline
#define THREAD_LOCAL
#define SOFTFLOAT_BUILTIN_CLZ	1

#include "opts-GCC.h"
