#define _GNU_SOURCE
#include "cvips.h"
#include "functions.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

struct functions cvips;

static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static bool opened = false;

// Warnings about a damaged picture are no news: its fault says what is wrong. After an error GLib aborts.
static void print_errors_only(const char *domain, int level, const char *text, void *data) {
  (void)data;
  if (level & G_LOG_LEVEL_ERROR)
    fprintf(stderr, "%s: %s\n", domain ? domain : "GLib", text);
}

int cvips_fail(char *message, size_t capacity, const char *text) {
  snprintf(message, capacity, "%s", text);
  return -1;
}

// The buffer of messages is shared by all threads, and what succeeds may leave some there, too. So what fails is done once
// more by itself, with an empty buffer: then the message is its own.
static pthread_rwlock_t use = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

// The first line that says why. That a source was left by a seek beyond its end is what follows from something else.
static void copy_message(char *message, size_t capacity) {
  char *text = cvips.error_buffer_copy();
  cvips.error_clear();
  const char *line = text ? text : "";
  while (!strncmp(line, "source: ", 8) && strchr(line, '\n') && strchr(line, '\n')[1]) line = strchr(line, '\n') + 1;
  size_t length = strcspn(line, "\n");
  if (length > 0)
    snprintf(message, capacity, "%.*s", (int)length, line);
  else
    snprintf(message, capacity, "libvips gave no reason");
  cvips.g_free(text);
}

int cvips_run(int work(void *), void *context, char *message, size_t capacity) {
  pthread_rwlock_rdlock(&use);
  int failed = work(context);
  pthread_rwlock_unlock(&use);
  if (!failed)
    return 0;
  pthread_rwlock_wrlock(&use);
  cvips.error_clear();
  failed = work(context);
  if (failed)
    copy_message(message, capacity);
  cvips.error_clear();
  pthread_rwlock_unlock(&use);
  return failed ? -1 : 0;
}

static int find_functions(void *library, char *message, size_t capacity) {
  const struct {
    void *place;
    const char *name;
  } wanted[] = {
      {&cvips.init, "vips_init"},
      {&cvips.cache_set_max, "vips_cache_set_max"},
      {&cvips.concurrency_set, "vips_concurrency_set"},
      {&cvips.error_buffer_copy, "vips_error_buffer_copy"},
      {&cvips.error_clear, "vips_error_clear"},
      {&cvips.thread_shutdown, "vips_thread_shutdown"},
      {&cvips.jpegload_buffer, "vips_jpegload_buffer"},
      {&cvips.pngload_buffer, "vips_pngload_buffer"},
      {&cvips.webpload_buffer, "vips_webpload_buffer"},
      {&cvips.gifload_buffer, "vips_gifload_buffer"},
      {&cvips.tiffload_buffer, "vips_tiffload_buffer"},
      {&cvips.heifload_buffer, "vips_heifload_buffer"},
      {&cvips.magickload_buffer, "vips_magickload_buffer"},
      {&cvips.pngsave_buffer, "vips_pngsave_buffer"},
      {&cvips.webpsave_buffer, "vips_webpsave_buffer"},
      {&cvips.text, "vips_text"},
      {&cvips.colourspace, "vips_colourspace"},
      {&cvips.flatten, "vips_flatten"},
      {&cvips.cast_uchar, "vips_cast_uchar"},
      {&cvips.extract_band, "vips_extract_band"},
      {&cvips.bandjoin2, "vips_bandjoin2"},
      {&cvips.image_new_from_memory, "vips_image_new_from_memory"},
      {&cvips.image_write_to_memory, "vips_image_write_to_memory"},
      {&cvips.image_get_width, "vips_image_get_width"},
      {&cvips.image_get_height, "vips_image_get_height"},
      {&cvips.image_get_bands, "vips_image_get_bands"},
      {&cvips.image_get_yoffset, "vips_image_get_yoffset"},
      {&cvips.image_get_orientation, "vips_image_get_orientation"},
      {&cvips.image_hasalpha, "vips_image_hasalpha"},
      {&cvips.image_set_blob_copy, "vips_image_set_blob_copy"},
      {&cvips.image_get_typeof, "vips_image_get_typeof"},
      {&cvips.image_get_blob, "vips_image_get_blob"},
      {&cvips.array_double_new, "vips_array_double_new"},
      {&cvips.area_unref, "vips_area_unref"},
      {&cvips.g_object_unref, "g_object_unref"},
      {&cvips.g_free, "g_free"},
      {&cvips.g_malloc, "g_malloc"},
      {&cvips.g_log_set_default_handler, "g_log_set_default_handler"},
      {&cvips.FcConfigGetFonts, "FcConfigGetFonts"},
  };
  for (size_t at = 0; at < sizeof wanted / sizeof *wanted; at++) {
    void *found = dlsym(library, wanted[at].name);
    if (!found) {
      snprintf(message, capacity, "it has no function %s", wanted[at].name);
      return -1;
    }
    memcpy(wanted[at].place, &found, sizeof found);
  }
  return 0;
}

static int open_once(const char *name, char *message, size_t capacity) {
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return cvips_fail(message, capacity, dlerror());
  if (opened) {
    dlclose(library);
    return 0;
  }
  if (find_functions(library, message, capacity)) {
    dlclose(library);
    return -1;
  }
  // A library that has begun to register its types cannot be unloaded again.
  if (cvips.init("farm")) {
    copy_message(message, capacity);
    return -1;
  }
  cvips.g_log_set_default_handler(print_errors_only, NULL);
  cvips.cache_set_max(0);
  cvips.concurrency_set(1);
  opened = true;
  return 0;
}

int cvips_open(const char *library, char *message, size_t capacity) {
  pthread_mutex_lock(&opening);
  int failed = open_once(library, message, capacity);
  pthread_mutex_unlock(&opening);
  return failed;
}

void cvips_name_thread(const char *name) { prctl(PR_SET_NAME, name); }

void cvips_end_thread(void) {
  pthread_mutex_lock(&opening);
  bool is_open = opened;
  pthread_mutex_unlock(&opening);
  if (is_open)
    cvips.thread_shutdown();
}

void cvips_free(void *memory) { cvips.g_free(memory); }
