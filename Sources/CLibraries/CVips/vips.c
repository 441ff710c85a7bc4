#include <sys/prctl.h>
#include "cvips.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// libvips-dev is not needed to build: these are the prototypes and constants of libvips 8.10 and later, GLib and
// fontconfig, whose ABI is stable within the soname.
typedef struct VipsImage VipsImage;
typedef struct {
  int count;
  int capacity;
  void **fonts;
} FontSet;

enum { VIPS_ACCESS_SEQUENTIAL = 1 };
enum { VIPS_FAIL_ON_ERROR = 2 };
enum { VIPS_FORMAT_UCHAR = 0 };
enum { VIPS_INTERPRETATION_sRGB = 22 };
enum { G_LOG_LEVEL_ERROR = 4 };

typedef int load_buffer(void *, size_t, VipsImage **, ...);
typedef int save_buffer(VipsImage *, void **, size_t *, ...);
typedef int convert(VipsImage *, VipsImage **, ...);

static struct {
  int (*init)(const char *);
  void (*cache_set_max)(int);
  void (*concurrency_set)(int);
  char *(*error_buffer_copy)(void);
  void (*error_clear)(void);
  void (*thread_shutdown)(void);

  load_buffer *jpegload_buffer, *pngload_buffer, *webpload_buffer, *gifload_buffer, *tiffload_buffer, *heifload_buffer,
      *magickload_buffer;
  save_buffer *pngsave_buffer, *webpsave_buffer;
  int (*text)(VipsImage **, const char *, ...);

  int (*colourspace)(VipsImage *, VipsImage **, int, ...);
  convert *flatten, *cast_uchar;
  int (*extract_band)(VipsImage *, VipsImage **, int, ...);

  VipsImage *(*image_new_from_memory)(const void *, size_t, int, int, int, int);
  void *(*image_write_to_memory)(VipsImage *, size_t *);
  int (*image_get_width)(const VipsImage *);
  int (*image_get_height)(const VipsImage *);
  int (*image_get_bands)(const VipsImage *);
  int (*image_get_yoffset)(const VipsImage *);
  int (*image_get_orientation)(VipsImage *);
  int (*image_hasalpha)(VipsImage *);
  void (*image_set_blob_copy)(VipsImage *, const char *, const void *, size_t);

  void *(*array_double_new)(const double *, int);
  void (*area_unref)(void *);
  void (*g_object_unref)(void *);
  void (*g_free)(void *);
  void *(*g_log_set_default_handler)(void (*)(const char *, int, const char *, void *), void *);
  FontSet *(*FcConfigGetFonts)(void *, int);
} vips;

static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static bool opened = false;

// Warnings about a damaged picture are no news: its fault says what is wrong. After an error GLib aborts.
static void print_errors_only(const char *domain, int level, const char *text, void *data) {
  (void)data;
  if (level & G_LOG_LEVEL_ERROR)
    fprintf(stderr, "%s: %s\n", domain ? domain : "GLib", text);
}

static int fail(char *message, size_t capacity, const char *text) {
  snprintf(message, capacity, "%s", text);
  return -1;
}

// The error buffer is shared by all threads, so a line may stem from a failure at the same moment elsewhere.
static int fail_by_vips(char *message, size_t capacity) {
  char *text = vips.error_buffer_copy();
  vips.error_clear();
  size_t length = text ? strcspn(text, "\n") : 0;
  if (length > 0)
    snprintf(message, capacity, "%.*s", (int)length, text);
  else
    snprintf(message, capacity, "libvips gave no reason");
  vips.g_free(text);
  return -1;
}

static int find_functions(void *library, char *message, size_t capacity) {
  const struct {
    void *place;
    const char *name;
  } wanted[] = {
      {&vips.init, "vips_init"},
      {&vips.cache_set_max, "vips_cache_set_max"},
      {&vips.concurrency_set, "vips_concurrency_set"},
      {&vips.error_buffer_copy, "vips_error_buffer_copy"},
      {&vips.error_clear, "vips_error_clear"},
      {&vips.thread_shutdown, "vips_thread_shutdown"},
      {&vips.jpegload_buffer, "vips_jpegload_buffer"},
      {&vips.pngload_buffer, "vips_pngload_buffer"},
      {&vips.webpload_buffer, "vips_webpload_buffer"},
      {&vips.gifload_buffer, "vips_gifload_buffer"},
      {&vips.tiffload_buffer, "vips_tiffload_buffer"},
      {&vips.heifload_buffer, "vips_heifload_buffer"},
      {&vips.magickload_buffer, "vips_magickload_buffer"},
      {&vips.pngsave_buffer, "vips_pngsave_buffer"},
      {&vips.webpsave_buffer, "vips_webpsave_buffer"},
      {&vips.text, "vips_text"},
      {&vips.colourspace, "vips_colourspace"},
      {&vips.flatten, "vips_flatten"},
      {&vips.cast_uchar, "vips_cast_uchar"},
      {&vips.extract_band, "vips_extract_band"},
      {&vips.image_new_from_memory, "vips_image_new_from_memory"},
      {&vips.image_write_to_memory, "vips_image_write_to_memory"},
      {&vips.image_get_width, "vips_image_get_width"},
      {&vips.image_get_height, "vips_image_get_height"},
      {&vips.image_get_bands, "vips_image_get_bands"},
      {&vips.image_get_yoffset, "vips_image_get_yoffset"},
      {&vips.image_get_orientation, "vips_image_get_orientation"},
      {&vips.image_hasalpha, "vips_image_hasalpha"},
      {&vips.image_set_blob_copy, "vips_image_set_blob_copy"},
      {&vips.array_double_new, "vips_array_double_new"},
      {&vips.area_unref, "vips_area_unref"},
      {&vips.g_object_unref, "g_object_unref"},
      {&vips.g_free, "g_free"},
      {&vips.g_log_set_default_handler, "g_log_set_default_handler"},
      {&vips.FcConfigGetFonts, "FcConfigGetFonts"},
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
    return fail(message, capacity, dlerror());
  if (opened) {
    dlclose(library);
    return 0;
  }
  if (find_functions(library, message, capacity)) {
    dlclose(library);
    return -1;
  }
  // A library that has begun to register its types cannot be unloaded again.
  if (vips.init("farm"))
    return fail_by_vips(message, capacity);
  vips.g_log_set_default_handler(print_errors_only, NULL);
  vips.cache_set_max(0);
  vips.concurrency_set(1);
  opened = true;
  return 0;
}

int cvips_open(const char *library, char *message, size_t capacity) {
  pthread_mutex_lock(&opening);
  int failed = open_once(library, message, capacity);
  pthread_mutex_unlock(&opening);
  return failed;
}

// ImageMagick reads BMP alone, for which libvips has no loader of its own: "BM" at the start makes it take that reader.
static VipsImage *load(void *bytes, size_t length, enum cvips_format format) {
  load_buffer *loader = NULL;
  switch (format) {
  case CVIPS_JPEG:
    loader = vips.jpegload_buffer;
    break;
  case CVIPS_PNG:
    loader = vips.pngload_buffer;
    break;
  case CVIPS_WEBP:
    loader = vips.webpload_buffer;
    break;
  case CVIPS_GIF:
    loader = vips.gifload_buffer;
    break;
  case CVIPS_TIFF:
    loader = vips.tiffload_buffer;
    break;
  case CVIPS_HEIF:
    loader = vips.heifload_buffer;
    break;
  case CVIPS_BMP:
    break;
  }
  VipsImage *image = NULL;
  int failed = loader ? loader(bytes, length, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, NULL)
                      : vips.magickload_buffer(bytes, length, &image, NULL);
  return failed ? NULL : image;
}

// Takes the reference to `image` and answers with one to what was made of it, or NULL.
static VipsImage *become_rgb(VipsImage *image) {
  VipsImage *next = NULL;
  int failed = vips.colourspace(image, &next, VIPS_INTERPRETATION_sRGB, NULL);
  vips.g_object_unref(image);
  if (failed)
    return NULL;
  image = next;

  if (vips.image_hasalpha(image)) {
    const double white[] = {255, 255, 255};
    void *background = vips.array_double_new(white, 3);
    failed = vips.flatten(image, &next, "background", background, NULL);
    vips.area_unref(background);
    vips.g_object_unref(image);
    if (failed)
      return NULL;
    image = next;
  }
  if (vips.image_get_bands(image) > 3) {
    failed = vips.extract_band(image, &next, 0, "n", 3, NULL);
    vips.g_object_unref(image);
    if (failed)
      return NULL;
    image = next;
  }
  failed = vips.cast_uchar(image, &next, NULL);
  vips.g_object_unref(image);
  return failed ? NULL : next;
}

// Takes the reference to `image`.
static int take_pixels(VipsImage *image, int bands, struct cvips_pixels *pixels) {
  size_t length = 0;
  void *bytes = vips.image_write_to_memory(image, &length);
  pixels->width = vips.image_get_width(image);
  pixels->height = vips.image_get_height(image);
  vips.g_object_unref(image);
  if (!bytes)
    return -1;
  if (length != (size_t)pixels->width * pixels->height * bands) {
    vips.g_free(bytes);
    return -1;
  }
  pixels->bytes = bytes;
  return 0;
}

int cvips_load(const void *bytes, size_t length, enum cvips_format format, uint64_t maximum_pixels,
               struct cvips_pixels *pixels, char *message, size_t capacity) {
  VipsImage *image = load((void *)bytes, length, format);
  if (!image)
    return fail_by_vips(message, capacity);
  uint64_t width = vips.image_get_width(image), height = vips.image_get_height(image);
  if (width * height > maximum_pixels) {
    vips.g_object_unref(image);
    return fail(message, capacity, "it is larger than its header says");
  }
  pixels->orientation = vips.image_get_orientation(image);
  image = become_rgb(image);
  if (!image || take_pixels(image, 3, pixels))
    return fail_by_vips(message, capacity);
  return 0;
}

int cvips_header(const void *bytes, size_t length, enum cvips_format format, struct cvips_pixels *pixels, char *message,
                 size_t capacity) {
  VipsImage *image = load((void *)bytes, length, format);
  if (!image)
    return fail_by_vips(message, capacity);
  pixels->width = vips.image_get_width(image);
  pixels->height = vips.image_get_height(image);
  pixels->orientation = vips.image_get_orientation(image);
  vips.g_object_unref(image);
  return 0;
}

int cvips_save(const uint8_t *pixels, int width, int height, const uint8_t *xmp, size_t xmp_length,
               enum cvips_format format, int quality, void **encoded, size_t *length, char *message, size_t capacity) {
  VipsImage *plain =
      vips.image_new_from_memory(pixels, (size_t)width * height * 3, width, height, 3, VIPS_FORMAT_UCHAR);
  if (!plain)
    return fail_by_vips(message, capacity);
  if (xmp)
    vips.image_set_blob_copy(plain, "xmp-data", xmp, xmp_length);
  int failed = format == CVIPS_WEBP ? vips.webpsave_buffer(plain, encoded, length, "Q", quality, NULL)
                                    : vips.pngsave_buffer(plain, encoded, length, NULL);
  vips.g_object_unref(plain);
  return failed ? fail_by_vips(message, capacity) : 0;
}

int cvips_text(const char *markup, const char *font, struct cvips_pixels *pixels, char *message, size_t capacity) {
  VipsImage *image = NULL;
  if (vips.text(&image, markup, "font", font, NULL))
    return fail_by_vips(message, capacity);
  pixels->ink_top = vips.image_get_yoffset(image);
  return take_pixels(image, 1, pixels) ? fail_by_vips(message, capacity) : 0;
}

int cvips_font_count(void) {
  FontSet *fonts = vips.FcConfigGetFonts(NULL, 0);
  return fonts ? fonts->count : 0;
}

void cvips_name_thread(const char *name) { prctl(PR_SET_NAME, name); }

void cvips_end_thread(void) {
  pthread_mutex_lock(&opening);
  bool is_open = opened;
  pthread_mutex_unlock(&opening);
  if (is_open)
    vips.thread_shutdown();
}

void cvips_free(void *memory) { vips.g_free(memory); }
