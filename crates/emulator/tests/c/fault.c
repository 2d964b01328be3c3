/* fault.c - reads where no memory is */

int main (void) {
  return *(volatile int *)0x20000000;
}
