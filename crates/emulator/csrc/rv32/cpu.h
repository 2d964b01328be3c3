/*
** cpu.h - the RV32's count of instructions, and memory that no figure counts
*/

#ifndef cpu_h
#define cpu_h

#include <stdint.h>

/* the CPU's flags of the compiler leave out these registers */
#define CSR(text)	".option push\n\t.option arch, +zicsr\n\t" text "\n\t.option pop"

/* minstret, which with QEMU's '-icount shift=0' counts each instruction */
static inline uint32_t ticks (void) {
  uint32_t t;
  __asm__ volatile (CSR("csrr %0, minstret") : "=r" (t) : : "memory");
  return t;
}

/* microseconds of one tick times 2^32, as if an instruction took a cycle of 160 MHz */
#define TICK_TIME	26843546u

/* 1000 turns of two instructions, one before them, one that reads the counter */
#define COUNTER_LOOP(from,to,i) \
  __asm__ volatile ( \
    CSR("csrr %0, minstret\n\tli %2, 1000\n1:\taddi %2, %2, -1\n\tbnez %2, 1b\n\tcsrr %1, minstret") \
    : "=&r" (from), "=r" (to), "=&r" (i))

/* 33 MB, and some more for blocks.c */
#define SPARE		((char *)0x84000000)
#define SPARE_HEAP	(SPARE + 0x2100000)

#endif
