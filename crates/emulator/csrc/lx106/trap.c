/*
** trap.c - CPU exceptions, and through them a count of the reads of flash
** In an image linked for counting, the image's constants lie in a region
** of their own, which is closed while counting is on: each load from it
** raises an exception and is carried out here.
*/

#include "runtime.h"

#define CAUSE_LOAD_PROHIBITED	28

#define REGION		0x60000000u	/* 512 MB that hold nothing else */
#define OPEN		2u		/* region attributes */
#define CLOSED		15u

extern char flash_start[], flash_end[];

typedef struct frame {
  uint32_t a[16];
} frame;

trap_counts trap_reads;
static int trap_on;

int trap_available (void) {
  return (uint32_t)flash_start >= REGION;
}

static void region (uint32_t attribute) {
  __asm__ volatile ("wdtlb %0, %1\n\tdsync" : : "a" (attribute), "a" (REGION) : "memory");
}

void trap_set (int on) {
  if (!trap_available()) return;
  trap_on = on;
  region(on ? CLOSED : OPEN);
}

/* register, size and length of the load at pc; 0 where it is no load */
static int decode (uint32_t pc, int *reg, int *size, int *sign) {
  const unsigned char *p = (const unsigned char *)pc;
  *reg = p[0] >> 4;
  *size = 4;
  *sign = 0;
  if ((p[0] & 15) == 8) return 2;  /* l32i.n */
  if ((p[0] & 15) != 2) return 0;
  switch (p[1] >> 4) {
    case 0: *size = 1; return 3;  /* l8ui */
    case 1: *size = 2; return 3;  /* l16ui */
    case 2: return 3;  /* l32i */
    case 9: *size = 2; *sign = 1; return 3;  /* l16si */
    default: return 0;
  }
}

static uint32_t load (uint32_t address, int size, int sign) {
  if (size == 1) return *(volatile unsigned char *)address;
  if (size == 4) return *(volatile uint32_t *)address;
  return sign ? (uint32_t)*(volatile short *)address
              : *(volatile unsigned short *)address;
}

uint32_t exception (frame *f, uint32_t cause, uint32_t address, uint32_t pc);

uint32_t exception (frame *f, uint32_t cause, uint32_t address, uint32_t pc) {
  int reg, size, sign, length;
  region(OPEN);
  length = (cause == CAUSE_LOAD_PROHIBITED && trap_on && address >= REGION)
           ? decode(pc, &reg, &size, &sign) : 0;
  if (length == 0)
    runtime_fail("CPU exception %u at 0x%08x, address 0x%08x",
                 (unsigned)cause, (unsigned)pc, (unsigned)address);
  if (address >= (uint32_t)flash_start && address < (uint32_t)flash_end) {
    if (address % size != 0) trap_reads.unaligned++;
    else if (size == 4) trap_reads.words++;
    else trap_reads.narrow++;
  }
  f->a[reg] = load(address, size, sign);
  region(CLOSED);
  return pc + length;
}
