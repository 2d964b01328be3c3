/*
** numbers.h - number models of the Lua cores, for files that include no
** Lua header before this one
** FASTLUA_INTEGER, FASTLUA_FLOAT: bytes of each number type, 0 for none
*/

#ifndef fastlua_numbers_h
#define fastlua_numbers_h

#include <stdio.h>	/* before 5.1's ldebug.h, which defines 'getline' */
#include <stdlib.h>

#if FASTLUA_FLOAT == 0		/* integer 5.1 */

#include "luaconf.h"

#undef LUA_INTEGER
#undef LUA_NUMBER
#undef LUA_NUMBER_DOUBLE
#undef LUA_NUMBER_FMT
#undef LUA_NUMBER_SCAN
#undef LUAI_UACNUMBER
#undef lua_number2str
#undef lua_str2number
#undef luai_numadd
#undef luai_numsub
#undef luai_nummul
#undef luai_numdiv
#undef luai_nummod
#undef luai_numpow
#undef luai_numunm
#undef lua_number2int
#undef lua_number2integer

#define LUA_INTEGER		int
#define LUA_NUMBER		int
#define LUA_NUMBER_FMT		"%d"
#define LUA_NUMBER_SCAN		"%d"
#define LUAI_UACNUMBER		int
#define lua_number2str(s,n)	sprintf((s), LUA_NUMBER_FMT, (n))
#define lua_str2number(s,p)	numbers_str2int((s), (p))
#define lua_number2int(i,n)	((i) = (n))
#define lua_number2integer(i,n)	((i) = (n))

/* every operation wraps in 32 bits */
#define numbers_wrap(a,op,b)	((int)((unsigned)(a) op (unsigned)(b)))
#define luai_numadd(a,b)	numbers_wrap(a, +, b)
#define luai_numsub(a,b)	numbers_wrap(a, -, b)
#define luai_nummul(a,b)	numbers_wrap(a, *, b)
#define luai_numunm(a)		numbers_wrap(0, -, a)
#define luai_numdiv(a,b)	numbers_div((a), (b))
#define luai_nummod(a,b)	numbers_mod((a), (b))
#define luai_numpow(a,b)	numbers_pow((a), (b))

/*
** Decimal and hexadecimal literals. A value that does not fit consumes
** nothing, so that the lexer calls the number malformed. 2147483648 passes
** for the sake of its negation. Hexadecimal is a bit pattern: 0xffffffff is -1.
*/
static inline int numbers_str2int (const char *s, char **end) {
  long long n = strtoll(s, end, 10);
  if (n == 0 && (**end == 'x' || **end == 'X')) {
    unsigned long long u = strtoull(s, end, 16);
    if (u > 0xffffffffULL) goto toobig;
    return (int)(unsigned)u;
  }
  if (n > 2147483648LL || n < -2147483648LL) goto toobig;
  return (int)(unsigned)n;
 toobig:
  *end = (char *)s;
  return 0;
}

/* division and modulo floor; by zero is for the caller to refuse */
static inline int numbers_div (int a, int b) {
  int q;
  if (b == -1) return luai_numunm(a);  /* -2147483648 / -1 traps on some CPUs */
  if (b == 0) return 0;
  q = a / b;
  return q - (a % b != 0 && (a ^ b) < 0);
}

static inline int numbers_mod (int a, int b) {
  return (b == 0) ? 0 : luai_numsub(a, luai_nummul(numbers_div(a, b), b));
}

static inline int numbers_pow (int a, int b) {
  int r = 1;
  if (b < 0) return 0;
  for (; b > 0; b >>= 1, a = luai_nummul(a, a))
    if (b & 1) r = luai_nummul(r, a);
  return r;
}

#elif FASTLUA_INTEGER != 0	/* 5.3: its own luaconf.h asks for these */

#define LUA_INT_TYPE	(FASTLUA_INTEGER == 4 ? 1 : 3)	/* int, long long */
#define LUA_FLOAT_TYPE	(FASTLUA_FLOAT == 4 ? 1 : 2)	/* float, double */

#endif

#endif
