// What Swift's Glibc module leaves out of glibc: its own settings, and the parts of <stdio.h> that need _GNU_SOURCE.
#include <malloc.h>

int renameat2(int old_folder, const char *old_path, int new_folder, const char *new_path, unsigned int flags);
