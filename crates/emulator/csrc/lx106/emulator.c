/*
** emulator.c - QEMU's services for the machine "sim"
*/

#include "runtime.h"

int emulator_call (int number, int a, int b, int c);  /* start.S */

#define CALL_EXIT	1
#define CALL_WRITE	4

int emulator_write (int fd, const char *s, size_t n) {
  return emulator_call(CALL_WRITE, fd, (int)s, (int)n);
}

void emulator_exit (int status) {
  for (;;) emulator_call(CALL_EXIT, status, 0, 0);
}

/*
** CCOUNT runs at 40 MHz of virtual time, and with QEMU's '-icount shift=6' an
** instruction takes 64 ns of it: 2.56 ticks. Both ends are rounded down, so
** the interval is off by less than one tick, which rounding mends.
*/
uint32_t ticks_between (uint32_t from, uint32_t to) {
  uint32_t n = to - from;
  return n / 64 * 25 + (n % 64 * 25 + 32) / 64;
}
