/*
** trap.c - CPU exceptions, each of which ends the run: among them is a write
** to flash (start.S). Reads of flash are what other reads are, so that none
** is counted.
*/

#include "runtime.h"

trap_counts trap_reads;

int trap_available (void) {
  return 0;
}

void trap_set (int on) {
  (void)on;
}

void exception (uint32_t cause, uint32_t address, uint32_t pc)
  __attribute__ ((noreturn));

void exception (uint32_t cause, uint32_t address, uint32_t pc) {
  runtime_fail("CPU exception %u at 0x%08x, address 0x%08x",
               (unsigned)cause, (unsigned)pc, (unsigned)address);
}
