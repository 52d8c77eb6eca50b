/* The same with a library whose events have grown at their end since this program was compiled. */
#define GROWN
#include "0008-event-array.c"
