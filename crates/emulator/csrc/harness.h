/*
** harness.h - the jobs of the measuring program
*/

#ifndef harness_h
#define harness_h

#include <stdint.h>

typedef struct harness_job {
  const char *name;		/* for fast.load, else the chunk name */
  const char *data;		/* source or dump; NULL: fast.load(name), or of LFS */
  uint32_t size;
  uint8_t copy;			/* data is copied to RAM before */
  uint8_t store;		/* without data: of LFS */
  uint8_t warm;			/* has been loaded once before */
  uint8_t run;			/* what it loads is run */
} harness_job;

extern const harness_job harness_jobs[];
extern const uint32_t harness_job_count;
extern const uint32_t harness_heap_limit;
extern const int harness_egc_mode, harness_egc_limit;	/* of 5.1 */

/* Ends the run where counter, heap or core do not measure what is known (check.c). */
void harness_check (void);

/* Ends it where the heap does not make of known blocks what the chip's does (known.c). */
void known_heap (void);

/* Ends it where a figure is not what it has to be. */
void check_figure (const char *what, uint32_t got, uint32_t want);

#endif
