/*
** cpu.h - the lx106's count of instructions, and memory that no figure counts
*/

#ifndef cpu_h
#define cpu_h

#include <stdint.h>

/* CCOUNT; 'ticks_between' makes instructions of it: exactly up to 1.6e9 of them */
static inline uint32_t ticks (void) {
  uint32_t t;
  __asm__ volatile ("rsr %0, ccount" : "=r" (t) : : "memory");
  return t;
}

/* microseconds of one tick times 2^32, as if an instruction took a cycle of 80 MHz: 204.8 ticks */
#define TICK_TIME	20971520u

/* 1000 turns of two instructions, one before them, one that reads the counter */
#define COUNTER_LOOP(from,to,i) \
  __asm__ volatile ( \
    "rsr %0, ccount\n\tmovi %2, 1000\n1:\taddi %2, %2, -1\n\tbnez %2, 1b\n\trsr %1, ccount" \
    : "=r" (from), "=r" (to), "=r" (i))

/* 33 MB */
#define SPARE		((char *)0x64000000)

#endif
