/* fault.c - reads where no chip has memory */

int main (void) {
  return *(volatile int *)0x28000000;
}
