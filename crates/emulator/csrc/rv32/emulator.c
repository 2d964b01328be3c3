/*
** emulator.c - QEMU's services for RISC-V: semihosting
*/

#include "runtime.h"

int emulator_call (int number, void *block);  /* start.S */

#define CALL_OPEN	0x01
#define CALL_WRITE	0x05
#define CALL_EXIT	0x20	/* with a status */

#define EXIT_REQUEST	0x20026	/* the program asks to end */
#define OPEN_WRITE	4	/* of the console: standard output */
#define OPEN_APPEND	8	/* of the console: standard error */

static int handle (int fd) {
  static int handles[2];
  int *h = &handles[fd == 2];
  if (*h == 0) {
    uint32_t block[] = {(uint32_t)":tt", fd == 2 ? OPEN_APPEND : OPEN_WRITE, 3};
    *h = emulator_call(CALL_OPEN, block);
  }
  return *h;
}

/* the call returns how many bytes are left */
int emulator_write (int fd, const char *s, size_t n) {
  uint32_t block[] = {(uint32_t)handle(fd), (uint32_t)s, n};
  return (int)n - emulator_call(CALL_WRITE, block);
}

void emulator_exit (int status) {
  uint32_t block[] = {EXIT_REQUEST, (uint32_t)status};
  for (;;) emulator_call(CALL_EXIT, block);
}

uint32_t ticks_between (uint32_t from, uint32_t to) {
  return to - from;
}
