/*
** arith.c - integer routines that a lx106 has in its mask ROM, and that
** Debian's libgcc therefore leaves out
*/

#include <stdint.h>

uint32_t __udivsi3 (uint32_t a, uint32_t b);
uint32_t __umodsi3 (uint32_t a, uint32_t b);
int32_t __divsi3 (int32_t a, int32_t b);
int32_t __modsi3 (int32_t a, int32_t b);
uint64_t __umulsidi3 (uint32_t a, uint32_t b);
uint64_t __muldi3 (uint64_t a, uint64_t b);
uint64_t __udivdi3 (uint64_t a, uint64_t b);
uint64_t __umoddi3 (uint64_t a, uint64_t b);
int64_t __divdi3 (int64_t a, int64_t b);
int64_t __moddi3 (int64_t a, int64_t b);

/*
** Long division, a bit of the quotient a step, from the highest that can be
** set. By zero: quotient 0, remainder the dividend.
*/
#define LONG_DIVISION(type, clz) \
  type quotient = 0; \
  if (b != 0 && a >= b) { \
    int shift = clz(b) - clz(a); \
    type divisor = b << shift; \
    type bit = (type)1 << shift; \
    do { \
      if (a >= divisor) { a -= divisor; quotient |= bit; } \
      divisor >>= 1; \
    } while ((bit >>= 1) != 0); \
  }

static inline uint32_t div32 (uint32_t a, uint32_t b, uint32_t *rest) {
  LONG_DIVISION(uint32_t, __builtin_clz)
  *rest = a;
  return quotient;
}

static inline int clz64 (uint64_t n) {
  uint32_t high = (uint32_t)(n >> 32);
  return (high != 0) ? __builtin_clz(high) : 32 + __builtin_clz((uint32_t)n);
}

static uint64_t div64 (uint64_t a, uint64_t b, uint64_t *rest) {
  LONG_DIVISION(uint64_t, clz64)
  *rest = a;
  return quotient;
}

uint32_t __udivsi3 (uint32_t a, uint32_t b) {
  uint32_t rest;
  return div32(a, b, &rest);
}

uint32_t __umodsi3 (uint32_t a, uint32_t b) {
  uint32_t rest;
  div32(a, b, &rest);
  return rest;
}

static inline uint32_t abs32 (int32_t n) {
  return (n < 0) ? 0u - (uint32_t)n : (uint32_t)n;
}

static inline uint64_t abs64 (int64_t n) {
  return (n < 0) ? 0u - (uint64_t)n : (uint64_t)n;
}

int32_t __divsi3 (int32_t a, int32_t b) {
  uint32_t rest, q = div32(abs32(a), abs32(b), &rest);
  return (int32_t)((a ^ b) < 0 ? 0u - q : q);
}

int32_t __modsi3 (int32_t a, int32_t b) {
  uint32_t rest;
  div32(abs32(a), abs32(b), &rest);
  return (int32_t)(a < 0 ? 0u - rest : rest);
}

/* the CPU multiplies to 32 bits only */
uint64_t __umulsidi3 (uint32_t a, uint32_t b) {
  uint32_t al = a & 0xffff, ah = a >> 16, bl = b & 0xffff, bh = b >> 16;
  uint32_t low = al * bl;
  uint32_t middle = ah * bl + (low >> 16);  /* can not overflow */
  uint32_t carry = al * bh + (middle & 0xffff);
  uint32_t high = ah * bh + (middle >> 16) + (carry >> 16);
  return (uint64_t)high << 32 | carry << 16 | (low & 0xffff);
}

uint64_t __muldi3 (uint64_t a, uint64_t b) {
  uint32_t al = (uint32_t)a, bl = (uint32_t)b;
  uint32_t cross = (uint32_t)(a >> 32) * bl + al * (uint32_t)(b >> 32);
  return __umulsidi3(al, bl) + ((uint64_t)cross << 32);
}

uint64_t __udivdi3 (uint64_t a, uint64_t b) {
  uint64_t rest;
  return div64(a, b, &rest);
}

uint64_t __umoddi3 (uint64_t a, uint64_t b) {
  uint64_t rest;
  div64(a, b, &rest);
  return rest;
}

int64_t __divdi3 (int64_t a, int64_t b) {
  uint64_t rest, q = div64(abs64(a), abs64(b), &rest);
  return (int64_t)((a ^ b) < 0 ? 0u - q : q);
}

int64_t __moddi3 (int64_t a, int64_t b) {
  uint64_t rest;
  div64(abs64(a), abs64(b), &rest);
  return (int64_t)(a < 0 ? 0u - rest : rest);
}
