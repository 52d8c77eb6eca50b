/* 0008 with a library whose events have new fields at the end, added after this program was
 * compiled. */
#define GROWN
#include "0008-event-array.c"
