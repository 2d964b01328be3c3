/*
** system.c - console, exit and what else picolibc asks of a system
** There are no files and no clock: such calls fail.
*/

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <unistd.h>

#include "runtime.h"

#define CHECK_FAILED	70

/* what is printed goes out by lines */
typedef struct console {
  int fd;
  size_t n;
  char text[256];
} console;

static console console_out = {1, 0, ""};
static console console_err = {2, 0, ""};
static void (*console_sink) (const char *s, size_t n);

static void write_all (int fd, const char *s, size_t n) {
  while (n > 0) {
    int done = emulator_write(fd, s, n);
    if (done <= 0) emulator_exit(CHECK_FAILED);
    s += done;
    n -= (size_t)done;
  }
}

static void console_flush (console *c) {
  if (c->fd == 1 && console_sink != NULL && c->n > 0) console_sink(c->text, c->n);
  else write_all(c->fd, c->text, c->n);
  c->n = 0;
}

void console_write (const char *s, size_t n) {
  write_all(1, s, n);
}

static void console_put (console *c, char ch) {
  c->text[c->n++] = ch;
  if (ch == '\n' || c->n == sizeof(c->text)) console_flush(c);
}

static int out_put (char ch, FILE *f) {
  (void)f;
  console_put(&console_out, ch);
  return (unsigned char)ch;
}

static int err_put (char ch, FILE *f) {
  (void)f;
  console_put(&console_err, ch);
  return (unsigned char)ch;
}

static int no_get (FILE *f) {
  (void)f;
  return _FDEV_EOF;
}

static int out_flush (FILE *f) {
  (void)f;
  console_flush(&console_out);
  return 0;
}

static FILE stream_in = FDEV_SETUP_STREAM(NULL, no_get, NULL, _FDEV_SETUP_READ);
static FILE stream_out = FDEV_SETUP_STREAM(out_put, NULL, out_flush, _FDEV_SETUP_WRITE);
static FILE stream_err = FDEV_SETUP_STREAM(err_put, NULL, NULL, _FDEV_SETUP_WRITE);

FILE *const stdin = &stream_in;
FILE *const stdout = &stream_out;
FILE *const stderr = &stream_err;

void console_capture (void (*sink) (const char *s, size_t n)) {
  console_flush(&console_out);
  console_sink = sink;
}

void _exit (int status) {
  console_flush(&console_out);
  console_flush(&console_err);
  emulator_exit(status);
}

void runtime_fail (const char *format, ...) {
  va_list args;
  console_capture(NULL);
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputc('\n', stderr);
  _exit(CHECK_FAILED);
}

#define PAINT		0x5ca1ab1eu
#define PAINT_GAP	256		/* left to the caller and to us */

extern char stack_start[], stack_end[];

uint32_t __attribute__ ((noinline)) stack_paint (void) {
  uint32_t *p = (uint32_t *)stack_start;
  uint32_t *top = (uint32_t *)((uint32_t)__builtin_frame_address(0) - PAINT_GAP);
  while (p < top) *p++ = PAINT;
  return (uint32_t)top + PAINT_GAP;
}

uint32_t stack_used (uint32_t painted) {
  const uint32_t *p = (const uint32_t *)stack_start;
  if (*p != PAINT) runtime_fail("the C stack of %d bytes is full", stack_end - stack_start);
  while ((uint32_t)p < painted && *p == PAINT) p++;
  return painted - (uint32_t)p;
}

static int no_such_thing (int error) {
  errno = error;
  return -1;
}

int open (const char *path, int flags, ...) {
  (void)path; (void)flags;
  return no_such_thing(ENOENT);
}

int close (int fd) {
  (void)fd;
  return no_such_thing(EBADF);
}

ssize_t read (int fd, void *p, size_t n) {
  (void)fd; (void)p; (void)n;
  return no_such_thing(EBADF);
}

ssize_t write (int fd, const void *p, size_t n) {
  (void)fd; (void)p; (void)n;
  return no_such_thing(EBADF);
}

off_t lseek (int fd, off_t offset, int whence) {
  (void)fd; (void)offset; (void)whence;
  return no_such_thing(EBADF);
}

int unlink (const char *path) {
  (void)path;
  return no_such_thing(ENOENT);
}

int rename (const char *from, const char *to) {
  (void)from; (void)to;
  return no_such_thing(ENOENT);
}

int gettimeofday (struct timeval *tv, void *zone) {
  (void)zone;
  if (tv != NULL) memset(tv, 0, sizeof(*tv));
  return 0;  /* always 1970: nothing depends on the time of day */
}

clock_t times (struct tms *t) {
  if (t != NULL) memset(t, 0, sizeof(*t));
  return 0;
}

int getpid (void) {
  return 1;
}

int kill (int pid, int signal) {
  (void)pid;
  runtime_fail("signal %d: the program aborted", signal);
}
