// What Swift's Glibc module leaves out of glibc: its own settings, and what <stdio.h> has under _GNU_SOURCE alone.
#include <malloc.h>

int renameat2(int old_folder, const char *old_path, int new_folder, const char *new_path, unsigned int flags);
