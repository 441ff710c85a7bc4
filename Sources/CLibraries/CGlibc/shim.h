// What Swift's Glibc module leaves out of glibc: its own settings, epoll, and the parts of <stdio.h> that need _GNU_SOURCE.
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

int renameat2(int old_folder, const char *old_path, int new_folder, const char *new_path, unsigned int flags);
