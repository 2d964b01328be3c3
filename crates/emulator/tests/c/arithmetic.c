/*
** arithmetic.c - integers and floats of all kinds, so that a PC and the
** emulated chip can be compared: prints the bits of each result
*/

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const uint64_t integers[] = {
  0, 1, 2, 3, 7, 10, 0x7f, 0xff, 1000, 0x8000, 0xffff, 0x10000, 0x10001, 123456789,
  0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x123456789abcdef, 0x7fffffffffffffff,
  0x8000000000000000, 0x8000000000000001, 0xfffffffffffffff6, 0xffffffffffffffff
};

/* written as quotients, so that no compiler knows them */
static volatile double numerators[] = {
  0, 1, -1, 2, 7, -7, 10, 1e10, -1e10, 1e-10, 123456789.125, 1e300, -1e300, 1e-300, 5e-324, 2147483647,
  4294967295.0, 16777217
};
static volatile double divisors[] = {1, 3, 7, 1e5, -0.1, 1e-8, 2147483648.0};

static uint64_t hash = 14695981039346656037u;

static void note (uint64_t n) {
  int i;
  for (i = 0; i < 8; i++, n >>= 8) hash = (hash ^ (n & 0xff)) * 1099511628211u;
}

static void print_hash (const char *what) {
  printf("%s %08lx%08lx\n", what, (unsigned long)(hash >> 32), (unsigned long)(uint32_t)hash);
}

static void note_double (double d) {
  uint64_t bits;
  memcpy(&bits, &d, sizeof(bits));
  note(d != d ? 1 : bits);  /* NaN's sign and payload are the machine's own */
}

static void note_float (float f) {
  uint32_t bits;
  memcpy(&bits, &f, sizeof(bits));
  note(f != f ? 1 : bits);
}

static void note_integers (uint64_t a, uint64_t b) {
  uint32_t a32 = (uint32_t)a, b32 = (uint32_t)b;
  int64_t sa = (int64_t)a, sb = (int64_t)b;
  int32_t sa32 = (int32_t)a32, sb32 = (int32_t)b32;
  note(a * b);
  note((uint64_t)a32 * b32);
  note((uint64_t)((int64_t)sa32 * sb32));
  note(a32 * b32);
  note(a << (b & 63));
  note(a >> (b & 63));
  note((uint64_t)(sa >> (b & 63)));
  if (b != 0) note(a / b), note(a % b);
  if (b32 != 0) note(a32 / b32), note(a32 % b32);
  if (sb != 0 && !(sb == -1 && sa == INT64_MIN)) note((uint64_t)(sa / sb)), note((uint64_t)(sa % sb));
  if (sb32 != 0 && !(sb32 == -1 && sa32 == INT32_MIN))
    note((uint64_t)(uint32_t)(sa32 / sb32)), note((uint64_t)(uint32_t)(sa32 % sb32));
}

static void note_doubles (double a, double b) {
  float fa = (float)a, fb = (float)b;
  note_double(a + b); note_double(a - b); note_double(a * b); note_double(a / b);
  note_float(fa + fb); note_float(fa - fb); note_float(fa * fb); note_float(fa / fb);
  note_double(fa); note_float(fa);
  note((uint64_t)(a < b) + 2 * (uint64_t)(a <= b) + 4 * (uint64_t)(a == b));
  if (a > -2147483649.0 && a < 2147483648.0) note((uint64_t)(int64_t)(int32_t)a);
  if (a >= 0 && a < 4294967296.0) note((uint32_t)a);
  if (a > -9e18 && a < 9e18) note((uint64_t)(int64_t)a);
}

int main (void) {
  size_t i, j, k;
  for (i = 0; i < COUNT(integers); i++)
    for (j = 0; j < COUNT(integers); j++) note_integers(integers[i], integers[j]);
  print_hash("integers");
  for (i = 0; i < COUNT(integers); i++) {
    note_double((double)integers[i]); note_double((double)(int64_t)integers[i]);
    note_float((float)integers[i]); note_float((float)(int64_t)integers[i]);
    note_double((double)(uint32_t)integers[i]); note_double((double)(int32_t)integers[i]);
    note_float((float)(uint32_t)integers[i]); note_float((float)(int32_t)integers[i]);
  }
  print_hash("conversions");
  for (i = 0; i < COUNT(numerators); i++)
    for (j = 0; j < COUNT(divisors); j++)
      for (k = 0; k < COUNT(numerators); k++)
        note_doubles(numerators[i] / divisors[j], numerators[k]);
  print_hash("floats");
  return 0;
}
