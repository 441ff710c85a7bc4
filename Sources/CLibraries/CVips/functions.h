// What the files of this module share: the functions of libvips, and how to call them.
#ifndef FUNCTIONS_H
#define FUNCTIONS_H
#include <stddef.h>

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

extern struct functions {
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
  int (*bandjoin2)(VipsImage *, VipsImage *, VipsImage **, ...);

  VipsImage *(*image_new_from_memory)(const void *, size_t, int, int, int, int);
  void *(*image_write_to_memory)(VipsImage *, size_t *);
  int (*image_get_width)(const VipsImage *);
  int (*image_get_height)(const VipsImage *);
  int (*image_get_bands)(const VipsImage *);
  int (*image_get_yoffset)(const VipsImage *);
  int (*image_get_orientation)(VipsImage *);
  int (*image_hasalpha)(VipsImage *);
  void (*image_set_blob_copy)(VipsImage *, const char *, const void *, size_t);
  unsigned long (*image_get_typeof)(const VipsImage *, const char *);
  int (*image_get_blob)(const VipsImage *, const char *, const void **, size_t *);

  void *(*array_double_new)(const double *, int);
  void (*area_unref)(void *);
  void (*g_object_unref)(void *);
  void (*g_free)(void *);
  void *(*g_malloc)(size_t);
  void *(*g_log_set_default_handler)(void (*)(const char *, int, const char *, void *), void *);
  FontSet *(*FcConfigGetFonts)(void *, int);
} cvips;

/// Writes the text and returns -1.
int cvips_fail(char *message, size_t capacity, const char *text);

/// Runs `work`. It returns 0, or another number if libvips has the reason.
int cvips_run(int work(void *), void *context, char *message, size_t capacity);

#endif
