/* The library without the standard library, in a program: whether what it links also works. */
#include <stdio.h>

unsigned intoto_core_self_check(void);

int main(void) {
    unsigned line = intoto_core_self_check();
    if (line != 0) {
        fprintf(stderr, "tests/no_std/src/lib.rs, line %u: not as expected\n", line);
        return 1;
    }
    return 0;
}
