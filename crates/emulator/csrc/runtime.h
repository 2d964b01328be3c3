/*
** runtime.h - what the emulated chip offers to the programs that run on it
*/

#ifndef runtime_h
#define runtime_h

#include <stddef.h>
#include <stdint.h>

#include "cpu.h"

/*
** The heap behind malloc. 'live' counts the bytes that were asked for;
** 'used' what they take of the chip's heap (blocks.c).
*/
typedef struct heap_state {
  uint32_t live, live_peak;
  uint32_t used, used_peak;
  uint32_t blocks;		/* blocks alive */
  uint32_t calls;		/* blocks ever asked for, also in vain */
  uint32_t failed;		/* of these, in vain */
  uint32_t limit;		/* 'used' may not exceed it */
  uint32_t fail_from;		/* calls that fail: from this one (0: none) */
  uint32_t fail_before;		/* to the one before this */
} heap_state;

extern heap_state heap;

extern char heap_start[], heap_end[];	/* from the linker script */
#define HEAP_SIZE	((uint32_t)(heap_end - heap_start))

/* Forgets every block. */
void heap_reset (uint32_t limit);

/* Starts both peaks anew. */
void heap_mark (void);

/* The n-th call from now on fails, and 'more' calls after it; n = 0: none does. */
void heap_fail (uint32_t n, uint32_t more);

/* Free bytes, as the firmware tells them. */
uint32_t heap_left (void);

/* Instructions in an interval of ticks (cpu.h). */
uint32_t ticks_between (uint32_t from, uint32_t to);

/* Bytes of C stack: paint what is free, and later see how deep it was used. */
uint32_t stack_paint (void);
uint32_t stack_used (uint32_t painted);

/* Hands what the program prints to 'sink' instead of the console; NULL ends it. */
void console_capture (void (*sink) (const char *s, size_t n));

/* Writes to the console, past the sink. */
void console_write (const char *s, size_t n);

/*
** Reads of the image's constants while counting is on (trap.c). Only in an
** image linked for it, of a chip where they matter: 'trap_available' tells.
*/
typedef struct trap_counts {
  uint32_t narrow;		/* reads of 1 or 2 bytes: a trap each on the chip */
  uint32_t words;		/* aligned reads of 4 bytes */
  uint32_t unaligned;		/* reads across their own size: they crash the chip */
} trap_counts;

extern trap_counts trap_reads;
int trap_available (void);
void trap_set (int on);

/* QEMU's services: how many bytes were written; the end (emulator.c). */
int emulator_write (int fd, const char *s, size_t n);
void emulator_exit (int status) __attribute__ ((noreturn));

/* Ends the run with exit status 70 and the message. */
void runtime_fail (const char *format, ...)
  __attribute__ ((noreturn, format (printf, 1, 2)));

#endif
